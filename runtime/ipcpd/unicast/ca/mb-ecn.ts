/**
 * Multi-bit ECN: what a flow's receiver tells of congestion, and how its sender keeps to it. Source: unicast-layer.md
 * 9.2, 9.3. Pure; times in ns.
 */

/** Slots of 16.8 ms to begin with. */
const exponentInitial = 24;
const exponentMin = 16;
const exponentMax = 30;
const bytesInitial = 65_536;
/** Packets after the last update for which its level counts. */
const updateAge = 32;
const packetsASlotMin = 8;
const packetsASlotMax = 64;
const decrease = 8192;
const holdNsMax = 1_000_000_000;
const levelMax = 0xffff;

/** Where the sender is: its window grows by doubling, by steps, or shrinks. */
export type CongestionRegime = 'Slow start' | 'Additive inc' | 'Multiplicative dec';

/** The sending side of a flow. */
export class EcnSender {
  /** log2 of a slot's length in ns. */
  #exponent = exponentInitial;
  #slot: number;
  #bytesMax = bytesInitial;
  #increment = bytesInitial;
  #bytes = 0;
  #packets = 0;
  #level = 0;
  #sinceUpdate = 0;
  #avoiding = false;
  regime: CongestionRegime = 'Slow start';

  constructor(now: number) {
    this.#slot = Math.floor(now / 2 ** this.#exponent);
  }

  /** The level the receiver told last, as long as it counts. */
  get level(): number {
    return this.#level;
  }

  get windowNs(): number {
    return 2 ** this.#exponent;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Packets and bytes of this window. */
  get packets(): number {
    return this.#packets;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Packets since the last update. */
  get sinceUpdate(): number {
    return this.#sinceUpdate;
  }

  /** The receiver told of congestion. */
  updated(level: number): void {
    this.#level = level;
    this.#sinceUpdate = 0;
    this.#avoiding = true;
  }

  /** A packet of `bytes` is to leave; for how many ns it is to be held. */
  outgoing(bytes: number, now: number): number {
    this.#sinceUpdate += 1;
    this.#packets += 1;
    this.#bytes += bytes;
    if (this.#sinceUpdate > updateAge) this.#level = 0;
    const slot = Math.floor(now / 2 ** this.#exponent);
    if (slot > this.#slot) this.#nextSlot(slot);
    if (this.#bytes <= this.#bytesMax) return 0;
    const hold = (this.#slot + 1) * 2 ** this.#exponent - now;
    return Math.max(0, Math.min(holdNsMax, hold));
  }

  #nextSlot(slot: number): void {
    this.#slot = slot;
    if (!this.#avoiding) {
      this.regime = 'Slow start';
      if (this.#bytes > this.#bytesMax) this.#bytesMax *= 2;
    } else if (this.#level > 0) {
      this.regime = 'Multiplicative dec';
      const less = Math.floor((this.#bytesMax * this.#level) / decrease);
      // A level above 8192 must not turn the window round.
      this.#bytesMax = Math.max(1, this.#bytesMax - less);
    } else {
      this.regime = 'Additive inc';
      this.#bytesMax = this.#bytes + this.#increment;
    }
    let kept = false;
    if (this.#packets < packetsASlotMin && this.#exponent < exponentMax) {
      const f = Math.min(exponentMax - this.#exponent, Math.ceil(Math.log2(packetsASlotMin / this.#packets)));
      this.#exponent += f;
      this.#slot = Math.floor(this.#slot / 2 ** f);
      this.#bytesMax *= 2 ** f;
      this.#increment *= 2 ** f;
      if (this.#slot % 2 ** f === 0) {
        this.#slot += 1;
        kept = true;
      }
    } else if (this.#packets > packetsASlotMax && this.#exponent > exponentMin) {
      const wanted = Math.floor(Math.log2(this.#packets / (packetsASlotMax + 1))) + 1;
      const f = Math.min(this.#exponent - exponentMin, wanted);
      this.#exponent -= f;
      this.#slot *= 2 ** f;
      this.#bytesMax = Math.max(1, Math.floor(this.#bytesMax / 2 ** f));
      this.#increment = Math.max(1, Math.floor(this.#increment / 2 ** f));
    }
    if (kept) return;
    this.#bytes = 0;
    this.#packets = 0;
  }
}

/** The receiving side of a flow. */
export class EcnReceiver {
  #level = 0;
  #count = 0;

  /** The level measured here. */
  get level(): number {
    return this.#level;
  }

  /** Packets since congestion began. */
  get packets(): number {
    return this.#count;
  }

  /** A packet came with this mark: the level to tell the sender, or -1 for none. */
  incoming(ecn: number): number {
    if (this.#level === 0) {
      if (ecn === 0) return -1;
      this.#level = ecn;
      this.#count = 0;
      return ecn;
    }
    if (ecn > 0) {
      this.#level = Math.min(levelMax, this.#level - Math.floor(this.#level / 32) + ecn);
      const due = this.#count % 8 === 1;
      this.#count += 1;
      return due ? this.#level : -1;
    }
    this.#level = Math.floor(this.#level / 4);
    return this.#level === 0 ? 0 : -1;
  }
}
