/** Layers over layers: their IPCPs enrol with each other and are connected, over the flows of the layers below. */
import {
  type CongestionPolicy,
  congestionPolicies,
  type HashAlgorithm,
  type RoutingPolicy,
  routingPolicies,
} from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';
import { checkHash, isLayer, type Layer } from './layer.ts';
import { checkName } from './names.ts';
import { checkNode, type Node } from './node.ts';

/**
 * Which members are neighbours: `mesh`, all that have a layer below in common; `tree`, each and the member it enrolled
 * with; or the pairs that are listed.
 */
export type Adjacencies = 'mesh' | 'tree' | readonly (readonly [Node, Node])[];

/**
 * Whom members enrol with: `tree`, the nearest to the bootstrap that they reach, so that as many as possible enrol at
 * once; or the pairs that are listed, each of a member and the one it enrols with.
 */
export type Enrolments = 'tree' | readonly (readonly [member: Node, target: Node])[];

/** A unicast layer: its members forward packets for each other, and names are found wherever they are registered. */
export interface Unicast {
  readonly kind: 'unicast';
  readonly name: string;
  readonly over: readonly Layer[];
  readonly options: UnicastOptions;
}

/** A broadcast layer: what one application sends, all others hear that have joined it. */
export interface Broadcast {
  readonly kind: 'broadcast';
  readonly name: string;
  readonly over: readonly Layer[];
  readonly options: BroadcastOptions;
}

export interface BroadcastOptions {
  /** The nodes that are in the layer: all that are in a layer below, by default. */
  members?: readonly Node[];
  /** The member the others enrol with, directly or through each other: one in the middle, by default. */
  bootstrap?: Node;
  /** `tree`, by default. */
  enrolments?: Enrolments;
  /** The neighbours of a broadcast layer have to form a tree: `tree`, by default. */
  adjacencies?: Adjacencies;
}

export interface UnicastOptions extends BroadcastOptions {
  /** `mesh`, by default. */
  adjacencies?: Adjacencies;
  /** `link_state`, by default. */
  routing?: RoutingPolicy;
  /** `mb-ecn`, by default. */
  congestion?: CongestionPolicy;
  /** Hash of the layer's directory, SHA3_256 by default. */
  hash?: HashAlgorithm;
  /** Links a packet may cross, 60 by default. */
  ttl?: number;
  /** Timers of routing, in s: how often links are announced (15), their lifetime (60), the longest wait for new routes (4). */
  lsUpdate?: number;
  lsTimeout?: number;
  lsRecalc?: number;
  /** Of the directory: members asked at once (3), contacts in an answer (8); lifetime, refresh and replication, in s. */
  dhtAlpha?: number;
  dhtK?: number;
  dhtExpire?: number;
  dhtRefresh?: number;
  dhtReplicate?: number;
}

const broadcastKeys = { members: true, bootstrap: true, enrolments: true, adjacencies: true } as const;
const unicastKeys = {
  ...broadcastKeys,
  routing: true,
  congestion: true,
  hash: true,
  ttl: true,
  lsUpdate: true,
  lsTimeout: true,
  lsRecalc: true,
  dhtAlpha: true,
  dhtK: true,
  dhtExpire: true,
  dhtRefresh: true,
  dhtReplicate: true,
} as const;

/** Least and greatest value of each number. */
const ranges = {
  ttl: [1, 255],
  lsUpdate: [1, 86_400],
  lsTimeout: [3, 86_400],
  lsRecalc: [1, 86_400],
  dhtAlpha: [1, 10],
  dhtK: [1, 20],
  dhtExpire: [10, 86_400],
  dhtRefresh: [3, 3600],
  dhtReplicate: [3, 3600],
} as const;

