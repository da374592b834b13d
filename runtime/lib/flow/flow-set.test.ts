import { describe, expect, test } from 'vitest';
import { flowPair } from '../../../tests/support/flow-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { dataQos, rawQos } from '../qos.ts';
import { flowFlag } from './flow-flags.ts';
import type { Flow } from './flow.ts';
import { type FlowEvent, FlowSet } from './flow-set.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });
const packets = (...flows: Flow[]): FlowEvent[] => flows.map((flow) => ({ flow, type: 'packet' }));

test('one wait brings the events of all flows, one for each that can be read', async () => {
  const [one, two, other] = [await flowPair(), await flowPair(), await flowPair()];
  using set = new FlowSet();
  for (const { b } of [one, two]) set.add(b);
  expect([set.size, set.has(one.b), set.has(other.b)]).toEqual([2, true, false]);
  for (const { a } of [two, one, other]) for (const text of ['x', 'y']) await a.write(Buffer.from(text));
  const seen: FlowEvent[] = [];
  while (seen.length < 2) seen.push(...(await set.wait()));
  expect(new Set(seen.map(({ flow }) => flow))).toEqual(new Set([one.b, two.b]));
  expect(seen.map(({ type }) => type)).toEqual(['packet', 'packet']);
});

test('what was left to read is told again', async () => {
  const { a, b } = await flowPair();
  using set = new FlowSet();
  set.add(b);
  for (const text of ['x', 'y']) await a.write(Buffer.from(text));
  expect(await set.wait()).toEqual(packets(b));
  expect((await b.read()).toString()).toBe('x');
  expect(await set.wait()).toEqual(packets(b));
  expect((await b.read()).toString()).toBe('y');
  await expect(set.wait({ timeout: 10 })).rejects.toEqual(code('ETIMEDOUT'));
});

test('a flow that has messages when it is added has an event', async () => {
  const { a, b } = await flowPair();
  await a.write(Buffer.from('x'));
  await a.write(Buffer.from('y'));
  await b.read();
  using set = new FlowSet();
  set.add(b);
  expect(await set.wait({ timeout: 0 })).toEqual(packets(b));
});

test('a flow is in one set at most, and in it once', async () => {
  const { b } = await flowPair();
  using set = new FlowSet();
  using other = new FlowSet();
  set.add(b);
  expect(() => set.add(b)).toThrow(code('EPERM') as Error);
  expect(() => other.add(b)).toThrow(code('EPERM') as Error);
  expect([set.size, other.size]).toEqual([1, 0]);
  set.delete(b);
  other.add(b);
  expect(other.has(b)).toBe(true);
});

describe('the end of a flow', () => {
  test('is told when it came before the flow was added', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    await a.write(Buffer.from('x'));
    const finished = a.finish();
    expect((await b.read()).toString()).toBe('x');
    await finished;
    using set = new FlowSet();
    set.add(b);
    expect(await set.wait({ timeout: 5000 })).toEqual([{ flow: b, type: 'end' }]);
    set.delete(b);
    a.abort();
    await until('the release to come', () => b.released);
    set.add(b);
    expect(await set.wait({ timeout: 5000 })).toEqual([
      { flow: b, type: 'end' },
      { flow: b, type: 'dealloc' },
    ]);
  });

  test('is told when the other end closes it', async () => {
    const { a, b } = await flowPair();
    using set = new FlowSet();
    set.add(b);
    await a.close();
    expect(await set.wait()).toEqual([{ flow: b, type: 'dealloc' }]);
  });

  test('is told once when the peer is silent', async () => {
    const { b, ends } = await flowPair({ qos: { ...rawQos, timeout: 40 } });
    using set = new FlowSet();
    set.add(b);
    // A stopped process sends no signs of life: here its end is not looked after any more.
    ends.a.nextDeadline = () => Number.POSITIVE_INFINITY;
    expect(await set.wait()).toEqual([{ flow: b, type: 'peer' }]);
    await expect(set.wait({ timeout: 60 })).rejects.toEqual(code('ETIMEDOUT'));
  });
});

