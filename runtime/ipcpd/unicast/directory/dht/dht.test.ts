import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesUpTo } from '../../../../../tests/support/any-message.ts';
import { capturedMessages } from '../../../../../tests/support/captured-directory.ts';
import { DhtMessage } from '../../../../lib/pb/gen/directory.js';
import { numberOf } from '../../../../lib/pb/int64.ts';
import type { Resolution } from '../directory.ts';
import { Dht, type DhtConfig } from './dht.ts';
import { compareDistance } from './distance.ts';
import { type DhtLimits, dhtLimits } from './limits.ts';
import { addressOf, decodeMessage, type DirectoryMessage, messageCode, valueOf } from './message.ts';

const hashBytes = 32;
const own = 0x0a000001;
const ownId = Buffer.alloc(hashBytes, 0x0a);
const config: DhtConfig = { alpha: 3, k: 8, tExpire: 86_400, tRefresh: 900, tReplicate: 900 };
const epoch = 1_795_305_302;
const key = Buffer.alloc(hashBytes, 0x55);
const idOf = (address: number): Buffer => {
  const id = Buffer.alloc(hashBytes, 0x40);
  id.writeUInt32BE(address, hashBytes - 4);
  return id;
};

interface Sent {
  readonly to: number;
  readonly message: DirectoryMessage;
}

interface BenchOptions {
  readonly maxMessageBytes?: number;
  readonly peer?: number;
  readonly limits?: Partial<DhtLimits>;
  readonly config?: Partial<DhtConfig>;
}

/** How long members that are played take to answer, in ms. */
const answerMs = 10;

/** One directory; what it sends is looked at, and others are played. */
class Bench {
  readonly dht: Dht;
  now = 1000;
  sent: Sent[] = [];
  readonly noRoute = new Set<number>();
  readonly maxBytes: number[] = [];
  /** Members that routing says are ours. */
  readonly toldOurs = new Set<number>();
  /** Members that answer by themselves, and whether they are ours. */
  readonly played = new Map<number, boolean>();
  #owed: Sent[] = [];
  #seed = 1;

  constructor({ peer = 0, limits, config: changes, maxMessageBytes = 1481 }: BenchOptions = {}) {
    this.dht = new Dht(
      {
        address: own,
        idOf: (address) => (address === own ? ownId : idOf(address)),
        hashBytes,
        peer,
        config: { ...config, ...changes },
        port: {
          maxMessageBytes,
          isOurs: (address) => this.toldOurs.has(address),
          send: (to, message) => {
            if (this.noRoute.has(to)) return false;
            this.maxBytes.push(message.length);
            const decoded = decodeMessage(message, 0, message.length, hashBytes);
            if (typeof decoded === 'string' || decoded.message.code === 'unknown') {
              throw new Error('sent something odd');
            }
            const one = { to, message: decoded.message };
            this.sent.push(one);
            if (this.played.has(to)) this.#owed.push(one);
            return true;
          },
        },
        random: (count) => {
          const bytes = Buffer.alloc(count);
          for (let at = 0; at < count; at += 1) {
            this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
            bytes[at] = this.#seed >>> 16;
          }
          return bytes;
        },
        wallClock: () => epoch + this.now / 1000,
        limits: { ...dhtLimits, ...limits },
      },
      this.now,
    );
    this.pass(0);
  }

  /** Routing tells of a member. */
  route(address: number, isReachable = true): void {
    this.dht.reachable([{ address, isReachable }], this.now);
  }

  /** Takes what was sent since it was last looked at. */
  take(code?: DirectoryMessage['code']): Sent[] {
    const taken = this.sent.filter(({ message }) => code === undefined || message.code === code);
    this.sent = [];
    return taken;
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const answerAt = this.#owed.length > 0 ? this.now + answerMs : Infinity;
      const next = Math.min(answerAt, this.dht.nextDeadline());
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if (answerAt <= next) this.#answerAll();
      this.dht.advance(this.now);
      expect(this.dht.nextDeadline()).toBeGreaterThan(this.now);
    }
    this.now = end;
  }

  /** A message of another member comes in; a prototype's unless it has extensions. */
  receive(
    address: number,
    wire: Omit<DhtMessage.$Properties, 'src'>,
    id: Buffer = idOf(address),
    isOurs = false,
  ): void {
    const extensions = isOurs ? { extensions: 3 } : {};
    const message = { ...wire, src: { id, addr: address }, ...extensions };
    const bytes = Buffer.from(DhtMessage.encode(message).finish());
    this.dht.receive(bytes, 0, bytes.length, this.now);
  }

  /** Members come, and say something, so that they are known; they answer what they are asked, with nothing. */
  meet(addresses: readonly number[], isOurs: boolean): void {
    for (const address of addresses) {
      this.played.set(address, isOurs);
      this.route(address);
      this.receive(address, { code: 1, find: { cookie: 1, key: idOf(address) } }, idOf(address), isOurs);
    }
    this.pass(2500);
    this.take();
  }

  /** From here on members do only what the test says. */
  byHand(): void {
    this.played.clear();
    this.#owed = [];
  }

  #answerAll(): void {
    const owed = this.#owed;
    this.#owed = [];
    for (const one of owed) {
      const { to, message } = one;
      const isOurs = this.played.get(to) === true;
      const isRequest = message.code === messageCode.findNode || message.code === messageCode.findValue;
      if (isRequest) this.answer(one, [], [], isOurs);
      else if (isOurs && (message.code === messageCode.store || message.code === messageCode.withdrawal)) {
        this.receive(to, { code: messageCode.acknowledgement, cookie: message.cookie ?? 0 }, idOf(to), true);
      }
    }
  }

  answer(
    { to, message }: Sent,
    contacts: readonly number[],
    values: readonly number[],
    isOurs = false,
    change: Partial<DhtMessage.$Properties> = {},
  ): void {
    if (message.code !== messageCode.findNode && message.code !== messageCode.findValue) {
      throw new Error('no request');
    }
    const node = {
      cookie: message.cookie,
      key: message.key,
      contacts: contacts.map((address) => ({ id: idOf(address), addr: address })),
    };
    const wire =
      message.code === messageCode.findNode
        ? { code: 2, node }
        : { code: 4, node, val: { values: values.map(valueOf) } };
    this.receive(to, { ...wire, ...change }, idOf(to), isOurs);
  }

  store(from: number, value: number | Buffer, exp = epoch + 10_000, isOurs = false): void {
    const val = typeof value === 'number' ? valueOf(value) : value;
    this.receive(from, { code: 0, store: { key, val, exp } }, idOf(from), isOurs);
  }

  query(of: Buffer = key): { resolution: Resolution | undefined; after: number } {
    const outcome: { resolution: Resolution | undefined; after: number } = {
      resolution: undefined,
      after: Infinity,
    };
    const asked = this.now;
    this.dht.query(of, this.now, (resolution) => {
      expect(outcome.resolution).toBeUndefined();
      outcome.resolution = resolution;
      outcome.after = this.now - asked;
    });
    return outcome;
  }

  count(name: keyof Dht['counters']): number {
    return this.dht.counters[name];
  }

  get facts(): Record<string, unknown> {
    return this.dht.metrics();
  }
}

