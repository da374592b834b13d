import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, bytesUpTo, u32 } from '../../../../../tests/support/any-message.ts';
import { capturedMessages } from '../../../../../tests/support/captured-directory.ts';
import { DhtMessage } from '../../../../lib/pb/gen/directory.js';
import { numberOf } from '../../../../lib/pb/int64.ts';
import { hashName } from '../../../../lib/names.ts';
import {
  addressOf,
  decodeMessage,
  type DirectoryMessage,
  encodeAnswer,
  encodeMessage,
  extension,
  messageCode,
  valueOf,
} from './message.ts';

const srv1 = '1259ece3abe1db20decb0167bf4753c605a3df69397e8517806092a75153c56a';

function decode(memory: Buffer, hashBytes = 32): DirectoryMessage {
  const decoded = decodeMessage(memory, 0, memory.length, hashBytes);
  if (typeof decoded === 'string') throw new Error(`refused as ${decoded}`);
  if (decoded.message.code === 'unknown') throw new Error('unknown code');
  return decoded.message;
}

/** How many messages of each code a capture has, codes from 0 up. */
const captures: readonly (readonly [name: string, hashBytes: number, counts: readonly number[]])[] = [
  ['unicast-line-ab', 32, [1, 2, 2, 1, 1]],
  ['unicast-line-bc', 32, [0, 2, 2, 2, 2]],
  ['unicast-dht-star', 32, [44, 8, 8, 0, 0]],
  ['unicast-errors-bp', 32, [1, 1, 1, 2, 2]],
  ['unicast-errors-ab', 32, [1, 2, 2, 0, 0]],
  ['unicast-options-ab', 64, [1, 2, 2, 1, 1]],
  ['unicast-options-bc', 64, [0, 2, 2, 2, 2]],
  ['unicast-peer-bp', 32, [2, 1, 1, 6, 6]],
  ['unicast-peer-pc', 32, [0, 2, 2, 6, 6]],
];

describe.each(captures)('%s', (name, hashBytes, counts) => {
  test('every message of the directory is decoded, and encoded to the same bytes', () => {
    const found = [0, 0, 0, 0, 0];
    for (const { frame, payload } of capturedMessages(name)) {
      // What the separate peer sent to see it ignored.
      if (payload.toString() === 'zz') continue;
      const message = decode(payload, hashBytes);
      found[message.code] = (found[message.code] ?? 0) + 1;
      expect(message.extensions, `frame ${frame}`).toBe(0);
      expect(encodeMessage(message).toString('hex'), `frame ${frame}`).toBe(payload.toString('hex'));
    }
    expect(found).toEqual(counts);
  });
});

test('the annotated messages of unicast-layer.md 7.14', () => {
  const inFrame = (name: string, frame: number): DirectoryMessage => {
    const captured = capturedMessages(name).find((one) => one.frame === frame);
    if (captured === undefined) throw new Error(`no message in frame ${frame}`);
    return decode(captured.payload);
  };
  const findNode = inFrame('unicast-line-ab', 20);
  expect(findNode).toMatchObject({ code: messageCode.findNode, from: { address: 0x6a64c606 } });
  expect(inFrame('unicast-line-ab', 22)).toMatchObject({
    code: messageCode.nodeAnswer,
    from: { address: 0x708b64d8 },
    contacts: [{ address: 0x6a64c606, id: findNode.from.id }],
  });
  expect(inFrame('unicast-line-ab', 29)).toEqual({
    code: messageCode.store,
    from: { address: 0x708b64d8, id: expect.any(Buffer) },
    extensions: 0,
    key: Buffer.from(srv1, 'hex'),
    value: valueOf(0x708b64d8),
    expires: 1795391718,
    life: 0,
    version: 0,
  });
  expect(srv1).toBe(hashName('srv1', 'SHA3_256').toString('hex'));
  const findValue = inFrame('unicast-line-ab', 30);
  expect(findValue).toMatchObject({ code: messageCode.findValue, from: { address: 0x0fa004e9 } });
  const answer = inFrame('unicast-line-ab', 31);
  expect(answer).toMatchObject({
    code: messageCode.valueAnswer,
    cookie: 'cookie' in findValue && findValue.cookie,
    contacts: [{}, {}],
    values: [valueOf(0x708b64d8)],
  });
  const empty = capturedMessages('unicast-errors-bp').find(({ frame }) => frame === 47);
  expect(empty?.payload.subarray(-2).toString('hex')).toBe('3200');
});

