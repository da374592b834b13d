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
import { test, type TestAPI } from 'vitest';
import { type RunningLab, type RunningLabOptions, up } from '../running-lab.ts';
import type { Topology } from '../model/topology.ts';

export interface LabTest {
  /** The lab, built for the first test of the file that names it, and taken down after the last. */
  readonly lab: RunningLab;
}

/** How long a lab may take to be built, in milliseconds. */
const buildMs = 120_000;

/** A `test` of which the tests get a lab of this topology; those of one file share it. */
export function labTest(topology: Topology, options: RunningLabOptions = {}): TestAPI<LabTest> {
  const { signal = AbortSignal.timeout(buildMs), ...rest } = options;
  return test.extend<LabTest>({
    lab: [
      // vitest reads from the pattern what a fixture needs: nothing.
      async ({}, use) => {
        await using lab = await up(topology, { ...rest, signal });
        await use(lab);
      },
      { scope: 'file' },
    ],
  }) as TestAPI<LabTest>;
}
