import { describe, expect, test } from 'vitest';
import type { FlowCounts, FlowInfo } from '../runtime/lib/index.ts';
import type { LiveEvent } from '../rumba/index.ts';
import { recordedLab } from '../tests/support/recorded-lab.ts';
import { emptyModel, eventsMax, keyOf, type Model, reduce } from './model.ts';

const lab = recordedLab({ nodes: 3, flows: 2, seconds: 0, periodMs: 1_000 });
const after = (...events: LiveEvent[]): Model => [...lab, ...events].reduce(reduce, emptyModel);
const at = Date.UTC(2026, 10, 26, 12, 0, 10);
const ipcp = 5_000_000;

function counts(flowId: number, bytesSent: number): FlowCounts {
  const port = {
    packetsSent: 1,
    bytesSent,
    packetsReceived: 0,
    bytesReceived: 0,
    droppedSlowReader: 0,
    droppedNotOpen: 0,
    droppedTooLong: 0,
  };
  return { flowId, port, ends: [] };
}

describe('nodes', () => {
  test('are there as the topology says before they run', () => {
    const [topology] = lab;
    const model = reduce(emptyModel, topology as LiveEvent);
    expect([...model.nodes.values()].map(({ name, condition }) => [name, condition])).toEqual([
      ['n1', 'starting'],
      ['n2', 'starting'],
      ['n3', 'starting'],
    ]);
  });

  test('run once they tell what there is', () => {
    const { nodes } = after();
    const node = nodes.get('n2');
    expect(node?.condition).toBe('running');
    expect([...(node?.ipcps.values() ?? [])].map(({ name }) => name)).toEqual([
      'net.n2',
      'lan1.n2',
      'lan2.n2',
    ]);
    expect(node?.ipcps.get(ipcp)?.adjacencies.size).toBe(2);
    expect(node?.ipcps.get(ipcp)?.routes.get('0.0.0.3')?.via).toEqual(['0.0.0.3']);
  });

  test('hold nothing once they have ended, whatever their irmd does then', () => {
    const { nodes } = after(
      { event: 'node.ended', at, node: 'n2' },
      { event: 'irmd.ended', at, node: 'n2' },
      { event: 'irmd.ended', at, node: 'n3' },
    );
    expect(nodes.get('n2')).toMatchObject({ condition: 'ended', ipcps: new Map(), flows: new Map() });
    expect(nodes.get('n3')?.condition).toBe('lost');
    expect(nodes.get('n1')?.condition).toBe('running');
  });

  test('that the lab is not to have any more are gone, though their ends are heard of later', () => {
    const [told] = lab;
    if (told?.event !== 'topology') throw new Error('the topology comes first');
    const { topology } = told;
    const nodes = topology.nodes.filter(({ name }) => name !== 'n3');
    const changed: LiveEvent = { ...told, topology: { ...topology, nodes } };
    const ends: LiveEvent[] = [
      { event: 'irmd.ended', at, node: 'n3' },
      { event: 'node.ended', at, node: 'n3' },
      { event: 'irmd.ended', at, node: 'n3' },
    ];
    expect([...after(changed, ...ends).nodes.keys()]).toEqual(['n1', 'n2']);
    expect([...after(...ends, changed).nodes.keys()]).toEqual(['n1', 'n2']);
  });

  test('run again after another snapshot, and all end with the lab', () => {
    const again = lab.find((event) => event.event === 'snapshot' && event.node === 'n2') as LiveEvent;
    const back = after(
      { event: 'node.ended', at, node: 'n2' },
      { event: 'node.started', at, node: 'n2' },
      again,
    );
    expect(back.nodes.get('n2')?.condition).toBe('running');
    const gone = reduce(back, { event: 'lab.ended', at });
    expect(gone.lab.condition).toBe('ended');
    expect([...gone.nodes.values()].map(({ condition }) => condition)).toEqual(['ended', 'ended', 'ended']);
  });
});

