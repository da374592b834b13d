/** What two of our own ends do besides FRCT (ADR 0020), and that a prototype is not harmed by it. */
import { describe, expect, test } from 'vitest';
import { FrctEnd, packetOf, textOf } from '../../../tests/support/frct-end.ts';
import { Prototype } from '../../../tests/sim/frct/prototype.ts';
import { Seeded } from '../../../tests/support/seeded.ts';
import { VirtualTime } from '../../../tests/sim/frct/virtual-time.ts';
import { frctLimits } from './limits.ts';
import { Report, bitmapOffset, reportContents } from './report.ts';

const seqnos = { a: 0x1000_0000, b: 0x2000_0000 };

/** Two ends with a path of a given delay between them, on which a test may lose what it likes. */
class Pair {
  readonly a: FrctEnd;
  readonly b: FrctEnd;
  /** One way, ms. */
  delay = 5;
  /** Whether a packet is lost. */
  loses: (from: FrctEnd, packet: Buffer) => boolean = () => false;
  readonly #underWay: { readonly at: number; readonly to: FrctEnd; readonly packet: Buffer }[] = [];

  constructor(setup: ConstructorParameters<typeof FrctEnd>[0] = {}) {
    this.a = new FrctEnd({ initialSeqno: seqnos.a, ...setup }, 1000);
    this.b = new FrctEnd({ initialSeqno: seqnos.b, ...setup }, 1000);
  }

  get now(): number {
    return this.a.now;
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      this.#collect();
      const arrival = this.#underWay[0]?.at ?? Number.POSITIVE_INFINITY;
      const next = Math.min(arrival, this.a.frct.nextDeadline(), this.b.frct.nextDeadline());
      if (next > until) break;
      for (const end of [this.a, this.b]) end.now = Math.max(end.now, next);
      const arrived = this.#underWay.splice(0, this.#underWay.findLastIndex(({ at }) => at <= next) + 1);
      for (const end of [this.a, this.b]) {
        const packets = arrived.filter(({ to }) => to === end).map(({ packet }) => packet);
        if (packets.length > 0) end.bring(...packets);
        end.pass(0);
      }
    }
    for (const end of [this.a, this.b]) end.now = until;
  }

  #collect(): void {
    for (const [from, to] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const) {
      for (const packet of from.packets()) {
        if (!this.loses(from, packet)) this.#underWay.push({ at: this.now + this.delay, to, packet });
      }
    }
    this.#underWay.sort((one, other) => one.at - other.at);
  }
}

/** A pair that has exchanged a message in each direction. */
function acquainted(setup: ConstructorParameters<typeof FrctEnd>[0] = {}, delay = 5): Pair {
  const pair = new Pair(setup);
  pair.delay = delay;
  pair.a.write('hello');
  pair.pass(2 * delay);
  pair.b.write('hello');
  pair.pass(100);
  for (const { delivered } of [pair.a, pair.b]) expect(delivered.splice(0)).toEqual(['hello']);
  return pair;
}

describe('the mark', () => {
  test('makes both known with the first packet, whatever that is', () => {
    const pair = new Pair();
    expect(pair.a.frct.peerExtended).toBeUndefined();
    pair.a.write('x');
    pair.pass(20);
    expect([pair.a.frct.peerExtended, pair.b.frct.peerExtended]).toEqual([true, true]);
  });

  test('is no longer sent to a prototype', () => {
    const end = new FrctEnd();
    end.write('x');
    expect(end.sent()[0]).toMatch(/^83/);
    end.bring({ flags: 0x03, seqno: 5, payload: 'x' });
    end.pass(10);
    end.write('y');
    for (const text of end.sent()) expect(Number.parseInt(text.slice(0, 2), 16) & 0x80).toBe(0);
  });
});

