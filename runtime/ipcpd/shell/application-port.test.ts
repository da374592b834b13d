import { expect, onTestFinished, test } from 'vitest';
import { connectedPair, quietStream } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { frameKind, FrameReader, FrameWriter, lastWordHeaderBytes } from '../../lib/flow/framing.ts';
import { flowReceiveBytesMax, messageBytesMax } from '../../lib/limits.ts';
import { addressOf } from '../../lib/os/libc.ts';
import { UnixStream } from '../../lib/os/unix-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { ApplicationPort } from './application-port.ts';
import { Turn } from './turn.ts';

const granted = 2000;

/** A port between a layer, which is this test, and the socket of an application, which it is as well. */
class Bench {
  readonly turn = new Turn(addressOf);
  readonly layer = { maxMessageBytes: granted };
  /** What came to the layer. */
  readonly written: string[] = [];
  readonly tooLong: number[] = [];
  isGone = false;
  onWrite: () => void = () => {};
  readonly port: ApplicationPort = new ApplicationPort({
    turn: this.turn,
    layer: this.layer,
    maxMessageBytes: granted,
    onGone: () => (this.isGone = true),
    onState: () => {},
    onTooLong: (bytes) => this.tooLong.push(bytes),
  });
  readonly stream: UnixStream;
  readonly #application: UnixStream;
  readonly #reader = new FrameReader(messageBytesMax, true);
  readonly #heard: string[] = [];

  constructor(inside: number, outside: number) {
    this.port.flow = {
      headerBytes: 15,
      backlog: 0,
      write: (packet: Packet) => {
        this.written.push(packet.bytes().toString());
        this.onWrite();
      },
      deallocate: () => {},
    };
    this.stream = new UnixStream(
      inside,
      () => this.port.onReadable(),
      () => this.port.onWritable(),
    );
    this.#application = quietStream(outside);
    onTestFinished(() => {
      this.port.close();
      this.#application[Symbol.dispose]();
    });
  }

  attach(): void {
    this.port.attach(this.stream);
    this.turn.end();
  }

  /** The layer does something. */
  does(what: () => void): void {
    what();
    this.turn.end();
  }

  /** The application writes. */
  say(text: string): void {
    const writer = new FrameWriter(messageBytesMax);
    writer.push(frameKind.packet, Buffer.from(text));
    writer.flush(this.#application);
  }

  /** The application leaves a last word of so many bytes. */
  leave(bytes: number): void {
    const writer = new FrameWriter(messageBytesMax);
    writer.push(frameKind.lastWord, Buffer.alloc(lastWordHeaderBytes + bytes));
    writer.flush(this.#application);
  }

  /** What the application was told: limits and losses as numbers, packets as texts, states as `up` and `down`. */
  heard(): string[] {
    this.#reader.fill(this.#application, (kind, { memory }, start, end) => {
      if (kind === frameKind.limit) this.#heard.push(`<${memory.readUInt32BE(start)}>`);
      else if (kind === frameKind.dropped) this.#heard.push(`<${memory.readUInt32BE(start)} lost>`);
      else if (kind === frameKind.state) this.#heard.push(memory[start] === 1 ? '<up>' : '<down>');
      else this.#heard.push(end - start > 20 ? `${end - start} bytes` : memory.toString('utf8', start, end));
    });
    return this.#heard;
  }

  deliver(text: string): void {
    const packet = this.turn.packets.take(text.length);
    packet.append(Buffer.from(text), 0, text.length);
    this.port.deliver(packet);
  }
}

async function bench(): Promise<Bench> {
  return new Bench(...(await connectedPair()));
}

test('while the layer wants no more packets, what the application writes stays in its socket', async () => {
  const all = await bench();
  all.attach();
  all.onWrite = () => {
    if (all.written.length === 2) all.port.setPaused(true);
  };
  all.say('one');
  await until('the first', () => all.written.length === 1);
  all.say('two');
  await until('the second', () => all.written.length === 2);
  expect(all.stream.watchesReadable).toBe(false);
  all.say('three');
  all.does(() => all.port.setPaused(false));
  await until('the third', () => all.written.length === 3);
  expect(all.written).toEqual(['one', 'two', 'three']);
});

test('an application that ends while the layer wants no more packets is noticed after, with all it wrote', async () => {
  const all = await bench();
  all.attach();
  all.does(() => all.port.setPaused(true));
  all.say('last words');
  all.port.onWritable();
  expect([all.written, all.isGone]).toEqual([[], false]);
  all.does(() => all.port.setPaused(false));
  await until('the last words', () => all.written.length === 1);
});

test('a last word is kept, unless the layer would not take it', async () => {
  const all = await bench();
  all.attach();
  all.leave(granted + 1);
  await until('the count', () => all.port.counters.droppedTooLong === 1);
  expect([all.port.lastWord, all.tooLong]).toEqual([undefined, [granted + 1]]);
  all.leave(granted);
  await until('the last word', () => all.port.lastWord?.packet.length === granted);
});

test('a longest message other than the granted one is the first thing the application hears', async () => {
  const all = await bench();
  all.layer.maxMessageBytes = 900;
  all.port.limitChanged();
  all.deliver('early');
  all.attach();
  expect(all.heard()).toEqual(['early', '<900>']);
});

test('one that is as granted is not told, however it came to that', async () => {
  const all = await bench();
  all.layer.maxMessageBytes = 900;
  all.port.limitChanged();
  all.layer.maxMessageBytes = granted;
  all.attach();
  all.does(() => all.port.limitChanged());
  all.does(() => all.deliver('x'));
  expect(all.heard()).toEqual(['x']);
});

test('a change is told behind the packets that came before it', async () => {
  const all = await bench();
  all.attach();
  all.does(() => {
    all.deliver('before');
    all.layer.maxMessageBytes = 500;
    all.port.limitChanged();
    all.deliver('after');
  });
  expect(all.heard()).toEqual(['before', '<500>', 'after']);
});

test('states and limits reach an application that has not read for long', async () => {
  const all = await bench();
  all.attach();
  const big = 'x'.repeat(granted);
  while (all.port.counters.droppedSlowReader === 0) all.does(() => all.deliver(big));
  all.layer.maxMessageBytes = 500;
  all.does(() => all.port.limitChanged());
  all.does(() => all.port.setUp(false));
  const heard = await until('all of it', () => {
    all.port.onWritable();
    return all.heard().at(-1) === '<down>' && all.heard();
  });
  const told = heard.filter((each) => each.startsWith('<'));
  expect(told).toEqual(['<500>', `<${all.port.counters.droppedSlowReader} lost>`, '<down>']);
  const bytes = (heard.length - told.length) * granted;
  expect(bytes).toBeGreaterThan(flowReceiveBytesMax - 2 * granted);
});

test('what is too long for the layer by now is dropped and counted, and the flow goes on', async () => {
  const all = await bench();
  all.attach();
  all.say('x'.repeat(granted));
  all.layer.maxMessageBytes = 10;
  all.say('short');
  await until('the short one', () => all.written.includes('short'));
  expect([all.written.length, all.tooLong, all.isGone]).toEqual([1, [granted], false]);
  expect(all.port.counters).toMatchObject({ packetsIn: 1, droppedTooLong: 1 });
});
