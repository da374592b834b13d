import { expect, test } from 'vitest';
import { type Shared, Shares } from './shares.ts';

const limits = { connections: 2, requests: 1, flows: 3 };
const user = (uid: number): { uid: number; privileged: boolean } => ({ uid, privileged: false });

test.each<readonly [Shared, number, string, string]>([
  ['connections', 2, 'EAGAIN', 'user 7 has 2 connections to irmd open on this node, its share'],
  ['requests', 1, 'EAGAIN', 'user 7 has 1 requests for flows and accept calls open on this node, its share'],
  ['flows', 3, 'EBADF', 'user 7 has 3 flows open on this node, its share'],
])('of %s a user gets %i; another is not hindered', (what, most, code, message) => {
  const shares = new Shares(limits, 500);
  const taken = Array.from({ length: most }, () => shares.take(user(7), what));
  for (let times = 0; times < 2; times += 1) {
    expect(() => shares.take(user(7), what)).toThrow(
      expect.objectContaining({ code, message, hint: expect.any(String) }),
    );
  }
  shares.take(user(8), what);
  expect(shares.refused).toEqual({ connections: 0, requests: 0, flows: 0, [what]: 2 });
  // What is given back once is given back once.
  for (let times = 0; times < 3; times += 1) taken[0]?.();
  shares.take(user(7), what);
  expect(() => shares.take(user(7), what)).toThrow();
});

test('who is privileged, and the user irmd runs as, are not bounded', () => {
  const shares = new Shares(limits, 500);
  for (let times = 0; times < 10; times += 1) {
    shares.take({ uid: 7, privileged: true }, 'flows');
    shares.take(user(500), 'flows')();
  }
  expect(shares.refused.flows).toBe(0);
});