describe('windows', () => {
  test('carry 1 Gbit/s over 50 ms once the peer is known', () => {
    const pair = acquainted({}, 25);
    let written = 0;
    let most = 0;
    for (let round = 0; round < 600; round += 1) {
      while (pair.a.write('x'.repeat(1400))) written += 1;
      most = Math.max(most, pair.a.frct.outstanding);
      pair.pass(1);
    }
    expect(most).toBeGreaterThan(4500);
    pair.pass(200);
    expect(pair.b.delivered).toHaveLength(written);
    expect(pair.a.frct.counters).toMatchObject({ retransmissions: 0, timeouts: 0 });
  });

  test('one of many flows begins with few packets, and with more for each that arrives', () => {
    const pair = new Pair({ startPackets: 10 });
    const fill = (): number => {
      let written = 0;
      while (pair.a.write('x')) written += 1;
      return written;
    };
    expect(fill()).toBe(10);
    pair.pass(10);
    expect(pair.b.delivered).toHaveLength(10);
    expect(fill()).toBe(20);
    pair.pass(10);
    expect(fill()).toBe(40);
    expect(pair.a.frct.counters.retransmissions).toBe(0);
  });

  test('a reader at rest stalls its writer by bytes, and lets it go on without either being asked', () => {
    const pair = acquainted();
    pair.b.reads = false;
    let written = 0;
    for (let round = 0; round < 60; round += 1) {
      while (pair.a.write('x'.repeat(1400))) written += 1;
      pair.pass(20);
    }
    expect(written).toBeLessThanOrEqual(frctLimits.receiveBytesMax / 1400);
    expect(written).toBeGreaterThan(frctLimits.receiveBytesMax / 1400 - 2);
    expect(pair.b.frct.bytesHeld).toBeLessThanOrEqual(frctLimits.receiveBytesMax);
    expect(pair.a.frct.outstanding).toBe(0);
    expect(pair.a.frct.closedSince).toBeDefined();
    // Not for as long as the peer is silent, and no retransmission comes of it.
    pair.pass(300_000);
    expect(pair.a.events).not.toContain('down EFLOWDOWN');
    expect(pair.a.frct.counters.retransmissions).toBe(0);
    const asked = pair.a.frct.counters.rendezvousSent;
    pair.a.events.length = 0;
    pair.b.take(4000);
    pair.pass(10);
    expect(pair.a.events).toEqual(['writable']);
    expect(pair.a.frct.counters.rendezvousSent).toBe(asked);
    expect(pair.a.write('again')).toBe(true);
  });

  test('an update that is lost is asked for', () => {
    const pair = acquainted();
    pair.b.reads = false;
    for (let round = 0; round < 60; round += 1) {
      while (pair.a.write('x'.repeat(1400)));
      pair.pass(20);
    }
    pair.loses = (from) => from === pair.b;
    pair.b.take(11_000);
    pair.pass(50);
    pair.loses = () => false;
    pair.a.events.length = 0;
    pair.pass(1100);
    expect(pair.a.events).toEqual(['writable']);
  });

  test('both directions closed at once open again', () => {
    const pair = acquainted();
    const ends = [pair.a, pair.b];
    for (const end of ends) end.reads = false;
    for (let round = 0; round < 60; round += 1) {
      for (const end of ends) while (end.write('x'.repeat(1400)));
      pair.pass(20);
    }
    pair.pass(10_000);
    for (const end of ends) end.events.length = 0;
    for (const end of ends) end.take(12_000);
    pair.pass(20);
    for (const end of ends) expect(end.events).toEqual(['writable']);
  });

  test('one message always fits, however little memory there is', () => {
    const limits = {
      ...frctLimits,
      sendBytesMax: 100,
      receiveBytesMax: 2000,
      ours: { ...frctLimits.ours, bytesInitial: 2000 },
    };
    const pair = acquainted({ limits });
    expect(pair.a.write('x'.repeat(1400))).toBe(true);
    expect(pair.a.write('x')).toBe(false);
    pair.pass(20);
    expect(pair.a.events).toContain('writable');
    expect(pair.b.delivered).toHaveLength(1);
  });
});

