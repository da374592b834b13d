import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { flowPair } from '../../tests/support/flow-pair.ts';
import { until } from '../../tests/support/until.ts';
import type { Flow } from '../lib/index.ts';
import { dataQos } from '../lib/qos.ts';
import { FlowServer, sendOver } from './flow-server.ts';

/** Serves one end of a flow for the time of a test; what came over it, and whether it is over. */
function serve(
  flow: Flow,
  handle: (text: string) => Promise<void> | undefined,
): { readonly heard: string[]; isOver: boolean } {
  const server = new FlowServer();
  const seen = { heard: [] as string[], isOver: false };
  server.add(flow, {
    message: (message) => {
      seen.heard.push(String(message));
      return handle(String(message));
    },
    ended: () => (seen.isOver = true),
  });
  onTestFinished(() => server.drop(flow));
  void server.run(20);
  return seen;
}

test('while a handler is busy its flow waits, and nothing else does', async () => {
  const { a, b } = await flowPair({ qos: dataQos });
  let end = (): void => {};
  const { heard } = serve(b, (text) => {
    return text === 'one' ? new Promise((resolve) => (end = resolve)) : undefined;
  });
  for (const text of ['one', 'two', 'three']) await a.write(Buffer.from(text));
  await until('the first', () => heard.length === 1);
  await until('the others to wait', () => b.waiting === 2);
  await delay(1);
  expect(heard).toEqual(['one']);
  end();
  await until('the others', () => heard.length === 3);
  expect(heard).toEqual(['one', 'two', 'three']);
});

test('a client that reads late gets an answer to everything', async () => {
  const { a, b } = await flowPair({ qos: dataQos });
  serve(b, (text) => sendOver(b, Buffer.from(text), () => expect.unreachable()));
  const count = 5000;
  const message = 'x'.repeat(1000);
  const written = (async () => {
    for (let sent = 0; sent < count; sent += 1) await a.write(Buffer.from(message));
  })();
  await delay(50);
  for (let got = 0; got < count; got += 1) expect(String(await a.read({ timeout: 20_000 }))).toBe(message);
  await written;
});

test('a flow that ends while its handler is busy is told of after', async () => {
  const { a, b } = await flowPair({ qos: dataQos });
  let end = (): void => {};
  const seen = serve(b, () => new Promise((resolve) => (end = resolve)));
  await a.write(Buffer.from('one'));
  await until('the message', () => seen.heard.length === 1);
  a.abort();
  await until('the end to come', () => b.released);
  expect(seen.isOver).toBe(false);
  end();
  await until('it to be told', () => seen.isOver);
});

test('what came before the end is handled, also where the handler waits in between', async () => {
  const { a, b } = await flowPair({ qos: dataQos });
  const seen = serve(b, () => delay(1));
  for (let index = 0; index < 20; index += 1) await a.write(Buffer.from(`${index}`));
  await a.finish();
  await until('the end', () => seen.isOver);
  expect(seen.heard).toEqual(Array.from({ length: 20 }, (_each, index) => `${index}`));
});
