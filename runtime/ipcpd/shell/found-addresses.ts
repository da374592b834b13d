/**
 * Where a link layer finds names: questions under way, answers that are believed for a while, and the flows that are
 * asked for by them. How a question is put is the layer's. Source: link-ipcps.md 2.5, 4.6, 6, 9.10.
 */
import { errnoOf } from '../../lib/errors.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { FlowOutcome, FlowUser, LayerFlow } from './layer.ts';
import type { LinkFlows } from './link-flows.ts';

export interface FoundAddressLimits {
  /** How long a question may take. */
  readonly queryMs: Millis;
  /** How often it is put again until then; `never` where that is somebody else's business. */
  readonly queryRepeatMs: Millis;
  /** How long an answer is believed. */
  readonly cacheMs: Millis;
  /** Answers remembered; beyond them the oldest are forgotten. */
  readonly cacheEntriesMax: number;
}

export const foundAddressLimits: Pick<FoundAddressLimits, 'cacheMs' | 'cacheEntriesMax'> = {
  cacheMs: 60_000,
  cacheEntriesMax: 4096,
};

/** `reason` is why it was not found, where there is something to say. */
export type OnFound = (known: boolean, reason?: string) => void;

interface Question {
  readonly waiting: OnFound[];
  readonly deadline: Millis;
  repeatAt: Millis;
}

interface Answer<Address> {
  readonly address: Address;
  readonly since: Millis;
}

/** Names are known by the hexadecimal digits of their hash. */
export class FoundAddresses<Address> {
  readonly #limits: FoundAddressLimits;
  readonly #questions = new Map<string, Question>();
  /** In the order in which names were first found. */
  readonly #answers = new Map<string, Answer<Address>>();

  constructor(limits: FoundAddressLimits) {
    this.#limits = limits;
  }

  /**
   * Asks where a name is; `done` is called once.
   *
   * @returns whether the question has to be put: the answer is not known, and nobody waits for it yet.
   */
  ask(key: string, now: Millis, done: OnFound): boolean {
    if (this.has(key, now)) {
      done(true);
      return false;
    }
    const question = this.#questions.get(key);
    if (question !== undefined) {
      question.waiting.push(done);
      return false;
    }
    const { queryMs, queryRepeatMs } = this.#limits;
    this.#questions.set(key, { waiting: [done], deadline: now + queryMs, repeatAt: now + queryRepeatMs });
    return true;
  }

  /** Whether an answer about a name is waited for. */
  isAsked(key: string): boolean {
    return this.#questions.has(key);
  }

  /** Whether it is known where a name is. */
  has(key: string, now: Millis): boolean {
    return this.#answer(key, now) !== undefined;
  }

  /** An answer came, or news: where a name is; undefined when nobody has it. */
  answered(key: string, address: Address | undefined, now: Millis, reason?: string): void {
    if (address !== undefined) this.#remember(key, address, now);
    this.#settle(key, address !== undefined, reason);
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline, repeatAt } of this.#questions.values()) {
      earliest = Math.min(earliest, deadline, repeatAt);
    }
    return earliest;
  }

  /** Ends questions whose time is over; the names that have to be asked for again. */
  advance(now: Millis): string[] {
    const again: string[] = [];
    for (const [key, question] of this.#questions) {
      if (question.deadline <= now) this.#settle(key, false, 'no answer in time');
      else if (question.repeatAt <= now) {
        question.repeatAt = now + this.#limits.queryRepeatMs;
        again.push(key);
      }
    }
    return again;
  }

  close(): void {
    for (const key of [...this.#questions.keys()]) this.#settle(key, false);
  }

  /** Requests a flow from where its name was found; where that is not known, nobody is asked. */
  allocate(
    flows: LinkFlows<Address>,
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const key = hash.toString('hex');
    const answer = this.#answer(key, now);
    if (answer === undefined) return flows.unanswered(done);
    // Who was found just now and refuses the name does not have it; who was found before that had it then.
    const isFresh = now - answer.since < this.#limits.queryMs;
    return flows.allocate(answer.address, hash, qos, piggyback, user, now, (outcome) => {
      const isUnknown = outcome.kind === 'refused' && outcome.response === -errnoOf('ENAME');
      // The name may have moved: the next attempt asks again, unless there is news already.
      if ((outcome.kind === 'unanswered' || isUnknown) && this.#answers.get(key) === answer) {
        this.#answers.delete(key);
      }
      done(isUnknown && !isFresh ? { kind: 'unanswered' } : outcome);
    });
  }

  #remember(key: string, address: Address, now: Millis): void {
    if (this.#answers.size >= this.#limits.cacheEntriesMax && !this.#answers.has(key)) {
      const oldest = this.#answers.keys().next();
      if (oldest.done !== true) this.#answers.delete(oldest.value);
    }
    this.#answers.set(key, { address, since: now });
  }

  #settle(key: string, known: boolean, reason?: string): void {
    const question = this.#questions.get(key);
    this.#questions.delete(key);
    for (const done of question?.waiting ?? []) done(known, reason);
  }

  #answer(key: string, now: Millis): Answer<Address> | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined || now - answer.since < this.#limits.cacheMs) return answer;
    this.#answers.delete(key);
    return undefined;
  }
}
