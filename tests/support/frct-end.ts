/** One end of FRCT with a peer made by hand: what it sends is read as text, what it receives is written by the test. */
import { Frct, type FrctPort, type FrctSetup } from '../../runtime/lib/frct/frct.ts';
import { Pci, pciBytes, writePci } from '../../runtime/lib/frct/pci.ts';
import { toSeqno } from '../../runtime/lib/frct/sequence.ts';

/** A packet of the peer; numbers are as on the wire. */
export interface Peers {
  readonly flags: number;
  readonly window?: number;
  readonly seqno?: number;
  readonly ackno?: number;
  readonly payload?: string | Buffer;
}

export function packetOf({ flags, window = 0, seqno = 0, ackno = 0, payload = '' }: Peers): Buffer {
  const message = Buffer.from(payload as string);
  const packet = Buffer.alloc(pciBytes + message.length);
  writePci(packet, 0, flags, toSeqno(window), toSeqno(seqno), toSeqno(ackno));
  message.copy(packet, pciBytes);
  return packet;
}

const hex = (value: number, digits: number): string => (value >>> 0).toString(16).padStart(digits, '0');

/** A packet as end-to-end.md 11.5 writes it: flags, window, seqno, ackno, and the bytes behind them. */
export function textOf(packet: Buffer): string {
  const pci = new Pci();
  if (!pci.read(packet, 0, packet.length)) return `short ${packet.toString('hex')}`;
  const more = packet.length - pciBytes;
  const head = `${hex(pci.flags, 2)} ${hex(pci.window, 6)} ${hex(pci.seqno, 8)} ${hex(pci.ackno, 8)}`;
  return more === 0 ? head : `${head} +${more}`;
}

export class FrctEnd implements FrctPort {
  readonly frct: Frct;
  now: number;
  /** Whether messages are taken as soon as they are delivered. */
  reads = true;
  /** Whether the port has room. */
  hasRoom = true;
  readonly delivered: string[] = [];
  /** What the port was told besides, in order. */
  readonly events: string[] = [];
  readonly #untaken: number[] = [];
  #sent: Buffer[] = [];

  constructor(setup: Partial<FrctSetup> = {}, now = 0) {
    this.now = now;
    this.frct = new Frct(
      { reliable: true, initialSeqno: 0x0a0b_0c0d, mplMs: 100, maxPacketBytes: 1496, ...setup },
      this,
    );
  }

  send(memory: Buffer, start: number, end: number): boolean {
    if (!this.hasRoom) return false;
    this.#sent.push(Buffer.from(memory.subarray(start, end)));
    return true;
  }

  deliver(memory: Buffer, start: number, end: number): void {
    this.delivered.push(memory.toString('latin1', start, end));
    if (this.reads) this.frct.taken(end - start);
    else this.#untaken.push(end - start);
  }

  ended(): void {
    this.events.push('ended');
  }

  writable(): void {
    this.events.push('writable');
  }

  settled(): void {
    this.events.push('settled');
  }

  down(code: string): void {
    this.events.push(`down ${code}`);
  }

  write(message: string): boolean {
    return this.frct.write(Buffer.from(message), this.now);
  }

  /** Takes so many messages that were delivered, and ends the turn. */
  take(count: number): void {
    for (const bytes of this.#untaken.splice(0, count)) this.frct.taken(bytes);
    this.frct.flush(this.now);
  }

  /** Packets of one turn come. */
  bring(...packets: readonly (Peers | Buffer)[]): void {
    for (const one of packets) {
      const packet = Buffer.isBuffer(one) ? one : packetOf(one);
      this.frct.receive(packet, 0, packet.length, this.now);
    }
    this.frct.flush(this.now);
  }

  /** Lets time pass; the end is called when it wants to be. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const deadline = this.frct.nextDeadline();
      if (deadline > until) break;
      this.now = Math.max(this.now, deadline);
      this.frct.advance(this.now);
      if (this.frct.nextDeadline() <= this.now) throw new Error('the deadline does not move on');
    }
    this.now = until;
  }

  /** What was sent since it was last asked. */
  packets(): Buffer[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** The same as text. */
  sent(): string[] {
    return this.packets().map(textOf);
  }
}
