/**
 * A model of the reference prototype's end of FRCT, written from end-to-end.md 7 and 9 alone and sharing nothing with
 * runtime/lib/frct, with the defects that the document lists.
 */
import type { Seeded } from '../../support/seeded.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface PrototypeOptions {
  readonly reliable: boolean;
  readonly mplMs: number;
  /** Probability that the background thread takes a packet, which then wakes no reader (9.4). */
  readonly lostWakeUps: number;
}

export interface PrototypePort {
  send(packet: Buffer): void;
  /** A reader that waits is woken. */
  readable(): void;
  /** A writer that waits is woken. */
  writable(): void;
  down(): void;
}

const DATA = 0x01;
const DRF = 0x02;
const ACK = 0x04;
const FC = 0x08;
const RDVS = 0x10;
const tick = 5;
const u32 = (value: number): number => value >>> 0;
const isAfter = (a: number, b: number): boolean => ((a - b) | 0) > 0;
const isBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0;

interface Sent {
  readonly packet: Buffer;
  readonly seqno: number;
  readonly firstSentAt: number;
}

export class Prototype {
  readonly #time: VirtualTime;
  readonly #random: Seeded;
  readonly #options: PrototypeOptions;
  readonly #port: PrototypePort;
  readonly #sndInact: number;
  readonly #rcvInact: number;

  // Sender.
  #seqno = 0;
  #lwe = 0;
  #rwe = 64;
  #lastDataSentAt = Number.NEGATIVE_INFINITY;
  #windowHeard = false;
  #closedSince: number | undefined;
  #lastRendezvousAt = Number.NEGATIVE_INFINITY;
  readonly #sent = new Map<number, Sent>();

  // Receiver.
  #rcvLwe = 0;
  #rcvRwe = 0;
  #acked = 0;
  #lastReceivedAt = Number.NEGATIVE_INFINITY;
  readonly #queue = new Map<number, Buffer>();
  readonly #bestEffortQueue: Buffer[] = [];
  #lastAckTimerAt = Number.NEGATIVE_INFINITY;

  // Round trip, ms.
  #srtt = 0;
  #mdev = 10;
  #rto = 1000;
  #measured = false;
  #probe: { readonly seqno: number; readonly at: number } | undefined;
  #doubling: number | undefined;

  isDown = false;
  /** It began a new run while some of the last was not acknowledged, and so lost it (9.3). */
  hasForgotten = false;
  /** Packets it sent without data, for tests that look at them. */
  bareSent = 0;
  runs = 0;

  constructor(time: VirtualTime, random: Seeded, options: PrototypeOptions, port: PrototypePort) {
    this.#time = time;
    this.#random = random;
    this.#options = options;
    this.#port = port;
    this.#sndInact = Math.floor((3 * options.mplMs + 130_000) / 1000) + 1;
    this.#rcvInact = Math.floor((2 * options.mplMs + 130_000) / 1000) + 1;
  }

