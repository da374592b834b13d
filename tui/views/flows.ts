/** Flows from end to end: who speaks to whom, through which layer, and how it goes. */
import type { FlowModel, Model } from '../model.ts';
import type { Cell, Row } from '../table.ts';
import { bitRate, bold, coloured, duration, type Line, plain, quantity } from '../text.ts';
import type { View } from './view.ts';

/** A flow with the ends that are known of it. */
interface EndToEnd {
  readonly key: string;
  readonly name: string;
  readonly layer: string | null;
  /** The end that asked for it, where it is known which did. */
  readonly client: FlowEndModel | undefined;
  readonly server: FlowEndModel | undefined;
}

interface FlowEndModel {
  readonly node: string;
  readonly flow: FlowModel;
  readonly pid: number;
  /** An IPCP by its own name. */
  readonly program: string;
  readonly isIpcp: boolean;
}

/** Ends of one name in one layer of which pairs are sought; of more, the first clients go with the first servers. */
const soughtMax = 64;

/**
 * The ends of all nodes, joined. A node knows only its own end: of those with one name in one layer, two are taken for
 * one flow that were allocated at about one time and of which one has received what the other sent.
 */
function endToEnd(model: Model): EndToEnd[] {
  const flows = groupsOf(model).flatMap(({ clients, servers }) => {
    const byTime = (one: FlowEndModel, other: FlowEndModel): number =>
      one.flow.allocatedAt - other.flow.allocatedAt;
    clients.sort(byTime);
    servers.sort(byTime);
    const serverOf = pairs(clients, servers);
    const taken = new Set(serverOf.values());
    return [
      ...clients.map((client) => joined(client, serverOf.get(client))),
      ...servers.filter((server) => !taken.has(server)).map((server) => joined(undefined, server)),
    ];
  });
  // What applications have first, then what layers have of each other.
  const isOfLayers = ({ client, server }: EndToEnd): number => Number((client ?? server)?.isIpcp === true);
  return flows.toSorted((one, other) => isOfLayers(one) - isOfLayers(other));
}

/** How many flows there are, each counted once although both of its ends are told. */
export function flowCount(model: Model): number {
  return groupsOf(model).reduce(
    (sum, { clients, servers }) => sum + Math.max(clients.length, servers.length),
    0,
  );
}

interface FlowGroup {
  readonly clients: FlowEndModel[];
  readonly servers: FlowEndModel[];
}

/** The ends of flows that may be those of one: of one name in one layer. */
function groupsOf({ nodes }: Model): FlowGroup[] {
  const groups = new Map<string, FlowGroup>();
  for (const { name: node, flows, processes, ipcps } of nodes.values()) {
    for (const flow of flows.values()) {
      // Both ends of a direct flow are on the node.
      const key = flow.ipcp === null ? `${node} ${flow.flowId}` : `${flow.layer}\t${flow.name}`;
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = { clients: [], servers: [] }));
      for (const { pid, program } of flow.ends) {
        // An IPCP serves its own name.
        const ipcp = ipcps.get(pid);
        const serves = processes.get(pid)?.names.includes(flow.name) || ipcp?.name === flow.name;
        const end = { node, flow, pid, program: ipcp?.name ?? program, isIpcp: ipcp !== undefined };
        (serves ? group.servers : group.clients).push(end);
      }
    }
  }
  return [...groups.values()];
}

function joined(client: FlowEndModel | undefined, server: FlowEndModel | undefined): EndToEnd {
  const end = client ?? server;
  const { name = '', layer = null, flowId = 0 } = end?.flow ?? {};
  // Who the other end is may be known better later: it is the same row.
  return { key: `${end?.node} ${flowId} ${end?.pid}`, name, layer, client, server };
}

function pairs(
  clients: readonly FlowEndModel[],
  servers: readonly FlowEndModel[],
): ReadonlyMap<FlowEndModel, FlowEndModel> {
  const found = new Map<FlowEndModel, FlowEndModel>();
  if (clients.length > soughtMax || servers.length > soughtMax) {
    clients.forEach((client, at) => {
      const server = servers[at];
      if (server !== undefined) found.set(client, server);
    });
    return found;
  }
  const candidates = clients.flatMap((client) =>
    servers.map((server) => ({ client, server, distance: distance(client.flow, server.flow) })),
  );
  const taken = new Set<FlowEndModel>();
  for (const { client, server } of candidates.toSorted((one, other) => one.distance - other.distance)) {
    if (found.has(client) || taken.has(server)) continue;
    found.set(client, server);
    taken.add(server);
  }
  return found;
}

/** How little two ends look like those of one flow: seconds between them, and the ratios of what they carried. */
function distance(client: FlowModel, server: FlowModel): number {
  const apart = Math.abs(client.allocatedAt - server.allocatedAt) / 1_000;
  const [here, there] = [client.counts?.port, server.counts?.port];
  if (!here || !there) return apart;
  const ratio = (sent: number, received: number): number => Math.abs(Math.log((sent + 1) / (received + 1)));
  return apart + ratio(here.bytesSent, there.bytesReceived) + ratio(there.bytesSent, here.bytesReceived);
}

export const flowsView: View = {
  table: (model) => ({
    columns: [
      { title: 'CLIENT' },
      { title: 'SERVER' },
      { title: 'NAME' },
      { title: 'LAYER' },
      { title: 'STATE' },
      { title: 'QOS' },
      { title: 'RTT', align: 'right' },
      { title: '→', align: 'right' },
      { title: '←', align: 'right' },
      { title: 'RESENT', align: 'right' },
      { title: 'LOST', align: 'right' },
    ],
    rows: endToEnd(model).map(rowOf),
    empty: 'no flows',
  }),
  details,
};

