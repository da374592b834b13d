import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { abstractPath, quietStream } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import {
  connectUnix,
  StreamBuffer,
  streamEnded,
  type UnixStream,
  streamWouldBlock,
} from '../os/unix-socket.ts';
import { FlowRendezvous } from './rendezvous.ts';

const patienceMs = 20_000;

function open(patience = patienceMs): FlowRendezvous {
  const rendezvous = new FlowRendezvous(abstractPath(), 0o600, patience);
  onTestFinished(() => rendezvous[Symbol.dispose]());
  return rendezvous;
}

function token(): string {
  return randomBytes(16).toString('hex');
}

function connectWith(rendezvous: FlowRendezvous, bytes: Uint8Array): UnixStream {
  const stream = quietStream(connectUnix(rendezvous.path));
  onTestFinished(() => stream[Symbol.dispose]());
  const buffer = new StreamBuffer(Math.max(1, bytes.length));
  buffer.memory.set(bytes);
  expect(stream.write(buffer.address, bytes.length)).toBe(bytes.length);
  return stream;
}

function hello(text: string): Buffer {
  return Buffer.concat([Buffer.from('01000010', 'hex'), Buffer.from(text, 'hex')]);
}

const scratch = new StreamBuffer(64);

function isShutOut(stream: UnixStream): Promise<true> {
  return until('the end of the connection', () => stream.read(scratch.address, 64) === streamEnded);
}

/** An owner that takes what comes, and counts arrivals. */
function arrivals() {
  const seen: UnixStream[] = [];
  const text: string[] = [];
  const onArrival = (stream: UnixStream) => {
    seen.push(stream);
    onTestFinished(() => stream[Symbol.dispose]());
    return {
      onReadable: () => {
        const count = stream.read(scratch.address, 64);
        if (count > 0) text.push(scratch.memory.toString('latin1', 0, count));
      },
      onWritable: () => {},
    };
  };
  return { seen, text, onArrival };
}

const never = (): never => {
  throw new Error('not expected');
};

test('a token opens its end once', async () => {
  const rendezvous = open();
  const { seen, onArrival } = arrivals();
  const key = token();
  rendezvous.expect(key, onArrival, never);
  connectWith(rendezvous, hello(key));
  await until('the arrival', () => seen.length === 1);
  // Whoever shows it again waits like a stranger: nobody expects this token.
  const second = connectWith(rendezvous, hello(key));
  const third = connectWith(rendezvous, hello(key));
  await until('one refusal', () => rendezvous.counters.refused === 1);
  const ended = [second, third].filter((stream) => stream.read(scratch.address, 64) === streamEnded);
  expect(ended).toHaveLength(1);
  expect(seen).toHaveLength(1);
});

test('an end that comes early waits, and so does what it wrote', async () => {
  const rendezvous = open();
  const { seen, text, onArrival } = arrivals();
  const key = token();
  connectWith(rendezvous, Buffer.concat([hello(key), Buffer.from('early')]));
  // Another connection shows that the first was handled.
  const other = token();
  const marker = arrivals();
  rendezvous.expect(other, marker.onArrival, never);
  connectWith(rendezvous, hello(other));
  await until('the second', () => marker.seen.length === 1);
  expect(seen).toEqual([]);
  rendezvous.expect(key, onArrival, never);
  expect(seen).toHaveLength(1);
  await until('the text', () => text.join('') === 'early');
});

test('who is expected and does not come is told absent', async () => {
  const rendezvous = open(30);
  let absent = 0;
  const key = token();
  rendezvous.expect(key, never, () => (absent += 1));
  rendezvous.expect(token(), never, () => {});
  await until('the absence', () => absent === 1);
  // Then it is too late.
  await isShutOut(connectWith(rendezvous, hello(key)));
});

test('a connection that shows no token in time is shut out', async () => {
  const rendezvous = open(30);
  await isShutOut(connectWith(rendezvous, hello(token()).subarray(0, 19)));
  await until('the count', () => rendezvous.counters.refused === 1);
});

test('one that is no longer expected does not get in', async () => {
  const rendezvous = open(200);
  const key = token();
  rendezvous.expect(key, never, never);
  rendezvous.forget(key);
  await isShutOut(connectWith(rendezvous, hello(key)));
});

test('what is no hello is shut out at once, whatever it is', async () => {
  const rendezvous = open();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 20, maxLength: 60 }), async (bytes) => {
      fc.pre(Buffer.from(bytes).readUInt32BE(0) !== 0x01000010);
      const before = rendezvous.counters.refused;
      await isShutOut(connectWith(rendezvous, bytes));
      expect(rendezvous.counters.refused).toBe(before + 1);
    }),
    { numRuns: 100 },
  );
});

test('too many strangers are shut out, and those who are expected still get in', async () => {
  const rendezvous = open();
  const strangers = Array.from({ length: 300 }, () => connectWith(rendezvous, Buffer.alloc(1, 1)));
  await until('refusals', () => rendezvous.counters.refused === 300 - 256);
  for (const stranger of strangers) stranger[Symbol.dispose]();
  await until('all gone', () => rendezvous.counters.refused === 300);
  const { seen, onArrival } = arrivals();
  const key = token();
  rendezvous.expect(key, onArrival, never);
  const stream = connectWith(rendezvous, hello(key));
  await until('the arrival', () => seen.length === 1);
  expect(stream.read(scratch.address, 1)).toBe(streamWouldBlock);
});

test('disposing closes everything and removes its file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-rendezvous-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const rendezvous = new FlowRendezvous(join(folder, 's'), 0o600, patienceMs);
  const stranger = connectWith(rendezvous, Buffer.alloc(1));
  const key = token();
  const early = connectWith(rendezvous, hello(key));
  const { seen, onArrival } = arrivals();
  const other = token();
  rendezvous.expect(other, onArrival, never);
  connectWith(rendezvous, hello(other));
  await until('the arrival', () => seen.length === 1);
  rendezvous[Symbol.dispose]();
  await isShutOut(stranger);
  await isShutOut(early);
  expect(existsSync(join(folder, 's'))).toBe(false);
});
