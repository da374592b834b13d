/**
 * A table by address for the data path, made anew as a whole. Open addressing: a look-up reads one or two words next to
 * each other, and takes half the time of one in a Map (tests/bench/routing.ts).
 */
import { type Address, noAddress } from '../address.ts';

const capacityMin = 16;
/** 2^32 divided by the golden ratio, odd: spreads addresses that follow each other. */
const multiplier = 0x9e37_79b1;

export class AddressTable<T> {
  /** Addresses as signed words; 0 where there is none. */
  #keys = new Int32Array(capacityMin);
  #values: (T | undefined)[] = Array.from({ length: capacityMin });
  #shift = 28;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Empties the table and makes room for so many addresses. */
  reset(count: number): void {
    let capacity = capacityMin;
    while (capacity < 2 * count) capacity *= 2;
    if (capacity === this.#keys.length) {
      this.#keys.fill(0);
      this.#values.fill(undefined);
    } else {
      this.#keys = new Int32Array(capacity);
      this.#values = Array.from({ length: capacity });
      this.#shift = 1 + Math.clz32(capacity);
    }
    this.#size = 0;
  }

  /** Adds an address that is not there yet. No more than was reset for. */
  add(address: Address, value: T): void {
    if (address === noAddress) return;
    const key = address | 0;
    const mask = this.#keys.length - 1;
    let at = Math.imul(key, multiplier) >>> this.#shift;
    while (this.#keys[at] !== 0) at = (at + 1) & mask;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#size += 1;
  }

  get(address: Address): T | undefined {
    const key = address | 0;
    const keys = this.#keys;
    const mask = keys.length - 1;
    for (let at = Math.imul(key, multiplier) >>> this.#shift; keys[at] !== 0; at = (at + 1) & mask) {
      if (keys[at] === key) return this.#values[at];
    }
    return undefined;
  }
}
