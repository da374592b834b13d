/** The helper for vitest, as a user writes with it. */
import { labTest } from 'o7s-testbed/vitest';
import { expect } from 'vitest';
import topology from '../../topologies/two-nodes.ts';

const test = labTest(topology, { testbed: 'netns' });
let first = '';

test('what building the lab takes is not of the first test', { timeout: 500 }, ({ lab }) => {
  expect(lab.name).not.toBe('');
});

test('a reaches the server on b', async ({ lab }) => {
  const { code } = await lab.node('a').run(['oping', '-n', 'ping.b', '-c', '2', '-i', '10ms']);
  expect(code).toBe(0);
  first = lab.name;
});

test('all tests of a file share a lab', ({ lab }) => {
  expect(lab.name).toBe(first);
});
