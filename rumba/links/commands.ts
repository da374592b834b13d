/** The commands of iproute2 that make links, and what /proc tells of them. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

/** One end of a link, in the network of a node. */
export interface LinkEnd {
  readonly interface: string;
  readonly mac: string;
  /** First process of the node, as the caller sees it. */
  readonly pid: number;
  /**
   * Number of the interface in its node. It differs from that of the other end: where both are equal
   * the kernel takes the interfaces for unconnected ones, and connects them a second late.
   */
  readonly index: number;
}

/**
 * Makes both interfaces of a cable straight in their nodes, with address and MTU, and sets the first up. The
 * other cannot be set up in the same breath: the kernel makes it before it has a peer.
 */
export function cableCommand(from: LinkEnd, to: LinkEnd, mtu: number): string[] {
  return ['ip', 'link', 'add', ...endWords(from, mtu), 'up', 'type', 'veth', 'peer', ...endWords(to, mtu)];
}

/** Makes the bridge of a LAN, in the network of the lab. It has no address of its own and speaks to nobody. */
export function bridgeCommand(lan: string, mtu: number): string[] {
  const own = ['name', bridgeName(lan), 'mtu', String(mtu), 'addrgenmode', 'none', 'up'];
  return ['ip', 'link', 'add', ...own, 'type', 'bridge', 'stp_state', '0', 'mcast_snooping', '0'];
}

/** Makes the interface of a node that is plugged into a LAN, and its port at the bridge, which it sets up. */
export function plugCommand(lan: string, node: string, end: LinkEnd, mtu: number): string[] {
  const port = ['name', portName(lan, node, end.interface), 'mtu', String(mtu), 'addrgenmode', 'none'];
  const bridge = ['master', bridgeName(lan), 'up'];
  return ['ip', 'link', 'add', ...port, ...bridge, 'type', 'veth', 'peer', ...endWords(end, mtu)];
}

/** Takes a LAN away: its ports, and with each the interface at its other end, and then the bridge. */
export function removeLanCommand(lan: string): string[] {
  const script = `ports=$(ip -o link show master "$1") || exit 0
printf '%s\\n' "$ports" | while IFS=': ' read -r _ port _; do
  [ -z "$port" ] || ip link delete dev "\${port%%@*}"
done
exec ip link delete dev "$1"`;
  return ['sh', '-c', script, 'o7s-testbed', bridgeName(lan)];
}

export function removeCommand(device: string): string[] {
  return ['ip', 'link', 'delete', 'dev', device];
}

/** Sets an interface up or down, in the network of its node. */
export function stateCommand(device: string, state: 'up' | 'down'): string[] {
  return ['ip', 'link', 'set', 'dev', device, state];
}

// Interfaces have names of at most 15 bytes.
export function bridgeName(lan: string): string {
  return `b${digest(lan)}`;
}

function portName(lan: string, node: string, device: string): string {
  return `p${digest(`${lan}\0${node}\0${device}`)}`;
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 14);
}

function endWords(end: LinkEnd, mtu: number): string[] {
  return [
    ...['name', end.interface, 'index', String(end.index), 'address', end.mac],
    ...['mtu', String(mtu), 'netns', String(end.pid)],
  ];
}

/**
 * True when an interface passes frames: the kernel connects the end that was set up first a moment
 * after the other. Also true where the node could not be given a /sys of its own to look at.
 */
export function isConnected(end: Pick<LinkEnd, 'pid' | 'interface'>): boolean {
  const file = `/proc/${end.pid}/root/sys/class/net/${end.interface}/operstate`;
  return !existsSync(file) || readFileSync(file, 'latin1').trim() === 'up';
}

/** The interfaces in the network of a process, the loopback excluded. */
export function interfacesOf(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/net/dev`, 'latin1').split('\n').slice(2);
  return lines
    .map((line) => line.slice(0, line.indexOf(':')).trim())
    .filter((name) => name !== '' && name !== 'lo');
}

/** The highest number of an interface in the network of a process. */
export function highestIndex(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/net/igmp`, 'latin1').matchAll(/^(\d+)\s/gm);
  return Math.max(0, ...[...lines].map(([, index]) => Number(index)));
}
