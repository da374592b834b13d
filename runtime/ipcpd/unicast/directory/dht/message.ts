/** Messages of the directory. Source: unicast-layer.md 7.2, 7.3, 7.5; docs/adr/0019-directory.md. */
import { DhtMessage } from '../../../../lib/pb/gen/directory.js';
import { type Int64, numberOf } from '../../../../lib/pb/int64.ts';
import { type Address, noAddress } from '../../address.ts';

export const messageCode = {
  store: 0,
  findNode: 1,
  nodeAnswer: 2,
  findValue: 3,
  valueAnswer: 4,
  /** Ours: a member no longer serves a name. The prototype ignores the codes from here on. */
  withdrawal: 64,
  /** Ours: a store or a withdrawal has arrived. */
  acknowledgement: 65,
  /** Ours: a member leaves, and all its names with it. */
  leave: 66,
} as const;

/** What a sender speaks besides, as bits. Whose message has none is taken for a prototype. */
export const extension = {
  /** Understands withdrawals and leaves. */
  withdrawals: 1,
  /** Acknowledges what carries a cookie. */
  acknowledgements: 2,
} as const;

/** Values in an answer, of a prototype too (unicast-layer.md 7.1). */
export const valuesOfAnswerMax = 8;

/** A member as the directory knows it. */
export interface Peer {
  readonly id: Buffer;
  readonly address: Address;
}

interface Head {
  readonly from: Peer;
  /** `extension` bits, 0 of a prototype. */
  readonly extensions: number;
}

export interface StoreMessage extends Head {
  readonly code: typeof messageCode.store;
  readonly key: Buffer;
  readonly value: Buffer;
  /** s since 1970. */
  readonly expires: number;
  /** s until then, and which word of the owner it is; 0 of a prototype. */
  readonly life: number;
  readonly version: number;
  /** Asks for an acknowledgement, where there is one. */
  readonly cookie?: Int64;
}

export interface FindMessage extends Head {
  readonly code: typeof messageCode.findNode | typeof messageCode.findValue;
  /** 64 bits, echoed as they came. */
  readonly cookie: Int64;
  readonly key: Buffer;
}

export interface NodeAnswer extends Head {
  readonly code: typeof messageCode.nodeAnswer;
  readonly cookie: Int64;
  readonly key: Buffer;
  readonly contacts: readonly Peer[];
}

export interface ValueAnswer extends Head {
  readonly code: typeof messageCode.valueAnswer;
  readonly cookie: Int64;
  readonly key: Buffer;
  readonly contacts: readonly Peer[];
  readonly values: readonly Buffer[];
}

export interface WithdrawalMessage extends Head {
  readonly code: typeof messageCode.withdrawal;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly version: number;
  readonly cookie?: Int64;
}

export interface Acknowledgement extends Head {
  readonly code: typeof messageCode.acknowledgement;
  readonly cookie: Int64;
}

export interface LeaveMessage extends Head {
  readonly code: typeof messageCode.leave;
}

/** A message with a code that is nobody's; who sent it is known all the same. */
export interface UnknownMessage extends Head {
  readonly code: 'unknown';
}

export type DirectoryMessage =
  | StoreMessage
  | FindMessage
  | NodeAnswer
  | ValueAnswer
  | WithdrawalMessage
  | Acknowledgement
  | LeaveMessage;

/** Why a message was dropped. */
export type MessageFault = 'malformed' | 'odd id' | 'odd address' | 'part missing' | 'odd key' | 'odd value';

/** What was read, and how many contacts of an answer were left out because nobody could have them. */
export interface Decoded {
  readonly message: DirectoryMessage | UnknownMessage;
  readonly oddContacts: number;
}

