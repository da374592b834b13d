/** What storyboards ping with: a server that is lost counts as loss until it is back. */
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { lossOf, outageOf, type PingResult, probed } from '../../rumba/storyboard/ping.ts';
import type { Running } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

const program = fileURLToPath(new URL('../../dist/bin/story-ping', import.meta.url));
const intervalMs = 10;

async function start(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

/** Pings that go on until they are ended. */
async function pinging(node: TestNode, server: Running): Promise<Running> {
  const probe = node.spawn(program, ['x', '1000000', String(intervalMs), 'raw']);
  await answered(server, 1);
  return probe;
}

/** Waits until a server has got so many. */
async function answered(server: Running, count: number): Promise<void> {
  await until('pings to come', () => server.stdout.split('Received').length > count, 30_000);
}

/** Waits until the probe has asked for another flow in vain: for as long as that took, packets were due. */
async function missed(node: TestNode, probe: Running): Promise<void> {
  const asked = (): number => node.log.split(`Allocating flow for ${probe.pid} to x`).length;
  const before = asked();
  await until('the flow to be asked for again', () => asked() > before + 1, 30_000);
}

async function ended(probe: Running): Promise<Pick<PingResult, 'samples' | 'flowsLost' | 'error'>> {
  const { status, stdout } = await probe.kill('SIGINT');
  expect(status).toBe(0);
  return probed(stdout, 0);
}

test('without a fault nothing is lost, and as many are sent as were asked for', async () => {
  const node = await start();
  await node.serve('x');
  const { status, stdout } = await node.run(program, ['x', '20', String(intervalMs), 'raw']);
  expect(status).toBe(0);
  const { samples, flowsLost } = probed(stdout, 0);
  expect([samples.length, lossOf(samples), flowsLost]).toEqual([20, 0, 0]);
});

test('after the server is lost so is every packet to the end', async () => {
  const node = await start();
  const server = await node.serve('x');
  const probe = await pinging(node, server);
  await server.kill('SIGKILL');
  await node.processGone(server.pid);
  const goneAt = Date.now();
  await missed(node, probe);
  const { samples, flowsLost } = await ended(probe);
  // One that was asked for before irmd noticed is lost as well.
  expect(flowsLost).toBeGreaterThanOrEqual(1);
  const after = samples.filter(({ at }) => at > goneAt);
  expect(after.length).toBeGreaterThan(0);
  expect(lossOf(after)).toBe(1);
  expect(outageOf(samples, intervalMs)).toBe(Number.POSITIVE_INFINITY);
});

test('a server that comes back is pinged again, and what was due meanwhile stays lost', async () => {
  const node = await start();
  const first = await node.serve('x');
  const probe = await pinging(node, first);
  await first.kill('SIGKILL');
  await node.processGone(first.pid);
  const goneAt = Date.now();
  await missed(node, probe);
  const backAt = Date.now();
  const second = await node.serve('x');
  await answered(second, 20);
  const { samples, flowsLost } = await ended(probe);
  expect(flowsLost).toBeGreaterThanOrEqual(1);
  const between = samples.filter(({ at }) => at > goneAt && at < backAt);
  expect(between.length).toBeGreaterThan(1);
  expect(lossOf(between)).toBe(1);
  expect(samples.filter(({ at, rttMs }) => at > backAt && rttMs !== null).length).toBeGreaterThanOrEqual(20);
  const outage = outageOf(samples, intervalMs);
  expect(outage).toBeGreaterThanOrEqual((between.at(-1)?.at ?? 0) - (between[0]?.at ?? 0));
  expect(outage).toBeLessThan(Number.POSITIVE_INFINITY);
});

test('a name that nobody serves is an error, not a measurement', async () => {
  const node = await start();
  const { status, stdout } = await node.run(program, ['nobody', '20', String(intervalMs), 'raw']);
  expect(status).toBe(1);
  const { samples, error } = probed(stdout, 0);
  expect([samples, error]).toEqual([[], expect.stringMatching(/\S/)]);
});
