/** Cables between nodes: veth pairs, made where they belong. */
import { existsSync, readFileSync } from 'node:fs';

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
 * Makes both interfaces straight in their nodes, with address and MTU, and sets the first up. The
 * other cannot be set up in the same breath: the kernel makes it before it has a peer.
 */
export function addCommand(from: LinkEnd, to: LinkEnd, mtu: number): string[] {
  const end = (each: LinkEnd): string[] => [
    ...['name', each.interface, 'index', String(each.index), 'address', each.mac],
    ...['mtu', String(mtu), 'netns', String(each.pid)],
  ];
  return ['ip', 'link', 'add', ...end(from), 'up', 'type', 'veth', 'peer', ...end(to)];
}

/** Sets an interface up, in the network of its node. */
export function upCommand(end: LinkEnd): string[] {
  return ['ip', 'link', 'set', 'dev', end.interface, 'up'];
}

/**
 * True when an interface passes frames: the kernel connects the end that was set up first a moment
 * after the other. Also true where the node could not be given a /sys of its own to look at.
 */
export function isConnected(end: LinkEnd): boolean {
  const file = `/proc/${end.pid}/root/sys/class/net/${end.interface}/operstate`;
  return !existsSync(file) || readFileSync(file, 'latin1').trim() === 'up';
}

/** True when the network of a process has an interface of this name. */
export function hasInterface(pid: number, name: string): boolean {
  const table = readFileSync(`/proc/${pid}/net/dev`, 'latin1');
  return table.split('\n').some((line) => line.trimStart().startsWith(`${name}:`));
}

/** The highest number of an interface in the network of a process. */
export function highestIndex(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/net/igmp`, 'latin1').matchAll(/^(\d+)\s/gm);
  return Math.max(0, ...[...lines].map(([, index]) => Number(index)));
}
