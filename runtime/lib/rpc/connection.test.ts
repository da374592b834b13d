import { duplexPair } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../../tests/support/until.ts';
import { O7sError } from '../errors.ts';
import { rpcLineBytesMax, rpcPendingMax } from '../limits.ts';
import { RpcConnection, type RpcHandler } from './connection.ts';

const refuseAll: RpcHandler = (method) => {
  throw new O7sError('ENOTSUP', `there is no method ${method}`);
};
const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

function connections(handlerA: RpcHandler, handlerB: RpcHandler): readonly [RpcConnection, RpcConnection] {
  const [left, right] = duplexPair();
  const pair = [new RpcConnection(left, handlerA), new RpcConnection(right, handlerB)] as const;
  onTestFinished(() => {
    for (const connection of pair) connection[Symbol.dispose]();
  });
  return pair;
}

/** A connection whose other end is the test itself. */
function rawPeer(handler: RpcHandler) {
  const [left, right] = duplexPair();
  let ends = 0;
  const connection = new RpcConnection(left, handler, () => (ends += 1));
  let received = '';
  right.on('data', (chunk: Buffer) => (received += chunk.toString()));
  right.on('error', () => {});
  onTestFinished(() => connection[Symbol.dispose]());
  return {
    connection,
    ends: () => ends,
    write: (bytes: string | Uint8Array) => right.write(bytes),
    end: () => right.destroy(),
    lines: () =>
      received
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
  };
}

test('calls are answered in both directions, and each by its own answer', async () => {
  const [a, b] = connections(
    (method) => `a ${method}`,
    async (method, params) => {
      await nextTurn();
      return { method, params };
    },
  );
  const calls = [1, 2, 3].map((number) => a.call('echo', { number }));
  expect(await Promise.all([...calls, b.call('x', {})])).toEqual([
    { method: 'echo', params: { number: 1 } },
    { method: 'echo', params: { number: 2 } },
    { method: 'echo', params: { number: 3 } },
    'a x',
  ]);
  expect(a.pendingCalls).toBe(0);
});

test('an error comes with its code, text and hint; a defect as no code of ours', async () => {
  const [a] = connections(refuseAll, (method) => {
    if (method === 'defect') throw new TypeError('oops');
    throw new O7sError('ENAME', 'no such name', { hint: 'create it' });
  });
  await expect(a.call('x', {})).rejects.toMatchObject({
    code: 'ENAME',
    message: 'no such name',
    hint: 'create it',
  });
  await expect(a.call('defect', {})).rejects.toMatchObject({ code: 'EIRMD', message: 'oops' });
});

test('a call can be cancelled, before it is sent and while it waits', async () => {
  let aborted = 0;
  const [a, b] = connections(
    refuseAll,
    (_method, _params, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          reject(new O7sError('ECANCELED'));
        });
      }),
  );
  await expect(a.call('x', {}, { signal: AbortSignal.abort() })).rejects.toEqual(code('ECANCELED'));
  const controller = new AbortController();
  const call = a.call('x', {}, { signal: controller.signal });
  await nextTurn();
  controller.abort();
  await expect(call).rejects.toEqual(code('ECANCELED'));
  await until('the abort at the other end', () => aborted === 1);
  expect(b.closed).toBe(false);
  expect(a.pendingCalls).toBe(0);
});

test('who waits for an answer is told when the connection ends, and what is served is aborted', async () => {
  let aborted = 0;
  const [a, b] = connections(
    refuseAll,
    (_method, _params, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => (aborted += 1));
      }),
  );
  const call = a.call('x', {});
  await nextTurn();
  b[Symbol.dispose]();
  await expect(call).rejects.toEqual(code('EIRMD'));
  expect(aborted).toBe(1);
  await expect(b.call('x', {})).rejects.toEqual(code('EIRMD'));
  await until('the other end', () => a.closed);
});

