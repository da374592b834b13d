/** One direction of a path that loses, doubles, delays and reorders packets, and may be narrow. */
import type { Seeded } from '../../support/seeded.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface LinkTraits {
  /** Probabilities. */
  readonly loss: number;
  readonly duplication: number;
  /** ms that every packet takes, and up to how much more some take, at random: that reorders. */
  readonly delay: number;
  readonly jitter: number;
  /** Bits a second; without it, any number at once. */
  readonly rate?: number;
  /** Packets that wait for a narrow path; more are lost. */
  readonly queue?: number;
}

export interface LinkCounts {
  sent: number;
  lost: number;
  /** Of those lost, the ones for which the queue was full. */
  overflowed: number;
  bytes: number;
}

export class LossyLink {
  traits: LinkTraits;
  readonly counts: LinkCounts = { sent: 0, lost: 0, overflowed: 0, bytes: 0 };
  readonly #time: VirtualTime;
  readonly #random: Seeded;
  readonly #arrive: (packet: Buffer) => void;
  #freeAt = 0;
  #queued = 0;

  constructor(time: VirtualTime, random: Seeded, traits: LinkTraits, arrive: (packet: Buffer) => void) {
    this.#time = time;
    this.#random = random;
    this.traits = traits;
    this.#arrive = arrive;
  }

  send(packet: Buffer): void {
    const { loss, duplication, queue } = this.traits;
    this.counts.sent += 1;
    this.counts.bytes += packet.length;
    if (queue !== undefined && this.#queued >= queue) {
      this.counts.overflowed += 1;
      this.counts.lost += 1;
      return;
    }
    if (this.#random.chance(loss)) this.counts.lost += 1;
    else this.#carry(packet);
    if (this.#random.chance(duplication)) this.#carry(Buffer.from(packet));
  }

  #carry(packet: Buffer): void {
    const { delay, jitter, rate } = this.traits;
    const more = this.#random.chance(0.3) ? this.#random.next() * jitter : 0;
    if (rate === undefined) return this.#time.after(delay + more, () => this.#arrive(packet));
    this.#freeAt = Math.max(this.#freeAt, this.#time.now) + (packet.length * 8 * 1000) / rate;
    this.#queued += 1;
    this.#time.at(this.#freeAt, () => {
      this.#queued -= 1;
      this.#time.after(delay + more, () => this.#arrive(packet));
    });
  }
}
