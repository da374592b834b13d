/** Who is in a layer over others, whom each enrols with, and who are neighbours. */
import { TestbedError } from '../errors.ts';
import { checkName } from './names.ts';
import type { Node } from './node.ts';
import type { Broadcast, Unicast } from './stacked-layer.ts';
import type {
  TopologyEnrolment,
  TopologyLayer,
  TopologyStackedLayer,
  TopologyStackedMember,
} from './topology.ts';

/** The members that each member has a layer below in common with. */
type Reach = ReadonlyMap<string, ReadonlySet<string>>;

/** Places the IPCPs of a layer over those that are placed already. */
export function stackLayer(
  layer: Unicast | Broadcast,
  below: readonly TopologyLayer[],
  nodes: ReadonlySet<Node>,
): TopologyStackedLayer {
  const { kind, name, options } = layer;
  const members = membersOf(layer, below, nodes);
  const reach = reachOf(members, below);
  const asked = options.bootstrap?.name;
  if (asked !== undefined && !reach.has(asked)) {
    throw new TestbedError('ETOPOLOGY', `node ${asked} bootstraps layer ${name} and is no member of it`, {
      hint: 'choose one of its members',
    });
  }
  const listed = options.enrolments ?? 'tree';
  const first = asked ?? (listed === 'tree' ? middleOf(reach) : unlisted(listed, reach));
  const enrolments =
    listed === 'tree' ? enrolmentTree(name, first, reach) : listedEnrolments(name, first, reach, listed);
  const ipcpOf = new Map(members.map(({ node, ipcp }) => [node, ipcp]));
  const pairs = adjacentPairs(layer, enrolments, reach);
  return {
    kind,
    name,
    over: below.map((each) => each.name),
    bootstrap: first,
    members,
    enrolments,
    adjacencies: pairs.map(([from, to]) => ({
      node: from,
      ipcp: ipcpOf.get(from) ?? '',
      to: ipcpOf.get(to) ?? '',
    })),
    config: layer.kind === 'unicast' ? configOf(layer) : {},
  };
}

function membersOf(
  { name, options }: Unicast | Broadcast,
  below: readonly TopologyLayer[],
  nodes: ReadonlySet<Node>,
): TopologyStackedMember[] {
  const inBelow = [...new Set(below.flatMap(({ members }) => members.map(({ node }) => node)))];
  for (const member of options.members ?? []) {
    if (!nodes.has(member)) {
      throw new TestbedError('ETOPOLOGY', `node ${member.name}, a member of layer ${name}, is not listed`, {
        hint: 'add it to nodes of the topology',
      });
    }
    if (!inBelow.includes(member.name)) {
      throw new TestbedError(
        'ETOPOLOGY',
        `node ${member.name} is a member of layer ${name} and of no layer below it`,
        { hint: 'add a layer that reaches it to those below' },
      );
    }
  }
  const chosen = options.members?.map((member) => member.name) ?? inBelow;
  return [...new Set(chosen)].map((node) => ({
    node,
    ipcp: checkName('IPCP', `${name}.${node}`),
    lower: below.flatMap((each) =>
      each.members.flatMap((member) => (member.node === node ? [member.ipcp] : [])),
    ),
  }));
}

/** The members of a layer that each of them has a layer below in common with. */
export function reachOf(
  members: readonly { readonly node: string }[],
  below: readonly { readonly members: readonly { readonly node: string }[] }[],
): Reach {
  const reach = new Map<string, Set<string>>(members.map(({ node }) => [node, new Set()]));
  for (const { members: lower } of below) {
    const here = lower.map(({ node }) => node).filter((node) => reach.has(node));
    for (const a of here) for (const b of here) if (a !== b) reach.get(a)?.add(b);
  }
  return reach;
}

/** Whom each member enrols with that is not in yet: the nearest to those that are, which a walk meets first. */
export function enrolmentsFrom(joined: readonly string[], reach: Reach): TopologyEnrolment[] {
  const walked = new Set(joined);
  const enrolments: TopologyEnrolment[] = [];
  // A set is walked in the order in which it grows.
  for (const member of walked) {
    for (const node of reach.get(member) ?? []) {
      if (walked.has(node)) continue;
      walked.add(node);
      enrolments.push({ node, with: member });
    }
  }
  return enrolments;
}

function enrolmentTree(layer: string, first: string, reach: Reach): TopologyEnrolment[] {
  const enrolments = enrolmentsFrom([first], reach);
  const joined = new Set([first, ...enrolments.map(({ node }) => node)]);
  const lost = [...reach.keys()].find((node) => !joined.has(node));
  if (lost !== undefined) {
    throw new TestbedError('ETOPOLOGY', `layer ${layer} is in pieces: ${lost} is not reached from ${first}`, {
      hint: 'add layers below that join them',
    });
  }
  return enrolments;
}

