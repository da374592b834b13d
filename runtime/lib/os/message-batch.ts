/**
 * An array of `struct mmsghdr` with one piece of memory a message, for `recvmmsg` and `sendmmsg`. Laid out once;
 * a turn only rewrites where each message begins and how long it is.
 */
import { addressOf } from './libc.ts';

const headerBytes = 64;
const vectorBytes = 16;
const offsetName = 0;
const offsetNameBytes = 8;
const offsetVector = 16;
const offsetVectorCount = 24;
const offsetFlags = 48;
const offsetLength = 56;
/** MSG_TRUNC. */
const flagTruncated = 0x20;
const twoTo32 = 2 ** 32;

export class MessageBatch {
  readonly capacity: number;
  readonly #memory: Buffer;
  readonly #view: DataView;
  readonly #address: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#memory = Buffer.alloc(capacity * (headerBytes + vectorBytes));
    this.#view = new DataView(this.#memory.buffer, this.#memory.byteOffset, this.#memory.byteLength);
    this.#address = addressOf(this.#memory);
    for (let index = 0; index < capacity; index += 1) {
      const header = index * headerBytes;
      this.#setPointer(header + offsetVector, this.#address + this.#vector(index));
      this.#view.setUint32(header + offsetVectorCount, 1, true);
    }
  }

  /** The address of message `index`, for the system call. */
  address(index = 0): number {
    return this.#address + index * headerBytes;
  }

  /** Where message `index` lies. */
  set(index: number, address: number, bytes: number): void {
    const vector = this.#vector(index);
    this.#setPointer(vector, address);
    this.#view.setUint32(vector + 8, bytes, true);
  }

  /** Where the name of message `index` lies: its source, or its destination. */
  setName(index: number, address: number, bytes: number): void {
    const header = index * headerBytes;
    this.#setPointer(header + offsetName, address);
    this.#view.setUint32(header + offsetNameBytes, bytes, true);
  }

  /** Tells the kernel anew how long names may be, since each receive writes over it. */
  resetNames(bytes: number): void {
    for (let index = 0; index < this.capacity; index += 1) {
      this.#view.setUint32(index * headerBytes + offsetNameBytes, bytes, true);
    }
  }

  /** Whether message `index` was longer than its memory. */
  truncated(index: number): boolean {
    return (this.#view.getUint32(index * headerBytes + offsetFlags, true) & flagTruncated) !== 0;
  }

  /** Bytes the kernel says message `index` has, after a receive. */
  received(index: number): number {
    return this.#view.getUint32(index * headerBytes + offsetLength, true);
  }

  #vector(index: number): number {
    return this.capacity * headerBytes + index * vectorBytes;
  }

  #setPointer(at: number, address: number): void {
    this.#view.setUint32(at, address % twoTo32, true);
    this.#view.setUint32(at + 4, Math.floor(address / twoTo32), true);
  }
}