describe('answers', () => {
  test('every request is answered at once, its copies too, with what it asked echoed', () => {
    const bench = new Bench();
    bench.route(7);
    const cookie = { low: -559_038_737, high: -1_430_532_899, unsigned: true } as unknown as number;
    for (let copy = 0; copy < 2; copy += 1) bench.receive(7, { code: 1, find: { cookie, key } });
    const answers = bench.take(messageCode.nodeAnswer);
    expect(answers.map(({ to }) => to)).toEqual([7, 7]);
    for (const { message } of answers) {
      expect(message).toMatchObject({ from: { id: ownId, address: own }, key, contacts: [], extensions: 3 });
      expect('cookie' in message && String(message.cookie)).toBe(String(0xaabb_ccdd_dead_beefn));
    }
  });

  test('a request for values is answered with contacts and values, the asker and this member left out', () => {
    const bench = new Bench();
    bench.meet([7, 8, 9], false);
    bench.store(8, 8);
    bench.store(8, 9);
    bench.take();
    bench.receive(7, { code: 3, find: { cookie: 5, key } });
    const [answer] = bench.take();
    expect(answer).toMatchObject({ to: 7, message: { code: messageCode.valueAnswer } });
    const message = answer?.message;
    if (message?.code !== messageCode.valueAnswer) throw new Error('no answer');
    expect(numberOf(message.cookie)).toBe(5);
    expect(new Set(message.contacts.map(({ address }) => address))).toEqual(new Set([8, 9]));
    expect(new Set(message.values.map(addressOf))).toEqual(new Set([8, 9]));
  });

  test('who asks for a name it serves itself gets its own address last, as it takes the first', () => {
    const bench = new Bench();
    bench.meet([7, 8], false);
    bench.store(8, 8);
    bench.store(7, 7);
    bench.dht.register(key, bench.now);
    bench.take();
    bench.receive(7, { code: 3, find: { cookie: 5, key } });
    const [answer] = bench.take(messageCode.valueAnswer);
    expect(answer?.message).toMatchObject({ values: [own, 8, 7].map(valueOf) });
  });

  test('of many values 8 are told, others each time', () => {
    const bench = new Bench();
    const members = Array.from({ length: 20 }, (_one, index) => 100 + index);
    bench.meet(members, true);
    for (const address of members) bench.store(address, address, epoch + 10_000, true);
    const told = new Set<number | undefined>();
    for (let round = 0; round < 20; round += 1) {
      bench.take();
      bench.receive(100, { code: 3, find: { cookie: 5, key } }, idOf(100), true);
      const [answer] = bench.take(messageCode.valueAnswer);
      if (answer?.message.code !== messageCode.valueAnswer) throw new Error('no answer');
      expect(answer.message.values).toHaveLength(8);
      expect(answer.message.contacts.length).toBeLessThanOrEqual(8);
      for (const value of answer.message.values) told.add(addressOf(value));
    }
    expect(told.size).toBe(20);
  });

  test('an answer fits the packet it is given', () => {
    const bench = new Bench({ maxMessageBytes: 300 });
    bench.meet(
      Array.from({ length: 20 }, (_one, index) => 100 + index),
      true,
    );
    bench.maxBytes.length = 0;
    bench.receive(100, { code: 3, find: { cookie: 5, key } }, idOf(100), true);
    expect(Math.max(...bench.maxBytes)).toBeLessThanOrEqual(300);
  });

  test('without a route an answer is lost, and that is counted', () => {
    const bench = new Bench();
    bench.noRoute.add(7);
    bench.receive(7, { code: 1, find: { cookie: 5, key } });
    expect(bench.count('noRoute')).toBe(1);
  });
});