const id = (fill: number): Buffer => Buffer.alloc(32, fill);
const from = { id: id(1), address: 0x6954d05b };
const key = Buffer.from(srv1, 'hex');

test('what is ours lies in fields and codes that a prototype passes over', () => {
  const head = { from, extensions: extension.withdrawals | extension.acknowledgements };
  const source = `12280a20${'01'.repeat(32)}10dba0d3ca06`;
  const literal: readonly (readonly [DirectoryMessage, string])[] = [
    [
      {
        ...head,
        code: messageCode.store,
        key,
        value: valueOf(from.address),
        expires: 1795391718,
        life: 2700,
        version: 7,
        cookie: 0x0102,
      },
      // life is field 100 and version 101 of the store, extensions 100 and cookie 101 of the message
      `0800${source}1a390a20${srv1}1208000000006954d05b18e6818ed806a0068c15a80607a00603a8068202`,
    ],
    [{ ...head, code: messageCode.findValue, cookie: 5, key }, `0803${source}222408051220${srv1}a00603`],
    [
      { ...head, code: messageCode.withdrawal, key, value: valueOf(1), version: 8, cookie: 9 },
      `0840${source}1a310a20${srv1}120800000000000000011800a80608a00603a80609`,
    ],
    [{ ...head, code: messageCode.acknowledgement, cookie: 9 }, `0841${source}a00603a80609`],
    [{ ...head, code: messageCode.leave }, `0842${source}a00603`],
  ];
  for (const [message, hex] of literal) {
    expect(encodeMessage(message).toString('hex')).toBe(hex);
    const decoded = decode(Buffer.from(hex, 'hex'));
    expect(encodeMessage(decoded).toString('hex')).toBe(hex);
    expect(decoded.code).toBe(message.code);
  }
});

/** A message without the fields from 100 on, as one reads it who does not know them; `parts` have parts of their own. */
function withoutOurs(message: Buffer, parts: readonly number[]): Buffer {
  const kept: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    let inner: Buffer | undefined;
    if ((tag & 7) === 2) {
      const length = varint();
      inner = message.subarray(at, at + length);
      at += length;
    } else {
      varint();
    }
    if (tag >>> 3 >= 100) continue;
    if (inner === undefined || !parts.includes(tag >>> 3)) kept.push(message.subarray(start, at));
    else {
      const part = withoutOurs(inner, []);
      kept.push(Buffer.from([tag, part.length]), part);
    }
  }
  return Buffer.concat(kept);
}

test('without what is ours, a message is what a prototype would have sent', () => {
  const store = {
    code: messageCode.store,
    from,
    key,
    value: valueOf(from.address),
    expires: 1795391718,
  } as const;
  const ours = encodeMessage({
    ...store,
    extensions: 3,
    life: 2700,
    version: 1795391700,
    cookie: 2 ** 48 - 1,
  });
  const theirs = encodeMessage({ ...store, extensions: 0, life: 0, version: 0 });
  expect(withoutOurs(ours, [3]).toString('hex')).toBe(theirs.toString('hex'));
  const find = { code: messageCode.findValue, from, cookie: 5, key } as const;
  expect(withoutOurs(encodeMessage({ ...find, extensions: 3 }), [])).toEqual(
    encodeMessage({ ...find, extensions: 0 }),
  );
});

