/**
 * A turn of the data path: one wake-up, what it caused, and at its end one flush of everything that was written to.
 * All packets of a turn are returned with it.
 */
import { type AddressOf, PacketPool } from '../../lib/wire/packet.ts';

/** Something that gathers what is written to it. */
export interface Flushable {
  flush(): void;
}

/** Packets a turn may take before it has to flush. */
const packetsMax = 256;

export class Turn {
  readonly packets: PacketPool;
  /** What is to be flushed: the first `#dirtyCount`. To set an array's length costs more than to count. */
  readonly #dirty: (Flushable | undefined)[] = [];
  #dirtyCount = 0;

  constructor(addressOf: AddressOf) {
    this.packets = new PacketPool(addressOf);
  }

  /** Flushes something when the turn ends. To be called by what was not waiting for that already. */
  flushLater(subject: Flushable): void {
    this.#dirty[this.#dirtyCount++] = subject;
  }

  /** Whether so much is gathered that it should leave before more comes. */
  get full(): boolean {
    return this.packets.taken >= packetsMax;
  }

  /** Ends the turn; the next begins at once. */
  end(): void {
    // What is flushed may make others write, and even end the turn itself: the list may grow, or be done.
    for (let index = 0; index < this.#dirtyCount; index += 1) {
      const subject = this.#dirty[index];
      this.#dirty[index] = undefined;
      subject?.flush();
    }
    this.#dirtyCount = 0;
    this.packets.reset();
  }
}
