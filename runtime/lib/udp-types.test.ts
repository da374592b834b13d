import { expect, test } from 'vitest';
import { type IpcpType, ipcpTypes } from './rpc/api.ts';
import { isOfType, settledType } from './udp-types.ts';

test('an address settles what udp is, and nothing else', () => {
  const settled = (ip: string | undefined): IpcpType[] => ipcpTypes.map((type) => settledType(type, ip));
  const others = ['local', 'unicast', 'broadcast', 'eth-llc', 'eth-dix'];
  expect(settled('10.0.0.1')).toEqual([...others, 'udp4', 'udp4', 'udp6']);
  expect(settled('fd00::1')).toEqual([...others, 'udp6', 'udp4', 'udp6']);
  for (const ip of [undefined, '', 'localhost', '10.0.0.256']) expect(settled(ip)).toEqual(ipcpTypes);
});

test('udp asks for both families', () => {
  const found = (asked: IpcpType): IpcpType[] => ipcpTypes.filter((type) => isOfType(type, asked));
  expect(found('udp')).toEqual(['udp', 'udp4', 'udp6']);
  for (const type of ipcpTypes.filter((one) => one !== 'udp')) expect(found(type)).toEqual([type]);
});
