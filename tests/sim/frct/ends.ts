/** Ends of a simulated flow: an application that writes and reads in its own time, over FRCT of either make. */
import { Frct, type FrctPort } from '../../../runtime/lib/frct/frct.ts';
import { type FrctLimits, frctLimits } from '../../../runtime/lib/frct/limits.ts';
import { never } from '../../../runtime/lib/time/clock.ts';
import { Prototype } from './prototype.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Habits {
  readonly messages: number;
  readonly messageBytesMin: number;
  readonly messageBytesMax: number;
  /** How long the writer rests now and then, ms at most, and how often it does. */
  readonly writePause: number;
  readonly writePauses: number;
  readonly readPause: number;
  readonly readPauses: number;
}

/** The message that an end sends as its `index`th: its index, then bytes that follow from it. */
function messageOf(
  end: number,
  index: number,
  { messageBytesMin: min, messageBytesMax: max }: Habits,
): Buffer {
  const length = min + ((index * 7919 + end * 104_729) % (max - min + 1));
  const message = Buffer.alloc(length, (index * 31 + end * 17) & 0xff);
  message.writeUInt8(end, 0);
  message.writeUInt32BE(index, 1);
  return message;
}

/** What is the same for both makes: who writes what and when, and whether what is read is right. */
export abstract class End {
  readonly name: string;
  readonly written: { count: number } = { count: 0 };
  /** Indices of the messages read. */
  readonly read: number[] = [];
  /** What is wrong, if anything. */
  fault: string | undefined;
  isDown = false;
  protected readonly time: VirtualTime;
  protected readonly random: Seeded;
  protected readonly habits: Habits;
  readonly #index: number;
  #readPlanned = false;
  #writePlanned = false;

  constructor(index: number, time: VirtualTime, random: Seeded, habits: Habits) {
    this.name = `end ${index}`;
    this.#index = index;
    this.time = time;
    this.random = random;
    this.habits = habits;
  }

  abstract arrive(packet: Buffer): void;
  /** Hands a message to FRCT; false when it waits, and `planWrite` will be called. */
  protected abstract tryWrite(message: Buffer): boolean;
  protected abstract tryRead(): Buffer | undefined;
  protected abstract allWritten(): void;

  get hasWrittenAll(): boolean {
    return this.written.count === this.habits.messages;
  }

  start(): void {
    this.planWrite(this.random.between(0, 20));
  }

