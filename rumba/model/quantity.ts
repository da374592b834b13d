/** Quantities of topology files and command lines. They have units, so that nobody has to guess one. */
import { TestbedError } from '../errors.ts';

const byteUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Bytes of a text such as `256MB` or `0.5 GiB`; `what` is whose they are, for the error. */
export function parseBytes(text: string, what: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(String(text)) ?? [];
  const factor = Object.hasOwn(byteUnits, unit) ? byteUnits[unit] : undefined;
  if (number === undefined || factor === undefined) {
    throw new TestbedError('ETOPOLOGY', `${what} is ${JSON.stringify(text)}, which is no number of bytes`, {
      hint: `write it with its unit, like 256MB; units: ${Object.keys(byteUnits).join(', ')}`,
    });
  }
  return Math.round(Number(number) * factor);
}