describe('loss', () => {
  const burst = (pair: Pair, count: number): void => {
    for (let index = 0; index < count; index += 1) expect(pair.a.write(`m${index}`)).toBe(true);
  };
  const all = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);

  test('of one packet among many: it alone is sent again, one round trip later', () => {
    const pair = acquainted();
    let dropped = 0;
    pair.loses = (from, packet) => {
      const isIt = from === pair.a && packet.toString('latin1').endsWith('m20') && dropped === 0;
      if (isIt) dropped += 1;
      return isIt;
    };
    burst(pair, 50);
    // There, back with the report, and there again.
    pair.pass(15.1);
    expect(pair.b.delivered).toEqual(all(50));
    expect(pair.a.frct.counters).toMatchObject({ retransmissions: 1, probes: 0, timeouts: 0 });
    expect(pair.b.frct.counters.droppedDuplicate).toBe(0);
  });

  test('of several, and of retransmissions among them: each is sent again until it arrives', () => {
    const pair = acquainted();
    const random = new Seeded(7);
    pair.loses = (from) => from === pair.a && random.chance(0.3);
    let written = 0;
    for (let round = 0; round < 400 && pair.b.delivered.length < 1000; round += 1) {
      while (written < 1000 && pair.a.write(`m${written}`)) written += 1;
      pair.pass(10);
    }
    expect(pair.b.delivered).toEqual(all(1000));
    expect(pair.b.frct.counters.droppedDuplicate).toBeLessThan(20);
    expect(pair.a.frct.counters.timeouts).toBeLessThan(5);
  });

  test('of the last packet: it is sent again after two round trips and a little, long before the timeout', () => {
    const pair = acquainted();
    let dropped = 0;
    pair.loses = (from) => from === pair.a && dropped++ === 0;
    burst(pair, 1);
    const start = pair.now;
    while (pair.b.delivered.length === 0) pair.pass(1);
    expect(pair.now - start).toBeLessThan(40);
    expect(pair.a.frct.counters).toMatchObject({ probes: 1, timeouts: 0 });
  });

  test('of a whole tail: the probe shows what is missing before it', () => {
    const pair = acquainted();
    let count = 0;
    pair.loses = (from) => from === pair.a && (count += 1) > 5 && count <= 30;
    burst(pair, 30);
    pair.pass(100);
    expect(pair.b.delivered).toEqual(all(30));
    expect(pair.a.frct.counters.timeouts).toBe(0);
  });

  test('of the very first packet: what follows it is kept all the same', () => {
    const pair = new Pair();
    let count = 0;
    pair.loses = (from) => from === pair.a && count++ === 0;
    burst(pair, 30);
    pair.pass(50);
    expect(pair.b.delivered).toEqual(all(30));
    expect(pair.b.frct.counters.droppedNoRun).toBe(0);
    expect(pair.a.frct.counters).toMatchObject({ retransmissions: 1, timeouts: 0 });
  });

  test('of every acknowledgement but the last one: nothing is sent again', () => {
    const pair = acquainted();
    pair.loses = (from) => from === pair.b && pair.b.delivered.length < 60;
    for (let index = 0; index < 60; index += 1) {
      pair.a.write(`m${index}`);
      pair.pass(0.3);
    }
    pair.pass(30);
    expect(pair.b.delivered).toEqual(all(60));
    expect(pair.a.frct.counters.retransmissions).toBe(0);
    expect(pair.a.frct.outstanding).toBe(0);
  });

  test('reordering is no loss, once it is known', () => {
    const pair = acquainted();
    const random = new Seeded(3);
    const held: { at: number; packet: Buffer }[] = [];
    let resentBefore = 0;
    for (let round = 0; round < 60; round += 1) {
      for (let index = 0; index < 10; index += 1) pair.a.write('x');
      // Some packets take up to 2 ms longer, of a round trip of 10.
      for (const packet of pair.a.packets()) {
        held.push({ at: pair.now + pair.delay + (random.chance(0.3) ? random.next() * 2 : 0), packet });
      }
      for (let step = 0; step < 30; step += 1) {
        pair.pass(0.5);
        for (const packet of pair.a.packets()) held.push({ at: pair.now + pair.delay, packet });
        const due = held.filter(({ at }) => at <= pair.now).toSorted((one, other) => one.at - other.at);
        for (const one of due) held.splice(held.indexOf(one), 1);
        if (due.length > 0) pair.b.bring(...due.map(({ packet }) => packet));
      }
      if (round === 20) resentBefore = pair.a.frct.counters.retransmissions;
    }
    expect(pair.a.frct.counters.retransmissions - resentBefore).toBe(0);
  });

  test('an acknowledgement is at most 5 ms late, and the timeout allows for it', () => {
    const pair = acquainted({}, 0.1);
    for (let index = 0; index < 100; index += 1) {
      pair.a.write(`m${index}`);
      pair.pass(7);
    }
    expect(pair.a.frct.counters.retransmissions).toBe(0);
    // The time that it was held back does not count.
    expect(pair.a.frct.roundTrip).toBeLessThan(2);
  });
});

