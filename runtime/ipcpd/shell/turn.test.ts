import { expect, test } from 'vitest';
import { Turn } from './turn.ts';

test('what was written to is flushed once, also what a flush writes to', () => {
  const turn = new Turn(() => 0);
  const flushed: string[] = [];
  const second = { flush: () => void flushed.push('second') };
  const first = {
    flush: () => {
      flushed.push('first');
      turn.flushLater(second);
    },
  };
  turn.flushLater(first);
  turn.end();
  expect(flushed).toEqual(['first', 'second']);
  turn.end();
  expect(flushed).toHaveLength(2);
});

test('a flush that ends the turn itself leaves nothing behind', () => {
  const turn = new Turn(() => 0);
  const flushed: string[] = [];
  turn.flushLater({
    flush: () => {
      flushed.push('ends');
      turn.end();
    },
  });
  turn.flushLater({ flush: () => void flushed.push('other') });
  turn.end();
  turn.end();
  expect(flushed).toEqual(['ends', 'other']);
});

test('the packets of a turn are free when it ends', () => {
  const turn = new Turn(() => 0);
  const packet = turn.packets.take(10);
  expect(turn.full).toBe(false);
  for (let count = 1; count < 256; count += 1) turn.packets.take(10);
  expect(turn.full).toBe(true);
  turn.end();
  expect(turn.packets.take(10)).toBe(packet);
});
