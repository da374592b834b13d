import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capturedFor } from '../../../../tests/support/unicast-captures.ts';
import { rawQos } from '../../../lib/qos.ts';
import {
  decodeFlowMessage,
  encodeFlowMessage,
  flowCode,
  type FlowMessage,
  flowMessageBytes,
  flowMessageFields,
  flowMessageLength,
} from './message.ts';

const captures = {
  'unicast-line-ab': 32,
  'unicast-line-bc': 32,
  'unicast-errors-bp': 32,
  'unicast-peer-bp': 32,
  'unicast-peer-pc': 32,
  'unicast-options-ab': 64,
  'unicast-options-bc': 64,
  'unicast-ecn-ab': 32,
} as const;

function decode(bytes: Buffer, hashBytes = 32): ReturnType<typeof decodeFlowMessage> {
  return decodeFlowMessage(bytes, 0, bytes.length, hashBytes);
}

function encode(message: FlowMessage): Buffer {
  const bytes = Buffer.alloc(flowMessageLength(message), 0xee);
  expect(encodeFlowMessage(message, bytes, 0)).toBe(bytes.length);
  return bytes;
}

describe.each(Object.entries(captures))('the messages of %s', (name, hashBytes) => {
  const messages = capturedFor(name, 0).map(({ payload }) => payload);

  test('are read and written byte for byte', () => {
    const codes = new Set<string>();
    for (const bytes of messages) {
      const message = decode(bytes, hashBytes);
      if (typeof message === 'string') {
        codes.add(message);
        continue;
      }
      codes.add(String(message.code));
      expect(encode(message).toString('hex')).toBe(bytes.toString('hex'));
    }
    expect([...codes].toSorted()).toMatchSnapshot();
  });
});

test('the annotated request, reply and update', () => {
  const [request, reply] = capturedFor('unicast-line-bc', 0).map(({ payload }) => decode(payload));
  expect(request).toMatchObject({
    code: flowCode.request,
    source: 0x0fa004e9,
    senderEid: { high: 0x02e0a7a6, low: 0x42 },
    qos: rawQos,
  });
  expect(reply).toMatchObject({
    code: flowCode.reply,
    receiverEid: { high: 0x02e0a7a6, low: 0x42 },
    senderEid: { high: 0xb499a3d3, low: 0x42 },
    response: 0,
  });
  const updates = capturedFor('unicast-ecn-ab', 0)
    .map(({ payload }) => decode(payload))
    .filter((message) => typeof message !== 'string')
    .flatMap((message) => (message.code === flowCode.update ? [message.ece] : []));
  expect(updates).toEqual([1, 3, 11, 19, 27, 32, 32, 36]);
});

test('the table has the bytes of the header, and each field lies where it says', () => {
  const last = flowMessageFields.at(-1)!;
  expect([flowMessageBytes, last.offset + last.width]).toEqual([61, 61]);
  const message: FlowMessage = {
    code: flowCode.request,
    source: 0x01020304,
    senderEid: { high: 5, low: 6 },
    qos: {
      delay: 7,
      bandwidth: 8n,
      availability: 9,
      loss: 10,
      ber: 11,
      inOrder: 12,
      maxGap: 13,
      timeout: 14,
    },
    hash: Buffer.alloc(32, 1),
    piggyback: Buffer.from('xyz'),
  };
  const bytes = encode(message);
  const read = (name: string): bigint => {
    const { offset, width } = flowMessageFields.find((field) => field.name === name)!;
    return BigInt(`0x${bytes.toString('hex', offset, offset + width)}`);
  };
  expect(Object.fromEntries(flowMessageFields.map(({ name }) => [name, read(name)]))).toEqual({
    sourceAddress: 0x01020304n,
    receiverEid: 0n,
    senderEid: (5n << 32n) | 6n,
    bandwidth: 8n,
    response: 0n,
    delay: 7n,
    loss: 10n,
    ber: 11n,
    maxGap: 13n,
    timeout: 14n,
    ece: 0n,
    code: 0n,
    availability: 9n,
    inOrder: 12n,
  });
  expect(decode(bytes)).toEqual(message);
});

test.each<FlowMessage>([
  {
    code: flowCode.reply,
    receiverEid: { high: 1, low: 2 },
    senderEid: { high: 0, low: 0 },
    response: -1007,
    piggyback: Buffer.alloc(0),
  },
  { code: flowCode.update, receiverEid: { high: 0xffff_ffff, low: 0xffff_ffff }, ece: 0xffff },
  { code: flowCode.release, receiverEid: { high: 1, low: 2 }, senderEid: { high: 3, low: 4 } },
])('message $code comes through', (message) => {
  expect(decode(encode(message))).toEqual(message);
});

test('what is too short, too long or of an unknown code is none', () => {
  expect(decode(Buffer.alloc(60))).toBe('short');
  expect(decode(Buffer.alloc(61))).toBe('short');
  expect(decode(Buffer.alloc(61 + 31))).toBe('short');
  expect(decode(Buffer.alloc(2049))).toBe('long');
  expect(decode(Buffer.alloc(61).fill(9, 58, 59))).toBe('unknown code');
  expect(decode(Buffer.alloc(61 + 32).fill(1, 0, 1))).toBe('unknown code');
});

test('random bytes never make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(28, 32, 48, 64), (bytes, hashBytes) => {
      const message = decode(Buffer.from(bytes), hashBytes);
      if (typeof message !== 'string') decode(encode(message), hashBytes);
    }),
  );
});
