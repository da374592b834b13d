/** What is wrong with one direction of a link: as people write it, with units, and as numbers. */
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';

/** As written. Each may be left out. */
export interface ImpairmentOptions {
  /** How long a frame is under way, `20ms`. */
  delay?: string;
  /** By how much that varies to either side, every value as likely, `2ms`; frames keep their order. */
  jitter?: string;
  /** Share of frames that are lost, `0.5%`. */
  loss?: string;
  /** Bits that leave in a second, `10Mbit`; a frame counts with its Ethernet header. */
  rate?: string;
  /** Share of frames that come twice, `1%`. */
  duplicate?: string;
  /** Share of frames that are not delayed, and so overtake those that are, `1%`. */
  reorder?: string;
  /** Share of frames of which one bit behind the Ethernet header is turned, `0.1%`. */
  corrupt?: string;
  /** Frames that may wait for the rate, `50frames`; what comes when so many wait is lost. */
  queue?: string;
}

/** The same as numbers. Shares are from 0 to 1. */
export interface Impairment {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  /** Bits a second; null is without limit. */
  readonly rate: number | null;
  readonly duplicate: number;
  readonly reorder: number;
  readonly corrupt: number;
  readonly queueFrames: number;
}

/** One for each direction: from the first end to the second, and back. For a LAN, from each node and to it. */
export type Impairments = readonly [Impairment, Impairment];

/** What impairs a link: the kernel's own queues, or a process of the lab. */
export type ImpairedBy = 'netem' | 'wire';

export const perfect: Impairment = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  rate: null,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  queueFrames: 1000,
};

/** The seed of a link's choices where none is asked for. */
export const impairmentSeed = 1;

const optionKeys = {
  delay: true,
  jitter: true,
  loss: true,
  rate: true,
  duplicate: true,
  reorder: true,
  corrupt: true,
  queue: true,
} as const;

export const impairmentNames = Object.keys(optionKeys) as (keyof ImpairmentOptions)[];

const timeUnits: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };
const rateUnits: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

const delayMsMax = 60_000;
const queueFramesMax = 1_000_000;

/** The longest that a frame may be under way, in milliseconds, once it has left at the rate. */
export const underWayMsMax = 2 * delayMsMax;

/** What is written, over what there was. Throws ETOPOLOGY for a value without a unit, or out of range. */
export function impairment(
  options: ImpairmentOptions,
  what: string,
  before: Impairment = perfect,
): Impairment {
  checkKeys(options, optionKeys, what);
  const { delay, jitter, loss, rate, duplicate, reorder, corrupt, queue } = options;
  const result: Impairment = {
    delayMs: delay === undefined ? before.delayMs : parseMs(delay, `delay of ${what}`, delayMsMax),
    jitterMs: jitter === undefined ? before.jitterMs : parseMs(jitter, `jitter of ${what}`, delayMsMax),
    loss: loss === undefined ? before.loss : parseShare(loss, `loss of ${what}`),
    rate: rate === undefined ? before.rate : parseRate(rate, `rate of ${what}`),
    duplicate: duplicate === undefined ? before.duplicate : parseShare(duplicate, `duplicate of ${what}`),
    reorder: reorder === undefined ? before.reorder : parseShare(reorder, `reorder of ${what}`),
    corrupt: corrupt === undefined ? before.corrupt : parseShare(corrupt, `corrupt of ${what}`),
    queueFrames: queue === undefined ? before.queueFrames : parseFrames(queue, `queue of ${what}`),
  };
  if (result.reorder > 0 && result.delayMs === 0) {
    throw new TestbedError('ETOPOLOGY', `${what} reorders frames that are not delayed`, {
      hint: 'give it a delay too: those that are not delayed overtake the others',
    });
  }
  return result;
}

/** What is wrong with a LAN as a whole happens to frames once: as they come in. */
export function into(each: Impairment): Impairments {
  return [each, perfect];
}

export function isPerfect(each: Impairment): boolean {
  const { queueFrames: _, ...rest } = each;
  const { queueFrames: __, ...nothing } = perfect;
  return JSON.stringify(rest) === JSON.stringify(nothing);
}

/** In the words of the command line; `-` for nothing. */
export function impairmentText(each: Impairment): string {
  const share = (name: string, value: number): string[] =>
    value === 0 ? [] : [`${name} ${Number((value * 100).toPrecision(6))}%`];
  const words = [
    ...(each.delayMs === 0 ? [] : [`delay ${each.delayMs}ms`]),
    ...(each.jitterMs === 0 ? [] : [`jitter ${each.jitterMs}ms`]),
    ...share('loss', each.loss),
    ...(each.rate === null ? [] : [`rate ${rateText(each.rate)}`]),
    ...share('duplicate', each.duplicate),
    ...share('reorder', each.reorder),
    ...share('corrupt', each.corrupt),
    ...(each.queueFrames === perfect.queueFrames ? [] : [`queue ${each.queueFrames}frames`]),
  ];
  return words.join(' ') || '-';
}

/** Milliseconds of a text such as `20ms` or `1.5 s`. */
export function parseMs(text: string, what: string, max = Number.POSITIVE_INFINITY): number {
  const ms = quantity(text, timeUnits, what, 'a time', '20ms; units: us, ms, s');
  if (ms > max) throw new TestbedError('ETOPOLOGY', `${what} is ${text}, ${max / 1000}s is the most`);
  return ms;
}

/** A share from 0 to 1 of a text such as `0.5%`. */
export function parseShare(text: string, what: string): number {
  const share = quantity(text, { '%': 0.01 }, what, 'a share', '0.5%');
  if (share > 1) throw new TestbedError('ETOPOLOGY', `${what} is ${text}, 100% is the most`);
  return share;
}

function parseRate(text: string, what: string): number | null {
  if (text === 'unlimited') return null;
  const rate = quantity(
    text,
    rateUnits,
    what,
    'a rate',
    '10Mbit; units: bit, kbit, Mbit, Gbit, or unlimited',
  );
  if (rate < 1)
    throw new TestbedError('ETOPOLOGY', `${what} is ${text}`, { hint: 'set the link down instead' });
  return rate;
}

function parseFrames(text: string, what: string): number {
  const frames = quantity(text, { frame: 1, frames: 1 }, what, 'a number of frames', '50frames');
  if (Number.isInteger(frames) && frames >= 1 && frames <= queueFramesMax) return frames;
  throw new TestbedError('ETOPOLOGY', `${what} is ${text}`, { hint: `use 1 to ${queueFramesMax} frames` });
}

function quantity(
  text: string,
  units: Readonly<Record<string, number>>,
  what: string,
  kind: string,
  example: string,
): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z%]+)$/.exec(String(text)) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  if (number === undefined || factor === undefined) {
    throw new TestbedError('ETOPOLOGY', `${what} is ${JSON.stringify(text)}, which is not ${kind}`, {
      hint: `write it with its unit, like ${example}`,
    });
  }
  return Number((Number(number) * factor).toPrecision(12));
}

function rateText(rate: number): string {
  const [unit, factor] =
    rate % 1e9 === 0
      ? ['Gbit', 1e9]
      : rate % 1e6 === 0
        ? ['Mbit', 1e6]
        : rate % 1e3 === 0
          ? ['kbit', 1e3]
          : ['bit', 1];
  return `${rate / Number(factor)}${unit}`;
}