const anyId = bytes(32);
const anyAddress = fc.integer({ min: 1, max: 0xffff_ffff });
const anyPeer = fc.record({ id: anyId, address: anyAddress });
const anyCookie = fc.integer({ min: 1, max: 2 ** 48 - 1 });
const head = { from: anyPeer, extensions: fc.integer({ min: 0, max: 7 }) };
const anyMessage: fc.Arbitrary<DirectoryMessage> = fc.oneof(
  fc.record({
    ...head,
    code: fc.constant(messageCode.store),
    key: anyId,
    value: bytesUpTo(20).filter(({ length }) => length > 0),
    expires: u32,
    life: u32,
    version: u32,
    cookie: anyCookie,
  }),
  fc.record({
    ...head,
    code: fc.constantFrom(messageCode.findNode, messageCode.findValue),
    cookie: anyCookie,
    key: anyId,
  }),
  fc.record({
    ...head,
    code: fc.constant(messageCode.nodeAnswer),
    cookie: anyCookie,
    key: anyId,
    contacts: fc.array(anyPeer, { maxLength: 25 }),
  }),
  fc.record({
    ...head,
    code: fc.constant(messageCode.valueAnswer),
    cookie: anyCookie,
    key: anyId,
    contacts: fc.array(anyPeer, { maxLength: 25 }),
    values: fc.array(anyAddress.map(valueOf), { maxLength: 8 }),
  }),
  fc.record({
    ...head,
    code: fc.constant(messageCode.withdrawal),
    key: anyId,
    value: anyAddress.map(valueOf),
    version: u32,
    cookie: anyCookie,
  }),
  fc.record({ ...head, code: fc.constant(messageCode.acknowledgement), cookie: anyCookie }),
  fc.record({ ...head, code: fc.constant(messageCode.leave) }),
);

function plain(message: DirectoryMessage): unknown {
  return 'cookie' in message && message.cookie !== undefined
    ? { ...message, cookie: numberOf(message.cookie) }
    : message;
}

test('what is encoded is decoded, wherever in memory it lies, and outlives it', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(20), (message, start) => {
      const encoded = encodeMessage(message);
      const memory = Buffer.concat([Buffer.alloc(start, 0xa5), encoded, Buffer.alloc(7, 0xa5)]);
      const decoded = decodeMessage(memory, start, start + encoded.length, 32);
      if (typeof decoded === 'string') throw new Error(decoded);
      memory.fill(0xff);
      expect(decoded.oddContacts).toBe(0);
      expect(plain(decoded.message as DirectoryMessage)).toEqual(message);
    }),
  );
});

test('random and cut messages are read or refused, and never throw', () => {
  const refused = /^(malformed|odd id|odd address|part missing|odd key|odd value)$/;
  const check = (memory: Buffer): void => {
    const decoded = decodeMessage(memory, 0, memory.length, 32);
    if (typeof decoded === 'string') expect(decoded).toMatch(refused);
    else expect(decoded.message.from.id).toHaveLength(32);
  };
  fc.assert(fc.property(bytesUpTo(300), check), { numRuns: 500 });
  fc.assert(
    fc.property(anyMessage, fc.nat(), fc.nat(), fc.nat(255), (message, cut, at, byte) => {
      const encoded = encodeMessage(message);
      check(encoded.subarray(0, cut % encoded.length));
      encoded[at % encoded.length] = byte;
      check(encoded);
    }),
    { numRuns: 500 },
  );
  // Groups in groups, as deep as they go.
  check(Buffer.alloc(16_384, 0x0b));
});

