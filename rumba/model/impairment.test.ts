import { expect, test } from 'vitest';
import { impairment, impairmentText, isPerfect, perfect } from './impairment.ts';

test('is written with units, and shown in the same words', () => {
  const each = impairment(
    {
      delay: '20ms',
      jitter: '500us',
      loss: '0.5%',
      rate: '10Mbit',
      duplicate: '1%',
      reorder: '2%',
      corrupt: '0.1%',
      queue: '50frames',
    },
    'link a-b',
  );
  expect(each).toEqual({
    delayMs: 20,
    jitterMs: 0.5,
    loss: 0.005,
    rate: 10e6,
    duplicate: 0.01,
    reorder: 0.02,
    corrupt: 0.001,
    queueFrames: 50,
  });
  expect(impairmentText(each)).toBe(
    'delay 20ms jitter 0.5ms loss 0.5% rate 10Mbit duplicate 1% reorder 2% corrupt 0.1% queue 50frames',
  );
  expect([isPerfect(each), isPerfect(perfect), impairmentText(perfect)]).toEqual([false, true, '-']);
});

test('what is not given stays as it was', () => {
  const before = impairment({ delay: '1s', rate: '64kbit' }, 'x');
  expect(impairment({ loss: '100%', rate: 'unlimited' }, 'x', before)).toEqual({
    ...perfect,
    delayMs: 1000,
    loss: 1,
  });
});

test.each([
  [{ delay: '20' }, 'delay of link a-b is "20", which is not a time'],
  [{ delay: '2min' }, 'delay of link a-b is "2min", which is not a time'],
  [{ delay: '2000s' }, 'delay of link a-b is 2000s, 60s is the most'],
  [{ loss: '0.1' }, 'loss of link a-b is "0.1", which is not a share'],
  [{ loss: '101%' }, 'loss of link a-b is 101%, 100% is the most'],
  [{ rate: '10' }, 'rate of link a-b is "10", which is not a rate'],
  [{ rate: '0bit' }, 'rate of link a-b is 0bit'],
  [{ queue: '1.5frames' }, 'queue of link a-b is 1.5frames'],
  [{ reorder: '1%' }, 'link a-b reorders frames that are not delayed'],
  [{ dely: '1ms' } as object, 'unknown key "dely" of link a-b'],
])('refuses %j', (options, message) => {
  expect(() => impairment(options, 'link a-b')).toThrow(message);
});
