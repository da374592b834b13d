/** What every part of a directory needs: who it is, how it sends, what it counts, chance. */
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import type { DirectoryPort } from '../directory.ts';
import { type DhtCounter, type DhtCounts, kindCounters, newCounts } from './counters.ts';
import type { DhtLimits } from './limits.ts';
import {
  type DirectoryMessage,
  encodeAnswer,
  encodeMessage,
  extension,
  type NodeAnswer,
  type Peer,
  type ValueAnswer,
} from './message.ts';

/** A message but for who sends it. */
export type Unsigned<T> = T extends DirectoryMessage ? Omit<T, 'from' | 'extensions'> : never;

export interface ExchangeOptions {
  readonly address: Address;
  /** The id of a member of our kind. */
  readonly idOf: (address: Address) => Buffer;
  readonly port: DirectoryPort;
  readonly random: (bytes: number) => Buffer;
  readonly limits: DhtLimits;
}

/** What all of our kind speak. */
export const ownExtensions = extension.withdrawals | extension.acknowledgements;

export class Exchange {
  readonly self: Peer;
  readonly idOf: (address: Address) => Buffer;
  readonly limits: DhtLimits;
  readonly counts: DhtCounts = newCounts();
  readonly #port: DirectoryPort;
  readonly #random: (bytes: number) => Buffer;

  constructor(options: ExchangeOptions) {
    const { address, idOf } = options;
    this.self = { address, id: idOf(address) };
    this.idOf = idOf;
    this.limits = options.limits;
    this.#port = options.port;
    this.#random = options.random;
  }

  count(reason: DhtCounter): void {
    this.counts[reason] += 1;
  }

  random(bytes: number): Buffer {
    return this.#random(bytes);
  }

  /** A number from 0 up to, not including, 1. */
  chance(): number {
    return this.#random(4).readUInt32BE(0) / 2 ** 32;
  }

  /** A time of about so long, so that members do not do the same at once for ever. */
  spread(ms: Millis): Millis {
    return ms * (0.9 + 0.2 * this.chance());
  }

  /** A number to know an answer by: not 0, and exact as a number of any kind. */
  cookie(): number {
    return Math.max(1, this.#random(6).readUIntBE(0, 6));
  }

  /** True for a member that routing knows to be of our kind. */
  isOurs(address: Address): boolean {
    return this.#port.isOurs(address);
  }

  /** Sends a message; false when there is no route. */
  send(to: Address, message: Unsigned<DirectoryMessage>): boolean {
    const signed = { ...message, from: this.self, extensions: ownExtensions } as DirectoryMessage;
    return this.#sendBytes(to, message.code, encodeMessage(signed));
  }

  /** Sends an answer, with as much as one packet holds. */
  sendAnswer(to: Address, answer: Unsigned<NodeAnswer | ValueAnswer>): boolean {
    const signed = { ...answer, from: this.self, extensions: ownExtensions };
    return this.#sendBytes(to, answer.code, encodeAnswer(signed, this.#port.maxMessageBytes));
  }

  #sendBytes(to: Address, code: DirectoryMessage['code'], bytes: Buffer): boolean {
    if (!this.#port.send(to, bytes)) {
      this.count('noRoute');
      return false;
    }
    this.count('messagesOut');
    this.count(kindCounters[code][1]);
    return true;
  }
}