describe('refused, as unicast-layer.md 7.5 says', () => {
  const contact = { id: id(1), addr: 5 };
  const find = { cookie: 1, key };
  const node = { cookie: 1, key, contacts: [] };
  const store = { key, val: valueOf(5), exp: 9 };
  const cases: readonly (readonly [string, DhtMessage.$Properties, string])[] = [
    ['an id that is too short', { code: 1, src: { ...contact, id: id(1).subarray(1) }, find }, 'odd id'],
    ['no id', { code: 1, src: { ...contact, id: Buffer.alloc(0) }, find }, 'odd id'],
    ['address 0', { code: 1, src: { ...contact, addr: 0 }, find }, 'odd address'],
    ['an address of 33 bits', { code: 1, src: { ...contact, addr: 2 ** 32 }, find }, 'odd address'],
    ['a store without its part', { code: 0, src: contact, find }, 'part missing'],
    ['a request for members without its part', { code: 1, src: contact, store }, 'part missing'],
    ['an answer with members without its part', { code: 2, src: contact, find }, 'part missing'],
    ['a request for values without its part', { code: 3, src: contact, node }, 'part missing'],
    ['an answer with values without members', { code: 4, src: contact, val: {} }, 'part missing'],
    ['an answer with values without values', { code: 4, src: contact, node }, 'part missing'],
    ['a key that is too long', { code: 1, src: contact, find: { cookie: 1, key: id(33) } }, ''],
    ['no key', { code: 1, src: contact, find: { cookie: 1, key: Buffer.alloc(0) } }, 'odd key'],
    ['no key in an answer', { code: 2, src: contact, node: { ...node, key: Buffer.alloc(0) } }, 'odd key'],
    ['no key in a store', { code: 0, src: contact, store: { ...store, key: Buffer.alloc(1) } }, 'odd key'],
    ['an empty value', { code: 0, src: contact, store: { ...store, val: Buffer.alloc(0) } }, 'odd value'],
    ['a withdrawal without its part', { code: 64, src: contact }, 'part missing'],
    ['an acknowledgement of nothing', { code: 65, src: contact }, 'part missing'],
  ];
  test.each(cases.filter(([, , fault]) => fault !== ''))('%s', (_what, wire, fault) => {
    const memory = Buffer.from(DhtMessage.encode(wire).finish());
    expect(decodeMessage(memory, 0, memory.length, 32)).toBe(fault);
  });

  test('unknown codes and fields are passed over', () => {
    const memory = Buffer.from(DhtMessage.encode({ code: 7, src: contact, find }).finish());
    expect(decodeMessage(memory, 0, memory.length, 32)).toMatchObject({ message: { code: 'unknown' } });
    // field 99 with a number, behind a request
    const more = Buffer.concat([
      Buffer.from(DhtMessage.encode({ code: 1, src: contact, find }).finish()),
      Buffer.from('980601', 'hex'),
    ]);
    expect(decode(more)).toMatchObject({ code: messageCode.findNode, extensions: 0 });
  });

  test('contacts that nobody can have are left out of an answer', () => {
    const contacts = [contact, { ...contact, addr: 0 }, { ...contact, id: id(1).subarray(2) }];
    const memory = Buffer.from(
      DhtMessage.encode({ code: 2, src: contact, node: { ...node, contacts } }).finish(),
    );
    expect(decodeMessage(memory, 0, memory.length, 32)).toMatchObject({
      message: { contacts: [{ address: 5 }] },
      oddContacts: 2,
    });
  });
});

test('an answer fits one packet: with every k for shorter hashes, with 16 contacts of 64 bytes', () => {
  const answer = (hashBytes: number, contacts: number): number => {
    const peer = { id: Buffer.alloc(hashBytes, 3), address: 0xffff_ffff };
    const bytesOfAnswer = encodeAnswer(
      {
        code: messageCode.valueAnswer,
        from: peer,
        extensions: 3,
        cookie: 2 ** 48 - 1,
        key: peer.id,
        contacts: Array.from({ length: contacts }, () => peer),
        values: Array.from({ length: 8 }, () => valueOf(1)),
      },
      1481,
    );
    expect(bytesOfAnswer.length).toBeLessThanOrEqual(1481);
    const decoded = decode(bytesOfAnswer, hashBytes);
    expect(decoded).toMatchObject({ values: { length: 8 } });
    return 'contacts' in decoded ? decoded.contacts.length : 0;
  };
  for (const hashBytes of [28, 32, 48]) expect(answer(hashBytes, 20), `${hashBytes}`).toBe(20);
  expect(answer(64, 16)).toBe(16);
  expect(answer(64, 20)).toBe(16);
});

test('a value is an address in 8 bytes, and nothing else is', () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      expect(addressOf(valueOf(address))).toBe(address);
    }),
  );
  for (const hex of ['', '00', '0000000000000000', '0000000100000001', '000000000000000001']) {
    expect(addressOf(Buffer.from(hex, 'hex')), hex).toBeUndefined();
  }
});
