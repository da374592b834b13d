/** Nodes, and the interfaces by which links end in them. */
import { TestbedError } from '../errors.ts';
import { type IpAddress, parseAddress } from './ip-address.ts';
import { checkKeys } from './keys.ts';
import { checkName } from './names.ts';

/** A machine of the topology, with an irmd of its own. */
export interface Node {
  readonly kind: 'node';
  readonly name: string;
  readonly tun: boolean;
}

export interface NodeOptions {
  /** Gives the node the device /dev/net/tun, for programs that carry IP packets. */
  tun?: boolean;
}

/** One interface of a node, for a link to end in. */
export interface Port {
  readonly kind: 'port';
  readonly node: Node;
  readonly interface: string;
  readonly mac: string | undefined;
  readonly addresses: readonly IpAddress[];
}

export interface PortOptions {
  /** Six bytes, `02:00:00:00:00:01`. */
  mac?: string;
  /** IPv4 and IPv6 addresses with the prefix length of their network, `10.0.0.1/24` and `fd00::1/64`. */
  addresses?: readonly string[];
}

/** A node. Its name is its host name too: at most 32 of a to z, 0 to 9 and hyphens. */
export function node(name: string, options: NodeOptions = {}): Node {
  checkName('node', name);
  checkKeys(options, { tun: true }, `node ${name}`);
  const { tun = false } = options;
  if (typeof tun !== 'boolean') {
    throw new TestbedError('ETOPOLOGY', `tun of node ${name} is neither true nor false`);
  }
  return { kind: 'node', name, tun };
}

/**
 * An interface with a name of your choice, at most 15 bytes, and where wanted a MAC address and IP
 * addresses. A link that is given just the node calls its interface e1, e2 and so on.
 */
export function port(node: Node, name: string, options: PortOptions = {}): Port {
  checkNode(node, 'the first argument of port()');
  checkName('interface', name);
  checkKeys(options, { mac: true, addresses: true }, `port ${name}`);
  return {
    kind: 'port',
    node,
    interface: name,
    mac: checkMac(options.mac, name),
    addresses: checkAddresses(options.addresses ?? [], name),
  };
}

/** Refuses a value that is no node; `what` says where it was found. */
export function checkNode(value: Node, what: string): Node {
  if (value?.kind !== 'node') {
    throw new TestbedError('ETOPOLOGY', `${what} is not a node`, { hint: "make one with node('NAME')" });
  }
  return value;
}

function checkMac(mac: string | undefined, name: string): string | undefined {
  if (mac === undefined) return undefined;
  const text = String(mac).toLowerCase();
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text)) {
    throw new TestbedError(
      'ETOPOLOGY',
      `the MAC address ${JSON.stringify(mac)} of ${name} is not six bytes`,
      {
        hint: 'write it like 02:00:00:00:00:01',
      },
    );
  }
  // A group address cannot be a source.
  if (Number.parseInt(text.slice(0, 2), 16) % 2 === 1) {
    throw new TestbedError('ETOPOLOGY', `the MAC address ${mac} of ${name} is a group address`, {
      hint: 'make its first byte even, for example 02',
    });
  }
  return text;
}

function checkAddresses(texts: readonly string[], name: string): readonly IpAddress[] {
  if (!Array.isArray(texts)) {
    throw new TestbedError('ETOPOLOGY', `the addresses of ${name} are not a list`, {
      hint: "write them like ['10.0.0.1/24', 'fd00::1/64']",
    });
  }
  const addresses = texts.map((text: string) => parseAddress(text, name));
  addresses.forEach(({ ip }, index) => {
    if (addresses.slice(0, index).some((other) => other.ip === ip)) {
      throw new TestbedError('ETOPOLOGY', `the address ${ip} of ${name} is listed twice`, {
        hint: 'list each once',
      });
    }
  });
  return addresses;
}
