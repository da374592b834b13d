/**
 * Multi-bit ECN: what a flow's receiver tells of congestion, and how its sender keeps to it. Source: unicast-layer.md
 * 9.2, 9.3. Pure; times in ns.
 */

/** The rate is looked at once in so long, 16.8 ms, and not before so many packets have left. */
const intervalNs = 2 ** 24;
const intervalPackets = 8;
/** The rate to begin with and the least, in bytes an interval: about 1 MB/s and 8 kB/s. */
const bytesInitial = 16_384;
const bytesMin = 128;
/** Packets after the last update for which its level counts. */
const updateAge = 32;
/** A level of so much would take all of the rate at once; no more than this share is taken. */
const decrease = 2048;
const decreaseShareMax = 1 / 8;
/** What the rate grows by when there is no congestion: bytes and a share of it, together no more than another share. */
const increase = 1500;
const increaseShare = 1 / 128;
const increaseShareMax = 1 / 16;
/** What may leave at once after a pause: of an interval, and in bytes at least. */
const burstShare = 1 / 8;
const burstBytesMin = 15_000;
const holdNsMax = 1_000_000_000;
const levelMax = 0xffff;

/** Where the sender is: its rate grows by doubling, by steps, or shrinks. */
export type CongestionRegime = 'Slow start' | 'Additive inc' | 'Multiplicative dec';

/**
 * The sending side of a flow: packets leave at a rate, which grows as long as the receiver tells of no congestion. The
 * prototype counts bytes in slots instead and lets all of a slot leave at its beginning; both follow the same updates.
 */
export class EcnSender {
  /** The rate, as bytes in an interval. */
  #bytesMax = bytesInitial;
  /** What may leave at once. */
  #credit = Math.max(burstBytesMin, bytesInitial * burstShare);
  #creditAt: number;
  #since: number;
  #bytes = 0;
  #packets = 0;
  #isLimited = false;
  #level = 0;
  /** As it was when the rate was looked at last. */
  #levelBefore = 0;
  #sinceUpdate = 0;
  #avoiding = false;
  regime: CongestionRegime = 'Slow start';

  constructor(now: number) {
    this.#since = now;
    this.#creditAt = now;
  }

  /** The level the receiver told last, as long as it counts. */
  get level(): number {
    return this.#level;
  }

  get windowNs(): number {
    return intervalNs;
  }

  get bytesMax(): number {
    return Math.floor(this.#bytesMax);
  }

  /** Packets and bytes of this interval. */
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

  /** The receiver told of congestion, or of its end. */
  updated(level: number): void {
    this.#level = level;
    this.#sinceUpdate = 0;
    if (this.#avoiding || level === 0) return;
    // It has doubled once too often.
    this.#avoiding = true;
    this.#bytesMax /= 2;
  }

  /** A packet of `bytes` is to leave; for how many ns it is to be held. */
  outgoing(bytes: number, now: number): number {
    this.#sinceUpdate += 1;
    if (this.#sinceUpdate > updateAge) this.#level = 0;
    if (now - this.#since >= intervalNs && this.#packets >= intervalPackets) this.#nextInterval(now);
    this.#packets += 1;
    this.#bytes += bytes;
    const perNs = this.#bytesMax / intervalNs;
    const burst = Math.max(burstBytesMin, this.#bytesMax * burstShare);
    this.#credit = Math.min(burst, this.#credit + (now - this.#creditAt) * perNs) - bytes;
    this.#creditAt = now;
    if (this.#credit >= 0) return 0;
    this.#isLimited = true;
    const hold = -this.#credit / perNs;
    if (hold <= holdNsMax) return hold;
    this.#credit = -holdNsMax * perNs;
    return holdNsMax;
  }

  #nextInterval(now: number): void {
    const isFalling = this.#level < this.#levelBefore;
    this.#levelBefore = this.#level;
    if (this.#level > 0) {
      this.regime = 'Multiplicative dec';
      // Where what waits becomes less, the rate is low enough.
      const share = isFalling ? 0 : Math.min(decreaseShareMax, this.#level / decrease);
      this.#bytesMax = Math.max(bytesMin, this.#bytesMax * (1 - share));
    } else if (this.#isLimited && !this.#avoiding) {
      this.regime = 'Slow start';
      this.#bytesMax *= 2;
    } else if (this.#isLimited) {
      this.regime = 'Additive inc';
      this.#bytesMax += Math.min(
        increase + this.#bytesMax * increaseShare,
        this.#bytesMax * increaseShareMax,
      );
    }
    this.#since = now;
    this.#bytes = 0;
    this.#packets = 0;
    this.#isLimited = false;
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
