import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageQueue } from './message-queue.ts';

test('messages leave in the order in which they came, however many wait', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -90, max: 100 }), { maxLength: 30 }), (steps) => {
      const queue = new MessageQueue();
      const model: Buffer[] = [];
      for (const step of steps) {
        for (let count = 0; count < step; count += 1) {
          const message = Buffer.of(count);
          queue.push(message);
          model.push(message);
        }
        for (let count = step; count < 0; count += 1) expect(queue.shift()).toBe(model.shift());
        expect(queue.length).toBe(model.length);
      }
      queue.clear();
      expect([queue.length, queue.shift()]).toEqual([0, undefined]);
    }),
  );
});
