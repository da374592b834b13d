/** An array of `struct iovec`: pieces of memory that one system call writes in their order. */
import { addressOf } from './libc.ts';

const pieceBytes = 16;
const twoTo32 = 2 ** 32;

export class IoVector {
  readonly capacity: number;
  readonly address: number;
  readonly #memory: Buffer;
  readonly #view: DataView;
  #length = 0;
  #bytes = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#memory = Buffer.alloc(capacity * pieceBytes);
    this.#view = new DataView(this.#memory.buffer, this.#memory.byteOffset, this.#memory.byteLength);
    this.address = addressOf(this.#memory);
  }

  /** Pieces in it. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of all pieces together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a piece; there must be room for it. */
  add(address: number, bytes: number): void {
    const at = this.#length * pieceBytes;
    this.#view.setUint32(at, address % twoTo32, true);
    this.#view.setUint32(at + 4, Math.floor(address / twoTo32), true);
    this.#view.setUint32(at + 8, bytes, true);
    this.#length += 1;
    this.#bytes += bytes;
  }

  clear(): void {
    this.#length = 0;
    this.#bytes = 0;
  }
}
