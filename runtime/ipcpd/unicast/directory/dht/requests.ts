/** Requests that wait for an answer: repeated, and given up in the end. Source: unicast-layer.md 7.5. */
import { numberOf } from '../../../../lib/pb/int64.ts';
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import type { Agenda, Task } from './agenda.ts';
import type { Exchange } from './exchange.ts';
import { type messageCode, type NodeAnswer, type ValueAnswer } from './message.ts';

export type Answer = NodeAnswer | ValueAnswer;
export type RequestCode = typeof messageCode.findNode | typeof messageCode.findValue;

/** Who asked; of `answered` and `failed` one is called, once. */
export interface Asker {
  answered(answer: Answer, now: Millis): void;
  /** The answer is overdue: the request was repeated. */
  late(now: Millis): void;
  /** No answer came, or the route went; not called where there was none from the start. */
  failed(now: Millis): void;
}

interface Request {
  readonly cookie: number;
  readonly to: Address;
  readonly code: RequestCode;
  readonly key: Buffer;
  readonly asker: Asker;
  readonly started: Millis;
  repeats: number;
  task: Task | undefined;
}

export class Requests {
  readonly #exchange: Exchange;
  readonly #agenda: Agenda;
  readonly #unanswered: (by: Address, now: Millis) => void;
  readonly #pending = new Map<number, Request>();
  /** ms an answer takes, smoothed, and how much that varies (RFC 6298); undefined before the first. */
  #roundTrip: { mean: number; deviation: number } | undefined;

  /** `unanswered` hears of members that have a route and do not answer. */
  constructor(exchange: Exchange, agenda: Agenda, unanswered: (by: Address, now: Millis) => void) {
    this.#exchange = exchange;
    this.#agenda = agenda;
    this.#unanswered = unanswered;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Asks a member; false when there is no route to it. */
  ask(to: Address, code: RequestCode, key: Buffer, asker: Asker, now: Millis): boolean {
    let cookie = this.#exchange.cookie();
    while (this.#pending.has(cookie)) cookie = this.#exchange.cookie();
    const request: Request = { cookie, to, code, key, asker, started: now, repeats: 0, task: undefined };
    // The answer of a member on the same node may come before `send` returns.
    this.#pending.set(cookie, request);
    this.#wait(request);
    if (this.#exchange.send(to, { code, cookie, key })) return true;
    this.#end(request);
    return false;
  }

  /** What hands an answer to who asked; undefined when nobody waits for it from this member. */
  match(answer: Answer): ((now: Millis) => void) | undefined {
    const request = this.#pending.get(numberOf(answer.cookie));
    if (request === undefined || !request.key.equals(answer.key)) return undefined;
    if (request.to !== answer.from.address) return undefined;
    return (now) => {
      this.#end(request);
      // Of a repeated request it is not known which one was answered.
      if (request.repeats === 0) this.#measure(now - request.started);
      request.asker.answered(answer, now);
    };
  }

  /** Gives up what a member was asked: it cannot be reached any more. */
  giveUp(to: Address, now: Millis): void {
    for (const request of [...this.#pending.values()]) {
      if (request.to !== to) continue;
      this.#end(request);
      request.asker.failed(now);
    }
  }

  clear(): void {
    this.#pending.clear();
  }

  #wait(request: Request): void {
    const { answerMs, repeatMs } = this.#exchange.limits;
    const pause = repeatMs[request.repeats] ?? answerMs;
    const after = Math.min(request.repeats === 0 ? this.#overdueMs(pause) : pause, answerMs);
    request.task = this.#agenda.at(request.started + after, (now) => {
      if (after === answerMs) {
        this.#end(request);
        this.#exchange.count('requestsUnanswered');
        this.#unanswered(request.to, now);
        return request.asker.failed(now);
      }
      request.repeats += 1;
      const { to, code, cookie, key } = request;
      this.#exchange.send(to, { code, cookie, key });
      this.#wait(request);
      if (request.repeats === 1) request.asker.late(now);
    });
  }

  /** When the first repetition is due: soon, where answers come soon. */
  #overdueMs(max: Millis): Millis {
    if (this.#roundTrip === undefined) return max;
    const { mean, deviation } = this.#roundTrip;
    return Math.min(max, Math.max(this.#exchange.limits.overdueMs, mean + 4 * deviation));
  }

  #measure(ms: Millis): void {
    const known = this.#roundTrip;
    if (known === undefined) {
      this.#roundTrip = { mean: ms, deviation: ms / 2 };
      return;
    }
    known.deviation += (Math.abs(ms - known.mean) - known.deviation) / 4;
    known.mean += (ms - known.mean) / 8;
  }

  #end(request: Request): void {
    this.#pending.delete(request.cookie);
    request.task?.cancel();
  }
}
