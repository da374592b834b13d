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
  readonly #dirty = new Set<Flushable>();

  constructor(addressOf: AddressOf) {
    this.packets = new PacketPool(addressOf);
  }

  /** Flushes something when the turn ends. */
  flushLater(subject: Flushable): void {
    this.#dirty.add(subject);
  }

  /** Whether so much is gathered that it should leave before more comes. */
  get full(): boolean {
    return this.packets.taken >= packetsMax;
  }

  /** Ends the turn; the next begins at once. */
  end(): void {
    for (const subject of this.#dirty) subject.flush();
    this.#dirty.clear();
    this.packets.reset();
  }
}