  protected planWrite(delay = 0): void {
    if (this.#writePlanned) return;
    this.#writePlanned = true;
    this.time.after(delay, () => {
      this.#writePlanned = false;
      this.#write();
    });
  }

  protected planRead(delay = 0): void {
    if (this.#readPlanned) return;
    this.#readPlanned = true;
    this.time.after(delay, () => {
      this.#readPlanned = false;
      this.#readOn();
    });
  }

  #write(): void {
    const { messages, writePauses, writePause } = this.habits;
    while (!this.hasWrittenAll && !this.isDown) {
      if (this.random.chance(writePauses)) return this.planWrite(this.random.next() * writePause);
      if (!this.tryWrite(messageOf(this.#index, this.written.count, this.habits))) return;
      this.written.count += 1;
    }
    if (this.written.count === messages) this.allWritten();
  }

  #readOn(): void {
    const { readPauses, readPause } = this.habits;
    for (;;) {
      const message = this.tryRead();
      if (message === undefined) return;
      this.#check(message);
      if (this.random.chance(readPauses)) return this.planRead(this.random.next() * readPause);
    }
  }

  #check(message: Buffer): void {
    const from = 1 - this.#index;
    const index = message.length < 5 ? -1 : message.readUInt32BE(1);
    const last = this.read.at(-1) ?? -1;
    if (index < 0 || !message.equals(messageOf(from, index, this.habits))) {
      this.fault ??= `${this.name} read bytes that were never written`;
    } else if (index <= last) {
      this.fault ??= `${this.name} read message ${index} behind ${last}`;
    }
    this.read.push(index);
  }
}

export class OursEnd extends End implements FrctPort {
  readonly frct: Frct;
  /** Most bytes that FRCT held at any time. */
  bytesHeldMax = 0;
  endSeen = false;
  isSettled = false;
  readonly limits: FrctLimits;
  readonly #send: (packet: Buffer) => void;
  readonly #queue: Buffer[] = [];
  /** Packets that came while the process was busy. */
  readonly #inbox: Buffer[] = [];
  /** How long a process that is woken may be busy with other things, ms. */
  readonly #busyMax: number;
  #armedFor = never;
  #turnPlanned = false;
  #portFull = false;
  /** Probability that the port has no room, once for each packet. */
  readonly #portRefusals: number;

  constructor(
    index: number,
    time: VirtualTime,
    random: Seeded,
    habits: Habits,
    options: {
      reliable: boolean;
      limits?: FrctLimits;
      portRefusals?: number;
      initialSeqno?: number;
      busyMax?: number;
    },
    send: (packet: Buffer) => void,
  ) {
    super(index, time, random, habits);
    this.limits = options.limits ?? frctLimits;
    this.#portRefusals = options.portRefusals ?? 0;
    this.#busyMax = options.busyMax ?? 0;
    this.#send = send;
    this.frct = new Frct(
      {
        reliable: options.reliable,
        initialSeqno: options.initialSeqno ?? random.below(2 ** 32),
        mplMs: 100,
        maxPacketBytes: 1496,
        limits: this.limits,
      },
      this,
    );
  }

  override arrive(packet: Buffer): void {
    this.#inbox.push(packet);
    this.#planTurn();
  }

  send(memory: Buffer, start: number, end: number): boolean {
    if (this.#portFull) return false;
    if (this.random.chance(this.#portRefusals)) {
      this.#portFull = true;
      this.time.after(this.random.next() * 20, () => {
        this.#portFull = false;
        this.frct.resume(this.time.now);
        this.#after();
      });
      return false;
    }
    this.#send(Buffer.from(memory.subarray(start, end)));
    return true;
  }

  deliver(memory: Buffer, start: number, end: number): void {
    if (this.endSeen) this.fault ??= `${this.name} was given a message behind the end`;
    this.#queue.push(memory.subarray(start, end));
    this.planRead();
  }

  ended(): void {
    if (this.endSeen) this.fault ??= `${this.name} was told the end twice`;
    this.endSeen = true;
  }

  writable(): void {
    this.planWrite();
  }

  settled(): void {
    if (this.isSettled) this.fault ??= `${this.name} settled twice`;
    this.isSettled = true;
  }

  down(): void {
    this.isDown = true;
  }

  close(): void {
    this.frct.close(this.time.now);
    this.#after();
  }

  protected override tryWrite(message: Buffer): boolean {
    const taken = this.frct.write(message, this.time.now);
    this.#after();
    return taken;
  }

  protected override tryRead(): Buffer | undefined {
    const message = this.#queue.shift();
    if (message === undefined) return undefined;
    this.frct.taken(message.length);
    this.#planTurn();
    return message;
  }

  protected override allWritten(): void {
    this.frct.finish(this.time.now);
    this.#after();
  }

  /** A turn ends when everything that happens now has happened. */
  #planTurn(): void {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    this.time.after(this.#busy(), () => {
      this.#turnPlanned = false;
      this.#readInbox();
      this.frct.flush(this.time.now);
      this.#after();
    });
  }

  #readInbox(): void {
    for (const packet of this.#inbox.splice(0)) this.frct.receive(packet, 0, packet.length, this.time.now);
  }

  #busy(): number {
    return this.#busyMax > 0 && this.random.chance(0.1) ? this.random.next() * this.#busyMax : 0;
  }

  #after(): void {
    this.bytesHeldMax = Math.max(this.bytesHeldMax, this.frct.bytesHeld);
    const deadline = this.frct.nextDeadline();
    if (deadline >= this.#armedFor) return;
    this.#armedFor = deadline;
    this.time.at(deadline + this.#busy(), () => {
      if (this.#armedFor !== deadline) return;
      this.#armedFor = never;
      // What has come is looked at before it is missed.
      this.#readInbox();
      if (this.frct.nextDeadline() <= this.time.now) {
        this.frct.advance(this.time.now);
        const next = this.frct.nextDeadline();
        if (next <= this.time.now) this.fault ??= `${this.name} wants to be called for ${next} again`;
      }
      this.#after();
    });
  }
}

export class PrototypeEnd extends End {
  readonly frct: Prototype;
  readonly #blocking: boolean;

  constructor(
    index: number,
    time: VirtualTime,
    random: Seeded,
    habits: Habits,
    options: { reliable: boolean; blocking: boolean; lostWakeUps: number },
    send: (packet: Buffer) => void,
  ) {
    super(index, time, random, habits);
    this.#blocking = options.blocking;
    this.frct = new Prototype(
      time,
      random,
      { ...options, mplMs: 100 },
      {
        send,
        readable: () => this.planRead(),
        writable: () => this.planWrite(),
        down: () => (this.isDown = true),
      },
    );
  }

  override arrive(packet: Buffer): void {
    this.frct.receive(packet);
  }

  protected override tryWrite(message: Buffer): boolean {
    if (this.#blocking) return this.frct.writeBlocking(message);
    if (this.frct.writeOrFail(message)) return true;
    // A program that does not block tries again now and then.
    this.planWrite(20);
    return false;
  }

  protected override tryRead(): Buffer | undefined {
    return this.frct.read();
  }

  protected override allWritten(): void {}
}
