/** The manual's type `udp`: over IPv4 or IPv6, as the address that an IPCP is bootstrapped with. */
import { isIP } from 'node:net';
import type { IpcpType } from './rpc/api.ts';

/** The port of all IPCPs of a udp layer, unless it is configured. */
export const udpPort = 3435;

/** The type of an IPCP that has an address: `udp` becomes that of its family. */
export function settledType(type: IpcpType, ip: string | undefined): IpcpType {
  const family = type === 'udp' && ip !== undefined ? isIP(ip) : 0;
  return family === 0 ? type : `udp${family as 4 | 6}`;
}

/** Whether a type is what was asked for: `udp` asks for either family. */
export function isOfType(type: IpcpType, asked: IpcpType): boolean {
  return type === asked || (asked === 'udp' && (type === 'udp4' || type === 'udp6'));
}
