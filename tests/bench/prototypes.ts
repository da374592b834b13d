/** Figures of the prototype, which does not survive all that is asked of it: each attempt is bounded, and so is their number. */
import { setTimeout as delay } from 'node:timers/promises';
import { MixedLayer } from '../support/mixed-layer.ts';
import { figure, leftOut, reasonOf, type Round } from './bench.ts';
import type { Figure, LeftOut, Subject } from './table.ts';

/** A figure that is wanted of a network of prototypes. */
export interface Wanted<Network> {
  readonly subject: Subject;
  /** Rejects where the prototype failed. */
  measure(network: Network): Promise<number>;
}

const attemptsMax = 8;
/** No attempt starts later than this after the first, ms. */
const patienceMs = { quick: 75_000, whole: 180_000 } as const;

/**
 * Takes as many figures from a network as it lives to give, and the others from further ones. What failed comes last in the
 * next one.
 */
export async function* onPrototypes<Network extends AsyncDisposable>(
  make: () => Promise<Network>,
  wanted: readonly Wanted<Network>[],
  { quick }: Pick<Round, 'quick'>,
): AsyncGenerator<Figure | LeftOut, void, void> {
  let left = [...wanted];
  let why = '';
  const end = performance.now() + patienceMs[quick ? 'quick' : 'whole'];
  // What is left after so many networks each failed at once is left out.
  for (let failed = 0; left.length > 0 && failed < attemptsMax && performance.now() < end;) {
    const before = left.length;
    try {
      await using network = await make();
      while (left[0] !== undefined) {
        const value = await left[0].measure(network);
        yield figure(left[0].subject, 'prototype', value);
        left = left.slice(1);
      }
    } catch (error) {
      why = reasonOf(error);
      const [first] = left;
      if (first !== undefined && left.length > 1) left = [...left.slice(1), first];
    }
    if (left.length === before) failed += 1;
  }
  for (const { subject } of left)
    yield leftOut(subject, 'prototype', `it failed again and again, lastly: ${why}`);
}

/** Bounds a command on a prototype, whose programs may ignore that they are told to end. */
export function limited(seconds: number, processors: string, command: readonly string[]): string[] {
  return ['timeout', '-k', '2', String(seconds), 'taskset', '-c', processors, ...command];
}

/** How long a step of `irm` may take with a prototype that has not lost the answer to an allocation, ms. It takes 1 s. */
const stepMs = 6000;
/** How long the prototype takes at most to calculate its routes, ms. */
const settleMs = 5000;

/**
 * A layer of prototypes alone that has converged. Where an allocation of one gets no answer, the IPCP below may answer none
 * any more (link-ipcps.md 9.2), so a step that takes too long is the end of the layer.
 */
export async function prototypeLayer(
  prefix: string,
  names: readonly string[],
  cables: readonly (readonly [string, string])[],
  options: { readonly processors?: string; readonly bootstrap?: string } = {},
): Promise<MixedLayer> {
  const nodes = Object.fromEntries(names.map((name) => [name, 'peer' as const]));
  const { processors, bootstrap = '' } = options;
  const layer = await MixedLayer.make({
    prefix,
    nodes,
    cables,
    stepMs,
    options: `ls_t_recalc 1 ${bootstrap}`.trim(),
    ...(processors !== undefined && { processors }),
  });
  await delay(settleMs);
  return layer;
}

/** Nodes n1, n2 and so on in a line, under one unicast layer. */
export function prototypeLine(prefix: string, count: number, processors: string): Promise<MixedLayer> {
  const names = Array.from({ length: count }, (_each, index) => `n${index + 1}`);
  const cables = names.slice(1).map((name, index) => [names[index] ?? '', name] as const);
  return prototypeLayer(prefix, names, cables, { processors });
}