describe('what unicast-layer.md 7.5 says of messages', () => {
  const find = { cookie: 5, key };
  const node = { cookie: 5, key, contacts: [] };
  const store = { key, val: valueOf(7), exp: epoch + 1000 };
  type Rest = [
    wire: Omit<DhtMessage.$Properties, 'src'>,
    counter: keyof Dht['counters'],
    id?: Buffer,
    address?: number,
  ];
  const dropped: readonly (readonly [what: string, ...Rest])[] = [
    ['an id of wrong length', { code: 1, find }, 'droppedOddId', Buffer.alloc(31, 1)],
    ['address 0', { code: 1, find }, 'droppedOddAddress', idOf(7), 0],
    ['an address of 64 bits', { code: 1, find }, 'droppedOddAddress', idOf(7), 2 ** 40],
    ['a part that is missing', { code: 3 }, 'droppedPartMissing'],
    ['a key of wrong length', { code: 1, find: { cookie: 5, key: Buffer.alloc(28) } }, 'droppedOddKey'],
    ['an empty value', { code: 0, store: { ...store, val: Buffer.alloc(0) } }, 'droppedOddValue'],
    [
      'a value that is no address',
      { code: 0, store: { ...store, val: Buffer.alloc(4, 1) } },
      'droppedOddValue',
    ],
    ['an answer that nobody waits for', { code: 2, node }, 'droppedUnexpectedAnswer'],
    ['values that nobody waits for', { code: 4, node, val: {} }, 'droppedUnexpectedAnswer'],
    ['a store that has expired', { code: 0, store: { ...store, exp: epoch } }, 'droppedExpired'],
    ['an unknown code', { code: 9, find }, 'droppedUnknownCode'],
    ['an acknowledgement of nothing', { code: 65, cookie: 5 }, 'droppedUnexpectedAnswer'],
    [
      'a withdrawal of what is another’s',
      { code: 64, store: { ...store, val: valueOf(8) } },
      'droppedForeignSource',
    ],
    ['a goodbye of nobody known', { code: 66 }, 'droppedForeignSource'],
    ['a message that claims to be one’s own', { code: 1, find }, 'droppedOwnSource', idOf(7), own],
    ['a message with one’s own id', { code: 1, find }, 'droppedOwnSource', ownId],
  ];
  test.each(dropped)('%s is dropped and counted', (_what, ...rest) => {
    const [wire, counter, id = idOf(7), address = 7] = rest as Rest;
    const bench = new Bench();
    bench.route(7);
    bench.receive(address, wire, id);
    expect(bench.count(counter)).toBe(1);
    // At most he is asked whom he knows: he may be new.
    expect(bench.take().filter(({ message }) => message.code !== messageCode.findNode)).toEqual([]);
    expect(bench.facts).toMatchObject({ foreignValues: 0 });
  });

  test('who sent an unknown code is known all the same', () => {
    const bench = new Bench();
    bench.receive(7, { code: 9 });
    expect(bench.facts).toMatchObject({ contacts: 1, prototypes: 1 });
  });

  test('a value is kept, prolonged and never shortened; it is told until it expires', () => {
    const bench = new Bench();
    bench.meet([7], false);
    bench.store(7, 7, epoch + 50);
    bench.store(7, 7, epoch + 100);
    bench.store(7, 7, epoch + 20);
    bench.pass(80_000);
    expect(bench.query().resolution).toEqual({ addresses: [7], own: false });
    bench.pass(20_000);
    expect(bench.query().resolution).toBeUndefined();
    expect(bench.facts).toMatchObject({ foreignValues: 0, keys: 0 });
  });

  test('an exp far in the future is not believed beyond the longest life of the layer', () => {
    const bench = new Bench({ config: { tExpire: 100 } });
    bench.meet([7], false);
    bench.store(7, 7, 0xffff_ffff);
    bench.pass(110_000);
    expect(bench.facts).toMatchObject({ foreignValues: 0 });
  });

  test('what this member serves itself is nobody else’s to store; what it does not serve is not told', () => {
    const bench = new Bench();
    bench.meet([7], false);
    bench.dht.register(key, bench.now);
    bench.store(7, own);
    expect(bench.count('droppedStray')).toBe(0);
    bench.dht.unregister(key, bench.now);
    bench.store(7, own);
    expect(bench.count('droppedStray')).toBe(1);
    expect(bench.facts).toMatchObject({ foreignValues: 0, ownValues: 0 });
  });

  test('one of ours that holds what this member does not serve is told so', () => {
    const bench = new Bench();
    bench.meet([7], true);
    bench.store(7, own, epoch + 1000, true);
    expect(bench.take()).toMatchObject([
      { to: 7, message: { code: messageCode.withdrawal, key, value: valueOf(own) } },
    ]);
  });

  test('an answer counts with the right key and cookie from who was asked, whatever its code', () => {
    const bench = new Bench();
    bench.meet([7, 8], false);
    bench.byHand();
    const asked = bench.query();
    const requests = bench.take(messageCode.findValue);
    expect(new Set(requests.map(({ to }) => to))).toEqual(new Set([7, 8]));
    const [first, second] = requests as [Sent, Sent];
    bench.answer(first, [], [7], false, { node: { cookie: 4, key, contacts: [] } });
    bench.answer(first, [], [7], false, { node: { cookie: 4, key: ownId, contacts: [] } });
    bench.answer({ ...first, to: second.to }, [], [7]);
    expect(bench.count('droppedUnexpectedAnswer')).toBe(3);
    expect(asked.resolution).toBeUndefined();
    // Members alone, as if they had been asked for: no values.
    const message = first.message as { cookie: number };
    bench.answer(first, [], [], false, { code: 2, node: { cookie: message.cookie, key, contacts: [] } });
    bench.answer(second, [], [7]);
    expect(asked.resolution).toEqual({ addresses: [7], own: false });
    bench.answer(second, [], [7]);
    expect(bench.count('droppedUnexpectedAnswer')).toBe(4);
  });
});

describe('joining', () => {
  test('the peer is asked for the own id as soon as there is a route, again and again', () => {
    const bench = new Bench({ peer: 7 });
    // The first attempt was made at once.
    expect(bench.take()).toHaveLength(1);
    bench.noRoute.add(7);
    bench.pass(5000);
    expect(bench.take()).toEqual([]);
    bench.noRoute.delete(7);
    bench.route(7);
    bench.pass(0);
    const [request] = bench.take();
    expect(request).toMatchObject({ to: 7, message: { code: messageCode.findNode, key: ownId } });
    // Lost: it is repeated, and begun anew.
    bench.pass(10_000);
    const more = bench.take();
    expect(more.length).toBeGreaterThan(4);
    expect(more.every(({ to }) => to === 7)).toBe(true);
    while (bench.sent.length === 0) bench.pass(10);
    bench.answer(bench.take()[0] as Sent, [8], []);
    expect(bench.facts).toMatchObject({ isJoined: true, contacts: 1 });
    // And whom it names is asked next.
    expect(bench.take().map(({ to }) => to)).toContain(8);
  });

  test('a query waits until the first member has answered, and is asked of that one', () => {
    const bench = new Bench();
    bench.route(9);
    const asked = bench.query();
    bench.pass(dhtLimits.settleMs);
    const [first, ...others] = bench.take();
    expect([others, asked.resolution]).toEqual([[], undefined]);
    bench.answer(first as Sent, [], [], true);
    const [query] = bench.take(messageCode.findValue);
    expect(query).toMatchObject({ to: 9 });
    bench.answer(query as Sent, [], [9], true);
    expect(asked.resolution).toEqual({ addresses: [9], own: false });
  });

  test('a query does not wait longer than it may, and not at all where there is nobody', () => {
    const bench = new Bench();
    expect(bench.query().resolution).toEqual({ addresses: [], own: false });
    bench.noRoute.add(9);
    bench.route(9);
    const asked = bench.query();
    bench.pass(dhtLimits.joiningMs - 1);
    expect(asked.resolution).toBeUndefined();
    bench.pass(1);
    expect(asked.resolution).toEqual({ addresses: [], own: false });
  });

  test('without a peer, whoever comes is spoken to after a rest', () => {
    const bench = new Bench();
    bench.pass(100_000);
    expect(bench.take()).toEqual([]);
    bench.route(9);
    bench.pass(dhtLimits.settleMs - 1);
    expect(bench.take()).toEqual([]);
    bench.pass(dhtLimits.settleMs);
    const [first] = bench.take();
    expect(first).toMatchObject({ to: 9, message: { code: messageCode.findNode, key: ownId } });
    bench.answer(first as Sent, [], []);
    expect(bench.facts).toMatchObject({ isJoined: true });
  });

  test('a member that never answers is tried less and less often, and not asked for names', () => {
    const bench = new Bench();
    bench.meet([7], true);
    bench.route(9);
    bench.pass(10_000);
    expect(bench.take().filter(({ to }) => to === 9).length).toBeGreaterThan(1);
    const asked = bench.query();
    bench.pass(1000);
    expect(asked).toEqual({ resolution: { addresses: [], own: false }, after: answerMs });
    bench.pass(600_000);
    bench.take();
    bench.pass(900_000);
    const tries = bench.take().filter(({ to }) => to === 9).length;
    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThan(40);
  });
});

