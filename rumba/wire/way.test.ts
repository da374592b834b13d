import { expect, test } from 'vitest';
import { type Impairment, perfect } from '../model/impairment.ts';
import { Way } from './way.ts';

interface Arrival {
  readonly number: number;
  readonly at: number;
}

/** A way under virtual time: frames are numbered in their bytes behind the header. */
class Course {
  now = 0;
  readonly arrivals: Arrival[] = [];
  readonly frames: Buffer[] = [];
  readonly way: Way;

  constructor(impairment: Partial<Impairment>, seed = 1) {
    this.way = new Way(seed, { ...perfect, ...impairment }, (frame) => {
      this.frames.push(Buffer.from(frame));
      this.arrivals.push({ number: frame.readUInt32BE(14), at: this.now });
    });
  }

  send(number: number, bytes = 100): void {
    const frame = Buffer.alloc(bytes);
    frame.writeUInt32BE(number, 14);
    this.way.offer(frame, this.now);
  }

  /** Lets time pass, in the steps the way asks for. */
  until(end: number): void {
    while (this.way.next <= end) {
      this.now = Math.max(this.now, this.way.next);
      this.way.advance(this.now);
    }
    this.now = end;
  }

  get numbers(): number[] {
    return this.arrivals.map(({ number }) => number);
  }
}

test('a perfect way hands frames on at once', () => {
  const course = new Course({});
  for (let number = 0; number < 3; number += 1) course.send(number);
  expect(course.arrivals).toEqual([0, 1, 2].map((number) => ({ number, at: 0 })));
  expect(course.way.next).toBe(Number.POSITIVE_INFINITY);
});

test('delay is exact, and jitter stays within its bounds and keeps the order', () => {
  const plain = new Course({ delayMs: 20 });
  plain.send(7);
  plain.until(100);
  expect(plain.arrivals).toEqual([{ number: 7, at: 20 }]);

  const course = new Course({ delayMs: 20, jitterMs: 5 });
  const delays: number[] = [];
  for (let number = 0; number < 2000; number += 1) {
    course.send(number);
    course.until(course.now + 50);
    delays.push((course.arrivals[number]?.at ?? 0) - number * 50);
  }
  const mean = delays.reduce((sum, each) => sum + each, 0) / delays.length;
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(15);
  expect(Math.max(...delays)).toBeLessThanOrEqual(25);
  expect(Math.abs(mean - 20)).toBeLessThan(0.2);

  const dense = new Course({ delayMs: 20, jitterMs: 20 });
  for (let number = 0; number < 500; number += 1) {
    dense.send(number);
    dense.until(dense.now + 0.1);
  }
  dense.until(1000);
  expect(dense.numbers).toEqual(Array.from({ length: 500 }, (_, number) => number));
});

test('a rate spaces frames by their bits, and a full queue loses those that come last', () => {
  const course = new Course({ rate: 1e6, queueFrames: 3 });
  for (let number = 0; number < 6; number += 1) course.send(number, 125);
  course.until(100);
  // 1000 bits at 1 Mbit/s are 1 ms; one is being sent and three wait.
  expect(course.arrivals).toEqual([0, 1, 2, 3].map((number) => ({ number, at: number + 1 })));
  expect(course.way.counts).toMatchObject({ queueFull: 2, framesDelivered: 4, bytesDelivered: 500 });
});

test('more than 64 MiB are not under way', () => {
  const course = new Course({ delayMs: 1000 });
  for (let number = 0; number < 66; number += 1) course.send(number, 2 ** 20);
  course.until(1000);
  expect(course.way.counts).toMatchObject({ noRoom: 2, queueFull: 0, framesDelivered: 64 });
  course.send(66);
  course.until(2000);
  expect(course.numbers.at(-1)).toBe(66);
});

test('a rate that changes holds for what waits already, and a delay for what comes', () => {
  const course = new Course({ rate: 1e6 });
  for (let number = 0; number < 3; number += 1) course.send(number, 125);
  course.until(0.5);
  course.way.set({ ...perfect, rate: 1e5, delayMs: 5 }, course.now);
  course.until(100);
  // Half of the first frame was left: 500 bits at 0.1 Mbit/s are 5 ms.
  expect(course.arrivals.map(({ at }) => at)).toEqual([10.5, 20.5, 30.5]);

  const delayed = new Course({ delayMs: 50 });
  delayed.send(0);
  delayed.until(10);
  delayed.way.set(perfect, delayed.now);
  delayed.send(1);
  expect(delayed.way.queued).toBe(2);
  delayed.until(100);
  expect(delayed.arrivals).toEqual([
    { number: 0, at: 50 },
    { number: 1, at: 50 },
  ]);
});

test.each([
  ['loss', 'lost'],
  ['duplicate', 'duplicated'],
  ['corrupt', 'corrupted'],
  ['reorder', 'reordered'],
] as const)('%s hits the share it is given', (trait, count) => {
  const course = new Course({ [trait]: 0.1, delayMs: 1 });
  for (let number = 0; number < 20_000; number += 1) {
    course.send(number);
    course.until(course.now + 0.01);
  }
  course.until(course.now + 10);
  expect(Math.abs(course.way.counts[count] / 20_000 - 0.1)).toBeLessThan(0.01);
  const { framesReceived, framesDelivered, lost, duplicated, queueFull } = course.way.counts;
  expect(framesReceived + duplicated).toBe(framesDelivered + lost + queueFull);
  // A bit that is turned may be one of the number.
  if (trait === 'corrupt') return;
  const { numbers } = course;
  const inOrder = numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));
  expect(inOrder).toBe(trait !== 'reorder');
});

test('corruption turns one bit, and none of the Ethernet header', () => {
  const course = new Course({ corrupt: 1 });
  for (let number = 0; number < 200; number += 1) course.send(0, 60);
  for (const frame of course.frames) {
    const turned = [...frame].map((byte) => byte.toString(2).replaceAll('0', '').length);
    expect(turned.reduce((sum, each) => sum + each, 0)).toBe(1);
    expect(frame.subarray(0, 14)).toEqual(Buffer.alloc(14));
  }
});

test('the same seed makes the same choices for the same frames, whatever else is set', () => {
  const lostBy = (impairment: Partial<Impairment>, seed: number): number[] => {
    const course = new Course({ loss: 0.3, ...impairment }, seed);
    for (let number = 0; number < 100; number += 1) course.send(number);
    course.until(1000);
    return course.numbers;
  };
  expect(lostBy({}, 1)).toEqual(lostBy({}, 1));
  expect(lostBy({ delayMs: 10, jitterMs: 3, rate: 1e6 }, 1)).toEqual(lostBy({}, 1));
  expect(lostBy({}, 2)).not.toEqual(lostBy({}, 1));
});
