/**
 * One direction of a link as the wire carries it. Frames pass, in this order, loss, duplication and corruption; a queue
 * of those that wait for the rate; and the delay, in which they keep their order unless one is to overtake. All chance is
 * drawn for each frame alike, whatever is set: the same seed makes the same choices for the same frames.
 */
import type { Impairment } from '../model/impairment.ts';
import { Seeded } from '../seeded.ts';

/** What became of frames. Bytes are those of whole frames. */
export interface WayCounts {
  framesReceived: number;
  bytesReceived: number;
  framesDelivered: number;
  bytesDelivered: number;
  lost: number;
  duplicated: number;
  corrupted: number;
  /** Frames that were let overtake. */
  reordered: number;
  /** Frames that found the queue full. */
  queueFull: number;
  /** Frames for which there was no room: 64 MiB were under way. */
  noRoom: number;
}

/** A frame on its way. */
interface Carried {
  readonly frame: Buffer;
  readonly overtakes: boolean;
  /** From -1 to 1. */
  readonly jitter: number;
}

/** Bytes of frames that are under way at most. */
const bytesMax = 64 * 1024 * 1024;

const ethernetHeaderBytes = 14;

export class Way {
  readonly counts: WayCounts = {
    framesReceived: 0,
    bytesReceived: 0,
    framesDelivered: 0,
    bytesDelivered: 0,
    lost: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    queueFull: 0,
    noRoom: 0,
  };
  readonly #random: Seeded;
  readonly #deliver: (frame: Buffer) => void;
  #impairment: Impairment;
  readonly #waiting = new Fifo<Carried>();
  readonly #delayed = new Fifo<{ readonly frame: Buffer; readonly due: number }>();
  /** The frame that is being sent at the rate, and when its last bit leaves. */
  #sending: Carried | undefined;
  #sentAt = 0;
  #lastDue = 0;
  #bytes = 0;

  /** Frames that arrive are handed to `deliver`, in the course of `offer` and `advance`. */
  constructor(seed: number, impairment: Impairment, deliver: (frame: Buffer) => void) {
    this.#random = new Seeded(seed);
    this.#impairment = impairment;
    this.#deliver = deliver;
  }

  get impairment(): Impairment {
    return this.#impairment;
  }

  /** Frames under way. */
  get queued(): number {
    return this.#waiting.length + this.#delayed.length + (this.#sending === undefined ? 0 : 1);
  }

  /** From now on it is like this. What waits leaves at the new rate; what is delayed arrives when it would have. */
  set(impairment: Impairment, now: number): void {
    this.advance(now);
    const { rate } = this.#impairment;
    this.#impairment = impairment;
    if (this.#sending !== undefined && rate !== null) {
      const bitsLeft = ((this.#sentAt - now) * rate) / 1000;
      this.#sentAt = now + msFor(bitsLeft, impairment.rate);
    }
    this.advance(now);
  }

  /** Takes a frame, which it may change and keep. */
  offer(frame: Buffer, now: number): void {
    const { loss, duplicate, corrupt, reorder } = this.#impairment;
    const [lost, twice, bad, bit, overtakes, jitter] = [
      this.#random.next() < loss,
      this.#random.next() < duplicate,
      this.#random.next() < corrupt,
      this.#random.next(),
      this.#random.next() < reorder,
      this.#random.next() * 2 - 1,
    ];
    this.counts.framesReceived += 1;
    this.counts.bytesReceived += frame.length;
    if (lost) {
      this.counts.lost += 1;
      return;
    }
    if (bad && frame.length > ethernetHeaderBytes) {
      const at = Math.floor(bit * (frame.length - ethernetHeaderBytes) * 8);
      const byte = ethernetHeaderBytes + (at >> 3);
      frame[byte] = (frame[byte] ?? 0) ^ (1 << (at & 7));
      this.counts.corrupted += 1;
    }
    if (twice) this.counts.duplicated += 1;
    this.advance(now);
    for (let copies = twice ? 2 : 1; copies > 0; copies -= 1)
      this.#enqueue({ frame, overtakes, jitter }, now);
    this.advance(now);
  }

  /** Hands on what has arrived by now. */
  advance(now: number): void {
    while (this.#sending !== undefined && this.#sentAt <= now) {
      this.#depart(this.#sending, this.#sentAt);
      this.#sending = this.#waiting.shift();
      if (this.#sending !== undefined)
        this.#sentAt += msFor(this.#sending.frame.length * 8, this.#impairment.rate);
    }
    for (
      let first = this.#delayed.first;
      first !== undefined && first.due <= now;
      first = this.#delayed.first
    ) {
      this.#delayed.shift();
      this.#arrive(first.frame);
    }
  }

  /** When `advance` is wanted next; infinity when nothing is under way. */
  get next(): number {
    const sent = this.#sending === undefined ? Number.POSITIVE_INFINITY : this.#sentAt;
    return Math.min(sent, this.#delayed.first?.due ?? Number.POSITIVE_INFINITY);
  }

  #enqueue(carried: Carried, now: number): void {
    const { queueFrames, rate } = this.#impairment;
    const { length } = carried.frame;
    if (this.#waiting.length >= queueFrames) {
      this.counts.queueFull += 1;
      return;
    }
    if (this.#bytes + length > bytesMax) {
      this.counts.noRoom += 1;
      return;
    }
    this.#bytes += length;
    if (this.#sending !== undefined) {
      this.#waiting.push(carried);
    } else {
      this.#sending = carried;
      this.#sentAt = now + msFor(length * 8, rate);
    }
  }

  #depart({ frame, overtakes, jitter }: Carried, at: number): void {
    const { delayMs, jitterMs } = this.#impairment;
    if (overtakes) {
      this.counts.reordered += 1;
      this.#arrive(frame);
      return;
    }
    const due = Math.max(this.#lastDue, at + Math.max(0, delayMs + jitter * jitterMs));
    this.#lastDue = due;
    this.#delayed.push({ frame, due });
  }

  #arrive(frame: Buffer): void {
    this.#bytes -= frame.length;
    this.counts.framesDelivered += 1;
    this.counts.bytesDelivered += frame.length;
    this.#deliver(frame);
  }
}

/** How long bits take to leave, in ms. */
function msFor(bits: number, rate: number | null): number {
  return rate === null ? 0 : (bits * 1000) / rate;
}

/** An array that is cheap to take from in front. */
class Fifo<T> {
  #elements: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#elements.length - this.#head;
  }

  get first(): T | undefined {
    return this.#elements[this.#head];
  }

  push(element: T): void {
    this.#elements.push(element);
  }

  shift(): T | undefined {
    const element = this.#elements[this.#head];
    if (element === undefined) return undefined;
    // What has left is not kept alive by its place.
    this.#elements[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#elements.length) {
      this.#elements = this.#elements.slice(this.#head);
      this.#head = 0;
    }
    return element;
  }
}
