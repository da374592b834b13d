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

/** A time in which no packet that was sent was answered, ms since the storyboard began; `to` is null for one to the end. */
export interface Outage {
  readonly from: number;
  readonly to: number | null;
}

export function outagesOf(samples: readonly Sample[], intervalMs: number): Outage[] {
  const found: Outage[] = [];
  let from: number | undefined;
  for (const { at, rttMs } of samples) {
    if (rttMs === null) from ??= at;
    else if (from !== undefined) {
      found.push({ from, to: at });
      from = undefined;
    }
  }
  const last = samples.at(-1)?.at ?? 0;
  // A packet or two at the very end may just not have been answered yet.
  if (from !== undefined && last - from >= 2 * intervalMs) found.push({ from, to: null });
  return found;
}

/** The longest of them, ms; infinite where one lasted to the end, and where nothing was sent. */
export function outageOf(samples: readonly Sample[], intervalMs: number): number {
  if (samples.length === 0) return Number.POSITIVE_INFINITY;
  const lasting = outagesOf(samples, intervalMs).map(
    ({ from, to }) => (to ?? Number.POSITIVE_INFINITY) - from,
  );
  return Math.max(0, ...lasting);
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