test('a flow that was taken out tells nothing', async () => {
  const { a, b } = await flowPair();
  using set = new FlowSet();
  set.add(b);
  await a.write(Buffer.from('x'));
  await b.read();
  expect([set.delete(b), set.delete(b)]).toEqual([true, false]);
  await a.write(Buffer.from('y'));
  await expect(set.wait({ timeout: 20 })).rejects.toEqual(code('ETIMEDOUT'));
});

test('a wait can be cancelled, before and after it began', async () => {
  using set = new FlowSet();
  await expect(set.wait({ signal: AbortSignal.abort() })).rejects.toEqual(code('ECANCELED'));
  const abort = new AbortController();
  const waiting = set.wait({ signal: abort.signal });
  abort.abort();
  await expect(waiting).rejects.toEqual(code('ECANCELED'));
});

test('a timeout is a time', async () => {
  const { a } = await flowPair();
  using set = new FlowSet();
  for (const timeout of [-1, Number.NaN]) {
    await expect(set.wait({ timeout })).rejects.toEqual(code('EINVAL'));
    await expect(a.read({ timeout })).rejects.toEqual(code('EINVAL'));
  }
  // What no timer can hold is no reason to give up at once.
  for (const timeout of [Number.POSITIVE_INFINITY, 2 ** 40]) {
    const over = AbortSignal.timeout(30);
    await expect(set.wait({ timeout, signal: over })).rejects.toEqual(code('ECANCELED'));
    await expect(a.read({ timeout, signal: AbortSignal.timeout(30) })).rejects.toEqual(code('ECANCELED'));
  }
});

test('two that wait get each event once', async () => {
  const { a, b } = await flowPair();
  using set = new FlowSet();
  set.add(b);
  const waits = [set.wait(), set.wait()];
  await a.write(Buffer.from('x'));
  expect(await Promise.race(waits)).toEqual(packets(b));
  b.tryRead();
  await a.close();
  expect((await Promise.all(waits)).flat().map(({ type }) => type)).toEqual(['packet', 'dealloc']);
});

test('nothing is lost or piles up while nobody takes it; of states the latest comes last', async () => {
  const { a, b } = await flowPair();
  using set = new FlowSet();
  set.add(b);
  for (let count = 0; count < 3000; count += 1) {
    a.flags = flowFlag.default | (count % 2 === 0 ? flowFlag.down : 0);
    if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  a.flags = flowFlag.default | flowFlag.down;
  a.flags = flowFlag.default;
  await a.write(Buffer.from('x'));
  await a.close();
  await until('the release to be there', () => b.released);
  expect((await set.wait()).map(({ type }) => type)).toEqual(
    expect.arrayContaining(['down', 'up', 'packet', 'dealloc']),
  );
});

test('events come by iteration too', async () => {
  const { a, b } = await flowPair();
  using set = new FlowSet();
  set.add(b);
  await a.write(Buffer.from('x'));
  const seen: string[] = [];
  for await (const { flow, type } of set) {
    seen.push(type);
    if (type !== 'packet') break;
    flow.tryRead();
    await a.close();
  }
  expect(seen).toEqual(['packet', 'dealloc']);
});

describe('without the event loop', () => {
  test('a set takes what comes while it waits, and writes of this turn leave first', async () => {
    const { a, b } = await flowPair();
    using set = new FlowSet();
    set.add(b);
    for (const text of ['x', 'y']) {
      a.tryWrite(Buffer.from(text));
      let events: FlowEvent[] = [];
      // Whatever else is ready in this process ends a wait early.
      while (events.length === 0) {
        events = set.waitBlocking(100);
        if (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(events).toEqual(packets(b));
      expect(b.tryRead()?.toString()).toBe(text);
    }
    expect(set.waitBlocking(0)).toEqual([]);
  });

  test('a read takes what is there, or gives up soon', async () => {
    const { a, b } = await flowPair();
    a.tryWrite(Buffer.from('x'));
    expect(b.readBlocking()?.toString()).toBe('x');
    const startedAt = performance.now();
    expect(b.readBlocking()).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await a.close();
    expect(() => b.readBlocking()).toThrow(code('EFLOWDOWN') as Error);
  });
});