/** The enrolments a topology lists, in an order that is possible. */
function listedEnrolments(
  layer: string,
  first: string,
  reach: Reach,
  listed: readonly (readonly [Node, Node])[],
): TopologyEnrolment[] {
  const refuse = (fault: string, hint: string): TestbedError =>
    new TestbedError('ETOPOLOGY', `${fault} in layer ${layer}`, { hint });
  const target = new Map<string, string>();
  for (const [{ name: node }, { name: at }] of listed) {
    if (node === first) throw refuse(`node ${node} enrols and bootstraps`, 'leave its enrolment out');
    if (target.has(node)) throw refuse(`node ${node} enrols twice`, 'an IPCP enrols once');
    for (const end of [node, at]) {
      if (!reach.has(end))
        throw refuse(`node ${end} has an enrolment and is no member`, 'add it to the members');
    }
    if (reach.get(node)?.has(at) !== true) {
      throw refuse(
        `node ${node} enrols with ${at}, which it does not reach`,
        'add a layer below that joins them',
      );
    }
    target.set(node, at);
  }
  const lost = [...reach.keys()].find((node) => node !== first && !target.has(node));
  if (lost !== undefined) throw refuse(`node ${lost} enrols with nobody`, 'add its enrolment');
  const ordered: TopologyEnrolment[] = [];
  const joined = new Set([first]);
  // A set is walked in the order in which it grows.
  for (const member of joined) {
    for (const [node, at] of target) {
      if (at !== member) continue;
      joined.add(node);
      ordered.push({ node, with: at });
    }
  }
  const circular = [...target.keys()].find((node) => !joined.has(node));
  if (circular === undefined) return ordered;
  throw refuse(`node ${circular} enrols in a circle`, `let each lead to ${first}, which bootstraps`);
}

/** The member that a list of enrolments leaves out: it bootstraps. */
function unlisted(listed: readonly (readonly [Node, Node])[], reach: Reach): string {
  const enrolling = new Set(listed.map(([node]) => node.name));
  return [...reach.keys()].find((node) => !enrolling.has(node)) ?? '';
}

/** A member half way between two that are far apart: from there the fewest rounds of enrolment reach all. */
function middleOf(reach: Reach): string {
  const [first = ''] = reach.keys();
  const farthest = (from: string): string => enrolmentsFrom([from], reach).at(-1)?.node ?? from;
  const end = farthest(first);
  const walk = new Map(enrolmentsFrom([end], reach).map(({ node, with: at }) => [node, at]));
  const path: string[] = [];
  for (let at: string | undefined = farthest(end); at !== undefined; at = walk.get(at)) path.push(at);
  // Of the two in the middle of an even path, the one on the side of the first member.
  return path[Math.floor((path.length - (path[0] === first ? 1 : 0)) / 2)] ?? first;
}

/** The neighbours, each pair once: the one that enrolled later connects. */
function adjacentPairs(
  { kind, name, options }: Unicast | Broadcast,
  enrolments: readonly { readonly node: string; readonly with: string }[],
  reach: Reach,
): (readonly [from: string, to: string])[] {
  const { adjacencies = kind === 'unicast' ? 'mesh' : 'tree' } = options;
  if (adjacencies === 'tree') return enrolments.map((each) => [each.node, each.with]);
  const order = [...new Set([...enrolments.map((each) => each.with), ...enrolments.map(({ node }) => node)])];
  if (adjacencies === 'mesh') {
    return order.flatMap((to, index) =>
      order
        .slice(index + 1)
        .flatMap((from) => (reach.get(from)?.has(to) === true ? [[from, to] as const] : [])),
    );
  }
  const pairs = adjacencies.map(([a, b]): readonly [string, string] => {
    for (const end of [a, b]) {
      if (reach.has(end.name)) continue;
      throw new TestbedError(
        'ETOPOLOGY',
        `node ${end.name} has an adjacency in layer ${name}, which it is not in`,
      );
    }
    if (reach.get(a.name)?.has(b.name) !== true) {
      throw new TestbedError(
        'ETOPOLOGY',
        `nodes ${a.name} and ${b.name} are to be neighbours in layer ${name} and have no layer below in common`,
        { hint: 'add one that both are in to those below' },
      );
    }
    return order.indexOf(a.name) > order.indexOf(b.name) ? [a.name, b.name] : [b.name, a.name];
  });
  const once = [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()];
  checkJoined(name, kind, once, [...reach.keys()]);
  return once;
}

/** Refuses neighbours that leave the layer in pieces, or give a broadcast layer a second way. */
function checkJoined(
  layer: string,
  kind: 'unicast' | 'broadcast',
  pairs: readonly (readonly [string, string])[],
  nodes: readonly string[],
): void {
  const piece = new Map(nodes.map((node) => [node, node]));
  const root = (node: string): string => {
    const above = piece.get(node) ?? node;
    return above === node ? node : root(above);
  };
  for (const [a, b] of pairs) {
    if (root(a) === root(b) && kind === 'broadcast') {
      throw new TestbedError(
        'ETOPOLOGY',
        `the adjacency of ${a} and ${b} closes a loop in broadcast layer ${layer}`,
        {
          hint: 'leave it out: what is sent would go round without end',
        },
      );
    }
    piece.set(root(a), root(b));
  }
  const [first = ''] = nodes;
  const lost = nodes.find((node) => root(node) !== root(first));
  if (lost === undefined) return;
  throw new TestbedError('ETOPOLOGY', `layer ${layer} is in pieces: no adjacency joins ${lost} to ${first}`, {
    hint: 'add one that does',
  });
}

function configOf({ options }: Unicast): TopologyStackedLayer['config'] {
  const given = {
    hash: options.hash,
    ttl: options.ttl,
    routing: options.routing,
    congestion: options.congestion,
    ls_t_recalc: options.lsRecalc,
    ls_t_update: options.lsUpdate,
    ls_t_timeo: options.lsTimeout,
    dht_alpha: options.dhtAlpha,
    dht_k: options.dhtK,
    dht_t_expire: options.dhtExpire,
    dht_t_refresh: options.dhtRefresh,
    dht_t_replicate: options.dhtReplicate,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
