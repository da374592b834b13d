/** Pings of a storyboard: what `oping --json` tells of them, and figures of it. */

/** One packet, in the order in which packets were sent. */
export interface Sample {
  /** Ms since the storyboard began. */
  readonly at: number;
  /** Ms there and back; null where no answer came. */
  readonly rttMs: number | null;
}

export interface PingResult {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly intervalMs: number;
  readonly samples: readonly Sample[];
  /** What went wrong with the program itself, in words. */
  readonly error?: string;
}

/** Samples of the lines of `oping --json -D`; `origin` is when the storyboard began, ms since 1970. */
export function samplesOf(text: string, intervalMs: number, origin: number): Sample[] {
  const answers = new Map<number, { at: number; rttMs: number }>();
  let sent = 0;
  for (const line of text.split('\n')) {
    const told = parse(line);
    if (told?.type === 'statistics') sent = Math.max(sent, told.sent ?? 0);
    if (told?.type !== 'reply' || told.seq === undefined || told.rttMs === undefined) continue;
    sent = Math.max(sent, told.seq + 1);
    const at = (told.at ?? 0) * 1000 - told.rttMs - origin;
    if (!answers.has(told.seq)) answers.set(told.seq, { at, rttMs: told.rttMs });
  }
  const [first] = answers;
  const begin = first === undefined ? 0 : first[1].at - first[0] * intervalMs;
  let last = begin - intervalMs;
  return Array.from({ length: sent }, (_, seq) => {
    const answer = answers.get(seq);
    // One that was lost was sent an interval after the one before it.
    last = answer?.at ?? last + intervalMs;
    return { at: round(last), rttMs: answer === undefined ? null : answer.rttMs };
  });
}

interface Told {
  readonly type?: string;
  readonly seq?: number;
  readonly rttMs?: number;
  readonly at?: number;
  readonly sent?: number;
}

function parse(line: string): Told | undefined {
  try {
    return JSON.parse(line) as Told;
  } catch {
    return undefined;
  }
}

/** Share of packets without an answer; 1 where none was sent. */
export function lossOf(samples: readonly Sample[]): number {
  const lost = samples.filter(({ rttMs }) => rttMs === null).length;
  return samples.length === 0 ? 1 : lost / samples.length;
}

/** The round trip that this share of answers does not exceed, ms; infinite without answers. */
export function rttOf(samples: readonly Sample[], share: number): number {
  const times = samples.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])).toSorted((a, b) => a - b);
  return times[Math.max(0, Math.ceil(share * times.length) - 1)] ?? Number.POSITIVE_INFINITY;
}

/** The longest time in which no packet that was sent was answered, ms; infinite where that lasted to the end. */
export function outageOf(samples: readonly Sample[], intervalMs: number): number {
  let [longest, begun] = [0, undefined as number | undefined];
  for (const { at, rttMs } of samples) {
    if (rttMs === null) begun ??= at;
    else if (begun !== undefined) {
      longest = Math.max(longest, at - begun);
      begun = undefined;
    }
  }
  if (samples.length === 0) return Number.POSITIVE_INFINITY;
  const [tail] = samples.slice(-1);
  if (begun === undefined || tail === undefined) return longest;
  // A packet or two at the very end may just not have been answered yet.
  return tail.at - begun < 2 * intervalMs ? longest : Number.POSITIVE_INFINITY;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
