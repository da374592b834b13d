/** Links: what carries frames from node to node. */
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';
import { checkName } from './names.ts';
import { checkNode, type Node, type Port } from './node.ts';

/** An Ethernet cable between two nodes. */
export interface EthLink {
  readonly kind: 'eth-link';
  readonly name: string | undefined;
  readonly ends: readonly [Node | Port, Node | Port];
  readonly mtu: number;
}

export interface EthLinkOptions {
  /** Defaults to the names of both nodes, `a-b`. */
  name?: string;
  /** Bytes of payload in a frame, 1500 by default; both interfaces get it. */
  mtu?: number;
}

/** The kernel's bounds for a veth; a layer needs a little more than the least. */
const mtuMin = 256;
const mtuMax = 65_535;

/** A cable from one node to another; `port(a, 'eth0')` in place of `a` names the interface. */
export function ethLink(from: Node | Port, to: Node | Port, options: EthLinkOptions = {}): EthLink {
  const nodes = [from, to].map((end, index) =>
    end?.kind === 'port' ? end.node : checkNode(end, `end ${index + 1} of ethLink()`),
  );
  if (nodes[0] === nodes[1]) {
    throw new TestbedError('ETOPOLOGY', `the link has both ends in node ${nodes[0]?.name}`, {
      hint: 'join two different nodes',
    });
  }
  checkKeys(options, { name: true, mtu: true }, `the link ${nodes.map((each) => each.name).join('-')}`);
  const { name, mtu = 1500 } = options;
  if (!Number.isInteger(mtu) || mtu < mtuMin || mtu > mtuMax) {
    throw new TestbedError('ETOPOLOGY', `the MTU ${mtu} is out of range`, {
      hint: `use ${mtuMin} to ${mtuMax} bytes`,
    });
  }
  return {
    kind: 'eth-link',
    name: name === undefined ? undefined : checkName('link', name),
    ends: [from, to],
    mtu,
  };
}
