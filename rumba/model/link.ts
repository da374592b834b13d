/** Links: what carries frames from node to node. */
import { TestbedError } from '../errors.ts';
import { type Impairment, impairment, type ImpairmentOptions, type Impairments, into } from './impairment.ts';
import { checkKeys } from './keys.ts';
import { checkName } from './names.ts';
import { checkNode, type Node, nodeOf, type Port } from './node.ts';

/** An Ethernet cable between two nodes. */
export interface EthLink {
  readonly kind: 'eth-link';
  /** As given, else the names of both nodes, `a-b`. */
  readonly name: string;
  readonly isNamed: boolean;
  readonly ends: readonly [Node | Port, Node | Port];
  readonly mtu: number;
  readonly impairments: Impairments | undefined;
}

/** An Ethernet that any number of nodes are plugged into: what one sends to all, all others get. */
export interface Lan {
  readonly kind: 'lan';
  readonly name: string;
  readonly isNamed: true;
  readonly ends: readonly (Node | Port)[];
  readonly mtu: number;
  readonly impairments: Impairments | undefined;
}

export type Link = EthLink | Lan;

export interface LinkOptions {
  /** Bytes of payload in a frame, 1500 by default; all interfaces get it. */
  mtu?: number;
  /**
   * What is wrong with it, in both directions or in each: from the first end to the second, and back. Of a LAN, what
   * nodes send into it, or that and what they get from it.
   */
  impair?: ImpairmentOptions | readonly [ImpairmentOptions, ImpairmentOptions];
}

export interface EthLinkOptions extends LinkOptions {
  /** Defaults to the names of both nodes, `a-b`. */
  name?: string;
}

/** The kernel's bounds for a veth; a layer needs a little more than the least. */
const mtuMin = 256;
const mtuMax = 65_535;

/** A Linux bridge has 1024 ports (BR_MAX_PORTS), and an automatic network room for 1022 addresses. */
const lanEndsMax = 1000;

/** A cable from one node to another; `port(a, 'eth0')` in place of `a` names the interface. */
export function ethLink(from: Node | Port, to: Node | Port, options: EthLinkOptions = {}): EthLink {
  const [one, other] = [from, to].map((end, index) => checkEnd(end, `end ${index + 1} of ethLink()`));
  const pair = `${one?.name}-${other?.name}`;
  if (one === other) {
    throw new TestbedError('ETOPOLOGY', `the link has both ends in node ${one?.name}`, {
      hint: 'join two different nodes',
    });
  }
  checkKeys(options, { name: true, mtu: true, impair: true }, `the link ${pair}`);
  const { name, mtu = 1500, impair } = options;
  checkMtu(mtu);
  return {
    kind: 'eth-link',
    name: name === undefined ? pair : checkName('link', name),
    isNamed: name !== undefined,
    ends: [from, to],
    mtu,
    impairments: impairments(impair, `link ${name ?? pair}`, (both) => [both, both]),
  };
}

/** A LAN with these nodes in it, each once; `port(a, 'eth0')` in place of `a` names the interface. */
export function lan(name: string, ends: readonly (Node | Port)[], options: LinkOptions = {}): Lan {
  checkName('link', name);
  if (!Array.isArray(ends) || ends.length === 0) {
    throw new TestbedError('ETOPOLOGY', `LAN ${name} has no nodes`, {
      hint: `write lan('${name}', [a, b, c])`,
    });
  }
  if (ends.length > lanEndsMax) {
    throw new TestbedError('ETOPOLOGY', `LAN ${name} has ${ends.length} nodes, ${lanEndsMax} is the most`, {
      hint: 'make several, and a layer over them',
    });
  }
  const nodes = ends.map((end: Node | Port, index) => checkEnd(end, `ends[${index}] of LAN ${name}`));
  const twice = nodes.find((each, index) => nodes.indexOf(each) !== index);
  if (twice !== undefined) {
    throw new TestbedError('ETOPOLOGY', `node ${twice.name} is twice in LAN ${name}`, {
      hint: 'list each node once',
    });
  }
  checkKeys(options, { mtu: true, impair: true }, `LAN ${name}`);
  const { mtu = 1500, impair } = options;
  checkMtu(mtu);
  return {
    kind: 'lan',
    name,
    isNamed: true,
    ends: [...ends],
    mtu,
    impairments: impairments(impair, `LAN ${name}`, into),
  };
}

function impairments(
  given: LinkOptions['impair'],
  what: string,
  whole: (each: Impairment) => Impairments,
): Impairments | undefined {
  if (given === undefined) return undefined;
  if (!isPair(given)) return whole(impairment(given, what));
  if (given.length !== 2) {
    throw new TestbedError('ETOPOLOGY', `impair of ${what} has ${given.length as number} directions`, {
      hint: 'give two, or one object for both',
    });
  }
  return [impairment(given[0], `${what}, there`), impairment(given[1], `${what}, back`)];
}

function isPair(
  given: NonNullable<LinkOptions['impair']>,
): given is readonly [ImpairmentOptions, ImpairmentOptions] {
  return Array.isArray(given);
}

/** True for a link; what a topology file passes need not be one. */
export function isLink(value: { readonly kind?: unknown } | null | undefined): value is Link {
  return value?.kind === 'eth-link' || value?.kind === 'lan';
}

function checkEnd(end: Node | Port, what: string): Node {
  return end?.kind === 'port' ? nodeOf(end) : checkNode(end, what);
}

function checkMtu(mtu: number): void {
  if (Number.isInteger(mtu) && mtu >= mtuMin && mtu <= mtuMax) return;
  throw new TestbedError('ETOPOLOGY', `the MTU ${mtu} is out of range`, {
    hint: `use ${mtuMin} to ${mtuMax} bytes`,
  });
}
