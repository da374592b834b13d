/** What irmd tells of links, adjacencies and flows when a cable is cut and mended, and what it counts. */
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { program } from '../support/command.ts';
import { NamespacePair, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { findEvent, listen, type Told } from '../support/told-events.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

test('a cable that is cut and mended below a unicast layer', async () => {
  const pair = await NamespacePair.make();
  onTestFinished(() => pair[Symbol.asyncDispose]());
  const [a, b] = await Promise.all([TestNode.start(pair.a.launch), TestNode.start(pair.b.launch)]);
  for (const node of [a, b]) onTestFinished(() => node[Symbol.asyncDispose]());
  for (const [node, name] of [
    [a, 'a'],
    [b, 'b'],
  ] as const) {
    await node.manage(`i b type eth-dix name e.${name} layer lan dev eth0`);
  }
  const told = await listen(a, '--interval', '0.1');
  await b.manage('i b type unicast name b layer net autobind');
  await b.manage('n r b layer lan');
  await a.manage('i e name a dst b autobind');
  await a.manage('i conn name a dst b');
  await b.serve('ping', '-Q');
  await b.manage('n r ping layer net');
  const client = a.spawn(program('oping'), ['-n', 'ping', '-q', 'data', '-i', '10', '-c', '100000', '-Q']);
  const flow = (
    await until('the flow', () => {
      return findEvent(told(), 'flow.allocated', (event) => event.flow.name === 'ping');
    })
  ).flow;
  expect(flow).toMatchObject({ layer: 'net', ends: [{ pid: client.pid, program: 'oping' }], up: true });

  /** What the last counters say of the flow. */
  const counts = () =>
    told()
      .flatMap((event) => (event.event === 'counters' ? event.flows : []))
      .findLast(({ flowId }) => flowId === flow.flowId);
  const running = await until('counters with a round trip', () => {
    const last = counts();
    return last?.ends[0]?.frct?.roundTripMs && (last.port?.packetsReceived ?? 0) > 10 && last;
  });
  expect(running.port?.bytesSent).toBeGreaterThan(64 * 10);
  expect(running.ends[0]?.frct?.roundTripMs).toBeGreaterThan(0);

  const since = told().length;
  const later = (): readonly Told[] => told().slice(since);
  await pair.a.run('ip', 'link', 'set', 'eth0', 'down');
  await until('link.down', () => findEvent(later(), 'link.down', ({ name }) => name === 'e.a'));
  await until('adjacency.down', () => {
    return findEvent(later(), 'adjacency.down', ({ adjacency }) => adjacency.component === 'dt');
  });
  await until('the routes to go', () =>
    findEvent(later(), 'routes.changed', ({ gone }) => gone.length === 1),
  );
  await until('flow.down', () => findEvent(later(), 'flow.down', ({ flowId }) => flowId === flow.flowId));
  const [snapshot] = (await listen(a))();
  expect(snapshot).toMatchObject({
    flows: expect.arrayContaining([{ ...flow, up: false }]) as unknown,
    layers: expect.arrayContaining([expect.objectContaining({ linkUp: false })]) as unknown,
  });

  await pair.a.run('ip', 'link', 'set', 'eth0', 'up');
  await until('link.up', () => findEvent(later(), 'link.up'));
  await until('flow.up', () => findEvent(later(), 'flow.up', ({ flowId }) => flowId === flow.flowId));
  const before = counts()?.port?.packetsReceived ?? 0;
  await until('more packets', () => (counts()?.port?.packetsReceived ?? 0) > before);
});