describe('registration', () => {
  test('in a small layer a name is stored at everybody known, and at whoever comes', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.meet([9], false);
    bench.dht.register(key, bench.now);
    const stores = bench.take();
    expect(new Set(stores.map(({ to }) => to))).toEqual(new Set([7, 8, 9]));
    for (const { message } of stores) {
      expect(message).toMatchObject({
        code: messageCode.store,
        key,
        value: valueOf(own),
        expires: Math.trunc(epoch + bench.now / 1000) + 2700,
        life: 2700,
      });
    }
    bench.route(10);
    bench.receive(10, { code: 1, find: { cookie: 1, key: idOf(10) } }, idOf(10), true);
    // The answer first.
    expect(bench.take().slice(0, 2)).toMatchObject([
      { to: 10, message: { code: messageCode.nodeAnswer } },
      { to: 10, message: { code: messageCode.store } },
    ]);
    // A prototype is left in peace until its reader is armed.
    bench.route(11);
    bench.receive(11, { code: 1, find: { cookie: 1, key: idOf(11) } });
    expect(bench.take(messageCode.store).filter(({ to }) => to === 11)).toEqual([]);
    bench.pass(dhtLimits.settleMs);
    expect(bench.take(messageCode.store).filter(({ to }) => to === 11)).toHaveLength(1);
  });

  test('ours that routing tells of are stored at unheard, and spoken to only for a name', () => {
    const bench = new Bench();
    bench.meet([7], true);
    for (const address of [8, 9]) {
      bench.toldOurs.add(address);
      bench.route(address);
    }
    bench.route(10);
    bench.pass(1000);
    // Of the last one nobody knows what it is.
    expect(new Set(bench.take().map(({ to }) => to))).toEqual(new Set([10]));
    bench.dht.register(key, bench.now);
    const stores = bench.take(messageCode.store);
    expect(stores.map(({ to }) => to)).toEqual([7, 8, 9]);
    const [, stored] = stores;
    const cookie = stored?.message.code === messageCode.store ? (stored.message.cookie ?? 0) : 0;
    bench.receive(8, { code: messageCode.acknowledgement, cookie }, idOf(8), true);
    expect(bench.take()).toEqual([]);
    // The same is sent again to the one that did not acknowledge it, and to nobody else.
    bench.pass(1500);
    expect(bench.take(messageCode.store).map(({ to }) => to)).toContain(9);
    bench.byHand();
    bench.toldOurs.add(11);
    bench.route(11);
    bench.pass(1000);
    expect(bench.take().filter(({ to }) => to === 11)).toMatchObject([
      { message: { code: messageCode.store } },
      { message: { code: messageCode.store } },
    ]);
  });

  test('what finds too much under way is stored a little later', () => {
    const bench = new Bench({ limits: { deliveriesMax: 4 } });
    const all = [1, 2, 3, 4, 5, 6];
    for (const member of all) {
      bench.toldOurs.add(member);
      bench.played.set(member, true);
      bench.route(member);
    }
    bench.dht.register(key, bench.now);
    expect(bench.take(messageCode.store)).toHaveLength(4);
    expect(bench.count('droppedTooManyDeliveries')).toBe(2);
    bench.pass(10_000);
    expect(bench.facts['database']).toMatchObject([{ own: { holders: 6 } }]);
  });

  test('one of ours that has left, and that routing still tells of, is told nothing until it answers', () => {
    const bench = new Bench();
    bench.toldOurs.add(8);
    bench.route(8);
    bench.receive(8, { code: messageCode.leave }, idOf(8), true);
    bench.dht.register(key, bench.now);
    bench.pass(4000);
    expect(bench.take()).toEqual([]);
    bench.played.set(8, true);
    bench.pass(10_000);
    expect(bench.take(messageCode.store).map(({ to }) => to)).toEqual([8]);
  });

  test('a member that is known to be ours some time after there is a route is stored at then', () => {
    const bench = new Bench();
    bench.dht.register(key, bench.now);
    bench.route(8);
    bench.pass(100);
    expect(bench.take()).toEqual([]);
    bench.toldOurs.add(8);
    bench.pass(1000);
    expect(bench.take(messageCode.store).map(({ to }) => to)).toContain(8);
  });

  test('one of ours that routing tells of and that is silent is asked, less and less often, until it answers', () => {
    const bench = new Bench();
    bench.toldOurs.add(8);
    bench.route(8);
    bench.dht.register(key, bench.now);
    // Stored at in vain, twice.
    bench.pass(1_000_000);
    bench.take();
    expect(bench.facts).toMatchObject({ contacts: 0 });
    bench.pass(600_000);
    const asked = bench.take();
    expect(asked.length).toBeGreaterThan(4);
    expect(asked.length).toBeLessThan(40);
    expect(new Set(asked.map(({ to, message }) => `${to} ${message.code}`))).toEqual(
      new Set([`8 ${messageCode.findNode}`]),
    );
    bench.played.set(8, true);
    while (bench.facts['contacts'] === 0) bench.pass(1000);
    bench.pass(1000);
    expect(bench.facts['database']).toMatchObject([{ own: { holders: 1 } }]);
  });

  test.each([
    { when: 'before routing tells of it', isBefore: true },
    { when: 'afterwards', isBefore: false },
  ])(
    'in a large layer of ours a name is stored at the nearest without asking who they are: $when',
    ({ isBefore }) => {
      const bench = new Bench();
      if (isBefore) bench.dht.register(key, bench.now);
      const all = Array.from({ length: 100 }, (_one, index) => index + 1);
      for (const member of all) {
        bench.toldOurs.add(member);
        bench.played.set(member, true);
      }
      bench.dht.reachable(
        all.map((address) => ({ address, isReachable: true })),
        bench.now,
      );
      if (!isBefore) bench.dht.register(key, bench.now);
      bench.pass(5000);
      const nearest = all.toSorted((a, b) => compareDistance(idOf(a), idOf(b), key)).slice(0, config.k);
      const sent = bench.take();
      expect(sent.map(({ to, message }) => [to, message.code])).toEqual(
        nearest.map((to) => [to, messageCode.store]),
      );
      expect(bench.facts).toMatchObject({ members: 100, contacts: 100 });
    },
  );

  test('a store is repeated until it is acknowledged; a prototype gets three the first time, then one', () => {
    const bench = new Bench();
    bench.meet([7], true);
    bench.meet([9], false);
    bench.byHand();
    bench.dht.register(key, bench.now);
    const [first] = bench.take().filter(({ to }) => to === 7);
    if (first?.message.code !== messageCode.store) throw new Error('no store');
    bench.pass(1000);
    const again = bench.take().filter(({ to }) => to === 7);
    expect(again).toMatchObject([{ message: { cookie: first.message.cookie } }]);
    expect(bench.take()).toEqual([]);
    bench.receive(7, { code: 65, cookie: first.message.cookie ?? 0 }, idOf(7), true);
    bench.pass(60_000);
    expect(bench.take(messageCode.store).map(({ to }) => to)).toEqual([9]);
    expect(bench.facts).toMatchObject({ deliveries: 0 });
    expect(bench.count('deliveriesUnanswered')).toBe(1);
    bench.played.set(9, false);
    bench.pass(930_000);
    expect(bench.take(messageCode.store).filter(({ to }) => to === 9)).toHaveLength(1);
  });

  test.each([
    { tExpire: 86_400, tReplicate: 900, life: 2700, every: 900 },
    { tExpire: 60, tReplicate: 10, life: 60, every: 10 },
    { tExpire: 60, tReplicate: 900, life: 60, every: 20 },
    { tExpire: 0, tReplicate: 0, life: 10, every: 3 },
  ])(
    'values live $life s and are stored every $every s with t_expire $tExpire, t_replicate $tReplicate',
    (one) => {
      const bench = new Bench({ config: { tExpire: one.tExpire, tReplicate: one.tReplicate } });
      bench.meet([9], false);
      bench.dht.register(key, bench.now);
      bench.pass(10_000);
      const [first] = bench.take(messageCode.store);
      expect(first?.message).toMatchObject({ life: one.life });
      bench.pass(one.every * 20_000);
      const stores = bench.take(messageCode.store).length;
      expect(stores).toBeGreaterThanOrEqual(17);
      expect(stores).toBeLessThanOrEqual(24);
    },
  );

  test('in a large layer a name is stored nearest to its key, at prototypes, and at whom these list first', () => {
    const bench = new Bench({ limits: { everywhereMax: 4 }, config: { k: 2 } });
    bench.meet([0x51, 0x52, 0x53, 0x54, 0x55], true);
    bench.meet([0x41], false);
    for (const address of [0x61, 0x62, 0x63, 0x64]) bench.route(address);
    bench.byHand();
    bench.dht.register(key, bench.now);
    const stored = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      for (const one of bench.take()) {
        if (one.message.code === messageCode.store) stored.add(one.to);
        else if (one.to === 0x41) bench.answer(one, [0x61, 0x62, 0x63, 0x64], []);
        else if (one.to < 0x60) bench.answer(one, [], [], true);
      }
      bench.pass(100);
    }
    const nearest = [0x51, 0x52, 0x53, 0x54, 0x55].toSorted(
      (a, b) => (idOf(a)[31]! ^ 0x55) - (idOf(b)[31]! ^ 0x55),
    );
    expect(stored).toEqual(new Set([0x41, 0x61, 0x62, 0x63, ...nearest.slice(0, 2)]));
  });

  test('many look-ups that end at once, for want of a route, end one after the other', () => {
    const bench = new Bench({ limits: { everywhereMax: 2 }, config: { k: 2 } });
    const members = [0x51, 0x52, 0x53, 0x54];
    bench.meet(members, true);
    bench.byHand();
    for (let count = 0; count < 5000; count += 1) {
      const name = Buffer.alloc(hashBytes);
      name.writeUInt32BE(count);
      bench.dht.register(name, bench.now);
    }
    expect(bench.facts).toMatchObject({ lookups: 5000 });
    for (const address of members) bench.noRoute.add(address);
    bench.pass(10_000);
    expect(bench.facts).toMatchObject({ lookups: 0 });
  });

  test('a withdrawal goes to who holds the name; to who has no route, when he has one again', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.meet([9], false);
    bench.dht.register(key, bench.now);
    bench.pass(10_000);
    bench.route(8, false);
    bench.take();
    bench.dht.unregister(key, bench.now);
    expect(bench.take()).toMatchObject([
      { to: 7, message: { code: messageCode.withdrawal, key, value: valueOf(own) } },
    ]);
    expect(bench.facts).toMatchObject({ owedWithdrawals: 1 });
    bench.route(8);
    bench.pass(dhtLimits.turnMs);
    expect(bench.take()).toMatchObject([{ to: 8, message: { code: messageCode.withdrawal } }]);
    expect(bench.facts).toMatchObject({ owedWithdrawals: 0 });
    // What is registered again takes the place of what is still on its way.
    bench.byHand();
    bench.dht.register(key, bench.now);
    bench.pass(60_000);
    expect(bench.take().every(({ message }) => message.code !== messageCode.withdrawal)).toBe(true);
  });
});

