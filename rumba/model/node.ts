/** Nodes, and the interfaces by which links end in them. */
import { TestbedError } from '../errors.ts';
import { type IpAddress, parseAddress } from './ip-address.ts';
import { checkKeys } from './keys.ts';
import { checkName } from './names.ts';
import { parseBytes } from './quantity.ts';
import type { Runtime } from './runtime.ts';

/** A machine of the topology, with an irmd of its own. */
export interface Node {
  readonly kind: 'node';
  readonly name: string;
  readonly options: NodeOptions;
  readonly memoryBytes: number | undefined;
}

export interface NodeOptions {
  /** Gives the node the device /dev/net/tun, for programs that carry IP packets. */
  tun?: boolean;
  /** What it runs: ours, by default. */
  runtime?: Runtime;
  /** Image of the node's container, in place of that of all nodes (docker); it needs an irmd and an irm. */
  image?: string;
  /** Processors' worth of time it may take, 0.5 for half of one. */
  cpus?: number;
  /** Memory it may take, `256MB`. */
  memory?: string;
  /** Words for its irmd besides `--stdout`, for example `['--ipcpd', 'process']`. */
  irmd?: readonly string[];
  /**
   * Folder whose content is the node's /etc/ouroboros: its `security` has keys and certificates, by name. Relative to
   * the topology file.
   */
  config?: string;
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

const nodeKeys = {
  tun: true,
  runtime: true,
  image: true,
  cpus: true,
  memory: true,
  irmd: true,
  config: true,
} as const;

/** Less than an irmd and an ipcpd take makes no node. */
const memoryBytesMin = 32 * 1024 ** 2;
const cpusMin = 0.01;
const cpusMax = 1024;

/** A node. Its name is its host name too: at most 32 of a to z, 0 to 9 and hyphens. */
export function node(name: string, options: NodeOptions = {}): Node {
  checkName('node', name);
  checkKeys(options, nodeKeys, `node ${name}`);
  const { tun, runtime, image, cpus, memory, irmd, config } = options;
  const refuse = (fault: string, hint?: string): TestbedError =>
    new TestbedError('ETOPOLOGY', fault, hint === undefined ? {} : { hint });
  if (tun !== undefined && typeof tun !== 'boolean') {
    throw refuse(`tun of node ${name} is neither true nor false`);
  }
  if (runtime !== undefined && runtime?.kind !== 'runtime') {
    throw refuse(`the runtime of node ${name} is none`, "make one with runtime('NAME', { prefix, image })");
  }
  for (const [key, value] of Object.entries({ image, config })) {
    if (value === undefined || (typeof value === 'string' && value !== '' && !value.includes('\0'))) continue;
    throw refuse(`${key} of node ${name} is not a text`);
  }
  if (runtime !== undefined && image !== undefined) {
    throw refuse(`node ${name} has both an image and a runtime`, 'give the runtime the image');
  }
  if (cpus !== undefined && !(typeof cpus === 'number' && cpus >= cpusMin && cpus <= cpusMax)) {
    throw refuse(
      `cpus of node ${name} is ${JSON.stringify(cpus)}`,
      `use ${cpusMin} to ${cpusMax}, 0.5 for half of one`,
    );
  }
  const memoryBytes = memory === undefined ? undefined : parseBytes(memory, `memory of node ${name}`);
  if (memoryBytes !== undefined && memoryBytes < memoryBytesMin) {
    throw refuse(`memory of node ${name} is ${memory}, less than a node takes`, 'give it 32MiB or more');
  }
  if (irmd !== undefined && !(Array.isArray(irmd) && irmd.every((word) => typeof word === 'string'))) {
    throw refuse(`irmd of node ${name} is not a list of words`, "write it like ['--ipcpd', 'process']");
  }
  return { kind: 'node', name, options, memoryBytes };
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

/** The node a link ends in. */
export function nodeOf(end: Node | Port): Node {
  return end.kind === 'port' ? end.node : end;
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
