/**
 * What unicast layers go through under virtual time, for layers of any shape and size: they come up, links fail, members
 * come and go, parts part and meet again. Each scenario tells what it cost and what was wrong in the end.
 */
import type { RoutingPolicy } from '../../runtime/lib/rpc/api.ts';
import { type Shape as ShapeName, shapes } from '../support/routing-net.ts';
import { type Member, type NetOptions, UnicastNet } from './unicast-net.ts';

export { type Shape as ShapeName, shapes } from '../support/routing-net.ts';

const minute = 60_000;
/** t_update by default, ms. */
const intervalMs = 15_000;

/** A layer of a shape, with all members in it. Packets cross as many links as they can at all. */
export function layerOf(shape: ShapeName, count: number, options: NetOptions = {}): UnicastNet {
  const config = { ttl: linksMax, ...options.config };
  return new UnicastNet({ ...options, config }).grow(shapes[shape](count), count);
}

/** Links that a packet can cross (unicast-layer.md 5.4). */
const linksMax = 255;

/** Names that members serve: one each. */
export function nameOf(member: Member): string {
  return `svc.${member.name}`;
}

export function serveAll(net: UnicastNet): void {
  for (const member of net.members)
    if (member.isMember && !member.served.has(nameOf(member))) member.serve(nameOf(member));
}

const packetsOf = (net: UnicastNet): number => sum(net.world.links, ({ counts }) => counts.packets);
const bytesOf = (net: UnicastNet): number => sum(net.world.links, ({ counts }) => counts.bytes);

function sum<T>(list: readonly T[], of: (each: T) => number): number {
  return list.reduce((total, each) => total + of(each), 0);
}

/** What a layer costs a member, by virtual time alone. */
export type Costs = {
  readonly shape: ShapeName;
  readonly members: number;
  readonly links: number;
  /** From the bootstrap of the first until every member has a route to every other, ms. */
  readonly upMs: number;
  readonly upPackets: number;
  readonly upBytes: number;
  /** In the quiet, for 15 s. */
  readonly idlePackets: number;
  readonly idleBytes: number;
  /** From the failure of a link until all routes are around it, ms; 0 where that parts the layer. */
  readonly aroundMs: number;
  /** Entries a member keeps: links, contacts of the directory, values of others, tasks. */
  readonly lsdb: number;
  readonly contacts: number;
  readonly values: number;
  readonly tasks: number;
};

export interface RiseOptions extends NetOptions {
  /** Called when the layer is up, and when it has been idle for 15 s. */
  readonly reached?: (phase: 'up' | 'idle', net: UnicastNet) => void;
}

/** The layer comes up, every member registers a name, and a link fails and comes again. */
export function rise(
  shape: ShapeName,
  count: number,
  options: RiseOptions = {},
): { net: UnicastNet; costs: Costs; faults: string[] } {
  const net = layerOf(shape, count, options);
  const upMs = net.settle(10 * minute);
  options.reached?.('up', net);
  const faults = net.wrongRoutes();
  const each = (total: number): number => Number((total / count).toPrecision(3));
  const [upPackets, upBytes] = [each(packetsOf(net)), each(bytesOf(net))];
  // Contacts are made, and members that enrolled have told everybody of it.
  net.run(intervalMs);
  const [packets, bytes] = [packetsOf(net), bytesOf(net)];
  net.run(intervalMs);
  const [idlePackets, idleBytes] = [each(packetsOf(net) - packets), each(bytesOf(net) - bytes)];
  options.reached?.('idle', net);
  serveAll(net);
  net.run(intervalMs);
  const [link] = net.world.links.slice(Math.floor(net.world.links.length / 2));
  link!.setUp(false);
  const aroundMs = net.settle(minute, 1);
  faults.push(...net.wrongRoutes());
  link!.setUp(true);
  net.settle(minute);
  faults.push(...net.wrongRoutes(), ...faultsOf(net));
  const mean = (fact: DirectoryFact): number =>
    Number((sum(net.members, (member) => directoryFact(member, fact)) / count).toPrecision(3));
  const costs = {
    shape,
    members: count,
    links: net.world.links.length,
    upMs,
    upPackets,
    upBytes,
    idlePackets,
    idleBytes,
    aroundMs,
    lsdb: sizes(net)['lsdb']!,
    contacts: mean('contacts'),
    values: mean('foreignValues'),
    tasks: mean('tasks'),
  };
  return { net, costs, faults };
}

/** How many pairs are looked at where there are too many for all. */
const pairsMax = 60;

/**
 * What is wrong with a settled layer in which every member serves its name: names that are not found or found where they
 * are not, flows that cannot be had or carry nothing, ends of flows that stay behind.
 */
export function faultsOf(net: UnicastNet, { attempts = 1 } = {}): string[] {
  const faults: string[] = [];
  const members = net.members.filter(({ isMember }) => isMember);
  const { random } = net.world;
  for (let pair = 0; pair < pairsMax; pair += 1) {
    const [from, to] = [random.pick(members), random.pick(members)];
    const isReachable = (net.distance(from, to) ?? Infinity) <= linksMax;
    const found = net.find(from, nameOf(to));
    const expected = isReachable ? [to] : [];
    if (found.length !== expected.length || found.some((each) => !expected.includes(each))) {
      faults.push(`${from.name} finds ${nameOf(to)} at [${found.map(({ name }) => name).join(' ')}]`);
    } else if (isReachable && pair % 3 === 0) {
      const fault = faultOfFlow(net, from, to, attempts);
      if (fault !== undefined) faults.push(`${from.name} to ${to.name}: ${fault}`);
    }
  }
  if (net.find(random.pick(members), 'nobody').length > 0) faults.push('a name that nobody serves is found');
  return faults;
}

