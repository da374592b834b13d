/**
 * Where a link layer found names: answers that are believed for a while, and the flows that are asked for by them. How
 * a name is looked for is the layer's. Source: link-ipcps.md 2.5, 4.6, 6, 9.10.
 */
import type { QosSpec } from '../../lib/qos.ts';
import type { Millis } from '../../lib/time/clock.ts';
import type { FlowOutcome, FlowUser, LayerFlow } from './layer.ts';
import type { LinkFlows } from './link-flows.ts';

export interface FoundAddressLimits {
  /** How long an answer is believed. */
  readonly cacheMs: Millis;
  /** Answers remembered; beyond them the oldest are forgotten. */
  readonly cacheEntriesMax: number;
}

export const foundAddressLimits: FoundAddressLimits = { cacheMs: 60_000, cacheEntriesMax: 4096 };

interface Answer<Address> {
  readonly address: Address;
  readonly expires: Millis;
}

export class FoundAddresses<Address> {
  readonly #limits: FoundAddressLimits;
  /** By hash in hexadecimal digits, in the order in which they were first given. */
  readonly #answers = new Map<string, Answer<Address>>();

  constructor(limits: FoundAddressLimits) {
    this.#limits = limits;
  }

  /** Whether it is known where a name is. */
  has(key: string, now: Millis): boolean {
    return this.#answer(key, now) !== undefined;
  }

  set(key: string, address: Address, now: Millis): void {
    if (this.#answers.size >= this.#limits.cacheEntriesMax && !this.#answers.has(key)) {
      const oldest = this.#answers.keys().next();
      if (oldest.done !== true) this.#answers.delete(oldest.value);
    }
    this.#answers.set(key, { address, expires: now + this.#limits.cacheMs });
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
    return flows.allocate(answer.address, hash, qos, piggyback, user, now, (outcome) => {
      // Who does not answer may have moved: the next attempt asks again, unless there is news already.
      if (outcome.kind === 'unanswered' && this.#answers.get(key) === answer) this.#answers.delete(key);
      done(outcome);
    });
  }

  #answer(key: string, now: Millis): Answer<Address> | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined || answer.expires > now) return answer;
    this.#answers.delete(key);
    return undefined;
  }
}