  /** Everything it sent has been acknowledged. */
  get isQuiet(): boolean {
    return !isBefore(this.#lwe, this.#seqno);
  }

  /** A blocking write that would wait is told by false; it is tried again when `writable` comes. */
  writeBlocking(message: Buffer): boolean {
    // The test is for equality alone, and comes before a new run is thought of (7.5, 9.2).
    if (this.#seqno === this.#rwe) return false;
    this.#sendData(message);
    return true;
  }

  /** A write that does not block, and is to be tried again later when it fails. */
  writeOrFail(message: Buffer): boolean {
    if (!isBefore(this.#seqno, this.#rwe)) {
      this.#rendezvous();
      return false;
    }
    this.#closedSince = undefined;
    this.#sendData(message);
    return true;
  }

  /** The next message, for the application. */
  read(): Buffer | undefined {
    if (!this.#options.reliable) {
      const message = this.#bestEffortQueue.shift();
      if (message !== undefined) this.#rcvRwe = u32(this.#rcvRwe + 1);
      return message;
    }
    const slot = this.#rcvLwe % 256;
    const message = this.#queue.get(slot);
    if (message === undefined) return undefined;
    this.#queue.delete(slot);
    this.#rcvLwe = u32(this.#rcvLwe + 1);
    this.#rcvRwe = u32(this.#rcvRwe + 1);
    return message;
  }

  receive(packet: Buffer): void {
    if (packet.length === 0) return;
    this.#handle(packet);
    if (!this.#random.chance(this.#options.lostWakeUps)) this.#port.readable();
  }

  /** flow_dealloc: a last acknowledgement where one is due. */
  close(): void {
    if (this.#rcvLwe !== this.#acked) this.#bare(ACK, 0, 0, this.#rcvLwe);
  }

  #handle(packet: Buffer): void {
    const flags = packet[0]!;
    const window = packet.readUIntBE(1, 3);
    const seqno = packet.readUInt32BE(4);
    const ackno = packet.readUInt32BE(8);
    const { now } = this.#time;
    if (this.#hasPassed(this.#lastReceivedAt, this.#rcvInact)) {
      if ((flags & DRF) !== 0) {
        this.runs += 1;
        this.#rcvLwe = seqno;
        this.#acked = seqno;
        this.#rcvRwe = u32(seqno + 256);
      } else if ((flags & DATA) !== 0) {
        return;
      }
    }
    this.#lastReceivedAt = now;
    if ((flags & RDVS) !== 0) return this.#bare(FC, this.#rcvRwe, 0, 0);
    if ((flags & ACK) !== 0) this.#takeAck(ackno, now);
    if ((flags & FC) !== 0) this.#takeWindow(window);
    if ((flags & DATA) === 0) return this.#ackRule();
    if (isBefore(seqno, this.#rcvLwe)) {
      this.#acked = seqno;
      return this.#ackRule();
    }
    const message = packet.subarray(12);
    if (!this.#options.reliable) {
      this.#rcvLwe = u32(seqno + 1);
      this.#bestEffortQueue.push(message);
      return;
    }
    const slot = seqno % 256;
    const outside = !isBefore(seqno, this.#rcvRwe) || !isBefore(seqno, u32(this.#rcvLwe + 256));
    if (outside || this.#queue.has(slot)) return this.#ackRule();
    this.#queue.set(slot, message);
    if (now - this.#lastAckTimerAt < 0.262_144) return;
    this.#lastAckTimerAt = now;
    this.#atTick(now + 10, () => this.#ackRule());
  }

  #takeAck(ackno: number, now: number): void {
    // Whether it is before `seqno` is not looked at.
    if (isAfter(ackno, this.#lwe)) this.#lwe = ackno;
    if (this.#probe === undefined || !isAfter(ackno, this.#probe.seqno)) return;
    const sample = now - this.#probe.at;
    this.#probe = undefined;
    if (this.#measured) {
      const off = sample - this.#srtt;
      this.#srtt += off / 8;
      let change = (Math.abs(off) - this.#mdev) / 4;
      if (change < 0) change /= 8;
      this.#mdev += change;
    } else {
      this.#measured = true;
      this.#srtt = sample;
      this.#mdev = sample / 2;
    }
    this.#srtt = Math.max(0.001, this.#srtt);
    this.#mdev = Math.max(0.0001, this.#mdev);
    this.#rto = Math.max(0.25, this.#srtt + 4 * this.#mdev);
  }

  #takeWindow(window: number): void {
    let edge = u32((this.#rwe & 0xff00_0000) | window);
    if (((this.#rwe - edge) | 0) > 2 ** 23 - 1) edge = u32(edge + 2 ** 24);
    // It may shrink: the defect that hangs a writer for ever (7.5, 9.2).
    this.#rwe = edge;
    if (!this.#windowHeard) this.#windowHeard = true;
    if (isBefore(this.#seqno, this.#rwe)) this.#closedSince = undefined;
    this.#port.writable();
  }

  #ackRule(): void {
    const { now } = this.#time;
    if (this.isDown || !isAfter(this.#rcvLwe, this.#acked)) return;
    if (now - this.#lastReceivedAt > 10_000 || now - this.#lastDataSentAt <= 5) return;
    this.#bare(ACK | FC, this.#rcvRwe, 0, this.#rcvLwe);
    this.#acked = this.#rcvLwe;
  }

  #isNewRunDue(): boolean {
    return this.#hasPassed(this.#lastDataSentAt, this.#sndInact);
  }

  #sendData(message: Buffer): void {
    const { now } = this.#time;
    const { reliable } = this.#options;
    if (this.#isNewRunDue()) {
      if (!this.isQuiet) this.hasForgotten = true;
      this.#seqno = this.#random.below(2 ** 32);
      this.#lwe = this.#seqno;
      this.#rwe = u32(this.#seqno + 64);
      this.#sent.clear();
    }
    let flags = DATA;
    if (this.#seqno === this.#lwe) flags |= DRF;
    let window = 0;
    let ackno = 0;
    if (!this.#hasPassed(this.#lastReceivedAt, this.#rcvInact)) {
      flags |= FC;
      window = this.#rcvRwe;
    }
    if (reliable && now - this.#lastReceivedAt < 10_000) {
      flags |= ACK;
      ackno = this.#rcvLwe;
      this.#acked = ackno;
    }
    const { packet, seqno } = {
      packet: encode(flags, window, this.#seqno, ackno, message),
      seqno: this.#seqno,
    };
    this.#lastDataSentAt = now;
    this.#seqno = u32(this.#seqno + 1);
    if (reliable) {
      if (this.#probe === undefined) {
        this.#probe = { seqno, at: now };
        this.#doubling = seqno;
      }
      this.#sent.set(seqno, { packet, seqno, firstSentAt: now });
      this.#atTick(now + this.#rto, () => this.#expire(seqno));
    } else {
      this.#lwe = this.#seqno;
    }
    this.#port.send(Buffer.from(packet));
  }

  #expire(seqno: number): void {
    const one = this.#sent.get(seqno);
    if (one === undefined || this.isDown) return;
    const { now } = this.#time;
    if (isBefore(seqno, this.#lwe)) return void this.#sent.delete(seqno);
    if (now - one.firstSentAt > 120_000) {
      this.isDown = true;
      return this.#port.down();
    }
    if (this.#doubling === seqno) {
      this.#rto = Math.min(2 * this.#rto, 68_719);
      this.#probe = undefined;
    }
    // Flags and window are those of the first transmission; so the number waited for is told even where ACK is clear.
    one.packet.writeUInt32BE(this.#rcvLwe, 8);
    this.#port.send(Buffer.from(one.packet));
    this.#atTick(now + this.#rto, () => this.#expire(seqno));
  }

  #rendezvous(): void {
    const { now } = this.#time;
    // Since when it is closed is only known after the first window update.
    if (!this.#windowHeard) return;
    this.#closedSince ??= now;
    if (now - this.#closedSince > 1000 || now - this.#lastRendezvousAt < 100) return;
    this.#lastRendezvousAt = now;
    this.#bare(RDVS, 0, 0, 0);
  }

  #bare(flags: number, window: number, seqno: number, ackno: number): void {
    this.bareSent += 1;
    this.#port.send(encode(flags, window, seqno, ackno, Buffer.alloc(0)));
  }

  /** Clocks are compared in whole seconds. */
  #hasPassed(since: number, seconds: number): boolean {
    return Math.floor(this.#time.now / 1000) - Math.floor(since / 1000) > seconds;
  }

  #atTick(at: number, run: () => void): void {
    this.#time.at(Math.ceil(at / tick) * tick, run);
  }
}

function encode(flags: number, window: number, seqno: number, ackno: number, message: Buffer): Buffer {
  const packet = Buffer.alloc(12 + message.length);
  packet[0] = flags;
  packet.writeUIntBE(window % 2 ** 24, 1, 3);
  packet.writeUInt32BE(seqno, 4);
  packet.writeUInt32BE(ackno, 8);
  message.copy(packet, 12);
  return packet;
}
