import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replayEntriesMax } from '../limits.ts';
import { OapRequest, OapServer, type OapVerdict } from './handshake.ts';
import { decodeOap, encodeOap, type OapMessage } from './message.ts';

const ms = 1_000_000n;
const start = 1_795_301_664_000n * ms;

function id(number: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(number, 12);
  return bytes;
}

function responseOf(verdict: OapVerdict): Buffer {
  if ('error' in verdict) throw new Error(verdict.error);
  return verdict.response;
}

function changed(bytes: Buffer, hashBytes: number, change: Partial<OapMessage>): Buffer {
  const message = decodeOap(bytes, hashBytes);
  if (typeof message === 'string') throw new Error(message);
  return encodeOap({ ...message, ...change });
}

test('a request is answered, and the answer is good', () => {
  const request = new OapRequest(id(1), start);
  expect(request.bytes).toHaveLength(36);
  const response = responseOf(new OapServer().answer(request.bytes, start + 5n * ms));
  expect(response).toHaveLength(84);
  expect(response.subarray(36)).toEqual(createHash('sha384').update(request.bytes).digest());
  expect(request.judge(response)).toBeUndefined();
});

describe('the server refuses', () => {
  test('a replay, but not the same id at another time', () => {
    const server = new OapServer();
    const { bytes } = new OapRequest(id(1), start);
    responseOf(server.answer(bytes, start));
    expect(server.answer(bytes, start + ms)).toEqual({ error: 'EAUTH' });
    responseOf(server.answer(new OapRequest(id(1), start + 1n).bytes, start));
  });

  test.each([
    ['100 ms ahead', -100n * ms, true],
    ['a part of a ms more ahead: whole ms are compared', -100n * ms - 999_999n, true],
    ['101 ms ahead', -101n * ms, false],
    ['20 s old', 20_000n * ms, true],
    ['a part of a ms older', 20_000n * ms + 999_999n, true],
    ['20.001 s old', 20_001n * ms, false],
  ])('by age: %s', (_name, age, good) => {
    const verdict = new OapServer().answer(new OapRequest(id(1), start - age).bytes, start);
    expect('response' in verdict).toBe(good);
    if (!good) expect(verdict).toEqual({ error: 'EAUTH' });
  });

  test('what is malformed, has a certificate, or wants a key', () => {
    const server = new OapServer();
    const { bytes } = new OapRequest(id(1), start);
    expect(server.answer(Buffer.alloc(0), start)).toEqual({ error: 'EAUTH' });
    expect(server.answer(bytes.subarray(0, 35), start)).toEqual({ error: 'EAUTH' });
    expect(server.answer(changed(bytes, 0, { certificate: Buffer.from('c') }), start)).toEqual({
      error: 'EAUTH',
    });
    expect(server.answer(changed(bytes, 0, { id: id(2), key: Buffer.from('k') }), start)).toEqual({
      error: 'ECRYPT',
    });
    expect(server.answer(changed(bytes, 0, { id: id(3), cipher: 1 }), start)).toEqual({ error: 'EAUTH' });
  });

  test('a replay until the end of what it would take as fresh', () => {
    const server = new OapServer();
    const { bytes } = new OapRequest(id(1), start + 100n * ms);
    responseOf(server.answer(bytes, start));
    // Others come in between, so that old ones are forgotten.
    for (let second = 1n; second <= 20n; second += 1n) {
      const now = start + second * 1000n * ms;
      responseOf(server.answer(new OapRequest(id(1000 + Number(second)), now).bytes, now));
      expect(server.answer(bytes, now)).toEqual({ error: 'EAUTH' });
    }
    expect(server.answer(bytes, start + 20_100n * ms)).toEqual({ error: 'EAUTH' });
    expect(server.answer(bytes, start + 30_000n * ms)).toEqual({ error: 'EAUTH' });
  });

  test('more than it can remember, until those are old', () => {
    const server = new OapServer();
    for (let number = 0; number < replayEntriesMax; number += 1) {
      responseOf(server.answer(new OapRequest(id(number), start).bytes, start));
    }
    const more = new OapRequest(id(replayEntriesMax), start).bytes;
    expect(server.answer(more, start)).toEqual({ error: 'EAUTH' });
    const later = start + 20_101n * ms;
    responseOf(server.answer(new OapRequest(id(1), later).bytes, later));
  });
});

test('a request that names a cipher but no key is answered in the clear', () => {
  const { bytes } = new OapRequest(id(1), start);
  const response = responseOf(new OapServer().answer(changed(bytes, 0, { cipher: 906, digest: 672 }), start));
  const message = decodeOap(response, 32);
  expect(message).toMatchObject({ cipher: 0, kdf: 0, digest: 0 });
});

describe('the requester refuses', () => {
  const request = new OapRequest(id(1), start);
  const good = responseOf(new OapServer().answer(request.bytes, start));

  test.each([
    ['another id', changed(good, 48, { id: id(2) })],
    ['another hash', changed(good, 48, { requestHash: Buffer.alloc(48, 1) })],
    ['a certificate', changed(good, 48, { certificate: Buffer.from('c'), signature: Buffer.from('s') })],
    ['an unknown algorithm', changed(good, 48, { cipher: 1 })],
    ['left-over bytes', Buffer.concat([good, Buffer.alloc(1)])],
    ['nothing', Buffer.alloc(0)],
  ])('%s', (_name, response) => {
    expect(request.judge(response)).toBe('ECRYPT');
  });

  test('every truncation and every other response', () => {
    for (let length = 0; length < good.length; length += 1) {
      expect(request.judge(good.subarray(0, length))).toBe('ECRYPT');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(request.judge(Buffer.from(bytes))).toBe('ECRYPT');
      }),
    );
  });
});