describe('resolution', () => {
  test('what is stored here is told at once, without a message; the own address is no answer', () => {
    const bench = new Bench();
    bench.meet([7], true);
    bench.store(7, 7);
    bench.dht.register(key, bench.now);
    bench.take();
    expect(bench.query()).toEqual({ resolution: { addresses: [7], own: true }, after: 0 });
    expect(bench.take()).toEqual([]);
  });

  test('an unknown name is answered when all who were asked have answered', () => {
    const bench = new Bench();
    bench.meet([7, 8, 9], true);
    bench.byHand();
    const asked = bench.query();
    bench.pass(30);
    const requests = bench.take();
    expect(requests).toHaveLength(3);
    for (const request of requests.slice(0, 2)) bench.answer(request, [7, 8, 9], [], true);
    expect(asked.resolution).toBeUndefined();
    bench.answer(requests[2] as Sent, [7, 8, 9], [], true);
    expect(asked).toEqual({ resolution: { addresses: [], own: false }, after: 30 });
  });

  test('values of members without a route are passed over, and of oneself', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.byHand();
    const asked = bench.query();
    const [first, second] = bench.take() as [Sent, Sent];
    bench.answer(first, [], [77, own], true);
    expect(asked.resolution).toBeUndefined();
    bench.answer(second, [], [77, 8, own], true);
    expect(asked.resolution).toEqual({ addresses: [8], own: false });
  });

  test('a result is believed for its time, unless it is doubted or its member goes', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.byHand();
    const ask = (): readonly number[] => {
      const asked = bench.query();
      for (const request of bench.take(messageCode.findValue)) bench.answer(request, [], [7, 8], true);
      return asked.resolution?.addresses ?? [];
    };
    ask();
    expect([ask(), bench.count('queriesFromCache')]).toEqual([[7, 8], 1]);
    bench.dht.doubt(key, 7, bench.now);
    expect([ask(), bench.count('queriesFromCache')]).toEqual([[8], 2]);
    bench.route(8, false);
    expect([ask(), bench.count('queriesFromCache')]).toEqual([[7], 2]);
    bench.pass(dhtLimits.cacheMs - 1);
    expect([ask(), bench.count('queriesFromCache')]).toEqual([[7], 3]);
    bench.pass(1);
    ask();
    expect(bench.count('queriesFromCache')).toBe(3);
    // A withdrawal is news too.
    bench.receive(7, { code: 64, store: { key, val: valueOf(7), exp: 0, version: 9 } }, idOf(7), true);
    bench.query();
    expect(bench.take(messageCode.findValue)).toHaveLength(1);
  });

  test('prototypes are asked beyond those near the key, and whom they list first', () => {
    const bench = new Bench({ limits: { everywhereMax: 4 }, config: { k: 1 } });
    bench.meet([0x55], true);
    bench.meet([0x40], false);
    bench.byHand();
    for (const address of [0x61, 0x62, 0x63, 0x64]) bench.route(address);
    bench.byHand();
    const asked = bench.query();
    const steps: number[][] = [];
    for (let round = 0; round < 6; round += 1) {
      const sent = bench.take(messageCode.findValue);
      steps.push(sent.map(({ to }) => to));
      for (const one of sent) {
        const isOurs = one.to === 0x55;
        bench.answer(one, isOurs ? [] : [0x61, 0x62, 0x63, 0x64], one.to === 0x62 ? [0x63] : [], isOurs);
      }
      bench.pass(10);
    }
    expect(steps).toEqual([[0x55], [0x40], [0x61, 0x62, 0x63], [], [], []]);
    expect(asked.resolution).toEqual({ addresses: [0x63], own: false });
  });

  test('a prototype’s question is looked up for it, and answered before its user stops waiting', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.meet([9], false);
    bench.byHand();
    bench.receive(9, { code: 3, find: { cookie: 5, key } });
    const requests = bench.take();
    expect(requests.map(({ message }) => message.code)).not.toContain(messageCode.valueAnswer);
    bench.pass(20);
    bench.answer(requests.find(({ to }) => to === 8) as Sent, [], [8], true);
    expect(bench.take(messageCode.valueAnswer)).toMatchObject([{ to: 9, message: { values: [valueOf(8)] } }]);

    bench.pass(20_000);
    bench.take();
    bench.receive(9, { code: 3, find: { cookie: 6, key } });
    bench.pass(dhtLimits.holdMs - 1);
    expect(bench.take(messageCode.valueAnswer)).toEqual([]);
    bench.pass(1);
    expect(bench.take(messageCode.valueAnswer)).toMatchObject([
      { to: 9, message: { cookie: expect.anything(), values: [] } },
    ]);
    bench.pass(10_000);
    expect(bench.take(messageCode.valueAnswer)).toEqual([]);
    // One of ours can look itself.
    bench.receive(7, { code: 3, find: { cookie: 5, key } }, idOf(7), true);
    expect(bench.take(messageCode.valueAnswer)).toHaveLength(1);
  });

  test('callers that ask the same share a look-up; too many are refused', () => {
    const bench = new Bench({ limits: { queriesMax: 1, waitingMax: 2 } });
    bench.meet([7], true);
    bench.byHand();
    const [first, second, third] = [bench.query(), bench.query(), bench.query()];
    expect(third.resolution).toEqual({ addresses: [], own: false });
    expect(bench.query(ownId).resolution).toEqual({ addresses: [], own: false });
    expect(bench.count('refusedTooManyQueries')).toBe(2);
    const requests = bench.take();
    expect(requests).toHaveLength(1);
    bench.answer(requests[0] as Sent, [], [7], true);
    expect([first.resolution, second.resolution]).toEqual([
      { addresses: [7], own: false },
      { addresses: [7], own: false },
    ]);
  });

  test('a look-up ends, whoever does not answer', () => {
    const bench = new Bench();
    bench.meet([7, 8, 9], false);
    bench.byHand();
    const asked = bench.query();
    bench.pass(dhtLimits.lookupMs);
    expect(asked.resolution).toEqual({ addresses: [], own: false });
    expect(asked.after).toBeLessThanOrEqual(dhtLimits.answerMs);
    bench.query();
    bench.pass(dhtLimits.lookupMs);
    // Who let two requests pass is no contact any more.
    expect(bench.facts).toMatchObject({ contacts: 0 });
  });

  test('a route that goes ends what waits for its member', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.byHand();
    const asked = bench.query();
    bench.pass(5);
    bench.route(7, false);
    bench.route(8, false);
    expect(asked).toEqual({ resolution: { addresses: [], own: false }, after: 5 });
  });
});