/** A unicast layer over others. Its IPCPs are called `<layer>.<node>`. */
export function unicast(name: string, over: Layer | readonly Layer[], options: UnicastOptions = {}): Unicast {
  const below = checkBelow('unicast', name, over);
  checkKeys(options, unicastKeys, `layer ${name}`);
  checkMembership(name, options);
  const { routing, congestion, hash, lsUpdate = 15, lsTimeout = 60 } = options;
  checkPolicy(name, 'routing', routing, routingPolicies);
  checkPolicy(name, 'congestion', congestion, congestionPolicies);
  checkHash(hash, name);
  for (const [key, [min, max]] of Object.entries(ranges)) {
    const value = options[key as keyof typeof ranges];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) continue;
    throw new TestbedError('ETOPOLOGY', `${key} ${value} of layer ${name} is out of range`, {
      hint: `use ${min} to ${max}`,
    });
  }
  if (lsTimeout < lsUpdate + 2) {
    throw new TestbedError(
      'ETOPOLOGY',
      `links of layer ${name} would age out before they are announced again`,
      {
        hint: 'set lsTimeout at least 2 s above lsUpdate',
      },
    );
  }
  return { kind: 'unicast', name, over: below, options };
}

/** A broadcast layer over others. Its IPCPs are called `<layer>.<node>`. */
export function broadcast(
  name: string,
  over: Layer | readonly Layer[],
  options: BroadcastOptions = {},
): Broadcast {
  const below = checkBelow('broadcast', name, over);
  checkKeys(options, broadcastKeys, `layer ${name}`);
  checkMembership(name, options);
  if (options.adjacencies === 'mesh') {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is a broadcast layer and cannot be a mesh`, {
      hint: "what is sent would go round without end: use 'tree', or list pairs that form one",
    });
  }
  return { kind: 'broadcast', name, over: below, options };
}

function checkBelow(maker: string, name: string, over: Layer | readonly Layer[]): readonly Layer[] {
  checkName('layer', name);
  const list = (Array.isArray(over) ? over : [over]) as readonly Layer[];
  const fault = list.find((each) => !isLayer(each));
  if (list.length === 0 || fault !== undefined) {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is not over layers`, {
      hint: `write ${maker}('${name}', [LAYER, ...]) with LAYER = ethDix('NAME', LINK)`,
    });
  }
  const lowest = list.find(({ kind }) => kind === 'broadcast');
  if (lowest !== undefined) {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is over layer ${lowest.name}, a broadcast layer`, {
      hint: 'IPCPs need flows to names, which such a layer has not',
    });
  }
  return [...new Set(list)];
}

function checkMembership(
  name: string,
  { members, bootstrap, enrolments, adjacencies }: BroadcastOptions,
): void {
  if (members !== undefined) {
    if (!Array.isArray(members) || members.length === 0) {
      throw new TestbedError('ETOPOLOGY', `layer ${name} has no members`, {
        hint: 'list nodes, or leave members out for all of the layers below',
      });
    }
    members.forEach((each: Node) => checkNode(each, `a member of layer ${name}`));
  }
  if (bootstrap !== undefined) checkNode(bootstrap, `the bootstrap of layer ${name}`);
  checkPairs(name, 'enrolments', enrolments, ['tree']);
  checkPairs(name, 'adjacencies', adjacencies, ['mesh', 'tree']);
}

function checkPairs(
  layer: string,
  what: string,
  value: Adjacencies | undefined,
  words: readonly string[],
): void {
  if (value === undefined || (typeof value === 'string' && words.includes(value))) return;
  if (!Array.isArray(value) || value.some((pair: unknown) => !Array.isArray(pair) || pair.length !== 2)) {
    const said = `${what} of layer ${layer} is neither ${words.join(' nor ')} nor a list of pairs`;
    throw new TestbedError('ETOPOLOGY', said, { hint: 'write them like [[a, b], [b, c]]' });
  }
  for (const pair of value as readonly (readonly [Node, Node])[]) {
    for (const end of pair) checkNode(end, `a node in ${what} of layer ${layer}`);
  }
}

function checkPolicy<T extends string>(
  layer: string,
  what: string,
  value: T | undefined,
  known: readonly T[],
): void {
  if (value === undefined || known.includes(value)) return;
  const said = `the ${what} ${JSON.stringify(value)} of layer ${layer} is unknown`;
  throw new TestbedError('ETOPOLOGY', said, { hint: `use one of ${known.join(', ')}` });
}