describe('lines', () => {
  test('are read however they are cut', async () => {
    const peer = rawPeer((method) => method);
    const text = '{"jsonrpc":"2.0","id":1,"method":"é"}\n\n{"jsonrpc":"2.0","id":"two","method":"b"}\n';
    for (const byte of Buffer.from(text)) {
      peer.write(Buffer.of(byte));
      await nextTurn();
    }
    await until('both answers', () => peer.lines().length === 2);
    expect(peer.lines()).toEqual([
      { jsonrpc: '2.0', id: 1, result: 'é' },
      { jsonrpc: '2.0', id: 'two', result: 'b' },
    ]);
  });

  test('a notification has no answer, not even an error', async () => {
    const seen: string[] = [];
    const peer = rawPeer((method) => {
      seen.push(method);
      throw new Error('no');
    });
    peer.write('{"jsonrpc":"2.0","method":"note"}\n{"jsonrpc":"2.0","id":1,"method":"call"}\n');
    await until('an answer', () => peer.lines().length > 0);
    expect(seen).toEqual(['note', 'call']);
    expect(peer.lines()).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{"jsonrpc"\n'],
    ['an array', '[]\n'],
    ['a number', '7\n'],
    ['null', 'null\n'],
    ['neither request nor response', '{"id":null}\n'],
    ['a line too long', `${' '.repeat(rpcLineBytesMax + 1)}\n`],
    ['a line too long that does not end', ' '.repeat(rpcLineBytesMax + 1)],
  ])('%s is told once and ends the connection', async (_name, line) => {
    const peer = rawPeer(refuseAll);
    peer.write(line);
    await until('the end', () => peer.connection.closed);
    peer.write('{"jsonrpc":"2.0","id":1,"method":"x"}\n');
    await until('the answer', () => peer.lines().length > 0);
    expect(peer.lines()).toEqual([
      { jsonrpc: '2.0', id: null, error: { code: -32_700, message: expect.any(String) } },
    ]);
    expect(peer.ends()).toBe(1);
  });

  test('so many requests may be open', async () => {
    const peer = rawPeer(() => new Promise(() => {}));
    const request = (id: number): string => `{"jsonrpc":"2.0","id":${id},"method":"x"}\n`;
    peer.write(Array.from({ length: rpcPendingMax }, (_, id) => request(id)).join(''));
    await nextTurn();
    expect(peer.connection.closed).toBe(false);
    peer.write(request(rpcPendingMax));
    await until('the end', () => peer.connection.closed);
  });

  test('of a part of this node, each request too many is refused, and the others go on', async () => {
    const [near, far] = duplexPair();
    const answers: (() => void)[] = [];
    const serving = new RpcConnection(
      near,
      () => new Promise<void>((resolve) => answers.push(resolve)),
      () => {},
      rpcLineBytesMax,
      true,
    );
    const asking = new RpcConnection(far, refuseAll);
    onTestFinished(() => {
      for (const connection of [serving, asking]) connection[Symbol.dispose]();
    });
    const calls = Array.from({ length: rpcPendingMax }, () => asking.call('x', {}));
    await expect(asking.call('x', {})).rejects.toEqual(code('EAGAIN'));
    for (const answer of answers) answer();
    await Promise.all(calls);
    expect(serving.closed).toBe(false);
  });

  test('an answer to nothing is ignored, a strange one rejects its call only', async () => {
    const peer = rawPeer(refuseAll);
    const first = peer.connection.call('x', {});
    const second = peer.connection.call('x', {});
    peer.write('{"id":99,"result":1}\n{"id":1,"error":null}\n{"id":2,"result":"fine"}\n');
    await expect(first).rejects.toEqual(code('EIRMD'));
    expect(await second).toBe('fine');
    expect(peer.connection.closed).toBe(false);
  });
});

test('random lines are answered, ignored or end the connection, and never throw', async () => {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  onTestFinished(() => void process.off('unhandledRejection', onRejection));
  const key = fc.constantFrom('id', 'method', 'params', 'result', 'error', 'jsonrpc', '__proto__');
  const object = fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom('cancel', 'x', 1, null)));
  const line = fc.oneof(
    object.map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 10 }),
      fc.uint8Array({ maxLength: 50 }),
      async (lines, tail) => {
        const peer = rawPeer((_method, params) => params);
        const pending = peer.connection.call('x', {}).catch(() => 'rejected');
        for (const text of lines) peer.write(`${text}\n`);
        peer.write(tail);
        await nextTurn();
        peer.end();
        peer.connection[Symbol.dispose]();
        await pending;
        expect(peer.ends()).toBe(1);
      },
    ),
    { numRuns: 200 },
  );
  await nextTurn();
  expect(rejections).toEqual([]);
});

describe('what is being answered ends with the connection', () => {
  /** Serves requests that end only when they are told to, and counts those that were. */
  function patient(): { handler: RpcHandler; open: () => number; ended: () => number } {
    let begun = 0;
    let ended = 0;
    const handler: RpcHandler = (_method, _params, signal) => {
      begun += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended += 1;
          reject(new O7sError('ECANCELED'));
        });
      });
    };
    return { handler, open: () => begun - ended, ended: () => ended };
  }

  test('also what has no id', async () => {
    const { handler, open, ended } = patient();
    const peer = rawPeer(handler);
    peer.write('{"jsonrpc":"2.0","method":"wait"}\n{"jsonrpc":"2.0","id":7,"method":"wait"}\n');
    await until('both to be served', () => open() === 2);
    peer.end();
    await until('both to end', () => ended() === 2);
  });

  test('and an id is one request only', async () => {
    const { handler, ended } = patient();
    const peer = rawPeer(handler);
    const request = '{"jsonrpc":"2.0","id":7,"method":"wait"}\n';
    peer.write(request + request);
    await until('the connection to end', () => peer.ends() === 1);
    expect(ended()).toBe(1);
    expect(peer.lines().at(-1)).toMatchObject({ id: null, error: { code: -32_700 } });
  });
});

test('who was shut out is not heard again', async () => {
  const served: string[] = [];
  const peer = rawPeer((method) => void served.push(method));
  peer.write('garbage\n');
  await until('the connection to end', () => peer.ends() === 1);
  peer.write('{"jsonrpc":"2.0","id":1,"method":"late"}\n');
  await nextTurn();
  await nextTurn();
  expect(served).toEqual([]);
});

test('who does not read the answers is not asked for more questions', async () => {
  const [left, right] = duplexPair();
  let served = 0;
  const connection = new RpcConnection(left, () => {
    served += 1;
    return 'x'.repeat(10_000);
  });
  onTestFinished(() => connection[Symbol.dispose]());
  right.pause();
  const request = Buffer.from('{"jsonrpc":"2.0","id":"a","method":"m"}\n');
  for (let sent = 0; sent < 2000; sent += 1) {
    right.write(request.toString().replace('"a"', String(sent)));
    await nextTurn();
  }
  expect(served).toBeLessThan(300);
  right.resume();
  await until('all to be served', () => served === 2000);
});
