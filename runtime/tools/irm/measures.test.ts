import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { IrmCounters, IrmSnapshot } from '../../lib/index.ts';
import { influxLines, type Measure, measuresOf, prometheusText } from './measures.ts';

const qos = {
  delay: 0,
  bandwidth: '0',
  availability: 0,
  loss: 0,
  ber: 1,
  inOrder: 1,
  maxGap: 0,
  timeout: 120_000,
};
/** A node on which everything has a value. */
const snapshot: IrmSnapshot = {
  event: 'snapshot',
  at: 1000,
  dropped: 0,
  ipcps: [
    {
      pid: 5,
      hostPid: 1,
      name: 'e "0" \\',
      type: 'eth-dix',
      layer: 'my lan,a=b',
      state: 'operational',
      address: null,
      device: 'eth0',
      joined: null,
    },
  ],
  names: [],
  processes: [{ pid: 9, uid: 0, program: 'oping', names: [] }],
  flows: [
    {
      flowId: 3,
      name: 'ping',
      ends: [{ pid: 9, program: 'oping' }],
      ipcp: 5,
      layer: 'my lan,a=b',
      qos,
      up: true,
      allocatedAt: 0,
    },
  ],
  layers: [
    {
      pid: 5,
      names: [],
      linkUp: false,
      adjacencies: [{ id: 1, component: 'dt', peer: 'a', destination: null, up: true, prototype: false }],
      routes: [{ address: 'a', links: 2, via: ['b'] }],
    },
  ],
};
const counters: IrmCounters = {
  event: 'counters',
  at: 1000,
  refused: { connections: 0, requests: 2, flows: 0 },
  ipcps: [
    {
      pid: 5,
      counters: { framesIn: 7, 'routing.droppedTooLong': 2, packetsIn: 3, bytesIn: 30 },
      gauges: { flows: 1 },
    },
  ],
  flows: [
    {
      flowId: 3,
      port: {
        packetsSent: 10,
        bytesSent: 1000,
        packetsReceived: 20,
        bytesReceived: 2000,
        droppedSlowReader: 1,
        droppedNotOpen: 0,
        droppedTooLong: 0,
      },
      ends: [
        {
          pid: 9,
          fd: 64,
          messagesSent: 10,
          messagesReceived: 20,
          drops: { badCrc: 4 },
          frct: {
            reliable: true,
            roundTripMs: 2,
            window: 64,
            outstanding: 1,
            closedMs: 0,
            mplMs: 1,
            ackMs: 1,
            retransmitMs: 1,
            deviationMs: 1,
            timeoutMs: 40,
            estimates: 1,
            sender: { left: 1, right: 2, next: 2, inactiveMs: 1 },
            receiver: { left: 1, right: 2, acknowledged: 1, inactiveMs: 1 },
            counters: { retransmissions: 6 },
          },
        },
      ],
    },
  ],
};
const measures: Measure[] = measuresOf(snapshot, counters);
const labelsOf = new Map(
  measures.map(({ name, values }) => [name, new Set(values.flatMap(({ labels }) => Object.keys(labels)))]),
);

test('the text of Prometheus', () => {
  const lines = prometheusText(measures).split('\n');
  const ipcp = String.raw`ipcp="e \"0\" \\",type="eth-dix",layer="my lan,a=b"`;
  const flow = String.raw`flow="3",name="ping",ipcp="e \"0\" \\",layer="my lan,a=b"`;
  const end = `${flow},pid="9",program="oping",fd="64"`;
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE o7s_ipcps gauge',
      'o7s_ipcps 1',
      `o7s_ipcp_events_total{${ipcp},event="frames_in"} 7`,
      `o7s_ipcp_dropped_total{${ipcp},reason="routing_too_long"} 2`,
      `o7s_ipcp_bytes_total{${ipcp},direction="in"} 30`,
      `o7s_link_up{${ipcp}} 0`,
      `o7s_flow_bytes_total{${flow},direction="received"} 2000`,
      `o7s_flow_dropped_total{${flow},reason="slow_reader"} 1`,
      `o7s_flow_dropped_total{${end},reason="bad_crc"} 4`,
      `o7s_flow_round_trip_seconds{${end}} 0.002`,
      `o7s_flow_retransmissions_total{${end}} 6`,
    ]),
  );
  // Each line is as the format has it, and no value is told twice.
  const sample = /^o7s_[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*"(,|(?=\})))+\})? -?[\d.e+-]+$/;
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of samples) expect(line).toMatch(sample);
  expect(new Set(samples.map((line) => line.replace(/ [^ ]+$/, ''))).size).toBe(samples.length);
});

test('the line protocol of InfluxDB', () => {
  const lines = influxLines(measures, 1000).split('\n');
  const tags = String.raw`flow=3,ipcp=e\ "0"\ \\,layer=my\ lan\,a\=b,name=ping`;
  expect(lines).toContain(`o7s_flow_up,${tags} value=1 1000000000`);
  expect(lines).toContain('o7s_names value=0 1000000000');
});

test('docs/metrics.md names every measure, its kind, and no other', () => {
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(o7s_\w+)` +\| (\w+)/gm)].map(([, name, kind]) => `${name} ${kind}`);
  expect(rows).toEqual(measures.map(({ name, kind }) => `${name} ${kind}`));
});

test('the dashboard asks for measures and labels there are', () => {
  const file = new URL('../../../docs/grafana/nodes.json', import.meta.url);
  const { panels, templating } = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
    templating: { list: { query: string }[] };
  };
  const targets = panels.flatMap((panel) => panel.targets);
  expect(targets.length).toBeGreaterThan(10);
  const variables = templating.list
    .map(({ query }) => query)
    .filter((query) => query.startsWith('label_values('));
  for (const query of [...targets.map(({ expr }) => expr), ...variables]) {
    const names = query.match(/o7s_\w+/g) ?? [];
    expect([query, names.length]).toEqual([query, 1]);
    const labels = labelsOf.get(names[0] ?? '');
    expect([names[0], labels !== undefined]).toEqual([names[0], true]);
    const asked = [
      ...[...query.matchAll(/(\w+)=~?"/g)].map(([, label]) => label),
      ...[...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
      ...[...query.matchAll(/label_values\(\w+, (\w+)\)/g)].map(([, label]) => label),
    ];
    // Prometheus itself adds the label `instance`.
    for (const label of asked) if (label !== 'instance') expect(labels).toContain(label);
  }
  for (const { expr, legendFormat } of targets) {
    const labels = labelsOf.get(/o7s_\w+/.exec(expr)?.[0] ?? '');
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      if (label !== 'instance') expect(labels).toContain(label);
    }
  }
});
