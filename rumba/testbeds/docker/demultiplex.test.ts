import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { demultiplex } from './demultiplex.ts';

function frame(stream: 1 | 2, bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

test('gives each stream its own, wherever what is read is cut', async () => {
  const word = fc.record({ stream: fc.constantFrom(1 as const, 2 as const), bytes: fc.uint8Array() });
  await fc.assert(
    fc.asyncProperty(fc.array(word), fc.integer({ min: 1, max: 20 }), async (words, size) => {
      const all = Buffer.concat(words.map(({ stream, bytes }) => frame(stream, Buffer.from(bytes))));
      const cut = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
        all.subarray(index * size, (index + 1) * size),
      );
      const targets = [new PassThrough(), new PassThrough()] as const;
      const read = Promise.all(targets.map((each) => text(each.setEncoding('latin1'))));
      await demultiplex(Readable.from(cut), ...targets);
      for (const each of targets) each.end();
      const expected = [1, 2].map((stream) =>
        words
          .filter((each) => each.stream === stream)
          .map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
          .join(''),
      );
      expect(await read).toEqual(expected);
    }),
  );
});

test('reads no faster than it is taken from, and goes on when a target is gone', async () => {
  let taken = 0;
  const source = Readable.from(
    (function* () {
      for (; taken < 1_000; taken += 1) yield frame(1, Buffer.alloc(16_384));
    })(),
  );
  const stdout = new PassThrough();
  const done = demultiplex(source, stdout, new PassThrough());
  await once(stdout, 'readable');
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  expect(taken).toBeLessThan(100);
  stdout.destroy();
  await done;
  expect(taken).toBe(1_000);
});
