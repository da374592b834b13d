import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyQos, bytes, bytesUpTo, fieldAt, i32, u8 } from '../../../tests/support/any-message.ts';
import { packetOf } from '../../../tests/support/flow-inbox.ts';
import { hashAlgorithms, hashBytes, hashName } from '../../lib/names.ts';
import { rawQos } from '../../lib/qos.ts';
import { type Packet, PacketPool } from '../../lib/wire/packet.ts';
import type { FrameHeader } from './framing.ts';
import {
  llcFrameFields,
  llcFraming,
  llcHeaderBytes,
  llcLayout,
  llcMessageFields,
  reversedBits,
} from './llc.ts';
import {
  decodeMessage,
  encodeMessage,
  type EthernetMessage,
  messageBytes,
  messageCode,
  ownMark,
} from './message.ts';
import { broadcast, type Station, stationOf } from './station.ts';

const a = stationOf(Buffer.from('02000000000a', 'hex'));
const b = stationOf(Buffer.from('02000000000b', 'hex'));
const hash = hashName('oping.test', 'SHA3_256');
const noHeader: FrameHeader = { toHigh: 0, toLow: 0, fromHigh: 0, fromLow: 0, eid: 0, peerEid: 0 };

/** A frame around a message, over memory that is not zero. */
function messageFrame(message: EthernetMessage, to: Station, own: Station): Packet {
  const packet = new PacketPool().take(messageBytes(message, llcLayout));
  packet.memory.fill(0xa5);
  packet.end = encodeMessage(message, llcLayout, packet.memory, packet.start);
  llcFraming.write(packet, to, own, 0, 0);
  return packet;
}

function dataFrame(payload: Buffer, to: Station, own: Station, eid: number, ownEid: number): Packet {
  const packet = packetOf(payload);
  packet.memory.fill(0xa5, 0, packet.start);
  llcFraming.write(packet, to, own, eid, ownEid);
  return packet;
}

/** What a frame says; undefined when it is none. */
function read(frame: Buffer): { header: FrameHeader; payload: Buffer } | undefined {
  const packet = packetOf(frame);
  const header = { ...noHeader };
  return llcFraming.read(packet, header) ? { header, payload: packet.bytes() } : undefined;
}

describe('SAPs cross the wire with their bits in reverse', () => {
  test.each([
    [1, 0x80],
    [2, 0x40],
    [3, 0xc0],
    [4, 0x20],
    [5, 0xa0],
    [6, 0x60],
    [7, 0xe0],
    [8, 0x10],
    [10, 0x50],
    [20, 0x28],
    [63, 0xfc],
  ])('%i is 0x%s', (sap, reversed) => {
    expect(reversedBits[sap]).toBe(reversed);
    const frame = dataFrame(Buffer.alloc(0), a, b, sap, sap).bytes();
    // The header's two are reversed, those within a message are not.
    if (sap !== 1) expect([frame[14], frame[15]]).toEqual([reversed, reversed]);
    const message = messageFrame(
      { code: messageCode.flowReply, seid: sap, deid: sap, response: 0, piggyback: Buffer.alloc(0) },
      a,
      b,
    ).bytes();
    expect([...message.subarray(14, 19)]).toEqual([0x80, 0x80, 0x03, sap, sap]);
  });

  test('twice is as before, for all', () => {
    const twice = [...reversedBits].map((value) => reversedBits[value]);
    expect(twice).toEqual(Array.from({ length: 256 }, (_, value) => value));
    expect(new Set(reversedBits).size).toBe(256);
  });
});

const requestHandshake = '27bcafabe9e5c9fe7dd3346df6db38db18ea32f8e988ddd9000000000000000000000000';
const replyHandshake =
  '27bcafabe9e5c9fe7dd3346df6db38db18ea32f8e9aa8517000000000000000000000000' +
  '8e5131404482521c9daae00904db49d3e4b8b29f11908f84d1aa51225f5c7c34d686c2c392e10b69c4c54a0c2b7b0aa7';
