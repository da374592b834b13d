/** Messages in the order in which they came: a ring that grows to what has waited at most. */
export class MessageQueue {
  #ring: (Buffer | undefined)[] = Array.from({ length: initialCapacity });
  #first = 0;
  #length = 0;
  #bytes = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(message: Buffer): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.#length) & (this.#ring.length - 1)] = message;
    this.#length += 1;
    this.#bytes += message.length;
  }

  /** Takes the oldest; undefined when there is none. */
  shift(): Buffer | undefined {
    const message = this.#ring[this.#first];
    if (message === undefined) return undefined;
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    this.#bytes -= message.length;
    return message;
  }

  clear(): void {
    while (this.#length > 0) this.shift();
  }

  #grow(): void {
    const ring: (Buffer | undefined)[] = Array.from({ length: this.#ring.length * 2 });
    for (let index = 0; index < this.#length; index += 1) {
      ring[index] = this.#ring[(this.#first + index) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#first = 0;
  }
}

/** A power of two, as all capacities. */
const initialCapacity = 64;
