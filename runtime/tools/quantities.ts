/** Numbers, times and rates as they are written on the command lines of the tools. Source: tools.md 1.1, 3.1, 4.1. */

const msByUnit: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const factorByPrefix: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

/** A number with a unit behind it, or the unit that is unknown. */
export type Measured = number | { readonly unknownUnit: string };

function measured(text: string, factors: Readonly<Record<string, number>>): Measured {
  const [, digits = '', unit = ''] = /^\s*(\d*)(.*)$/s.exec(text) ?? [];
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined;
  return factor === undefined ? { unknownUnit: unit } : Number(digits) * factor;
}

/** A time, `90`, `90ms`, `3s`, `2m`, `1h` or `1d`, in ms. */
export function readTime(text: string): Measured {
  return measured(text, msByUnit);
}

/** A rate, `5k`, `5M` or `5G`, in bits a second; without a unit it counts thousands. */
export function readRate(text: string): Measured {
  return measured(text, { ...factorByPrefix, '': 1e3 });
}

/** A rate in bits a second of which only the number and a known unit count; what else is behind it does not. */
export function leadingRate(text: string): number {
  const unit = /^\s*\d+([kMG])$/.exec(text)?.[1] ?? '';
  return leadingNumber(text) * (factorByPrefix[unit] ?? 1);
}

/** The whole number a text begins with; what follows does not count, and no number is 0. */
export function leadingNumber(text: string): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0);
}

/** Megabits a second. */
export function megabits(bytes: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (bytes * 8) / (elapsedMs * 1000) : 0;
}
