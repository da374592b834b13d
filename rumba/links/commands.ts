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
 * The interfaces in the network of the lab by which one link is joined: what comes in at one port leaves by the other.
 * A cable has a port for each of its nodes; a node's end of a LAN has one for the node and one for the bridge.
 */
export interface Ports {
  readonly join: string;
  readonly near: string;
  readonly far: string;
}

export function cablePorts(link: string): Ports {
  return portsOf(`c${digest(link)}`);
}

export function plugPorts(lan: string, node: string, device: string): Ports {
  return portsOf(`p${digest(`${lan}\0${node}\0${device}`)}`);
}

// Interfaces have names of at most 15 bytes.
function portsOf(join: string): Ports {
  return { join, near: `${join}a`, far: `${join}b` };
}

/** The join that a port is of; undefined for an interface that is no port. */
export function joinAt(port: string): Ports | undefined {
  const [, join] = /^([cp][0-9a-f]{12})[ab]$/.exec(port) ?? [];
  return join === undefined ? undefined : portsOf(join);
}

/**
 * Where the wire picks up the frames of one direction: the kernel leads them into one end of a pair, the `funnel`, and
 * the wire reads them at the other.
 */
export function funnelOf(port: string): { funnel: string; reader: string } {
  return { funnel: `f${port}`, reader: `r${port}` };
}

/** Makes a node's interface and its port, with address and MTU, and sets the port up. */
export function pairCommand(port: string, portIndex: number, end: LinkEnd, mtu: number): string[] {
  const add = ['ip', 'link', 'add', ...portWords(port, mtu, portIndex), 'type', 'veth', 'peer'];
  return inSequence([[...add, ...endWords(end, mtu)], ...silentCommands(port)]);
}

/**
 * Makes a cable in one go: both pairs, all interfaces up, and the ports joined. An interface of a node is named before
 * its port: only then the kernel sets it up as it makes it.
 */
export function cableCommand(
  { near, far }: Ports,
  ends: readonly { readonly end: LinkEnd; readonly portIndex: number }[],
  mtu: number,
  labPid: number,
): string[] {
  const both = [near, far];
  const pairs = ends.map(({ end, portIndex }, index) => {
    const port = [...portWords(both[index] ?? '', mtu, portIndex), 'netns', String(labPid)];
    return ['ip', 'link', 'add', ...endWords(end, mtu), 'up', 'type', 'veth', 'peer', ...port];
  });
  const join = [
    classifierCommand(near),
    classifierCommand(far),
    leadCommand(near, far),
    leadCommand(far, near),
  ];
  return batches([...pairs, ...both.flatMap(silentCommands), ...join]);
}

/** Makes the bridge's end of a LAN's join, `far`, and what is plugged into the bridge. */
export function bridgePairCommand(far: string, mtu: number): string[] {
  const inner = innerPort(far);
  return inSequence([
    ['ip', 'link', 'add', ...portWords(far, mtu), 'type', 'veth', 'peer', 'name', inner, 'mtu', String(mtu)],
    ...silentCommands(far),
    ...silentCommands(inner),
  ]);
}

/** Plugs a LAN's join into its bridge. */
export function bridgeCommandFor(lan: string, far: string): string[] {
  return ['ip', 'link', 'set', 'dev', innerPort(far), 'master', bridgeName(lan)];
}

function innerPort(far: string): string {
  return `${far.slice(0, -1)}c`;
}

/** Makes a funnel of a port and its reader, and sets both up. */
export function funnelCommands(port: string, mtu: number): string[][] {
  const { funnel, reader } = funnelOf(port);
  return pairOfPorts(funnel, reader, mtu);
}

/** Makes two interfaces of the lab that are the ends of one pair, and sets both up. */
export function pairOfPorts(one: string, other: string, mtu: number): string[][] {
  const peer = ['peer', 'name', other, 'mtu', String(mtu)];
  return [
    ['ip', 'link', 'add', ...portWords(one, mtu), 'type', 'veth', ...peer],
    ...silentCommands(one),
    ...silentCommands(other),
  ];
}

/**
 * Leads all that comes in at an interface out by another, instead of where it was led before: every frame goes one way
 * or the other, none is lost or doubled by the change. The filter with this handle is replaced as a whole.
 */
export function leadCommand(from: string, to: string): string[] {
  const match = ['u32', 'match', 'u32', '0', '0', 'action', 'mirred', 'egress', 'redirect', 'dev', to];
  const place = ['dev', from, 'parent', 'ffff:', 'protocol', 'all', 'pref', '1', 'handle', '800::800'];
  return ['tc', 'filter', 'replace', ...place, ...match];
}

