import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyQos, bytes, bytesUpTo, fieldAt, i32, u32 } from '../../../tests/support/any-message.ts';
import { hashName } from '../../lib/names.ts';
import { rawQos } from '../../lib/qos.ts';
import {
  dataFields,
  dataHeaderBytes,
  decodeMessage,
  encodeMessage,
  messageBytes,
  messageCode,
  messageFields,
  messageHeaderBytes,
  type UdpMessage,
} from './codec.ts';

const hash = hashName('oping.test', 'MD5');
const zeros = (count: number): string => '00'.repeat(count);
const requestHead =
  '00000000000000400000000000000000' + '0000000000000000ffffffff0000000100000001ffffffff0001d4c0010000';
const name = '830a519c3de9f94420f0dd8d76890cb2';
const request4 = '758ddcfabbb37bd31a54f579aec9927818ea32fce596a8dd000000000000000000000000';
const reply4 =
  '758ddcfabbb37bd31a54f579aec9927818ea32fce5ba3969000000000000000000000000' +
  'f41608ac87890ddde9f04b08c114eba25a705c705e54290fa7373a587ddc5f7bcb8327919f2440d1b4cb02bfdc79fe80';
const request6 = 'eab6c7f91f7a717e3e1b8b5239fc517518ea3349841f8ca7000000000000000000000000';
const reply6 =
  'eab6c7f91f7a717e3e1b8b5239fc517518ea334984569595000000000000000000000000' +
  '792f25f8963876a7d886b0e9db8c3413aa0fd132db36a849b44cc4476a43990255ea9275890a8513bf36d830778cc965';

const flowRequest = (piggyback: string): UdpMessage => ({
  code: messageCode.flowRequest,
  requesterEid: 64,
  qos: rawQos,
  hash,
  piggyback: Buffer.from(piggyback, 'hex'),
});
const flowReply = (responderEid: number, piggyback: string): UdpMessage => ({
  code: messageCode.flowReply,
  requesterEid: 64,
  responderEid,
  response: 0,
  piggyback: Buffer.from(piggyback, 'hex'),
});

/** The messages of link-ipcps.md 10.3 and 10.4. */
const literal: readonly (readonly [string, UdpMessage, string])[] = [
  ['udp4 request', flowRequest(request4), `${requestHead}${name}${request4}`],
  ['udp4 reply', flowReply(65, reply4), `000000000000004000000041${zeros(32)}020000${reply4}`],
  ['udp6 request', flowRequest(request6), `${requestHead}${name}${request6}`],
  ['udp6 reply', flowReply(64, reply6), `000000000000004000000040${zeros(32)}020000${reply6}`],
  [
    'refusal',
    {
      code: messageCode.flowReply,
      requesterEid: 0x123,
      responderEid: 64,
      response: -1009,
      piggyback: Buffer.alloc(0),
    },
    `000000000000012300000040fffffc0f${zeros(28)}020000`,
  ],
];

describe.each(literal)('literal bytes: %s', (_name, message, hex) => {
  test('both ways', () => {
    const memory = Buffer.alloc(messageBytes(message) + 1, 0xa5);
    expect(encodeMessage(message, memory, 0)).toBe(hex.length / 2);
    expect(memory.toString('hex')).toBe(`${hex}a5`);
    expect(decodeMessage(Buffer.from(hex, 'hex'), 0, hex.length / 2, 16)).toEqual(message);
  });

  test('cut before its variable part it is short', () => {
    const memory = Buffer.from(hex, 'hex');
    const fixed = 47 + ('hash' in message ? 16 : 0);
    for (let length = 0; length < fixed; length += 1) {
      expect(decodeMessage(memory, 0, length, 16), `${length} bytes`).toBe('short');
      expect(decodeMessage(memory.subarray(0, length), 0, length, 16), `${length} bytes`).toBe('short');
    }
    expect(decodeMessage(memory, 0, fixed, 16)).toMatchObject({
      code: message.code,
      piggyback: Buffer.alloc(0),
    });
  });
});

test('lengths of link-ipcps.md 11', () => {
  expect(literal.map(([, message]) => messageBytes(message))).toEqual([99, 131, 99, 131, 47]);
});

const anyMessage: fc.Arbitrary<UdpMessage> = fc.oneof(
  fc.record({
    code: fc.constant(messageCode.flowRequest),
    requesterEid: u32,
    qos: anyQos,
    hash: bytes(16),
    piggyback: bytesUpTo(200),
  }),
  fc.record({
    code: fc.constant(messageCode.flowReply),
    requesterEid: u32,
    responderEid: u32,
    response: i32,
    piggyback: bytesUpTo(200),
  }),
  fc.record({ code: fc.constant(messageCode.flowRelease), requesterEid: u32, responderEid: u32 }),
);

test('the table and the encoder agree, and what is encoded is decoded', () => {
  expect([dataHeaderBytes, messageHeaderBytes]).toEqual([4, 47]);
  expect(dataFields.map(({ name: field, offset }) => [field, offset])).toEqual([['eid', 0]]);
  fc.assert(
    fc.property(anyMessage, fc.nat(40), (message, start) => {
      const memory = Buffer.alloc(start + messageBytes(message) + 8, 0xa5);
      const end = encodeMessage(message, memory, start);
      const values: Record<string, unknown> = {
        eid: 0,
        responderEid: 0,
        response: 0,
        ...Object.fromEntries(Object.keys(rawQos).map((field) => [field, field === 'bandwidth' ? 0n : 0])),
        ...message,
        ...('qos' in message ? message.qos : {}),
      };
      for (const { name: field } of messageFields) {
        expect(fieldAt(messageFields, field, memory, start), field).toBe(values[field]);
      }
      expect(memory.subarray(0, start).every((byte) => byte === 0xa5)).toBe(true);
      expect(memory.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
      const decoded = decodeMessage(memory, start, end, 16);
      expect(decoded).toEqual(message);
      // It outlives the datagram it came in.
      memory.fill(0xff);
      expect(decoded).toEqual(message);
    }),
  );
});

test('codes that nobody knows are told apart', () => {
  const memory = Buffer.alloc(200);
  const known: readonly number[] = Object.values(messageCode);
  for (let code = 0; code < 256; code += 1) {
    memory.writeUInt8(code, 44);
    const message = decodeMessage(memory, 0, memory.length, 16);
    if (known.includes(code)) expect(message).toMatchObject({ code });
    else expect(message).toBe('unknown code');
  }
});

test('random bytes are decoded or refused, never beyond their end', () => {
  fc.assert(
    fc.property(bytesUpTo(160), fc.constantFrom(0, 1, 2, 3, 32), (array, code) => {
      if (array.length > 44) array.writeUInt8(code, 44);
      const message = decodeMessage(array, 0, array.length, 16);
      if (typeof message === 'string') return;
      expect(messageBytes(message)).toBeLessThanOrEqual(array.length);
      const again = Buffer.alloc(messageBytes(message));
      encodeMessage(message, again, 0);
      expect(decodeMessage(again, 0, again.length, 16)).toEqual(message);
    }),
    { numRuns: 1000 },
  );
});
