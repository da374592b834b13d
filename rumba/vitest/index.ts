/**
 * Labs in tests of vitest, `o7s-testbed/vitest`:
 *
 * ```ts
 * import { expect } from 'vitest';
 * import { labTest } from 'o7s-testbed/vitest';
 * import topology from './topology.ts';
 *
 * const test = labTest(topology);
 * test('a reaches the server on b', async ({ lab }) => {
 *   const { code } = await lab.node('a').run(['oping', '-n', 'ping.b', '-c', '3', '-i', '10ms']);
 *   expect(code).toBe(0);
 * });
 * ```
 */
import { afterAll, beforeAll, test, type TestAPI } from 'vitest';
import { type RunningLab, type RunningLabOptions, up } from '../running-lab.ts';
import type { Topology } from '../model/topology.ts';

export interface LabTest {
  /** The lab, built before the first test of the file, and taken down after the last. */
  readonly lab: RunningLab;
}

/** How long a lab may take to be built, and to be taken down, in milliseconds: it is no part of the time of any test. */
const buildMs = 120_000;
const endMs = 60_000;

/** A `test` of which the tests get a lab of this topology; those of one file, or one `describe`, share it. */
export function labTest(topology: Topology, options: RunningLabOptions = {}): TestAPI<LabTest> {
  let lab: RunningLab | undefined;
  beforeAll(async () => {
    const { signal = AbortSignal.timeout(buildMs), ...rest } = options;
    lab = await up(topology, { ...rest, signal });
  }, buildMs + endMs);
  afterAll(async () => await lab?.[Symbol.asyncDispose](), endMs);
  return test.extend<LabTest>({
    // vitest reads from the pattern what a fixture needs: nothing.
    lab: async ({}, use) => {
      if (lab === undefined)
        throw new Error('the lab is not there: its tests belong where labTest was called');
      await use(lab);
    },
  }) as TestAPI<LabTest>;
}