/** Prints where frames are led that come in at an interface. */
export function leadsCommand(from: string): string[] {
  return ['tc', 'filter', 'show', 'dev', from, 'parent', 'ffff:'];
}

/** What leading takes first. It may be there already. */
export function classifierCommand(port: string): string[] {
  return ['tc', 'qdisc', 'replace', 'dev', port, 'ingress'];
}

/** Makes the bridge of a LAN, in the network of the lab. It has no address of its own and speaks to nobody. */
export function bridgeCommand(lan: string, mtu: number): string[] {
  const bridge = bridgeName(lan);
  const traits = ['type', 'bridge', 'stp_state', '0', 'mcast_snooping', '0'];
  return inSequence([
    ['ip', 'link', 'add', 'name', bridge, 'mtu', String(mtu), ...traits],
    ...silentCommands(bridge),
  ]);
}

/**
 * Sets an interface up that says nothing by itself: it gets no address. The kernel takes this of an interface that is
 * there, and of none that is being made.
 */
function silentCommands(device: string): string[][] {
  return [['addrgenmode', 'none'], ['up']].map((words) => ['ip', 'link', 'set', 'dev', device, ...words]);
}

/** Prints what is plugged into the bridge of a LAN, as `listCommand` does. */
export function pluggedCommand(lan: string): string[] {
  return ['ip', '-o', 'link', 'show', 'master', bridgeName(lan)];
}

/** The join that is plugged into a bridge by an interface; undefined for one that is no such. */
export function pluggedJoin(inner: string): Ports | undefined {
  const [, join] = /^(p[0-9a-f]{12})c$/.exec(inner) ?? [];
  return join === undefined ? undefined : portsOf(join);
}

/** Several commands one after the other, until one fails. */
export function inSequence(commands: readonly (readonly string[])[]): string[] {
  return ['sh', '-ec', commands.map((words) => words.map(quote).join(' ')).join('\n')];
}

/** The same for commands of `ip` and of `tc`, with one process for those of either that follow each other. */
function batches(commands: readonly (readonly string[])[]): string[] {
  const groups: { program: string; lines: string[] }[] = [];
  for (const [program = '', ...words] of commands) {
    const last = groups.at(-1);
    if (last?.program === program) last.lines.push(words.join(' '));
    else groups.push({ program, lines: [words.join(' ')] });
  }
  const script = groups.map(({ program, lines }) => `${program} -batch - <<'end'\n${lines.join('\n')}\nend`);
  return ['sh', '-ec', script.join('\n')];
}

function quote(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function removeCommand(device: string): string[] {
  return ['ip', 'link', 'delete', 'dev', device];
}

/** Sets an interface up or down, in the network of its node. */
export function stateCommand(device: string, state: 'up' | 'down'): string[] {
  return ['ip', 'link', 'set', 'dev', device, state];
}

/** What interfaces of a lab's network, or of a node's, are joined to what: `e1@if12`, and marks of ours. */
export const listCommand = ['ip', '-o', 'link', 'show'] as const;

export interface ListedInterface {
  readonly index: number;
  /** Number of the other end of its pair, in whatever network that is; undefined for none. */
  readonly peer: number | undefined;
  readonly isCut: boolean;
  /** Whether it passes frames. */
  readonly isUp: boolean;
  /** What it is marked with. */
  readonly alias: string | undefined;
}

/** What `listCommand` printed, by name. */
export function parseList(text: string): Map<string, ListedInterface> {
  const found = new Map<string, ListedInterface>();
  for (const line of text.split('\n')) {
    const [, index, name, peer] = /^(\d+): ([^:@\s]+)(?:@(?:if(\d+)|[^:\s]+))?:/.exec(line) ?? [];
    if (index === undefined || name === undefined) continue;
    const alias = /\\ {4}alias (.+)$/.exec(line)?.[1]?.trim();
    found.set(name, {
      index: Number(index),
      peer: peer === undefined ? undefined : Number(peer),
      isCut: alias === cutMark,
      isUp: / state UP /.test(line),
      alias,
    });
  }
  return found;
}

/** By this alias a port is known that is down because its link was set down, and not for its node. */
const cutMark = 'cut';

/** Sets a port down with that mark, or up without it. */
export function cutCommand(port: string, state: 'up' | 'down'): string[] {
  return ['ip', 'link', 'set', 'dev', port, state, 'alias', state === 'down' ? cutMark : ''];
}

export function bridgeName(lan: string): string {
  return `b${digest(lan)}`;
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 12);
}

function portWords(port: string, mtu: number, index?: number): string[] {
  const number = index === undefined ? [] : ['index', String(index)];
  return ['name', port, ...number, 'mtu', String(mtu)];
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
