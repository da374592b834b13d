import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { perfect } from '../model/impairment.ts';
import { expect, onTestFinished, test } from 'vitest';
import type { LiveEvent } from './events.ts';
import { parseLine } from './interfaces.ts';
import { stateText } from './links.ts';
import { replaySource } from './replay.ts';

const signal = new AbortController().signal;

async function recording(...lines: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'o7s-replay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'events.ndjson'), lines.map((line) => `${line}\n`).join(''));
  return folder;
}

const ended = (at: number, node: string): string => JSON.stringify({ event: 'node.ended', at, node });

async function played(path: string): Promise<LiveEvent[]> {
  const source = replaySource(path);
  source.replay?.toEnd();
  const events: LiveEvent[] = [];
  for await (const event of source.events(signal)) events.push(event);
  return events;
}

test('a folder of a run, and a file, give their events in order', async () => {
  const folder = await recording(ended(1_000, 'a'), '', ended(61_000, 'b'));
  const events = [
    { event: 'node.ended', at: 1_000, node: 'a' },
    { event: 'node.ended', at: 61_000, node: 'b' },
  ];
  expect(await played(folder)).toEqual(events);
  expect(await played(join(folder, 'events.ndjson'))).toEqual(events);
});

test('a folder that has the topology of its run tells it first', async () => {
  const folder = await recording(ended(1_000, 'a'));
  const topology = { nodes: [{ name: 'a' }], links: [], layers: [], registrations: [], servers: [] };
  await writeFile(join(folder, 'topology.json'), JSON.stringify(topology));
  const [first, ...rest] = await played(folder);
  expect(first).toEqual({ event: 'topology', at: 1_000, topology });
  expect(rest.at(-1)).toEqual({ event: 'node.ended', at: 1_000, node: 'a' });
  await writeFile(join(folder, 'topology.json'), '{"nodes":3}');
  expect(await played(folder)).toHaveLength(1);
});

test('a replay that is left before its file is read ends, and nothing else does', async () => {
  const many = Array.from({ length: 5_000 }, (_event, at) => ended(1_000 + at, `n${at}`));
  const stop = new AbortController();
  const source = replaySource(await recording(...many));
  source.replay?.toEnd();
  let taken = 0;
  for await (const _event of source.events(stop.signal)) {
    taken += 1;
    if (taken === 3) stop.abort();
  }
  expect(taken).toBe(3);
});

test('a folder of a run gives its logs between its events, and the commands of its topology', async () => {
  const folder = await recording(ended(1_000, 'a'), ended(3_000, 'b'));
  const link = {
    kind: 'eth',
    name: 'a-b',
    mtu: 1500,
    ends: ['a', 'b'].map((node) => ({ node, interface: 'e1', mac: '02:00:00:00:00:01' })),
  };
  const topology = {
    name: 'x',
    nodes: [{ name: 'a' }, { name: 'b' }],
    links: [link],
    layers: [],
    registrations: [],
    servers: [],
  };
  await writeFile(join(folder, 'topology.json'), JSON.stringify(topology));
  await mkdir(join(folder, 'logs/a'), { recursive: true });
  const record = (ms: number, text: string): string =>
    `${JSON.stringify({ time: new Date(ms).toISOString(), component: 'irmd', level: 'II', text })}\n`;
  await writeFile(
    join(folder, 'logs/a/irmd.log'),
    record(500, 'one') + record(2_000, 'two') + record(4_000, 'last'),
  );
  const events = await played(folder);
  expect(events.map(({ event }) => event).filter((event) => event !== 'command')).toEqual([
    'topology',
    'log',
    'node.ended',
    'log',
    'node.ended',
    'log',
  ]);
  expect(events.filter(({ event }) => event === 'command')).toContainEqual(
    expect.objectContaining({ node: 'a', command: expect.stringContaining('irmd') as string }),
  );
  expect(events.at(-1)).toEqual({
    event: 'log',
    at: 4_000,
    node: 'a',
    log: 'irmd',
    level: 'II',
    text: 'irmd: last',
  });
});

test('what happened later comes later, sooner at a higher speed, and not while it is paused', async () => {
  const source = replaySource(await recording(ended(0, 'a'), ended(5_000, 'b'), ended(10_000, 'c')));
  const events = source.events(signal)[Symbol.asyncIterator]();
  source.replay?.setSpeed(1_000);
  expect((await events.next()).value).toMatchObject({ node: 'a' });
  expect((await events.next()).value).toMatchObject({ node: 'b' });
  source.replay?.setPaused(true);
  let isDone = false;
  const last = events.next().finally(() => (isDone = true));
  // Ten times as long as it would take.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(isDone).toBe(false);
  source.replay?.setPaused(false);
  expect((await last).value).toMatchObject({ node: 'c' });
});

test('what is no recording is refused in one line', async () => {
  expect(() => replaySource('/nowhere/at/all')).toThrow('there is no file /nowhere/at/all');
  for (const line of [
    'no JSON',
    '{}',
    'null',
    '[1]',
    '{"event":"x"}',
    '{"event":1,"at":2}',
    '{"event":"snapshot","at":2}',
  ]) {
    const folder = await recording(ended(1, 'a'), line);
    await expect(played(folder)).rejects.toThrow(`${folder}/events.ndjson:2: this is no event`);
  }
});

test('lines of /proc/net/dev', () => {
  const line =
    '    e1: 100    2    0    3    0     0          0         0  400    5    0    6    0     0       0          0';
  expect(parseLine(line)).toEqual({
    name: 'e1',
    counters: { rxBytes: 100, rxPackets: 2, rxDropped: 3, txBytes: 400, txPackets: 5, txDropped: 6 },
  });
  expect(parseLine(line.replace('e1', 'lo'))).toBeUndefined();
  expect(parseLine(' face |bytes    packets errs')).toBeUndefined();
  expect(parseLine('e1: 1 2')).toBeUndefined();
});

test('what is wrong with a link, in words', () => {
  const bad = { ...perfect, delayMs: 20, loss: 0.005 };
  const spliced = (impairments: unknown): never =>
    ({ link: 'a-b', isDown: false, splice: { impairments } }) as never;
  expect(stateText([{ link: 'a-b', isDown: false }])).toBe('');
  expect(stateText([spliced([perfect, perfect])])).toBe('');
  expect(stateText([spliced([bad, bad])])).toBe('delay 20ms loss 0.5%');
  expect(stateText([spliced([bad, perfect])])).toBe('there delay 20ms loss 0.5%, back -');
  expect(
    stateText([
      { link: 'hub', node: 'a', isDown: true },
      { link: 'hub', node: 'b', isDown: false },
    ]),
  ).toBe('a: down');
});
