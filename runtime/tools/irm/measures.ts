/** What a node counts, as measures with labels: one list for every form they are written in. Pure. */
import type {
  EndReport,
  FlowCounts,
  FlowInfo,
  IpcpCounts,
  IpcpInfo,
  IrmCounters,
  IrmSnapshot,
  LayerFacts,
} from '../../lib/index.ts';

export type Labels = Readonly<Record<string, string>>;

/** A measure and its values. Names and units follow the rules of Prometheus: totals only grow, times are s, sizes bytes. */
export interface Measure {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly values: readonly { readonly labels: Labels; readonly value: number }[];
}

type Value = Measure['values'][number];

const msPerSecond = 1000;

/** All measures of a node; those without a value are left out. */
export function measuresOf(snapshot: IrmSnapshot, counters: IrmCounters): Measure[] {
  const { ipcps, layers, flows, names, processes } = snapshot;
  const byPid = new Map(ipcps.map((ipcp) => [ipcp.pid, ipcp]));
  const ofIpcp = <T extends { readonly pid: number }>(
    list: readonly T[],
    values: (each: T, labels: Labels) => readonly Value[],
  ): Value[] =>
    list.flatMap((each) => {
      const ipcp = byPid.get(each.pid);
      return ipcp === undefined ? [] : values(each, ipcpLabels(ipcp));
    });
  const byFlow = new Map(flows.map((flow) => [flow.flowId, flow]));
  const ofFlow = (values: (flow: FlowCounts, labels: Labels, info: FlowInfo) => readonly Value[]): Value[] =>
    counters.flows.flatMap((flow) => {
      const info = byFlow.get(flow.flowId);
      return info === undefined ? [] : values(flow, flowLabels(info, byPid), info);
    });
  const ofEnd = (values: (end: EndReport, labels: Labels) => readonly Value[]): Value[] =>
    ofFlow(({ ends }, labels, info) =>
      ends.flatMap((end) => {
        const program = info.ends.find(({ pid }) => pid === end.pid)?.program ?? '';
        return values(end, { ...labels, pid: String(end.pid), program, fd: String(end.fd ?? '') });
      }),
    );
  const ofFrct = (value: (frct: NonNullable<EndReport['frct']>) => number | null): Value[] =>
    ofEnd(({ frct }, labels) => {
      const found = frct === null ? null : value(frct);
      return found === null ? [] : [{ labels, value: found }];
    });
  const all: readonly Measure[] = [
    gauge('o7s_ipcps', 'IPCPs of the node.', [{ labels: {}, value: ipcps.length }]),
    gauge('o7s_names', 'Names of the node.', [{ labels: {}, value: names.length }]),
    gauge('o7s_processes', 'Processes that use flows.', [{ labels: {}, value: processes.length }]),
    gauge('o7s_flows', 'Flows of the node, each end counted.', [{ labels: {}, value: flows.length }]),
    counter(
      'o7s_refused_total',
      'How often users were refused for having their share, by what it was.',
      Object.entries(counters.refused).map(([what, value]) => ({ labels: { what }, value })),
    ),
    gauge(
      'o7s_ipcp_info',
      'An IPCP, always 1.',
      ofIpcp(ipcps, ({ address, device }, labels) => [
        { labels: { ...labels, address: address ?? '', device: device ?? '' }, value: 1 },
      ]),
    ),
    gauge('o7s_ipcp_held', 'How much an IPCP holds, by what.', ofIpcp(counters.ipcps, heldValues)),
    counter('o7s_ipcp_events_total', 'What an IPCP did, by what.', ofIpcp(counters.ipcps, eventValues)),
    counter(
      'o7s_ipcp_dropped_total',
      'Packets and messages an IPCP dropped, by reason.',
      ofIpcp(counters.ipcps, dropValues),
    ),
    counter(
      'o7s_ipcp_packets_total',
      'Packets from (in) and to (out) the users of the flows of an IPCP.',
      ofIpcp(counters.ipcps, (counts, labels) => directions(counts.counters, 'packets', labels)),
    ),
    counter(
      'o7s_ipcp_bytes_total',
      'Bytes of them.',
      ofIpcp(counters.ipcps, (counts, labels) => directions(counts.counters, 'bytes', labels)),
    ),
    gauge('o7s_link_up', 'Whether the device of a link layer is up.', ofIpcp(layers, linkValues)),
    gauge(
      'o7s_adjacency_up',
      'Whether the connection to another member carries packets.',
      ofIpcp(layers, ({ adjacencies }, labels) =>
        adjacencies.map(({ id, component, peer, destination, up }) => ({
          labels: { ...labels, id: String(id), component, peer: peer ?? '', destination: destination ?? '' },
          value: Number(up),
        })),
      ),
    ),
    gauge(
      'o7s_route_links',
      'Links on the way to a member.',
      ofIpcp(layers, ({ routes }, labels) =>
        routes.map(({ address, links, via }) => ({
          labels: { ...labels, member: address, via: via[0] ?? '' },
          value: links,
        })),
      ),
    ),
    gauge(
      'o7s_flow_up',
      'Whether a flow carries packets.',
      flows.map((flow) => ({ labels: flowLabels(flow, byPid), value: Number(flow.up) })),
    ),
    counter(
      'o7s_flow_packets_total',
      'Packets of a flow that the data plane carried, as its process here sees them.',
      ofFlow(({ port }, labels) =>
        port === null ? [] : sentAndReceived(labels, port.packetsSent, port.packetsReceived),
      ),
    ),
    counter(
      'o7s_flow_bytes_total',
      'Bytes of them.',
      ofFlow(({ port }, labels) =>
        port === null ? [] : sentAndReceived(labels, port.bytesSent, port.bytesReceived),
      ),
    ),
    counter('o7s_flow_dropped_total', 'Packets and messages of a flow that were lost here, by reason.', [
      ...ofFlow(({ port }, labels) =>
        port === null
          ? []
          : (['droppedSlowReader', 'droppedNotOpen', 'droppedTooLong'] as const).map((reason) => ({
              labels: { ...labels, reason: reasonOf(reason) },
              value: port[reason],
            })),
      ),
      ...ofEnd(({ drops }, labels) =>
        Object.entries(drops).map(([reason, value]) => ({
          labels: { ...labels, reason: wordOf(reason) },
          value,
        })),
      ),
    ]),
    counter(
      'o7s_flow_messages_total',
      'Messages a process wrote and was delivered.',
      ofEnd((end, labels) => sentAndReceived(labels, end.messagesSent, end.messagesReceived)),
    ),
    gauge(
      'o7s_flow_round_trip_seconds',
      'Smoothed round trip of a flow with order.',
      ofFrct(({ roundTripMs }) => (roundTripMs === null ? null : roundTripMs / msPerSecond)),
    ),
    gauge(
      'o7s_flow_retransmission_timeout_seconds',
      'How long an acknowledgement is waited for.',
      ofFrct(({ timeoutMs }) => timeoutMs / msPerSecond),
    ),
    gauge(
      'o7s_flow_window_packets',
      'Packets that may be under way at once.',
      ofFrct(({ window }) => window),
    ),
    gauge(
      'o7s_flow_outstanding_messages',
      'Messages written and not acknowledged.',
      ofFrct(({ outstanding }) => outstanding),
    ),
    counter(
      'o7s_flow_retransmissions_total',
      'Packets that were sent again.',
      ofFrct((frct) => frct.counters['retransmissions'] ?? 0),
    ),
  ];
  return all.filter(({ values }) => values.length > 0);
}

