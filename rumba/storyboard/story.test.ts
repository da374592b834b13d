import { expect, test } from 'vitest';
import { ethLink } from '../model/link.ts';
import { node } from '../model/node.ts';
import { topology } from '../model/build.ts';
import { linkDown, run } from './actions.ts';
import { Story, storyboard, type StoryPlan } from './story.ts';

const [a, b, c] = [node('a'), node('b'), node('c')];
const links = [ethLink(a, b), ethLink(b, c)];
const chain = topology({ nodes: [a, b, c], links });

function planned(tell: (story: Story) => void, seed = 1): StoryPlan {
  return new Story(storyboard({ topology: chain, duration: '60s' }, tell), seed).plan('x');
}

test('steps are in the order of their times, and those that follow others come last', () => {
  const { steps } = planned((story) => {
    const late = story.at('2s', linkDown(links[0] ?? 'a-b'));
    story.after(late, '1s', run(a, ['true']));
    story.every('20s', run(b, ['true']), { start: '1s' });
  });
  expect(steps.map(({ step, time, kind, target }) => [step, time, kind, target])).toEqual([
    [3, { atMs: 1000 }, 'run', 'b'],
    [1, { atMs: 2000 }, 'link.down', 'a-b'],
    [4, { atMs: 21_000 }, 'run', 'b'],
    [5, { atMs: 41_000 }, 'run', 'b'],
    [2, { afterStep: 1, delayMs: 1000 }, 'run', 'a'],
  ]);
});

test('pings of one name from one node are numbered, others are not', () => {
  const names: string[] = [];
  planned((story) => {
    for (const to of ['ping.bc', 'ping.b', 'ping.b', 'ping.bc']) names.push(story.ping({ from: a, to }).name);
    names.push(story.ping({ from: b, to: 'ping.b' }).name);
  });
  expect(names).toEqual([
    'a to ping.bc',
    'a to ping.b',
    'a to ping.b (2)',
    'a to ping.bc (2)',
    'b to ping.b',
  ]);
});

test('chance is that of the seed, and each use has its own', () => {
  const faults = (story: Story): void => void story.faults({ count: 10, nodes: ['c'] });
  const loads = (story: Story): void =>
    void story.poisson({ every: '1s', lasting: '2s' }, (_, ms) => run(a, ['sleep', String(ms)]));
  const text = (tell: (story: Story) => void, seed?: number): string =>
    JSON.stringify(planned(tell, seed).steps);
  expect(text(faults)).toBe(text(faults));
  expect(text(faults, 2)).not.toBe(text(faults));
  const both = planned((story) => (faults(story), loads(story))).steps.filter(({ kind }) => kind !== 'run');
  expect(both.map(({ time, kind, target }) => [time, kind, target])).toEqual(
    planned(faults).steps.map(({ time, kind, target }) => [time, kind, target]),
  );
});

test('arrivals of a Poisson workload come as often as asked for, and last as long', () => {
  const { steps } = new Story(
    storyboard({ topology: chain, duration: '3600s' }, (story) => {
      story.poisson({ every: '1s', lasting: '500ms' }, (_, ms) => run(a, ['sleep', String(ms)]));
    }),
    3,
  ).plan('x');
  expect(Math.abs(steps.length - 3600)).toBeLessThan(180);
  const lasting = steps.map(({ parameters }) => Number((parameters['command'] as string[])[1]));
  expect(Math.abs(lasting.reduce((sum, each) => sum + each, 0) / steps.length - 500)).toBeLessThan(30);
});

test('what fails comes back, and does not fail again before', () => {
  const { steps } = planned((story) => void story.faults({ count: 40, lasting: '5s' }));
  for (const link of ['a-b', 'b-c']) {
    const kinds = steps.filter(({ target }) => target === link).map(({ kind }) => kind);
    expect(kinds.every((kind, index) => kind === (index % 2 === 0 ? 'link.down' : 'link.up'))).toBe(true);
  }
});

test.each([
  ['a time after the end', (story: Story) => void story.at('61s', linkDown('a-b')), 'after the end'],
  ['a time without a unit', (story: Story) => void story.at('5', linkDown('a-b')), 'which is not a time'],
  [
    'something that is no part',
    (story: Story) => void story.at('5s', linkDown({} as never)),
    'no part of a topology',
  ],
])('refuses %s', (_, tell, message) => {
  expect(() => planned(tell)).toThrow(message);
});