describe('the end of the stream', () => {
  test('comes behind all data, is acknowledged, and leaves the other direction open', () => {
    const pair = acquainted();
    pair.a.write('last');
    pair.a.frct.finish(pair.now);
    expect(pair.a.write('more')).toBe(false);
    pair.pass(5.1);
    expect(pair.b.delivered).toEqual(['last']);
    expect(pair.b.events).toEqual(['ended']);
    pair.pass(5.1);
    expect(pair.a.events).toEqual(['settled']);
    pair.b.write('answer');
    pair.pass(10);
    expect(pair.a.delivered).toEqual(['answer']);
    pair.b.frct.finish(pair.now);
    pair.pass(20);
    expect([pair.a.events, pair.b.events]).toEqual([
      ['settled', 'ended'],
      ['ended', 'settled'],
    ]);
    // Nobody says anything more, and no late packet is to be expected.
    expect(Math.max(pair.a.frct.lateUntil, pair.b.frct.lateUntil)).toBeLessThan(pair.now + 500);
    pair.pass(1e6);
    expect(pair.a.frct.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('comes alone where nothing was ever written', () => {
    const pair = new Pair();
    pair.a.frct.finish(pair.now);
    pair.pass(20);
    expect(pair.b.events).toEqual(['ended']);
    expect(pair.a.events).toContain('settled');
  });

  test('waits for what is missing before it', () => {
    const pair = acquainted();
    let dropped = 0;
    pair.loses = (from, packet) =>
      from === pair.a && packet.toString('latin1').endsWith('first') && dropped++ === 0;
    pair.a.write('first');
    pair.a.write('second');
    pair.a.frct.finish(pair.now);
    pair.pass(6);
    expect([pair.b.delivered, pair.b.events]).toEqual([[], []]);
    pair.pass(50);
    expect([pair.b.delivered, pair.b.events]).toEqual([['first', 'second'], ['ended']]);
    expect(pair.a.events).toEqual(['settled']);
  });

  test.each(['a', 'b'] as const)('is told until it is answered, when what %s sends is lost', (name) => {
    const pair = acquainted();
    pair.loses = (from) => from === pair[name];
    pair.a.frct.finish(pair.now);
    pair.pass(500);
    expect(pair.a.events).toEqual([]);
    pair.loses = () => false;
    pair.pass(1000);
    expect(pair.a.events).toEqual(['settled']);
    expect(pair.b.events).toEqual(['ended']);
  });

  test('is told for 120 s to a peer that no longer answers; then the flow is down', () => {
    const pair = acquainted();
    pair.loses = () => true;
    pair.a.frct.finish(pair.now);
    pair.pass(119_000);
    expect(pair.a.events).toEqual([]);
    pair.pass(6000);
    expect(pair.a.events).toEqual(['down EFLOWDOWN']);
  });

  test('to a peer that never spoke it holds nothing up, and is given up quietly', () => {
    const end = new FrctEnd();
    end.frct.finish(0);
    end.frct.flush(0);
    expect(end.events).toEqual(['settled']);
    expect(end.sent()[0]).toMatch(/^82 000000 0a0b0c0d 00000000 \+16$/);
    end.pass(1e6);
    expect(end.events).toEqual(['settled']);
    expect(end.frct.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('is no longer told to a peer that turns out to be a prototype', () => {
    const end = new FrctEnd();
    end.write('x');
    end.frct.finish(0);
    end.bring({ flags: 0x0c, window: 0x0a0b_0c0d + 257, ackno: 0x0a0b_0c0e });
    expect(end.events).toEqual(['settled']);
    end.sent();
    end.pass(1e6);
    expect(end.sent()).toEqual([]);
  });

  test('a slow path is no reason to give up: the time runs from the last progress', () => {
    const pair = acquainted();
    let written = 0;
    while (pair.a.write('x'.repeat(1000))) written += 1;
    pair.a.frct.finish(pair.now);
    // One packet arrives every 3 s.
    let arrived = 0;
    let last = 0;
    pair.loses = (from, packet) => {
      if (from !== pair.a || packet.length < 1000) return false;
      if (pair.now - last < 3000) return true;
      last = pair.now;
      arrived += 1;
      return false;
    };
    pair.pass(300_000);
    expect(arrived).toBeGreaterThan(50);
    pair.loses = () => false;
    pair.pass(60_000);
    expect(pair.b.delivered).toHaveLength(written);
    expect(pair.a.events.filter((event) => event !== 'writable')).toEqual(['settled']);
  });

  test('data behind the end, another end, and one before what came, are not believed', () => {
    const end = new FrctEnd();
    end.bring({ flags: 0x83, seqno: 100, payload: 'x' });
    const tell = (at: number): Buffer => {
      const packet = Buffer.concat([packetOf({ flags: 0x82, seqno: 100 }), Buffer.alloc(bitmapOffset - 12)]);
      const report = new Report();
      report.contents = reportContents.end;
      report.end = at;
      report.write(packet, 0);
      return packet;
    };
    end.bring(tell(99));
    end.bring(tell(103));
    end.bring(tell(102));
    expect(end.frct.counters.ignoredEnd).toBe(2);
    end.bring({ flags: 0x81, seqno: 103, payload: 'behind' });
    expect(end.frct.counters.droppedAfterEnd).toBe(1);
    end.bring({ flags: 0x81, seqno: 101, payload: 'y' }, { flags: 0x81, seqno: 102, payload: 'z' });
    expect(end.delivered).toEqual(['x', 'y', 'z']);
    expect(end.events).toEqual(['ended']);
  });

  test('one before what is held already is not believed either', () => {
    const end = new FrctEnd();
    end.bring({ flags: 0x83, seqno: 100, payload: 'x' }, { flags: 0x81, seqno: 105, payload: 'later' });
    const packet = Buffer.concat([packetOf({ flags: 0x82, seqno: 100 }), Buffer.alloc(bitmapOffset - 12)]);
    const report = new Report();
    report.contents = reportContents.end;
    report.end = 103;
    report.write(packet, 0);
    end.bring(packet);
    expect(end.frct.counters.ignoredEnd).toBe(1);
  });

  test('messages that are taken after close count once', () => {
    const end = new FrctEnd();
    end.reads = false;
    end.bring({ flags: 0x83, seqno: 100, payload: 'x' });
    end.frct.close(end.now);
    end.take(1);
    expect(end.frct.bytesHeld).toBe(0);
  });

  test('best effort: comes at once; what arrives later is late', () => {
    const pair = acquainted({ reliable: false });
    pair.a.write('x');
    pair.a.frct.finish(pair.now);
    pair.pass(20);
    expect([pair.b.delivered, pair.b.events, pair.a.events]).toEqual([['x'], ['ended'], ['settled']]);
  });

  test('close throws away what comes, and settles all the same', () => {
    const pair = acquainted();
    pair.a.reads = false;
    pair.b.write('unread');
    pair.pass(20);
    pair.b.write('never seen');
    pair.a.frct.close(pair.now);
    pair.pass(20);
    pair.b.frct.close(pair.now);
    pair.pass(50);
    expect(pair.a.delivered).toEqual(['unread']);
    expect(pair.a.events).toEqual(['settled', 'ended']);
    expect(pair.b.events).toEqual(['ended', 'settled']);
    expect(pair.a.frct.bytesHeld + pair.b.frct.bytesHeld).toBe(0);
  });
});

describe('the own half of the stream: every state and event', () => {
  const over = { open: 'open', ending: 'ending', ended: 'ended', down: 'down' } as const;
  type State = keyof typeof over;
  const reach: Record<State, () => Pair> = {
    open: () => acquainted(),
    ending: () => {
      const pair = acquainted();
      pair.loses = (from) => from === pair.a;
      pair.a.frct.finish(pair.now);
      return pair;
    },
    ended: () => {
      const pair = acquainted();
      pair.a.frct.finish(pair.now);
      pair.pass(50);
      return pair;
    },
    down: () => {
      const pair = acquainted();
      pair.loses = () => true;
      pair.a.write('x');
      pair.pass(200_000);
      return pair;
    },
  };
  const events: Record<string, (pair: Pair) => void> = {
    write: (pair) => void pair.a.write('more'),
    finish: (pair) => pair.a.frct.finish(pair.now),
    close: (pair) => pair.a.frct.close(pair.now),
    'the answer comes': (pair) => {
      pair.loses = () => false;
      pair.pass(1000);
    },
    'no answer for 120 s': (pair) => {
      pair.loses = () => true;
      pair.pass(200_000);
    },
    'the peer ends': (pair) => {
      pair.b.frct.finish(pair.now);
      pair.pass(50);
    },
  };
  /** How a state shows: open takes writes, ending tells the end on and on, ended and down are silent. */
  const stateOf = ({ a }: Pair): State => {
    if (a.events.includes('down EFLOWDOWN')) return 'down';
    if (a.frct.write(Buffer.from('probe'), a.now)) return 'open';
    return a.frct.nextDeadline() < a.now + 5000 ? 'ending' : 'ended';
  };
  const next: Record<State, Partial<Record<string, State>>> = {
    open: { finish: 'ending', close: 'ending' },
    ending: { 'the answer comes': 'ended', 'no answer for 120 s': 'down' },
    ended: {},
    down: {},
  };

  for (const state of Object.keys(over) as State[]) {
    for (const [name, event] of Object.entries(events)) {
      test(`${state}: ${name}`, () => {
        const pair = reach[state]();
        pair.a.packets();
        event(pair);
        expect(stateOf(pair)).toBe(next[state][name] ?? state);
        // However often it is said, a flow settles once, ends once, and goes down once.
        for (const one of ['settled', 'ended', 'down EFLOWDOWN']) {
          expect(pair.a.events.filter((other) => other === one).length).toBeLessThanOrEqual(1);
        }
      });
    }
  }
});

describe('a prototype that gets such packets', () => {
  test('is where it would be without the mark and the reports', () => {
    const states = [false, true].map((isOurs) => {
      const time = new VirtualTime(5000);
      const sent: string[] = [];
      const end = new Prototype(
        time,
        new Seeded(1),
        { reliable: true, mplMs: 100, lostWakeUps: 0 },
        {
          send: (packet) => sent.push(textOf(packet)),
          readable: () => {},
          writable: () => {},
          down: () => {},
        },
      );
      end.writeBlocking(Buffer.from('x'));
      const own = Number.parseInt(sent[0]!.slice(10, 18), 16);
      const mark = isOurs ? 0x80 : 0;
      const behind = isOurs ? Buffer.alloc(400, 0xff) : '';
      const first = 0x0a0b_0c0d;
      for (const packet of [
        // An end, a report with a bitmap, data, a request with a report, data again.
        { flags: 0x02 | mark, seqno: first, payload: behind },
        { flags: 0x0e | mark, window: own + 257, seqno: first, ackno: own + 1, payload: behind },
        { flags: 0x03 | mark, seqno: first, payload: 'one' },
        { flags: 0x01 | mark, seqno: first + 1, ackno: isOurs ? first : 0, payload: 'two' },
        { flags: 0x10 | mark, payload: behind },
        { flags: 0x0d | mark, window: own + 257, seqno: first + 2, ackno: own + 1, payload: 'three' },
      ]) {
        end.receive(packetOf(packet));
      }
      const read = [end.read(), end.read(), end.read(), end.read()].map((message) => message?.toString());
      time.run(6000, () => false);
      return { sent, read, quiet: end.isQuiet };
    });
    expect(states[1]).toEqual(states[0]);
    expect(states[0]!.read).toEqual(['one', 'two', 'three', undefined]);
  });
});