function rowOf({ key, name, layer, client, server }: EndToEnd): Row {
  const ends = [client, server].flatMap((end) => end ?? []);
  const [end] = ends;
  const isUp = ends.every(({ flow }) => flow.up);
  const place = (at: FlowEndModel | undefined): Cell =>
    at === undefined ? { text: '?', colour: 'grey' } : { text: `${at.node} ${at.program}` };
  const sum = (of: (at: FlowEndModel) => number): Cell => {
    const total = ends.reduce((all, at) => all + of(at), 0);
    return { text: String(total), by: total, colour: total > 0 ? 'yellow' : undefined };
  };
  const rtt = ends.flatMap((at) => report(at)?.frct?.roundTripMs ?? [])[0];
  // What one end sent is measured there; else what the other received.
  const there = client?.flow.sent ?? server?.flow.received;
  const back = server?.flow.sent ?? client?.flow.received;
  const rate = (value: number | undefined): Cell =>
    value === undefined ? { text: '-', by: -1 } : { text: bitRate(value), by: value };
  return {
    key,
    node: end?.node,
    cells: [
      place(client),
      place(server),
      { text: name },
      { text: layer ?? 'direct' },
      { text: isUp ? '● up' : '✗ down', colour: isUp ? 'green' : 'red' },
      { text: qosText(end?.flow) },
      rtt === undefined ? { text: '-', by: Infinity } : { text: duration(rtt), by: rtt },
      rate(there),
      rate(back),
      sum(resent),
      sum(lost),
    ],
  };
}

const report = ({ flow, pid }: FlowEndModel) => flow.counts?.ends.find((each) => each.pid === pid);

const resent = (end: FlowEndModel): number => report(end)?.frct?.counters['retransmissions'] ?? 0;

function lost(end: FlowEndModel): number {
  const drops = Object.values(report(end)?.drops ?? {}).reduce((sum, value) => sum + value, 0);
  const { droppedSlowReader = 0, droppedTooLong = 0 } = end.flow.counts?.port ?? {};
  return drops + droppedSlowReader + droppedTooLong;
}

/** A QoS in a word or two: what its end points do for it. */
function qosText(flow: FlowModel | undefined): string {
  if (flow === undefined) return '-';
  const { inOrder, loss, ber } = flow.qos;
  const order = inOrder === 0 ? 'raw' : loss === 0 ? 'reliable' : 'in order';
  return ber === 0 ? `${order}, crc` : order;
}

/** What a QoS says that is not a word for caring nothing. */
function qosFacts({ qos }: FlowModel): string {
  const { delay, bandwidth, availability, loss, ber, inOrder, maxGap, timeout } = qos;
  const any = 0xffff_ffff;
  return [
    `loss ${loss}`,
    `bit errors ${ber}`,
    inOrder === 0 ? 'no order' : 'in order',
    `timeout ${duration(timeout)}`,
    ...(delay === any ? [] : [`delay ${duration(delay)}`]),
    ...(maxGap === any ? [] : [`gap ${duration(maxGap)}`]),
    ...(bandwidth === '0' ? [] : [`bandwidth ${bitRate(Number(bandwidth))}`]),
    ...(availability === 0 ? [] : [`availability ${availability} nines`]),
  ].join(', ');
}

function details(model: Model, key: string): Line[] {
  const found = endToEnd(model).find((each) => each.key === key);
  if (found === undefined) return [[plain('the flow is not there any more')]];
  const { name, layer, client, server } = found;
  const lines: Line[] = [
    [bold(`flow to ${name} ${layer === null ? 'within the node' : `through layer ${layer}`}`)],
    [],
  ];
  for (const [role, end] of [
    ['CLIENT', client],
    ['SERVER', server],
  ] as const) {
    lines.push([bold(role)]);
    if (end === undefined) {
      lines.push([plain('  not known: its node runs another runtime, or it is an end of its own')], []);
      continue;
    }
    const { flow } = end;
    const { port } = flow.counts ?? {};
    const told = report(end);
    lines.push(
      [
        plain(`  ${end.program} ${end.pid} on node ${end.node}, flow ${flow.flowId}, `),
        flow.up ? coloured('green', 'up') : coloured('red', 'down'),
        plain(`, ${duration(Math.max(0, model.now - flow.allocatedAt))} old`),
      ],
      [plain(`  qos: ${qosFacts(flow)}`)],
    );
    if (port) {
      lines.push([
        plain(
          `  sent ${port.packetsSent} packets, ${quantity(port.bytesSent, 'B')}; received ${port.packetsReceived} packets, ${quantity(port.bytesReceived, 'B')}`,
        ),
      ]);
    }
    if (told?.frct) {
      const { roundTripMs, window, outstanding, counters } = told.frct;
      const moved = Object.entries(counters).filter(([, value]) => value !== 0);
      lines.push(
        [
          plain(
            `  round trip ${roundTripMs === null ? 'not measured yet' : duration(roundTripMs)}, window ${window}, outstanding ${outstanding}`,
          ),
        ],
        ...moved.map(([counter, value]): Line => [plain(`    ${counter} ${value}`)]),
      );
    }
    lines.push([]);
  }
  return lines;
}