describe('IPCPs', () => {
  test('crash and stay to be seen; those that are destroyed go', () => {
    const named = { node: 'n1', pid: ipcp, name: 'net.n1', at };
    expect(
      after({ ...named, event: 'ipcp.crashed' })
        .nodes.get('n1')
        ?.ipcps.get(ipcp),
    ).toMatchObject({
      crashed: true,
      routes: new Map(),
    });
    expect(
      after({ ...named, event: 'ipcp.destroyed' })
        .nodes.get('n1')
        ?.ipcps.has(ipcp),
    ).toBe(false);
  });

  test('gain and lose neighbours, routes and names', () => {
    const of = { node: 'n1', pid: ipcp, name: 'net.n1', at };
    const adjacency = {
      id: 1,
      component: 'dt',
      peer: '0.0.0.2',
      destination: null,
      up: false,
      prototype: false,
    } as const;
    const model = after(
      { ...of, event: 'adjacency.down', adjacency },
      {
        ...of,
        event: 'routes.changed',
        set: [{ address: '0.0.0.9', links: 4, via: ['0.0.0.2'] }],
        gone: ['0.0.0.3'],
      },
      { ...of, event: 'name.registered', name: 'x' },
      { ...of, event: 'name.unregistered', name: 'perf.n1' },
    );
    const found = model.nodes.get('n1')?.ipcps.get(ipcp);
    expect(found?.adjacencies.get(1)?.up).toBe(false);
    expect([...(found?.routes.keys() ?? [])]).toEqual(['0.0.0.2', '0.0.0.9']);
    expect(found?.registered).toEqual(['x']);
    const alone = reduce(model, { ...of, event: 'adjacency.removed', adjacency });
    expect(alone.nodes.get('n1')?.ipcps.get(ipcp)?.adjacencies.size).toBe(0);
  });
});

describe('flows', () => {
  const flow = {
    flowId: 9,
    name: 'x',
    ends: [],
    ipcp,
    layer: 'net',
    up: true,
    allocatedAt: at,
  } as unknown as FlowInfo;

  test('come, go down and up, and go', () => {
    const model = after({ event: 'flow.allocated', node: 'n3', at, flow });
    expect(model.nodes.get('n3')?.flows.get(9)?.up).toBe(true);
    const down = reduce(model, { event: 'flow.down', node: 'n3', at, flowId: 9, name: 'x' });
    expect(down.nodes.get('n3')?.flows.get(9)?.up).toBe(false);
    const gone = reduce(down, { event: 'flow.deallocated', node: 'n3', at, flowId: 9, name: 'x' });
    expect(gone.nodes.get('n3')?.flows.has(9)).toBe(false);
  });

  test('have rates from two counts, and none once nothing moves', () => {
    const told = (flows: FlowCounts[], when: number): LiveEvent => ({
      event: 'counters',
      node: 'n3',
      at: when,
      refused: {},
      ipcps: [],
      flows,
    });
    let model = after(
      { event: 'flow.allocated', node: 'n3', at, flow },
      told([counts(9, 1_000)], at + 1_000),
    );
    expect(model.nodes.get('n3')?.flows.get(9)?.sent).toBeUndefined();
    model = reduce(model, told([counts(9, 2_000)], at + 2_000));
    expect(model.nodes.get('n3')?.flows.get(9)?.sent).toBe(8_000);
    model = reduce(model, told([], at + 3_000));
    expect(model.nodes.get('n3')?.flows.get(9)?.sent).toBe(0);
  });
});

test('interfaces have rates; one that was made anew begins anew', () => {
  const told = (txBytes: number, when: number): LiveEvent => ({
    event: 'interfaces',
    node: 'n1',
    at: when,
    interfaces: { e1: { rxBytes: 0, rxPackets: 0, rxDropped: 0, txBytes, txPackets: 0, txDropped: 0 } },
  });
  const model = after(
    told(1_000, at),
    told(2_000, at + 2_000),
    told(10, at + 3_000),
    told(1_010, at + 4_000),
  );
  expect(model.rates.get(keyOf('n1', 'e1'))?.tx).toEqual([4_000, 8_000]);
});

test('what happened is kept, up to a bound, and counted beyond it', () => {
  const many = Array.from({ length: eventsMax + 5 }, (_, n): LiveEvent => ({
    event: 'name.created',
    node: 'n1',
    at: at + n,
    name: `x${n}`,
    policy: 'round-robin',
  }));
  const { events, now } = after(...many);
  expect(events.rows).toHaveLength(eventsMax);
  expect(events.total).toBe(lab.length + many.length);
  expect(events.rows.at(-1)?.text).toBe(`x${eventsMax + 4}`);
  expect(now).toBe(at + eventsMax + 4);
});

test('an event of a kind that is not known changes nothing but the time', () => {
  const before = after();
  const model = reduce(before, { event: 'something.new', at, node: 'n1' } as unknown as LiveEvent);
  expect({ ...model, events: before.events, now: before.now }).toEqual(before);
  expect(model.now).toBe(at);
});

test('the model before is left as it was', () => {
  const before = after();
  const copy = structuredClone(before);
  for (const event of recordedLab({ nodes: 3, flows: 4, seconds: 3, periodMs: 1_000 })) reduce(before, event);
  expect(before).toEqual(copy);
});
