import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyQos, bytes, bytesUpTo, fieldAt, i32, u16, u8 } from '../../../tests/support/any-message.ts';
import { hashAlgorithms, hashBytes, hashName } from '../../lib/names.ts';
import { rawQos } from '../../lib/qos.ts';
import {
  dixFrameFields as frameFields,
  dixHeaderBytes as frameHeaderBytes,
  dixLayout,
  dixMessageFields as messageFields,
} from './dix.ts';
import {
  decodeMessage as decode,
  encodeMessage as encode,
  type EthernetMessage,
  messageBytes as bytesOf,
  messageCode,
  ownMark,
} from './message.ts';

const decodeMessage = (memory: Buffer, start: number, end: number, hash: number): ReturnType<typeof decode> =>
  decode(dixLayout, memory, start, end, hash);
const encodeMessage = (message: EthernetMessage, memory: Buffer, start: number): number =>
  encode(message, dixLayout, memory, start);
const messageBytes = (message: EthernetMessage): number => bytesOf(message, dixLayout);
const messageHeaderBytes = dixLayout.headerBytes;
const frameOffset = { destination: 0, source: 6, ethertype: 12, eid: 14, length: 16 } as const;

const piggyback = bytesUpTo(200);
const anyMessage = (hash: number): fc.Arbitrary<EthernetMessage> =>
  fc.oneof(
    fc.record({
      code: fc.constant(messageCode.flowRequest),
      seid: u16,
      qos: anyQos,
      ours: fc.boolean(),
      hash: bytes(hash),
      piggyback,
    }),
    fc.record({
      code: fc.constant(messageCode.flowReply),
      seid: u16,
      deid: u16,
      response: i32,
      piggyback,
    }),
    fc.record({ code: fc.constantFrom(messageCode.nameQuery, messageCode.nameReply), hash: bytes(hash) }),
  );

