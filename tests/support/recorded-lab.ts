/** Events of a lab that never was, as many as are wanted: what a view is tried on. */
import type { FlowInfo, IpcpInfo } from '../../runtime/lib/index.ts';
import type { LiveEvent } from '../../rumba/live/events.ts';
import type { Topology } from '../../rumba/model/topology.ts';

export interface RecordedLab {
  readonly nodes: number;
  readonly flows: number;
  /** Seconds of counters and rates. */
  readonly seconds: number;
  /** ms between two tellings of them. */
  readonly periodMs: number;
}

const startedAt = Date.UTC(2026, 10, 26, 12);

/** A line of nodes under one unicast layer, with flows from each node to others, and packets on them. */
export function recordedLab({ nodes: count, flows: flowCount, seconds, periodMs }: RecordedLab): LiveEvent[] {
  const names = Array.from({ length: count }, (_, at) => `n${at + 1}`);
  const topology = lineTopology(names);
  const events: LiveEvent[] = [
    { event: 'topology', at: startedAt, topology },
    { event: 'lab', at: startedAt, lab: 'recorded', testbed: 'netns', nodes: names },
  ];
  const held = new Map(names.map((name): [string, FlowInfo[]] => [name, []]));
  for (let at = 0; at < flowCount; at++) {
    const client = names[at % count] ?? '';
    const server = names[(at * 7 + 3) % count] ?? '';
    for (const [node, pid, program] of [
      [client, 1000 + at, 'operf'],
      [server, 500, 'operf'],
    ] as const) {
      const flows = held.get(node) ?? [];
      flows.push(flowTo(`perf.${server}`, flows.length + 1, pid, program, startedAt + at));
      held.set(node, flows);
    }
  }
  names.forEach((node, at) => {
    const pid = 5_000_000;
    const flows = held.get(node) ?? [];
    events.push({
      event: 'snapshot',
      node,
      at: startedAt,
      dropped: 0,
      ipcps: ipcpsOf(names, at, pid),
      names: [{ name: `perf.${node}`, policy: 'round-robin' }],
      processes: [{ pid: 500, uid: 0, program: 'operf', names: [`perf.${node}`] }],
      flows,
      layers: [
        {
          pid,
          names: [`perf.${node}`],
          linkUp: null,
          adjacencies: neighboursOf(names, at).map((neighbour, id) => ({
            id: id + 1,
            component: 'dt',
            peer: addressOf(names.indexOf(neighbour)),
            destination: `net.${neighbour}`,
            up: true,
            prototype: false,
          })),
          routes: names.flatMap((_name, to) =>
            to === at
              ? []
              : [
                  {
                    address: addressOf(to),
                    links: Math.abs(to - at),
                    via: [addressOf(to > at ? at + 1 : at - 1)],
                  },
                ],
          ),
        },
      ],
    });
  });
  for (let after = periodMs; after <= seconds * 1_000; after += periodMs) {
    names.forEach((node, at) => {
      const moment = startedAt + after + Math.floor((at * periodMs) / count);
      const bytes = (factor: number): number =>
        Math.floor(after * factor * (1.5 + Math.sin(after / 3_000 + at)));
      const counters = { rxPackets: after, txPackets: after, rxDropped: 0, txDropped: 0 };
      events.push({
        event: 'interfaces',
        at: moment,
        node,
        interfaces: {
          e1: { ...counters, rxBytes: bytes(90), txBytes: bytes(70) },
          e2: { ...counters, rxBytes: bytes(40), txBytes: bytes(30) },
        },
      });
      events.push({
        event: 'counters',
        node,
        at: moment,
        refused: {},
        ipcps: [{ pid: 5_000_000, counters: { forwarded: after }, gauges: { flows: 20 } }],
        flows: (held.get(node) ?? []).map(({ flowId, ends }) => ({
          flowId,
          port: {
            packetsSent: after,
            bytesSent: after * (flowId + at),
            packetsReceived: after,
            bytesReceived: after * flowId,
            droppedSlowReader: 0,
            droppedNotOpen: 0,
            droppedTooLong: 0,
          },
          ends: ends.map(({ pid }) => ({
            pid,
            fd: 64,
            messagesSent: after,
            messagesReceived: after,
            drops: {},
            frct: {
              reliable: true,
              roundTripMs: 0.5 + ((after / periodMs + flowId) % 7) / 10,
              window: 64,
              outstanding: 1,
              closedMs: 0,
              mplMs: 100,
              ackMs: 10_000,
              retransmitMs: 120_000,
              deviationMs: 0.1,
              timeoutMs: 40,
              estimates: after,
              sender: { left: after, right: after + 64, next: after + 1, inactiveMs: 131_000 },
              receiver: { left: after, right: after + 64, acknowledged: after, inactiveMs: 131_000 },
              counters: { retransmissions: at % 5 === 0 ? Math.floor(after / 1_000) : 0 },
            },
          })),
        })),
      });
    });
  }
  return events;
}