describe('custody', () => {
  test('a withdrawal is acknowledged, and prototypes do not bring the name back', () => {
    const bench = new Bench();
    bench.meet([7], true);
    bench.meet([9], false);
    bench.byHand();
    const value = { key, val: valueOf(7), exp: epoch + 2000, life: 2000, version: 3 };
    bench.receive(7, { code: 0, store: value, cookie: 77 }, idOf(7), true);
    bench.receive(7, { code: 64, store: { ...value, exp: 0, version: 4 }, cookie: 78 }, idOf(7), true);
    const acknowledged = bench.take(messageCode.acknowledgement);
    expect(acknowledged.map(({ message }) => numberOf((message as { cookie: number }).cookie))).toEqual([
      77, 78,
    ]);
    bench.store(9, 7);
    expect(bench.count('droppedWithdrawn')).toBe(1);
    const asked = bench.query();
    for (const request of bench.take())
      bench.answer(request, [], request.to === 9 ? [7] : [], request.to === 7);
    expect(asked.resolution).toEqual({ addresses: [], own: false });
    bench.receive(7, { code: 0, store: { ...value, version: 5 }, cookie: 79 }, idOf(7), true);
    expect(bench.query().resolution).toEqual({ addresses: [7], own: false });
  });

  test('a prototype acknowledges nothing and asks for nothing, so nothing is sent to it', () => {
    const bench = new Bench();
    bench.meet([9], false);
    bench.receive(9, { code: 0, store: { key, val: valueOf(9), exp: epoch + 100 }, cookie: 5 });
    expect(bench.take()).toEqual([]);
  });

  test('clocks that differ do not shorten the life of our values', () => {
    const bench = new Bench();
    bench.meet([7], true);
    bench.receive(
      7,
      { code: 0, store: { key, val: valueOf(7), exp: epoch - 5000, life: 100, version: 1 } },
      idOf(7),
      true,
    );
    expect(bench.query().resolution).toEqual({ addresses: [7], own: false });
  });

  test('who leaves takes his names along, and has to be who he says', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.store(7, 7, epoch + 1000, true);
    bench.receive(7, { code: 66 }, idOf(8), true);
    expect(bench.facts).toMatchObject({ foreignValues: 1, contacts: 2 });
    bench.receive(7, { code: 66 }, idOf(7), true);
    expect(bench.facts).toMatchObject({ foreignValues: 0, contacts: 1 });
  });

  test('in a large layer the nearest holder hands a value to a newcomer that is nearer than others', () => {
    const bench = new Bench({ limits: { everywhereMax: 2 }, config: { k: 2 } });
    const near = (bits: number): Buffer => {
      const id = Buffer.from(key);
      id[31] = (key[31] ?? 0) ^ bits;
      return id;
    };
    const come = (address: number, id: Buffer): Sent[] => {
      bench.route(address);
      bench.receive(address, { code: 1, find: { cookie: 1, key: id } }, id, true);
      bench.pass(dhtLimits.turnMs);
      return bench.take(messageCode.store);
    };
    const far = (fill: number): Buffer => Buffer.alloc(hashBytes, 0xf0 | fill);
    expect(come(7, far(7))).toEqual([]);
    expect(come(8, far(8))).toEqual([]);
    bench.receive(
      7,
      { code: 0, store: { key, val: valueOf(7), exp: epoch + 1000, life: 500, version: 4 } },
      far(7),
      true,
    );
    bench.take();
    expect(come(9, near(1))).toMatchObject([
      { to: 9, message: { key, value: valueOf(7), expires: epoch + 1000, life: 500, version: 4 } },
    ]);
    // Now another holder is nearer than this one.
    expect(come(10, near(2))).toEqual([]);
  });

  test('in a large layer a prototype’s value is passed on to those nearest to its key', () => {
    const bench = new Bench({ limits: { everywhereMax: 4 }, config: { k: 2 } });
    bench.meet([0x51, 0x52, 0x54], true);
    bench.meet([0x41], false);
    bench.store(0x41, 0x41, epoch + 5000);
    bench.pass(500);
    const stores = bench.take(messageCode.store);
    expect(new Set(stores.map(({ to }) => to))).toEqual(new Set([0x54, 0x51]));
    for (const { message } of stores) {
      expect(message).toMatchObject({ key, value: valueOf(0x41), expires: epoch + 5000, version: 0 });
    }
  });

  test('a prototype is asked whether it still serves what is kept for it', () => {
    const bench = new Bench();
    bench.meet([9, 10], false);
    bench.store(9, 9);
    bench.store(9, 10);
    const serving = new Set([9, 10]);
    const round = (): void => {
      bench.played.clear();
      for (let step = 0; step < 1000; step += 1) {
        bench.pass(1000);
        for (const one of bench.take()) {
          const isValue = one.message.code === messageCode.findValue;
          if (isValue) bench.answer(one, [], serving.has(one.to) ? [one.to] : []);
          else if (one.message.code === messageCode.findNode) bench.answer(one, [], []);
        }
      }
    };
    round();
    expect(bench.facts).toMatchObject({ foreignValues: 2 });
    serving.delete(10);
    round();
    expect(bench.query().resolution).toEqual({ addresses: [9], own: false });
    expect(bench.facts).toMatchObject({ foreignValues: 1 });
  });

  test('where prototypes have many names, each has its turn', () => {
    const bench = new Bench();
    bench.meet([9], false);
    bench.byHand();
    for (let count = 0; count < 600; count += 1) {
      const name = Buffer.alloc(hashBytes);
      name.writeUInt32BE(count);
      bench.receive(9, { code: 0, store: { key: name, val: valueOf(9), exp: epoch + 80_000 } });
    }
    const asked = new Set<string>();
    for (let step = 0; step < 4000; step += 1) {
      bench.pass(1000);
      for (const one of bench.take()) {
        if (one.message.code === messageCode.findNode) bench.answer(one, [], []);
        if (one.message.code !== messageCode.findValue) continue;
        asked.add(one.message.key.toString('hex'));
        bench.answer(one, [], [9]);
      }
    }
    expect(asked.size).toBe(600);
  });
});

