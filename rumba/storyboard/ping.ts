/** Pings of a storyboard: what the program that sends them tells, and figures of it. */

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
  /** How often the flow to the server was lost; packets that were due without one are lost too. */
  readonly flowsLost: number;
  /** What went wrong with the program itself, in words. */
  readonly error?: string;
}

/** What the program that pings prints: when each packet was sent, ms since 1970, and ms until its answer. */
export interface ProbeReport {
  readonly samples: readonly (readonly [at: number, rttMs: number | null])[];
  readonly flowsLost: number;
  readonly error?: string;
}

/** What it printed; `origin` is when the storyboard began, ms since 1970. */
export function probed(text: string, origin: number): Pick<PingResult, 'samples' | 'flowsLost' | 'error'> {
  let report: ProbeReport;
  try {
    report = JSON.parse(text) as ProbeReport;
  } catch {
    return { samples: [], flowsLost: 0, error: 'it printed no report' };
  }
  const samples = report.samples.map(([at, rttMs]) => ({
    at: round(at - origin),
    rttMs: rttMs === null ? null : round(rttMs),
  }));
  return { ...report, samples };
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