const addressOf = (at: number): string => `0.0.0.${at + 1}`;

const neighboursOf = (names: readonly string[], at: number): string[] =>
  [names[at - 1], names[at + 1]].flatMap((name) => name ?? []);

function flowTo(name: string, flowId: number, pid: number, program: string, allocatedAt: number): FlowInfo {
  return {
    flowId,
    name,
    ends: [{ pid, program }],
    ipcp: 5_000_000,
    layer: 'net',
    qos: {
      delay: 1_000,
      bandwidth: '0',
      availability: 0,
      loss: 0,
      ber: 1,
      inOrder: 1,
      maxGap: 2_000,
      timeout: 120_000,
    },
    up: true,
    allocatedAt,
  };
}

function ipcpsOf(names: readonly string[], at: number, pid: number): IpcpInfo[] {
  const base = { hostPid: 400, state: 'operational' as const };
  const node = names[at] ?? '';
  const joined =
    at === 0
      ? { by: 'bootstrap' as const, destination: null, at: startedAt }
      : { by: 'enrollment' as const, destination: `net.${names[at - 1]}`, at: startedAt };
  return [
    {
      ...base,
      pid,
      name: `net.${node}`,
      type: 'unicast',
      layer: 'net',
      address: addressOf(at),
      device: null,
      joined,
    },
    ...neighboursOf(names, at).map((neighbour, order): IpcpInfo => {
      const link = Math.min(at, names.indexOf(neighbour)) + 1;
      const device = at === 0 || order === 1 ? 'e1' : 'e2';
      const own = { by: 'bootstrap' as const, destination: null, at: startedAt };
      return {
        ...base,
        pid: pid + order + 1,
        name: `lan${link}.${node}`,
        type: 'eth-dix',
        layer: `lan${link}`,
        address: null,
        device,
        joined: own,
      };
    }),
  ];
}

function lineTopology(names: readonly string[]): Topology {
  const cables = names.slice(1).map((name, at) => ({ from: names[at] ?? '', to: name, number: at + 1 }));
  const end = (node: string, device: string, number: number): Topology['links'][number]['ends'][number] => ({
    node,
    interface: device,
    mac: `02:00:00:00:00:${(number % 256).toString(16).padStart(2, '0')}`,
  });
  return {
    name: 'recorded',
    nodes: names.map((name) => ({ name })),
    links: cables.map(({ from, to, number }) => ({
      kind: 'eth',
      name: `${from}-${to}`,
      mtu: 1500,
      ends: [end(from, number === 1 ? 'e1' : 'e2', number), end(to, 'e1', number + 1)],
    })),
    layers: [
      {
        kind: 'unicast',
        name: 'net',
        over: cables.map(({ number }) => `lan${number}`),
        bootstrap: names[0] ?? '',
        members: names.map((node) => ({ node, ipcp: `net.${node}`, lower: [] })),
        enrolments: cables.map(({ from, to }) => ({ node: to, with: from })),
        adjacencies: [],
        config: {},
      },
      ...cables.map(({ from, to, number }): Topology['layers'][number] => ({
        kind: 'eth-dix',
        name: `lan${number}`,
        link: `${from}-${to}`,
        members: [from, to].map((node) => ({
          node,
          ipcp: `lan${number}.${node}`,
          interface: node === from && number > 1 ? 'e2' : 'e1',
          config: {},
        })),
      })),
    ],
    registrations: names.map((node) => ({ name: `perf.${node}`, node, ipcp: `net.${node}` })),
    servers: [],
  };
}
