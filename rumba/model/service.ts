/** Names of a topology, and the servers that answer to them. */
import { type BalancePolicy, balancePolicies } from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';
import { isLayer, type Layer } from './layer.ts';
import { checkName } from './names.ts';
import { checkNode, type Node } from './node.ts';

/** A name made reachable in a layer, by the IPCP that the node has there. */
export interface Registration {
  readonly kind: 'registration';
  readonly name: string;
  readonly node: Node;
  readonly layer: Layer;
}

/** A program that runs on a node and accepts the flows to a name. */
export interface Server {
  readonly kind: 'server';
  readonly node: Node;
  readonly name: string;
  readonly command: readonly string[];
  readonly layers: readonly Layer[] | undefined;
  readonly balance: BalancePolicy | undefined;
}

export interface ServerOptions {
  /** Where the name is registered: in every layer of the node that has names, by default. */
  layers?: readonly Layer[];
  /** How flows are shared where several processes of the node serve the name. */
  balance?: BalancePolicy;
}

/** Registers a name in a layer at a node, with no server started for it. */
export function register(name: string, at: { node: Node; layer: Layer }): Registration {
  checkName('service', name);
  checkKeys(at, { node: true, layer: true }, `name ${name}`);
  checkNode(at.node, `the node of name ${name}`);
  checkLayer(at.layer, `the layer of name ${name}`);
  return { kind: 'registration', name, node: at.node, layer: at.layer };
}

/**
 * Runs a command on a node, binds its process to a name, and registers the name in `layers`; without
 * them, in every layer the node is a member of.
 */
export function server(
  node: Node,
  name: string,
  command: readonly string[],
  options: ServerOptions = {},
): Server {
  checkName('service', name);
  checkNode(node, `the node of server ${name}`);
  if (!Array.isArray(command) || command.length === 0 || command.some((word) => !isArgument(word))) {
    throw new TestbedError('ETOPOLOGY', `the command of server ${name} is not a list of words`, {
      hint: "write it like ['oping', '-l']",
    });
  }
  checkKeys(options, { layers: true, balance: true }, `server ${name}`);
  const { layers, balance } = options;
  if (layers !== undefined && !Array.isArray(layers)) {
    throw new TestbedError('ETOPOLOGY', `layers of server ${name} is not a list`);
  }
  if (balance !== undefined && !balancePolicies.includes(balance)) {
    throw new TestbedError(
      'ETOPOLOGY',
      `the balance ${JSON.stringify(balance)} of server ${name} is unknown`,
      {
        hint: `use one of ${balancePolicies.join(', ')}`,
      },
    );
  }
  layers?.forEach((layer: Layer) => checkLayer(layer, `a layer of server ${name}`));
  return { kind: 'server', node, name, command, layers, balance };
}

// The kernel ends an argument at a NUL.
function isArgument(word: unknown): boolean {
  return typeof word === 'string' && !word.includes('\0');
}

function checkLayer(value: Layer, what: string): void {
  if (!isLayer(value)) {
    throw new TestbedError('ETOPOLOGY', `${what} is not a layer`, {
      hint: "make one with ethDix('NAME', LINK)",
    });
  }
}