describe('leaving', () => {
  test('holders are told, who waits is answered, and nothing is done any more', () => {
    const bench = new Bench();
    bench.meet([7, 8], true);
    bench.meet([9], false);
    bench.dht.register(key, bench.now);
    const asked = bench.query(ownId);
    bench.take();
    bench.dht.leave(bench.now);
    expect(bench.take().map(({ to, message }) => [to, message.code])).toEqual([
      [7, messageCode.leave],
      [8, messageCode.leave],
    ]);
    expect(asked.resolution).toEqual({ addresses: [], own: false });
    expect(bench.dht.nextDeadline()).toBe(Infinity);
    bench.receive(7, { code: 1, find: { cookie: 5, key } }, idOf(7), true);
    bench.dht.leave(bench.now);
    expect(bench.take()).toEqual([]);
  });
});

describe('hostile input', () => {
  const everyMessage = [
    'unicast-line-ab',
    'unicast-line-bc',
    'unicast-dht-star',
    'unicast-errors-bp',
  ].flatMap((name) => capturedMessages(name).map(({ payload }) => payload));
  const drops = (bench: Bench): number =>
    Object.entries(bench.dht.counters)
      .filter(([name]) => name.startsWith('dropped'))
      .reduce((sum, [, count]) => sum + count, 0);

  test('random, cut and changed messages are dropped and counted, and never throw', () => {
    const bench = new Bench();
    fc.assert(
      fc.property(bytesUpTo(400), (bytes) => {
        const before = drops(bench);
        bench.dht.receive(bytes, 0, bytes.length, bench.now);
        expect(drops(bench)).toBe(before + 1);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat(255), (which, cut, at, byte) => {
        const message = Buffer.from(everyMessage[which % everyMessage.length] as Buffer);
        bench.dht.receive(message, 0, cut % (message.length + 1), bench.now);
        message[at % message.length] = byte;
        bench.dht.receive(message, 0, message.length, bench.now);
        bench.pass(7);
      }),
      { numRuns: 500 },
    );
    expect(bench.count('droppedMalformed')).toBeGreaterThan(100);
  });

  test('who says to be another of ours is not believed, and does not take its place', () => {
    const bench = new Bench();
    bench.toldOurs.add(8);
    bench.route(8);
    for (const [address, id] of [
      [99, idOf(8)],
      [8, idOf(99)],
    ] as const) {
      bench.receive(address, { code: 1, find: { cookie: 1, key } }, id);
    }
    expect(bench.count('droppedForeignSource')).toBe(2);
    expect(bench.take()).toEqual([]);
    bench.dht.register(key, bench.now);
    expect(bench.take(messageCode.store).map(({ to }) => to)).toEqual([8]);
  });

  test('what is too long is not read', () => {
    const bench = new Bench();
    const long = Buffer.alloc(dhtLimits.receivedBytesMax + 1);
    bench.dht.receive(long, 0, long.length, bench.now);
    expect(bench.count('droppedTooLong')).toBe(1);
  });

  test('whatever comes, what is kept stays within its bounds', () => {
    const limits: Partial<DhtLimits> = {
      contactsMax: 10,
      membersMax: 20,
      valuesMax: 12,
      valuesOfKeyMax: 4,
      valuesOfSourceMax: 6,
      namesMax: 3,
      heldMax: 2,
      deliveriesMax: 8,
      cacheEntriesMax: 2,
      keysShownMax: 2,
      queriesMax: 2,
      owedMax: 2,
      errandsWaitingMax: 2,
    };
    const bench = new Bench({ limits });
    for (let round = 1; round <= 300; round += 1) {
      const id = Buffer.alloc(hashBytes);
      id.writeUInt32BE(Math.imul(round, 2_654_435_761) >>> 0);
      const other = Buffer.alloc(hashBytes, round);
      bench.route(round);
      bench.receive(round, { code: 3, find: { cookie: round, key: other } }, id);
      const val = valueOf(1 + (round % 20));
      bench.receive(round % 7 || 1, { code: 0, store: { key: other, val, exp: epoch + 9999 } }, id);
      bench.receive(round, { code: 64, store: { key: other, val: valueOf(round), exp: 0 } }, id, true);
      bench.dht.register(other, bench.now);
      bench.dht.query(id, bench.now, () => {});
      if (round % 3 === 0) bench.dht.unregister(other, bench.now);
      if (round % 4 === 0) bench.route(round - 3, false);
      bench.pass(3);
      const facts = bench.facts as Record<string, number>;
      expect(facts['contacts']).toBeLessThanOrEqual(10);
      expect(facts['members']).toBeLessThanOrEqual(20);
      expect((facts['foreignValues'] ?? 0) + (facts['withdrawnValues'] ?? 0)).toBeLessThanOrEqual(12);
      expect(facts['ownValues']).toBeLessThanOrEqual(3);
      expect(facts['deliveries']).toBeLessThanOrEqual(8);
      expect(facts['queries']).toBeLessThanOrEqual(2);
      expect(facts['cached']).toBeLessThanOrEqual(2);
      expect(facts['owedWithdrawals']).toBeLessThanOrEqual(2);
      expect(facts['tasks']).toBeLessThan(250);
      expect(facts['database']).toHaveLength(Math.min(2, facts['keys'] ?? 0));
    }
  });
});

test('its facts are those of the prototype, with own and foreign under their right names', () => {
  const bench = new Bench();
  bench.meet([7], true);
  bench.meet([9], false);
  bench.store(9, 9, epoch + 500);
  bench.dht.register(ownId, bench.now);
  bench.dht.register(key, bench.now);
  const facts = JSON.parse(JSON.stringify(bench.facts)) as unknown;
  expect(facts).toMatchObject({
    id: ownId.toString('hex'),
    address: '01.00.00.0a',
    created: epoch + 1,
    ...config,
    isJoined: true,
    members: 2,
    contacts: 2,
    prototypes: 1,
    keys: 2,
    ownValues: 2,
    foreignValues: 1,
    database: [
      { key: ownId.toString('hex'), own: { holders: 2, storedAt: epoch + 6 }, foreign: [] },
      {
        key: key.toString('hex'),
        own: { holders: 2, storedAt: epoch + 6 },
        foreign: [{ address: '09.00.00.00', expires: epoch + 500, isWithdrawn: false, isReachable: true }],
      },
    ],
  });
});
