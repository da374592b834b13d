/**
 * Messages a second that two ends of FRCT pass on in memory, one way, on one processor. Packets are copied into memory that is
 * not used twice, as the data path does, and come in turns of up to 64.
 */
import { Frct, type FrctPort } from '../../../runtime/lib/frct/frct.ts';
import { type Bench, figure } from '../bench.ts';

const turnPackets = 64;
const chunkBytes = 64 * 1024;
const maxPacketBytes = 1496;

/** Where an end's packets wait until the other's turn. */
class Wire {
  readonly memory: Buffer[] = Array.from({ length: 2 * turnPackets });
  readonly start = new Uint32Array(2 * turnPackets);
  readonly end = new Uint32Array(2 * turnPackets);
  count = 0;
  #chunk = Buffer.allocUnsafeSlow(chunkBytes);
  #used = 0;

  push(memory: Buffer, start: number, end: number): void {
    const bytes = end - start;
    if (this.#used + bytes > chunkBytes) {
      this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
      this.#used = 0;
    }
    memory.copy(this.#chunk, this.#used, start, end);
    this.memory[this.count] = this.#chunk;
    this.start[this.count] = this.#used;
    this.#used += bytes;
    this.end[this.count] = this.#used;
    this.count += 1;
  }
}

class End implements FrctPort {
  readonly frct: Frct;
  readonly out = new Wire();
  other: End | undefined;
  delivered = 0;

  constructor(reliable: boolean, seqno: number) {
    this.frct = new Frct({ reliable, initialSeqno: seqno, mplMs: 100, maxPacketBytes }, this);
  }

  send(memory: Buffer, start: number, end: number): boolean {
    this.out.push(memory, start, end);
    return true;
  }

  deliver(_memory: Buffer, start: number, end: number): void {
    this.delivered += 1;
    this.frct.taken(end - start);
  }

  ended(): void {}
  writable(): void {}
  settled(): void {}
  down(): void {
    throw new Error('the flow went down');
  }

  /** Takes what the other has sent. */
  turn(now: number): void {
    const { out } = this.other as End;
    for (let index = 0; index < out.count; index += 1) {
      this.frct.receive(
        out.memory[index] as Buffer,
        out.start[index] as number,
        out.end[index] as number,
        now,
      );
    }
    out.count = 0;
    this.frct.flush(now);
    if (this.frct.nextDeadline() <= now) this.frct.advance(now);
  }
}

/** Messages a second. */
function run(reliable: boolean, bytes: number, seconds: number): number {
  const [a, b] = [new End(reliable, 1), new End(reliable, 2)];
  [a.other, b.other] = [b, a];
  const message = new Uint8Array(bytes);
  const startedAt = performance.now();
  let now = startedAt;
  while (now - startedAt < seconds * 1000) {
    for (let turns = 0; turns < 100; turns += 1) {
      now = performance.now();
      for (let count = 0; count < turnPackets && a.frct.write(message, now); count += 1);
      b.turn(now);
      a.turn(now);
    }
  }
  return b.delivered / ((now - startedAt) / 1000);
}

export const frct: Bench = {
  about: 'messages a second that two ends of FRCT pass on in memory',
  async *measure({ quick }) {
    const seconds = quick ? 0.3 : 1;
    // Once to warm up.
    for (const reliable of [true, false]) run(reliable, 64, seconds);
    for (const bytes of [64, 512, 1400]) {
      for (const reliable of [true, false]) {
        const what = `FRCT in memory, ${reliable ? 'reliable' : 'best effort'}: messages of ${bytes} bytes`;
        yield figure({ what, unit: '1/s', better: 'more' }, 'ours', run(reliable, bytes, seconds));
      }
    }
  },
};