function gauge(name: string, help: string, values: readonly Value[]): Measure {
  return { name, kind: 'gauge', help, values };
}

function counter(name: string, help: string, values: readonly Value[]): Measure {
  return { name, kind: 'counter', help, values };
}

function ipcpLabels({ name, type, layer }: IpcpInfo): Record<string, string> {
  return { ipcp: name, type, layer: layer ?? '' };
}

function flowLabels(
  { flowId, name, ipcp, layer }: FlowInfo,
  byPid: ReadonlyMap<number, IpcpInfo>,
): Record<string, string> {
  const provider = ipcp === null ? '' : (byPid.get(ipcp)?.name ?? '');
  return { flow: String(flowId), name, ipcp: provider, layer: layer ?? '' };
}

function sentAndReceived(labels: Labels, sent: number, received: number): Value[] {
  return [
    { labels: { ...labels, direction: 'sent' }, value: sent },
    { labels: { ...labels, direction: 'received' }, value: received },
  ];
}

/** `droppedTooLong`, as a reason: `too_long`. */
function reasonOf(name: string): string {
  return wordOf(name.replace(/(^|\.)dropped/, '$1'));
}

/** A name in the manner of Prometheus: `routing.messagesIn` as `routing_messages_in`. */
function wordOf(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toLowerCase();
}

const isDrop = (name: string): boolean => /(^|\.)dropped/.test(name);
/** What the ports of flows count has measures of its own. */
const isPort = (name: string): boolean => /^(packets|bytes)(In|Out)$/.test(name);

function eventValues({ counters }: IpcpCounts, labels: Labels): Value[] {
  return Object.entries(counters)
    .filter(([name]) => !isDrop(name) && !isPort(name))
    .map(([name, value]) => ({ labels: { ...labels, event: wordOf(name) }, value }));
}

function dropValues({ counters }: IpcpCounts, labels: Labels): Value[] {
  return Object.entries(counters)
    .filter(([name]) => isDrop(name))
    .map(([name, value]) => ({ labels: { ...labels, reason: reasonOf(name) }, value }));
}

function heldValues({ gauges }: IpcpCounts, labels: Labels): Value[] {
  return Object.entries(gauges).map(([name, value]) => ({
    labels: { ...labels, what: wordOf(name) },
    value,
  }));
}

function directions(counters: IpcpCounts['counters'], what: 'packets' | 'bytes', labels: Labels): Value[] {
  return (['in', 'out'] as const).map((direction) => ({
    labels: { ...labels, direction },
    value: counters[`${what}${direction === 'in' ? 'In' : 'Out'}`] ?? 0,
  }));
}

function linkValues({ linkUp }: LayerFacts, labels: Labels): Value[] {
  return linkUp === null ? [] : [{ labels, value: Number(linkUp) }];
}

/** The text form of Prometheus (exposition format 0.0.4). */
export function prometheusText(measures: readonly Measure[]): string {
  return measures
    .map(({ name, kind, help, values }) => {
      const lines = values.map(({ labels, value }) => `${name}${prometheusLabels(labels)} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
    })
    .join('');
}

function prometheusLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const nsPerMs = 1_000_000n;

/** The line protocol of InfluxDB: a measurement each, its labels as tags, the number as the field `value`. */
export function influxLines(measures: readonly Measure[], at: number): string {
  const time = BigInt(at) * nsPerMs;
  return measures
    .flatMap(({ name, values }) =>
      values.map(({ labels, value }) => `${name}${influxTags(labels)} value=${value} ${time}\n`),
    )
    .join('');
}

/** A tag must not be empty, and is sorted for speed. */
function influxTags(labels: Labels): string {
  const escape = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll(/[,= ]/g, String.raw`\$&`);
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `,${name}=${escape(value)}`)
    .join('');
}
