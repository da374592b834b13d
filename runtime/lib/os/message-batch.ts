/**
 * An array of `struct mmsghdr` with one piece of memory a message, for `recvmmsg` and `sendmmsg`. Laid out once;
 * a turn only rewrites where each message begins and how long it is.
 */
import { addressOf } from './libc.ts';

const headerBytes = 64;
const vectorBytes = 16;
const offsetVector = 16;
const offsetVectorCount = 24;
const offsetLength = 56;
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
