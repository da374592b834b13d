/** What tests of ovpn need besides namespaces. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const lacks = (command: string, ...args: readonly string[]): string | undefined =>
  spawnSync(command, args).error === undefined ? undefined : `there is no ${command}`;

/** Why they cannot run; undefined when they can. */
export function vpnMissing(): string | undefined {
  const tun = existsSync('/dev/net/tun') ? undefined : 'there is no /dev/net/tun: modprobe tun';
  return tun ?? lacks('ping', '-V') ?? lacks('iperf3', '-v');
}
