import { expect, test } from 'vitest';
import { closingLine, unmetProjects } from './closing-line.ts';

test('the line', () => {
  expect(closingLine({ passed: 12, failed: 1 })).toBe('12 passed, 1 failed\n');
});

test('a required project must run, and run all of its tests', () => {
  const counts = new Map([
    ['unit', { passed: 3, failed: 1, skipped: 0 }],
    ['netns', { passed: 3, failed: 0, skipped: 1 }],
    ['process', { passed: 0, failed: 0, skipped: 0 }],
  ]);
  expect(unmetProjects(undefined, counts)).toEqual([]);
  expect(unmetProjects('unit', counts)).toEqual([]);
  expect(unmetProjects('unit, netns,process,docker', counts)).toEqual([
    'netns: 1 skipped',
    'process: no test ran',
    'docker: no test ran',
  ]);
});