/** What is wrong with a flow from one to the other. With losses it takes more than one attempt. */
function faultOfFlow(net: UnicastNet, from: Member, to: Member, attempts: number): string | undefined {
  let fault: string | undefined;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const flow = net.allocate(from, nameOf(to));
    fault = flow === undefined ? 'unknown' : flow.outcome.kind;
    if (flow?.outcome.kind !== 'accepted') continue;
    const server = to.served.get(nameOf(to))!.at(-1)!;
    const isHeard = (): boolean => flow.end.heard.length > 0 && server.heard.length > 0;
    for (let message = 0; message < attempts && !isHeard(); message += 1) {
      flow.end.say('ping');
      server.say('pong');
      net.run(500);
    }
    fault = isHeard() ? undefined : 'carries nothing';
    flow.end.end(net.now);
    net.run(500);
    // A release may be lost like anything else, and then it is for the ends to notice the silence.
    if (attempts > 1) return fault;
    if (!server.isReleased) fault = 'the server was not told of the end';
    if (from.isOurs && from.layer.flowAllocator.flows.length > 0) fault = 'an end stays behind';
    return fault;
  }
  return fault;
}

export interface ChurnOptions extends NetOptions {
  readonly rounds: number;
  /** Longest pause between two events, ms. */
  readonly pauseMs?: number;
  /** Whether links fail too. */
  readonly links?: boolean;
}

/** Members die, are destroyed or vanish, and join again; links fail and come again. Afterwards the layer is tended. */
export function churn(
  shape: ShapeName,
  count: number,
  options: ChurnOptions,
): { net: UnicastNet; settledMs: number } {
  const { rounds, pauseMs = 20_000, links = false } = options;
  const net = layerOf(shape, count, options);
  net.settle(10 * minute);
  serveAll(net);
  const { random } = net.world;
  for (let round = 0; round < rounds; round += 1) {
    net.run(random.below(pauseMs));
    if (links && random.below(3) === 0) {
      const link = random.pick(net.world.links);
      if (random.below(2) === 0) link.setUp(link.cut);
      else link.cut = !link.cut;
      continue;
    }
    const member = random.pick(net.members);
    if (!member.isAlive) net.begin(net.replace(member));
    else if (net.members.filter(({ isMember }) => isMember).length > 2) {
      net.end(member, random.pick(['destroyed', 'crashed', 'vanished']));
    }
  }
  for (const link of net.world.links) if (link.cut) link.setUp(true);
  net.tend();
  // Connections over links that were cut for long are noticed to be lost, or are made anew.
  net.run(130_000);
  net.tend();
  const settledMs = net.settle(10 * minute);
  serveAll(net);
  net.run(minute);
  return { net, settledMs };
}

/** Parts a layer into halves by cutting every link between them, untold; joins them again after a time. */
export function part(net: UnicastNet, forMs: number, meanwhile: () => void): number {
  const half = Math.floor(net.members.length / 2);
  const isFirst = (member: Member): boolean => net.members.indexOf(member) < half;
  const between = net.world.links.filter(({ ends }) => {
    const [a, b] = ends.map((end) => net.members.find(({ node }) => node === end)!);
    return isFirst(a!) !== isFirst(b!);
  });
  for (const link of between) link.cut = true;
  net.run(forMs);
  meanwhile();
  for (const link of between) link.cut = false;
  // Whoever was silent for two minutes is tried again every few seconds by who had connected to him.
  net.run(20_000);
  net.tend();
  return net.settle(10 * minute);
}

type DirectoryFact =
  | 'contacts'
  | 'foreignValues'
  | 'withdrawnValues'
  | 'owedWithdrawals'
  | 'tasks'
  | 'deliveries'
  | 'lookups'
  | 'requests';

const directoryFact = ({ layer }: Member, fact: DirectoryFact): number =>
  (layer.directory.metrics() as Record<DirectoryFact, number>)[fact];

/** The most that any member of ours keeps of each. */
export function sizes(net: UnicastNet): Record<string, number> {
  const members = net.members.filter(({ isMember, isOurs }) => isMember && isOurs);
  const most = (of: (member: Member) => number): number => Math.max(...members.map(of));
  const ofDirectory = (fact: DirectoryFact): number => most((member) => directoryFact(member, fact));
  return {
    lsdb: most(({ layer }) => layer.routing.database(net.now).length),
    routes: most(({ layer }) => layer.forwarding.size),
    neighbours: most(({ layer }) => [...layer.dataTransfer.neighbours].length),
    connections: most(({ ipcp }) => (ipcp.metrics(net.now)['connections']!() as unknown[]).length),
    flows: most(({ layer }) => layer.flowAllocator.flows.length),
    contacts: ofDirectory('contacts'),
    values: ofDirectory('foreignValues'),
    withdrawnValues: ofDirectory('withdrawnValues'),
    owedWithdrawals: ofDirectory('owedWithdrawals'),
    tasks: ofDirectory('tasks'),
    deliveries: ofDirectory('deliveries'),
    lookups: ofDirectory('lookups'),
    requests: ofDirectory('requests'),
  };
}

/** Counts of what was dropped, given up or lost, of all members together. */
export function drops(net: UnicastNet): Record<string, number> {
  const isDrop = /dropped|refused|Lost$|evicted|Unanswered|noRoute|GivenUp/;
  return Object.fromEntries(
    Object.entries(net.counters()).filter(([name, count]) => count > 0 && isDrop.test(name)),
  );
}

/** Columns of a table, aligned. */
export function tableOf(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column])))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!)))
        .join('  '),
    )
    .join('\n');
}

export const policies: readonly RoutingPolicy[] = ['link_state', 'lfa', 'ecmp'];