const name = 'a21d475f6f88e5ae19dd0b6625552fed28d734e492f6a97b0bae5794f00b1806';
const toA = '02000000000a02000000000b';
const toB = '02000000000b02000000000a';

/** The messages of link-ipcps.md 10.2. */
const literal: readonly (readonly [string, EthernetMessage, Station, Station, string])[] = [
  [
    'query',
    { code: messageCode.nameQuery, hash },
    broadcast,
    a,
    `ffffffffffff02000000000a0048808003000002${'00'.repeat(34)}${name}`,
  ],
  [
    'query reply',
    { code: messageCode.nameReply, hash },
    a,
    b,
    `${toA}0048808003000003${'00'.repeat(34)}${name}`,
  ],
  [
    'flow request',
    {
      code: messageCode.flowRequest,
      seid: 2,
      qos: rawQos,
      ours: false,
      hash,
      piggyback: Buffer.from(requestHandshake, 'hex'),
    },
    b,
    a,
    `${toB}006c8080030200000000000001000000000000000000000001ffffffffffffffff0001d4c00000000000${name}${requestHandshake}`,
  ],
  [
    'flow reply',
    {
      code: messageCode.flowReply,
      seid: 3,
      deid: 2,
      response: 0,
      piggyback: Buffer.from(replyHandshake, 'hex'),
    },
    a,
    b,
    `${toA}007c808003030201${'00'.repeat(34)}${replyHandshake}`,
  ],
  [
    'refusal',
    { code: messageCode.flowReply, seid: 2, deid: 10, response: -1009, piggyback: Buffer.alloc(0) },
    a,
    b,
    `${toA}0028808003020a01${'00'.repeat(29)}fffffc0f00`,
  ],
];