/** Writes a message. */
export function encodeMessage(message: DirectoryMessage): Buffer {
  const { address: addr, id } = message.from;
  const wire: DhtMessage.$Properties = { code: message.code, src: { id, addr } };
  switch (message.code) {
    case messageCode.store: {
      const { key, value: val, expires: exp, life, version } = message;
      wire.store = { key, val, exp };
      if (life !== 0) wire.store.life = life;
      if (version !== 0) wire.store.version = version;
      break;
    }
    case messageCode.findNode:
    case messageCode.findValue:
      wire.find = { cookie: message.cookie, key: message.key };
      break;
    case messageCode.nodeAnswer:
    case messageCode.valueAnswer: {
      const contacts = message.contacts.map((contact) => ({ id: contact.id, addr: contact.address }));
      wire.node = { cookie: message.cookie, key: message.key, contacts };
      // Without this part a prototype drops the answer, so it is there without values too.
      if (message.code === messageCode.valueAnswer) wire.val = { values: [...message.values] };
      break;
    }
    case messageCode.withdrawal:
      wire.store = { key: message.key, val: message.value, exp: 0, version: message.version };
      break;
    case messageCode.acknowledgement:
    case messageCode.leave:
      break;
  }
  if (message.extensions !== 0) wire.extensions = message.extensions;
  if (!('find' in wire || 'node' in wire) && 'cookie' in message) wire.cookie = message.cookie;
  const bytes = DhtMessage.encode(wire).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes an answer in at most so many bytes, with as many contacts and values as fit; values go before contacts. */
export function encodeAnswer(answer: NodeAnswer | ValueAnswer, bytesMax: number): Buffer {
  let contacts = answer.contacts.length;
  let values = answer.code === messageCode.valueAnswer ? answer.values.length : 0;
  for (;;) {
    const cut = { ...answer, contacts: answer.contacts.slice(0, contacts) };
    const bytes = encodeMessage(
      cut.code === messageCode.valueAnswer ? { ...cut, values: cut.values.slice(0, values) } : cut,
    );
    if (bytes.length <= bytesMax || contacts + values === 0) return bytes;
    if (contacts > 0) contacts -= 1;
    else values -= 1;
  }
}

/** Reads a message between `start` and `end`. What it returns are copies. */
export function decodeMessage(
  memory: Buffer,
  start: number,
  end: number,
  hashBytes: number,
): Decoded | MessageFault {
  let wire: DhtMessage;
  try {
    wire = DhtMessage.decode(Buffer.from(memory.subarray(start, end)));
  } catch {
    return 'malformed';
  }
  if (wire.src.id.length !== hashBytes) return 'odd id';
  const from = peerOf(wire.src, hashBytes);
  if (from === undefined) return 'odd address';
  const head: Head = { from, extensions: wire.extensions };
  const asks = Object.hasOwn(wire, 'cookie') ? { cookie: wire.cookie } : {};
  const decoded = (message: DirectoryMessage | UnknownMessage, oddContacts = 0): Decoded => ({
    message,
    oddContacts,
  });
  switch (wire.code) {
    case messageCode.store: {
      const part = wire.store;
      if (part === null || part === undefined) return 'part missing';
      const { exp: expires, life, version } = part;
      if (part.key.length !== hashBytes) return 'odd key';
      if (part.val.length === 0) return 'odd value';
      const times = { expires, life: life ?? 0, version: version ?? 0 };
      const pair = { key: bytesOf(part.key), value: bytesOf(part.val) };
      return decoded({ code: wire.code, ...head, ...pair, ...times, ...asks });
    }
    case messageCode.findNode:
    case messageCode.findValue: {
      const part = wire.find;
      if (part === null || part === undefined) return 'part missing';
      if (part.key.length !== hashBytes) return 'odd key';
      return decoded({ code: wire.code, ...head, cookie: part.cookie, key: bytesOf(part.key) });
    }
    case messageCode.nodeAnswer:
    case messageCode.valueAnswer: {
      const part = wire.node;
      if (part === null || part === undefined) return 'part missing';
      if (part.key.length !== hashBytes) return 'odd key';
      const all = part.contacts ?? [];
      const contacts = all.map((one) => peerOf(one, hashBytes)).filter((one) => one !== undefined);
      const odd = all.length - contacts.length;
      const answer = { ...head, cookie: part.cookie, key: bytesOf(part.key), contacts };
      if (wire.code === messageCode.nodeAnswer) return decoded({ code: wire.code, ...answer }, odd);
      if (wire.val === null || wire.val === undefined) return 'part missing';
      const values = (wire.val.values ?? []).map(bytesOf);
      return decoded({ code: wire.code, ...answer, values }, odd);
    }
    case messageCode.withdrawal: {
      const part = wire.store;
      if (part === null || part === undefined) return 'part missing';
      if (part.key.length !== hashBytes) return 'odd key';
      const pair = { key: bytesOf(part.key), value: bytesOf(part.val) };
      return decoded({ code: wire.code, ...head, ...pair, version: part.version ?? 0, ...asks });
    }
    case messageCode.acknowledgement:
      if (!Object.hasOwn(wire, 'cookie')) return 'part missing';
      return decoded({ code: wire.code, ...head, cookie: wire.cookie });
    case messageCode.leave:
      return decoded({ code: wire.code, ...head });
    default:
      return decoded({ code: 'unknown', ...head });
  }
}

/** The value of a name: the address of a member that serves it, big-endian (unicast-layer.md 7). */
export function valueOf(address: Address): Buffer {
  const value = Buffer.alloc(valueBytes);
  value.writeUInt32BE(address, valueBytes - 4);
  return value;
}

/** The address in a value; undefined when it cannot be a member's. */
export function addressOf(value: Buffer): Address | undefined {
  if (value.length !== valueBytes || value.readUInt32BE(0) !== 0) return undefined;
  const address = value.readUInt32BE(4);
  return address === noAddress ? undefined : address;
}

const valueBytes = 8;

function peerOf(contact: DhtMessage['src'], hashBytes: number): Peer | undefined {
  const { id, addr } = contact;
  const address = numberOf(addr);
  if (id.length !== hashBytes || address === noAddress || address > 0xffff_ffff) return undefined;
  return { id: bytesOf(id), address };
}

/** Protocol Buffers read a Buffer into Buffers; their types do not tell. */
function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
}
