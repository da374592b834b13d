/** The link-state update (LSU): one directed link as its source announces it. Source: unicast-layer.md 6.1. */
import { fieldTable, headerBytes } from '../../../lib/wire/fields.ts';
import { type Address, noAddress } from '../address.ts';

export const lsuFields = fieldTable([
  ['destination', 'u64', 'address of the neighbour the link leads to'],
  ['source', 'u64', 'address of the announcing member'],
  ['seqno', 'u64', 'number of the announcement; a higher one replaces a lower'],
]);

/** The prototype reads nothing of another length. */
export const lsuBytes: number = headerBytes(lsuFields);

const offset = { destination: 0, source: 8, seqno: 16 } as const;
const word = 2 ** 32;

/** How much an update says, in rising order: of two with one number the one that says more is the newer. */
export const updateState = {
  /** That the link is there: all that an LSU says. */
  announced: 0,
  /** Its limit too. */
  detailed: 1,
  /** That the link is gone. */
  withdrawn: 2,
} as const;
export type UpdateState = (typeof updateState)[keyof typeof updateState];

/** A member's word about a link of its own. Readers fill one that their caller keeps. */
export interface LinkUpdate {
  source: Address;
  destination: Address;
  /** At most 2^53 - 1. */
  seqno: number;
  state: UpdateState;
  /** Longest message of the link, in bytes; 0 where the update does not say. */
  maxMessageBytes: number;
  /** How long ago the source said so, in seconds. */
  age: number;
}

export function emptyUpdate(): LinkUpdate {
  return {
    source: noAddress,
    destination: noAddress,
    seqno: 0,
    state: updateState.announced,
    maxMessageBytes: 0,
    age: 0,
  };
}

/** Whether two members can have a link of this number. Addresses of a layer have 32 bits (unicast-layer.md 4.7). */
export function isPlausible({ source, destination, seqno }: LinkUpdate): boolean {
  return (
    source !== noAddress && destination !== noAddress && source !== destination && Number.isSafeInteger(seqno)
  );
}

export function readU64(memory: Buffer, at: number): number {
  return memory.readUInt32BE(at) * word + memory.readUInt32BE(at + 4);
}

export function writeU64(memory: Buffer, at: number, value: number): void {
  memory.writeUInt32BE(Math.floor(value / word), at);
  memory.writeUInt32BE(value % word, at + 4);
}

/** Reads 24 bytes. False when no pair of members of a layer can have sent them. */
export function readLsu(memory: Buffer, start: number, into: LinkUpdate): boolean {
  into.destination = readU64(memory, start + offset.destination);
  into.source = readU64(memory, start + offset.source);
  into.seqno = readU64(memory, start + offset.seqno);
  into.state = updateState.announced;
  into.maxMessageBytes = 0;
  into.age = 0;
  return into.destination < word && into.source < word && isPlausible(into);
}

/** Writes 24 bytes and returns where they end. */
export function writeLsu(
  memory: Buffer,
  start: number,
  destination: Address,
  source: Address,
  seqno: number,
): number {
  writeU64(memory, start + offset.destination, destination);
  writeU64(memory, start + offset.source, source);
  writeU64(memory, start + offset.seqno, seqno);
  return start + lsuBytes;
}