describe('the tables and the encoder agree', () => {
  test('frame header', () => {
    expect(frameHeaderBytes).toBe(18);
    for (const [name, offset] of Object.entries(frameOffset)) {
      expect(frameFields.find((field) => field.name === name)?.offset, name).toBe(offset);
    }
    expect(Object.keys(frameOffset)).toHaveLength(frameFields.length);
  });

  test('every field of every message', () => {
    expect(messageHeaderBytes).toBe(39);
    fc.assert(
      fc.property(anyMessage(32), fc.integer({ min: 0, max: 40 }), (message, start) => {
        const memory = Buffer.alloc(start + messageBytes(message) + 8, 0xa5);
        const end = encodeMessage(message, memory, start);
        expect(end).toBe(start + messageBytes(message));
        const values: Record<string, unknown> = {
          seid: 0,
          deid: 0,
          response: 'ours' in message && message.ours ? ownMark : 0,
          ...Object.fromEntries(Object.keys(rawQos).map((name) => [name, name === 'bandwidth' ? 0n : 0])),
          ...message,
          ...('qos' in message ? message.qos : {}),
        };
        for (const { name } of messageFields) {
          expect(fieldAt(messageFields, name, memory, start), name).toBe(values[name]);
        }
        // Nothing outside the message was touched.
        expect(memory.subarray(0, start).every((byte) => byte === 0xa5)).toBe(true);
        expect(memory.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
      }),
    );
  });
});

test('what is encoded is decoded, with every hash length', () => {
  for (const algorithm of hashAlgorithms) {
    const hash = hashBytes(algorithm);
    fc.assert(
      fc.property(anyMessage(hash), (message) => {
        const memory = Buffer.alloc(messageBytes(message), 0xa5);
        const end = encodeMessage(message, memory, 0);
        expect(decodeMessage(memory, 0, end, hash)).toEqual(message);
      }),
    );
  }
});

const hash = hashName('oping.test', 'SHA3_256');
const handshake = Buffer.from(
  'f5640bd8deaf2e9de84af498606ce86b18ea32f4fc740d81000000000000000000000000',
  'hex',
);
const zero27 = '00'.repeat(27);

/** The messages of link-ipcps.md 10.1, without their frame header. */
const literal: readonly (readonly [string, EthernetMessage, string])[] = [
  [
    'query',
    { code: messageCode.nameQuery, hash },
    `${'00'.repeat(37)}0200a21d475f6f88e5ae19dd0b6625552fed28d734e492f6a97b0bae5794f00b1806`,
  ],
  [
    'query reply',
    { code: messageCode.nameReply, hash },
    `${'00'.repeat(37)}0300a21d475f6f88e5ae19dd0b6625552fed28d734e492f6a97b0bae5794f00b1806`,
  ],
  [
    'flow request',
    { code: messageCode.flowRequest, seid: 64, qos: rawQos, ours: false, hash, piggyback: handshake },
    '00400000000000010000000000000000' +
      '00000001ffffffffffffffff0001d4c000000000000000' +
      'a21d475f6f88e5ae19dd0b6625552fed28d734e492f6a97b0bae5794f00b1806' +
      'f5640bd8deaf2e9de84af498606ce86b18ea32f4fc740d81000000000000000000000000',
  ],
  [
    'flow reply',
    { code: messageCode.flowReply, seid: 65, deid: 64, response: 0, piggyback: Buffer.from('abcd', 'hex') },
    `00410040${zero27}${'00'.repeat(6)}0100abcd`,
  ],
  [
    'refusal -1009',
    { code: messageCode.flowReply, seid: 1, deid: 64, response: -1009, piggyback: Buffer.alloc(0) },
    `00010040${'00'.repeat(28)}fffffc0f000100`,
  ],
  [
    'refusal -1007',
    { code: messageCode.flowReply, seid: 0, deid: 64, response: -1007, piggyback: Buffer.alloc(0) },
    `00000040${'00'.repeat(28)}fffffc11000100`,
  ],
];

test.each(literal)('literal bytes: %s', (_name, message, hex) => {
  const memory = Buffer.alloc(messageBytes(message), 0xa5);
  encodeMessage(message, memory, 0);
  expect(memory.toString('hex')).toBe(hex);
  expect(decodeMessage(Buffer.from(hex, 'hex'), 0, hex.length / 2, 32)).toEqual(message);
});

test.each([
  ['raw', rawQos, '00400000000000010000000000000000' + '00000001ffffffffffffffff0001d4c000000000000000'],
  [
    'video',
    { ...rawQos, bandwidth: 2n ** 64n - 1n, maxGap: 100, delay: 100, inOrder: 1, availability: 3 },
    '0040000000000001ffffffffffffffff' + '0000000100000064000000640001d4c000000000010003',
  ],
  [
    'voice',
    { ...rawQos, bandwidth: 100_000n, maxGap: 50, delay: 50, inOrder: 1, availability: 5 },
    '004000000000000100000000000186a0' + '0000000100000032000000320001d4c000000000010005',
  ],
  [
    'data',
    { ...rawQos, loss: 0, maxGap: 2000, delay: 1000, inOrder: 1 },
    '00400000000000000000000000000000' + '00000001000007d0000003e80001d4c000000000010000',
  ],
] as const)('fixed part of a request: %s', (_name, qos, hex) => {
  const message: EthernetMessage = {
    code: messageCode.flowRequest,
    seid: 0x40,
    qos,
    ours: false,
    hash,
    piggyback: Buffer.alloc(0),
  };
  const memory = Buffer.alloc(messageBytes(message), 0xa5);
  encodeMessage(message, memory, 0);
  expect(memory.toString('hex', 0, 39)).toBe(hex);
});

test.each([
  ['SHA3_224', 85, 121],
  ['SHA3_256', 89, 125],
  ['SHA3_384', 105, 141],
  ['SHA3_512', 121, 157],
] as const)('frame lengths with %s', (algorithm, query, request) => {
  const name = hashName('oping.test', algorithm);
  const reply = { code: messageCode.flowReply, seid: 65, deid: 64, response: 0 } as const;
  const none = Buffer.alloc(0);
  const frame = (message: EthernetMessage): number => frameHeaderBytes + messageBytes(message);
  expect(frame({ code: messageCode.nameQuery, hash: name })).toBe(query);
  expect(
    frame({
      code: messageCode.flowRequest,
      seid: 64,
      qos: rawQos,
      ours: false,
      hash: name,
      piggyback: Buffer.alloc(36),
    }),
  ).toBe(request);
  expect(frame({ ...reply, piggyback: Buffer.alloc(84) })).toBe(141);
  expect(frame({ ...reply, response: -1009, piggyback: none })).toBe(57);
});

test('every truncation is refused, up to where the variable part begins', () => {
  for (const [name, message] of literal) {
    const memory = Buffer.alloc(messageBytes(message));
    encodeMessage(message, memory, 0);
    const fixed = messageHeaderBytes + ('hash' in message ? message.hash.length : 0);
    for (let length = 0; length < fixed; length += 1) {
      // The rest of the memory is there, so that nothing but the given end tells where the message ends.
      expect(decodeMessage(memory, 0, length, 32), `${name} cut to ${length}`).toBe('short');
      expect(decodeMessage(memory.subarray(0, length), 0, length, 32), `${name} cut to ${length}`).toBe(
        'short',
      );
    }
    expect(decodeMessage(memory, 0, fixed, 32)).toBeTypeOf('object');
  }
});

test('codes that nobody knows are told apart', () => {
  const memory = Buffer.alloc(200);
  for (let code = 4; code < 256; code += 1) {
    if (code === messageCode.flowRelease) continue;
    memory.writeUInt8(code, 37);
    expect(decodeMessage(memory, 0, memory.length, 32)).toBe('unknown code');
  }
});

test('random bytes are decoded or refused, never more', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(28, 32, 48, 64),
      u8,
      (array, length, code) => {
        const memory = Buffer.from(array);
        if (memory.length > 37) memory.writeUInt8(code % 6, 37);
        const message = decodeMessage(memory, 0, memory.length, length);
        if (typeof message === 'string') return;
        expect(messageBytes(message)).toBeLessThanOrEqual(memory.length);
        const again = Buffer.alloc(messageBytes(message));
        encodeMessage(message, again, 0);
        expect(decodeMessage(again, 0, again.length, length)).toEqual(message);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a decoded message outlives the frame it came in', () => {
  const memory = Buffer.alloc(200, 0);
  const message: EthernetMessage = {
    code: messageCode.flowRequest,
    seid: 1,
    qos: rawQos,
    ours: false,
    hash,
    piggyback: handshake,
  };
  const end = encodeMessage(message, memory, 0);
  const decoded = decodeMessage(memory, 0, end, 32);
  memory.fill(0xff);
  expect(decoded).toEqual(message);
});