describe.each(literal)('literal bytes: %s', (_name, message, to, own, hex) => {
  test('as we send it', () => {
    expect(messageFrame(message, to, own).bytes().toString('hex')).toBe(hex);
  });

  test('as we read it', () => {
    const seen = read(Buffer.from(hex, 'hex'));
    expect(seen?.header).toEqual({
      toHigh: to.high,
      toLow: to.low,
      fromHigh: own.high,
      fromLow: own.low,
      eid: 0,
      peerEid: 1,
    });
    const { payload = Buffer.alloc(0) } = seen ?? {};
    expect(decodeMessage(llcLayout, payload, 0, payload.length, 32)).toEqual(message);
  });

  test('cut anywhere, no byte of it is taken for more than it is', () => {
    const frame = Buffer.from(hex, 'hex');
    for (let length = 0; length < frame.length; length += 1) {
      expect(read(frame.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
    const { payload = Buffer.alloc(0) } = read(frame) ?? {};
    const fixed = 37 + ('hash' in message ? 32 : 0);
    for (let length = 0; length < fixed; length += 1) {
      // The rest of the memory is there: nothing but the given end tells where the message ends.
      expect(decodeMessage(llcLayout, payload, 0, length, 32), `${length} bytes`).toBe('short');
    }
    expect(decodeMessage(llcLayout, payload, 0, fixed, 32)).toBeTypeOf('object');
  });
});

test.each([
  ['A to B', b, a, 3, 2, `${toB}0043c04003`],
  ['B to A', a, b, 2, 3, `${toA}004340c003`],
] as const)('literal bytes: data, %s', (_name, to, own, eid, ownEid, head) => {
  const payload = Buffer.from(`00000000000000002a0c000000000000147b2b1a${'00'.repeat(44)}`, 'hex');
  const frame = dataFrame(payload, to, own, eid, ownEid).bytes();
  expect(frame.toString('hex')).toBe(head + payload.toString('hex'));
  expect(read(frame)).toMatchObject({ header: { eid, peerEid: ownEid }, payload });
});

test('literal bytes: keepalive from SAP 2 to SAP 10', () => {
  const frame = dataFrame(Buffer.alloc(0), a, b, 10, 2).bytes();
  expect(frame.toString('hex')).toBe(`${toA}0003504003`);
  expect(read(frame)).toMatchObject({ header: { eid: 10, peerEid: 2 }, payload: Buffer.alloc(0) });
});

describe('the length field', () => {
  const frame = (length: number, there: number): Buffer => {
    const bytesThere = Buffer.alloc(llcHeaderBytes + there, 0x11);
    bytesThere.writeUInt16BE(length, 12);
    bytesThere.set([0x40, 0xc0, 0x03], 14);
    return bytesThere;
  };

  test.each([0, 1, 2])('%i is less than the LLC header', (length) => {
    expect(read(frame(length, 100))).toBeUndefined();
  });

  test('up to what is there, and what is behind it is padding', () => {
    for (let length = 3; length <= 103; length += 1) {
      expect(read(frame(length, 100))?.payload, String(length)).toHaveLength(length - 3);
    }
    for (const length of [104, 105, 1500]) expect(read(frame(length, 100)), String(length)).toBeUndefined();
  });

  test('above 0x05ff it is an Ethernet type', () => {
    expect(read(frame(0x05ff, 2000))?.payload).toHaveLength(0x05ff - 3);
    for (const length of [0x0600, 0x0800, 0xa000, 0xffff]) {
      expect(read(frame(length, 70_000)), String(length)).toBeUndefined();
    }
  });
});

test('a message is what both SAPs say; SAP 0 is nobody', () => {
  for (let dsap = 0; dsap < 256; dsap += 1) {
    for (const ssap of [0, 1, 2, 0x42, 0xaa]) {
      const frame = Buffer.alloc(60);
      frame.writeUInt16BE(3, 12);
      frame.set([reversedBits[dsap] ?? 0, reversedBits[ssap] ?? 0, 0x13], 14);
      const seen = read(frame);
      if (dsap === 0) expect(seen).toBeUndefined();
      else expect(seen?.header).toMatchObject({ eid: dsap === 1 && ssap === 1 ? 0 : dsap, peerEid: ssap });
    }
  }
});

test('sizes', () => {
  expect([1500, 9000, 1496, 65_535].map((mtu) => llcFraming.maxPayload(mtu))).toEqual([
    1497, 1497, 1493, 1497,
  ]);
  expect(llcFraming.eids).toEqual({ min: 2, max: 63 });
  const reserved = Array.from({ length: 256 }, (_, sap) => sap).filter((sap) => llcFraming.isReserved(sap));
  expect(reserved).toEqual([0, 1, ...Array.from({ length: 128 }, (_, index) => 128 + index)]);
});

test.each([
  ['SHA3_224', 28],
  ['SHA3_256', 32],
  ['SHA3_384', 48],
  ['SHA3_512', 64],
] as const)('frame lengths with %s', (algorithm, length) => {
  const own = hashName('oping.test', algorithm);
  const frame = (message: EthernetMessage): number => messageFrame(message, a, b).length;
  const none = Buffer.alloc(0);
  expect(frame({ code: messageCode.nameQuery, hash: own })).toBe(54 + length);
  const piggyback = Buffer.alloc(36);
  expect(
    frame({ code: messageCode.flowRequest, seid: 2, qos: rawQos, ours: false, hash: own, piggyback }),
  ).toBe(90 + length);
  const reply = { code: messageCode.flowReply, seid: 3, deid: 2, response: 0 } as const;
  expect(frame({ ...reply, piggyback: Buffer.alloc(84) })).toBe(138);
  expect(frame({ ...reply, response: -1009, piggyback: none })).toBe(54);
});

const anyMessage = (length: number): fc.Arbitrary<EthernetMessage> =>
  fc.oneof(
    fc.record({
      code: fc.constant(messageCode.flowRequest),
      seid: u8,
      qos: anyQos,
      ours: fc.boolean(),
      hash: bytes(length),
      piggyback: bytesUpTo(200),
    }),
    fc.record({
      code: fc.constant(messageCode.flowReply),
      seid: u8,
      deid: u8,
      response: i32,
      piggyback: bytesUpTo(200),
    }),
    fc.record({ code: fc.constantFrom(messageCode.nameQuery, messageCode.nameReply), hash: bytes(length) }),
    fc.record({ code: fc.constant(messageCode.flowRelease), seid: u8, deid: u8 }),
  );

describe('the tables and the encoder agree', () => {
  test('frame header', () => {
    expect(llcHeaderBytes).toBe(17);
    expect(llcFrameFields.map(({ name: field, offset }) => [field, offset])).toEqual([
      ['destination', 0],
      ['source', 6],
      ['length', 12],
      ['dsap', 14],
      ['ssap', 15],
      ['control', 16],
    ]);
    const frame = dataFrame(Buffer.alloc(9), a, b, 10, 2).bytes();
    const values = ['length', 'dsap', 'ssap', 'control'].map((field) =>
      fieldAt(llcFrameFields, field, frame, 0),
    );
    expect(values).toEqual([12, 0x50, 0x40, 0x03]);
  });

  test('every field of every message', () => {
    expect(llcLayout.headerBytes).toBe(37);
    fc.assert(
      fc.property(anyMessage(32), fc.nat(40), (message, start) => {
        const length = messageBytes(message, llcLayout);
        const memory = Buffer.alloc(start + length + 8, 0xa5);
        const end = encodeMessage(message, llcLayout, memory, start);
        expect(end).toBe(start + length);
        const values: Record<string, unknown> = {
          seid: 0,
          deid: 0,
          response: 'ours' in message && message.ours ? ownMark : 0,
          ...Object.fromEntries(Object.keys(rawQos).map((field) => [field, field === 'bandwidth' ? 0n : 0])),
          ...message,
          ...('qos' in message ? message.qos : {}),
        };
        for (const { name: field } of llcMessageFields) {
          expect(fieldAt(llcMessageFields, field, memory, start), field).toBe(values[field]);
        }
        expect(memory.subarray(0, start).every((byte) => byte === 0xa5)).toBe(true);
        expect(memory.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
      }),
    );
  });
});

test('what is encoded is decoded, with every hash length', () => {
  for (const algorithm of hashAlgorithms) {
    fc.assert(
      fc.property(anyMessage(hashBytes(algorithm)), (message) => {
        const memory = Buffer.alloc(messageBytes(message, llcLayout), 0xa5);
        const end = encodeMessage(message, llcLayout, memory, 0);
        expect(decodeMessage(llcLayout, memory, 0, end, hashBytes(algorithm))).toEqual(message);
      }),
    );
  }
});

test('codes that nobody knows are told apart', () => {
  const memory = Buffer.alloc(200);
  const known: readonly number[] = Object.values(messageCode);
  for (let code = 0; code < 256; code += 1) {
    memory.writeUInt8(code, 2);
    const message = decodeMessage(llcLayout, memory, 0, memory.length, 32);
    if (known.includes(code)) expect(message).toMatchObject({ code });
    else expect(message).toBe('unknown code');
  }
});

test('random frames are read or refused, never beyond their end', () => {
  fc.assert(
    fc.property(bytesUpTo(120), fc.nat(140), (array, length) => {
      if (array.length > 13) array.writeUInt16BE(length, 12);
      const packet = packetOf(array);
      const { end } = packet;
      if (!llcFraming.read(packet, { ...noHeader })) return;
      expect(packet.start).toBe(end - array.length + llcHeaderBytes);
      expect(packet.end).toBeLessThanOrEqual(end);
      expect(packet.end).toBeGreaterThanOrEqual(packet.start);
    }),
    { numRuns: 2000 },
  );
});
