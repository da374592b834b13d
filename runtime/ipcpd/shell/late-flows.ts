/**
 * Flows whose applications have closed their ends, while the other ends may not have heard the last acknowledgement. Each
 * is kept for a while and answers what comes with what the application left for that: its last word (ADR 0024).
 */
import type { LastWord } from './application-port.ts';
import type { FlowUser, LayerFlow } from './layer.ts';
import { frctLimits, inactivityMs, maxPacketLifetimeMs } from '../../lib/frct/limits.ts';
import type { Deadlines, Millis } from '../../lib/time/clock.ts';
import { never } from '../../lib/time/clock.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { Turn } from './turn.ts';

/** Flows kept at once; the one that was kept longest goes first. */
const flowsMax = 1024;
/** A retransmission is answered once, however many come together, and two ends that are both gone soon fall silent. */
const pauseMs: Millis = 10;
const answersMax = 16;
/** Bytes of last words kept at once: hundreds for each flow, more than FRCT writes. The same rule. */
const wordBytesMax = 1024 * 1024;
/** No end waits longer for another than FRCT does over the slowest layer. */
const keptMsMax: Millis = inactivityMs('sender', Math.max(...Object.values(maxPacketLifetimeMs)), frctLimits);

class LateFlow implements FlowUser {
  readonly ipcp: number;
  readonly until: Millis;
  readonly flow: LayerFlow;
  readonly #packet: Buffer;
  readonly #owner: LateFlows;
  #answers = 0;
  #silentUntil: Millis = 0;

  constructor(owner: LateFlows, ipcp: number, flow: LayerFlow, word: LastWord, now: Millis) {
    this.#owner = owner;
    this.ipcp = ipcp;
    this.flow = flow;
    this.until = now + Math.min(word.ms, keptMsMax);
    this.#packet = word.packet;
  }

  /** Of its last word. */
  get bytes(): number {
    return this.#packet.length;
  }

  deliver(packet: Packet): void {
    if (packet.start === packet.end || this.#answers === answersMax) return;
    const now = this.#owner.clock();
    if (now < this.#silentUntil) return;
    this.#silentUntil = now + pauseMs;
    this.#answers += 1;
    this.#owner.answer(this.flow, this.#packet);
  }

  setUp(): void {
    // Nobody is left to be told.
  }

  released(): void {
    this.#owner.release(this);
  }
}

export class LateFlows implements Deadlines {
  readonly clock: () => Millis;
  readonly #turn: Turn;
  readonly #flows = new Set<LateFlow>();
  #bytes = 0;
  /** Packets answered. */
  answered = 0;

  constructor(turn: Turn, clock: () => Millis) {
    this.#turn = turn;
    this.clock = clock;
  }

  get count(): number {
    return this.#flows.size;
  }

  /** Keeps a flow; returns who uses it from now on. */
  keep(ipcp: number, flow: LayerFlow, word: LastWord): FlowUser {
    for (const oldest of this.#flows) {
      if (this.#flows.size < flowsMax && this.#bytes + word.packet.length <= wordBytesMax) break;
      this.release(oldest);
    }
    const late = new LateFlow(this, ipcp, flow, word, this.clock());
    this.#flows.add(late);
    this.#bytes += late.bytes;
    return late;
  }

  /** An IPCP goes, and its flows with it. */
  releaseOf(ipcp: number): void {
    for (const late of this.#flows) if (late.ipcp === ipcp) this.release(late);
  }

  /** Called by its flows. */
  answer(flow: LayerFlow, packet: Buffer): void {
    const answer = this.#turn.packets.take(packet.length);
    answer.append(packet, 0, packet.length);
    this.answered += 1;
    flow.write(answer);
  }

  /** Called by its flows. */
  release(late: LateFlow): void {
    if (!this.#flows.delete(late)) return;
    this.#bytes -= late.bytes;
    late.flow.deallocate(this.clock());
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { until } of this.#flows) earliest = Math.min(earliest, until);
    return earliest;
  }

  advance(now: Millis): void {
    for (const late of this.#flows) if (late.until <= now) this.release(late);
    this.#turn.end();
  }
}
