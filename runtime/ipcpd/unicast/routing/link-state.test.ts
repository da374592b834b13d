/**
 * One member's routing against scripted neighbours. Member 1 is under test; of its neighbours 2 and 3 are prototypes
 * where no test says otherwise, 4 and 5 members of our kind. Messages are text (tests/support/management-text.ts).
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { managementMessages } from '../../../../tests/support/management-messages.ts';
import { messageOf, messageText } from '../../../../tests/support/management-text.ts';
import {
  type BenchOptions,
  limit,
  randomFrom,
  RoutingBench,
} from '../../../../tests/support/routing-bench.ts';
import { LinkState, type ManagementFlow } from './link-state.ts';

describe('what is announced, and to whom (6.3)', () => {
  test('a link that comes up, to all neighbours at once; the first number is 0', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(3);
    bench.managed(4, true);
    expect(bench.take()).toEqual([]);
    bench.linked(2);
    expect(bench.take()).toEqual(['to 2: 1>2 #0', 'to 3: 1>2 #0', `to 4: [0: 1>2 #0 ${limit}]`]);
  });

  test('every own link each interval, with a higher number', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(4, true);
    bench.linked(4, true);
    bench.linked(2);
    bench.after(14_000).take();
    bench.after(1000);
    expect(bench.takeUpdates()).toEqual([
      'to 2: 1>2 #2',
      'to 2: 1>4 #3',
      `to 4: [1>2 #2 ${limit}, 1>4 #3 ${limit}]`,
    ]);
  });

  describe('what says nothing new waits for others, among ours,', () => {
    const gathering = (options: BenchOptions = {}): RoutingBench => {
      const bench = new RoutingBench({ ...options, limits: { gatherMs: 200 } });
      for (const peer of [2, 4]) {
        bench.managed(peer, true);
        bench.linked(peer, true);
      }
      bench.hearsUpdates(2, '2>1 #0', '7>8 #0', '8>7 #0');
      bench.after(5000).take();
      return bench;
    };

    test('for 200 ms, and then all of it leaves together', () => {
      const bench = gathering();
      bench.hearsUpdates(2, '7>8 #1');
      bench.after(100).hearsUpdates(2, '8>7 #1');
      expect(bench.after(99).takeUpdates()).toEqual([]);
      expect(bench.after(1).takeUpdates()).toEqual(['to 4: [7>8 #1, 8>7 #1]']);
      expect(bench.after(1000).takeUpdates()).toEqual([]);
    });

    test('own announcements too', () => {
      const bench = gathering();
      expect(bench.after(10_100).takeUpdates()).toEqual([]);
      const own = `[1>2 #2 ${limit}, 1>4 #3 ${limit}]`;
      expect(bench.after(100).takeUpdates()).toEqual([`to 2: ${own}`, `to 4: ${own}`]);
    });

    test('unless something new leaves anyway', () => {
      const bench = gathering();
      bench.hearsUpdates(2, '7>8 #1');
      bench.hearsUpdates(2, '8>9 #0');
      expect(bench.takeUpdates()).toEqual(['to 4: [7>8 #1, 8>9 #0]']);
    });

    test('and is not said to who has said it meanwhile', () => {
      const bench = gathering();
      bench.hearsUpdates(2, '7>8 #1');
      bench.hearsUpdates(4, '7>8 #1');
      expect(bench.after(1000).takeUpdates()).toEqual([]);
    });

    test('but leaves at once when a packet is full of it', () => {
      const bench = gathering();
      const many = Array.from({ length: 59 }, (_, index) => index + 100);
      bench.hearsUpdates(2, ...many.map((end) => `7>${end} #0`));
      bench.after(1000).take();
      bench.hearsUpdates(2, ...many.map((end) => `7>${end} #1`));
      expect(bench.takeUpdates()).toEqual([]);
      bench.hearsUpdates(2, '8>7 #1');
      expect(bench.takeUpdates()).toHaveLength(1);
    });

    test('for a small part of a short interval', () => {
      const bench = gathering({ tUpdate: 1, tTimeo: 4 });
      bench.take();
      bench.hearsUpdates(2, '7>8 #9');
      expect(bench.after(16).takeUpdates()).toContainEqual(expect.stringContaining('7>8 #9'));
    });

    test('and is sent again at once when it was lost', () => {
      const bench = gathering();
      bench.acknowledges = false;
      bench.hearsUpdates(2, '7>8 #1');
      expect(bench.after(200).takeUpdates()).toEqual(['to 4: [7>8 #1]']);
      expect(bench.after(500).takeUpdates()).toContain('to 4: [7>8 #1]');
    });
  });

  test('the whole database to a new neighbour, in order of destination and source', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(2);
    bench.hearsLink(2, 2, 1);
    bench.hearsLink(2, 2, 7);
    bench.take();
    bench.managed(3);
    expect(bench.take()).toEqual(['to 3: 2>1 #0', 'to 3: 1>2 #0', 'to 3: 7>2 #0', 'to 3: 2>7 #0']);
    bench.after(2500);
    bench.managed(4, true);
    expect(bench.take()).toEqual([`to 4: [0: 2>1 #0 2s, 1>2 #0 ${limit} 2s, 7>2 #0 2s, 2>7 #0 2s]`]);
  });

  test('a dump to a prototype leaves out what is said in its own name', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.hearsLink(2, 2, 3);
    bench.hearsLink(2, 7, 3);
    bench.take();
    bench.managed(3);
    expect(bench.take()).toEqual(['to 3: 2>3 #0', 'to 3: 7>3 #0']);
    // Nor is it told later, when somebody says it again.
    bench.hears(2, '3>2 #1');
    bench.hears(2, '2>3 #1');
    expect(bench.take()).toEqual(['to 3: 2>3 #1']);
  });

  test('nothing before the settling time is over, then everything', () => {
    const bench = new RoutingBench();
    bench.managed(2, false, 300);
    bench.linked(2);
    bench.hearsLink(2, 2, 7);
    bench.after(299);
    expect(bench.take()).toEqual([]);
    bench.after(1);
    expect(bench.take()).toEqual(['to 2: 1>2 #0', 'to 2: 7>2 #0']);
  });

  test('a link that goes is withdrawn towards our kind and not mentioned to a prototype', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(4, true);
    bench.linked(7);
    bench.take();
    bench.unlinked(7);
    expect(bench.takeUpdates()).toEqual(['to 4: [1>7 #1 gone]']);
    // No more announcements either.
    bench.after(15_000);
    expect(bench.takeUpdates().filter((event) => event.includes('1>7'))).toEqual([]);
  });

  test('a link that comes again goes on above its old number, however long it was away', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(7);
    bench.after(60_000);
    bench.unlinked(7);
    bench.take();
    bench.linked(7);
    expect(bench.takeUpdates()).toEqual(['to 2: 1>7 #6']);
    bench.unlinked(7);
    bench.after(1000_000);
    expect(bench.database()).toEqual([]);
    bench.take();
    bench.linked(7);
    expect(bench.takeUpdates()).toEqual(['to 2: 1>7 #8']);
  });

  test('several flows to one neighbour are one link, with the limit of the last', () => {
    const bench = new RoutingBench();
    bench.managed(4, true);
    const first = bench.linked(7, true, 1000);
    bench.take();
    const second = bench.linked(7, true, 1000);
    expect(bench.take()).toEqual([]);
    const third = bench.linked(7, true, 500);
    expect(bench.takeUpdates()).toEqual(['to 4: [1>7 #1 500]']);
    bench.unlinked(7, second);
    expect(bench.takeUpdates()).toEqual([]);
    bench.unlinked(7, third);
    expect(bench.takeUpdates()).toEqual(['to 4: [1>7 #2 1000]']);
    // One that is gone already.
    bench.unlinked(7, third);
    expect(bench.takeUpdates()).toEqual([]);
    bench.unlinked(7, first);
    expect(bench.takeUpdates()).toEqual(['to 4: [1>7 #3 gone]']);
  });

  test('of several management flows to one neighbour the last is used, and the one before when it goes', () => {
    const bench = new RoutingBench();
    const sent: string[] = [];
    const names = new Map<ManagementFlow, string>();
    const routing = new LinkState<ManagementFlow>(
      {
        address: 1,
        policy: 'link_state',
        tRecalc: 4,
        tUpdate: 15,
        tTimeo: 60,
        random: () => 9,
        port: {
          send: (flow, message) => sent.push(`${names.get(flow)}: ${messageText(message)}`),
          routesChanged: () => {},
          reachable: () => {},
        },
      },
      0,
    );
    const flows = ['first', 'second', 'third'].map((name) => {
      const flow = { peer: 2, isExtended: false, readyAt: 0, maxMessageBytes: 1500 };
      names.set(flow, name);
      routing.managementUp(flow, 0);
      return flow;
    });
    const link = { peer: 2, isExtended: false, maxMessageBytes: 1500 };
    routing.linkUp(link, 0);
    expect(sent.splice(0)).toEqual(['third: 1>2 #0']);
    routing.managementDown(flows[1]!, 0);
    expect(sent.splice(0)).toEqual([]);
    routing.managementDown(flows[2]!, 0);
    expect(sent.splice(0)).toEqual(['first: 1>2 #0']);
    routing.managementDown(flows[2]!, 0);
    expect(sent.splice(0)).toEqual([]);
    expect(bench.counters()).toEqual({});
  });
});

/**
 * What member 1 knows of the link 7>8; what a neighbour then says of it. Other neighbours are a prototype and one of
 * our kind. The effect: what is known afterwards, and who is told.
 */
const known = ['nothing', '7>8 #5', '7>8 #5 900', '7>8 #5 gone'] as const;
const heard = [
  '7>8 #4',
  '7>8 #4 800',
  '7>8 #4 gone',
  '7>8 #5',
  '7>8 #5 800',
  '7>8 #5 gone',
  '7>8 #6',
  '7>8 #6 800',
  '7>8 #6 gone',
] as const;

/** In the order of `known` across, of `heard` down: `p` the other prototype is told, `o` ours, `r` who said it. */
const acceptance: Readonly<Record<(typeof heard)[number], readonly [string, string, string, string]>> = {
  '7>8 #4': ['7>8 #4 po', '7>8 #5 r', '7>8 #5 900 r', '7>8 #5 gone r'],
  '7>8 #4 800': ['7>8 #4 800 po', '7>8 #5 r', '7>8 #5 900 r', '7>8 #5 gone r'],
  '7>8 #4 gone': ['7>8 #4 gone o', '7>8 #5 r', '7>8 #5 900 r', '7>8 #5 gone r'],
  '7>8 #5': ['7>8 #5 po', '7>8 #5', '7>8 #5 900 r', '7>8 #5 gone r'],
  '7>8 #5 800': ['7>8 #5 800 po', '7>8 #5 800 o', '7>8 #5 900', '7>8 #5 gone r'],
  '7>8 #5 gone': ['7>8 #5 gone o', '7>8 #5 gone o', '7>8 #5 gone o', '7>8 #5 gone'],
  // The limit that was heard last goes on to count, but nobody is told that this announcement had it.
  '7>8 #6': ['7>8 #6 po', '7>8 #6 po', '7>8 #6 900 po', '7>8 #6 po'],
  '7>8 #6 800': ['7>8 #6 800 po', '7>8 #6 800 po', '7>8 #6 800 po', '7>8 #6 800 po'],
  '7>8 #6 gone': ['7>8 #6 gone o', '7>8 #6 gone o', '7>8 #6 gone o', '7>8 #6 gone o'],
};

describe('what is accepted and passed on (6.4)', () => {
  const cases = heard.flatMap((update) =>
    known.map((before, index) => [before, update, acceptance[update][index]!] as const),
  );

  /** What `before` and `update` bring about when the update comes from our kind or from a prototype. */
  function outcome(before: string, update: string, from: 'ours' | 'prototype'): string {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(3);
    bench.managed(4, true);
    bench.managed(5, true);
    if (before !== 'nothing') bench.hearsUpdates(4, before);
    bench.take();
    const sender = from === 'ours' ? 4 : 2;
    if (from === 'ours') bench.hearsUpdates(4, update);
    else bench.hears(2, update);
    const told = new Set(bench.takeUpdates().map((event) => Number(/^to (\d):/.exec(event)?.[1])));
    const mark = (letter: string, ...peers: readonly number[]): string =>
      peers.some((peer) => peer !== sender && told.has(peer)) ? letter : '';
    const marks = mark('p', 2, 3) + mark('o', 4, 5) + (told.has(sender) ? 'r' : '');
    return [...bench.database(), marks].join(' ').trim();
  }

  test.each(cases)('known %s, from our kind %s: %s', (before, update, expected) => {
    expect(outcome(before, update, 'ours')).toBe(expected);
  });

  // A prototype says neither limits nor withdrawals, and is not told that it is behind.
  const plain = cases.filter(([, update]) => /#\d$/.test(update));
  test.each(plain)('known %s, from a prototype %s', (before, update, expected) => {
    expect(outcome(before, update, 'prototype')).toBe(expected.replace(/ r$/, ''));
  });
});

/** What member 1 knows of its own link to 7, and what a neighbour says of it. */
describe('what others say about own links', () => {
  const own = ['no link', 'a link #3', 'a link that went, #3'] as const;
  const said = ['1>7 #2', '1>7 #3', '1>7 #8', '1>7 #2 gone', '1>7 #3 gone', '1>7 #8 gone'] as const;
  /** What is sent then to the one who said it, of our kind, and at the next interval. */
  const effects: Readonly<Record<(typeof said)[number], readonly (readonly [now: string, later: string])[]>> =
    {
      '1>7 #2': [
        ['1>7 #3 gone', ''],
        [`1>7 #3 ${limit}`, `1>7 #4 ${limit}`],
        ['1>7 #3 gone', ''],
      ],
      '1>7 #3': [
        ['1>7 #4 gone', ''],
        // He has all but the limit.
        [`1>7 #3 ${limit}`, `1>7 #4 ${limit}`],
        ['1>7 #4 gone', ''],
      ],
      '1>7 #8': [
        ['1>7 #9 gone', ''],
        ['', `1>7 #9 ${limit}`],
        ['1>7 #9 gone', ''],
      ],
      '1>7 #2 gone': [
        ['', ''],
        [`1>7 #3 ${limit}`, `1>7 #4 ${limit}`],
        ['1>7 #3 gone', ''],
      ],
      '1>7 #3 gone': [
        ['', ''],
        [`1>7 #4 ${limit}`, `1>7 #5 ${limit}`],
        ['', ''],
      ],
      '1>7 #8 gone': [
        ['', ''],
        [`1>7 #9 ${limit}`, `1>7 #10 ${limit}`],
        ['', ''],
      ],
    };
  const cases = said.flatMap((text) =>
    own.map((state, index) => [state, text, ...effects[text][index]!] as const),
  );

  function prepared(state: (typeof own)[number]): RoutingBench {
    const bench = new RoutingBench();
    bench.managed(4, true);
    bench.managed(2);
    if (state === 'no link') return bench;
    bench.linked(7);
    bench.after(state === 'a link #3' ? 45_000 : 30_000);
    if (state !== 'a link #3') bench.unlinked(7);
    bench.take();
    return bench;
  }

  /** Updates about the link that went to neighbour 4. */
  const toldOf = (bench: RoutingBench): string =>
    bench
      .takeUpdates()
      .flatMap((event) => (event.startsWith('to 4: ') ? event.slice(7, -1).split(', ') : []))
      .filter((text) => text.startsWith('1>7'))
      .join(', ');

  test.each(cases)('%s, said %s', (state, text, now, later) => {
    const bench = prepared(state);
    bench.hearsUpdates(4, text);
    expect(toldOf(bench)).toBe(now);
    bench.after(15_000);
    expect(toldOf(bench)).toBe(later);
    // A prototype is not told of a link that is not there, whoever believes in it.
    expect(bench.counters()['droppedContradiction']).toBeUndefined();
  });
});

describe('ageing (6.6)', () => {
  /** Links of others as heard at 1000 ms, when the intervals begin too. */
  function aged(options: ConstructorParameters<typeof RoutingBench>[0] = {}): RoutingBench {
    const bench = new RoutingBench(options);
    bench.managed(4, true);
    bench.linked(4, true);
    bench.hearsLink(4, 4, 1);
    bench.hearsLink(4, 4, 7);
    bench.after(10).take();
    return bench;
  }

  test('an entry goes at the first interval after its time, and its link with it; own links stay', () => {
    const bench = aged();
    bench.after(59_990);
    expect(bench.database()).toHaveLength(4);
    bench.after(14_990);
    expect([...bench.routing.members()]).toEqual([4, 7]);
    bench.after(100);
    expect(bench.database()).toEqual([`1>4 #5 ${limit}`]);
    expect(bench.take('told').slice(-3)).toEqual(['routes', '4 lost', '7 lost']);
    expect(bench.counters()['agedOut']).toBe(3);
  });

  test('an announcement gives a new life, and not only its own', () => {
    const bench = aged();
    bench.after(50_000);
    bench.hears(4, '4>1 #1');
    bench.after(60_000);
    expect(bench.database()).toEqual(['4>1 #1', `1>4 #7 ${limit}`]);
    expect([...bench.routing.members()]).toEqual([4]);
  });

  test('what is old already when it is heard lives shorter, and what is too old is not believed', () => {
    const bench = aged();
    bench.hearsUpdates(4, '8>9 #0 50s', '9>8 #0 60s', '8>7 #0 61s', '7>8 #1 gone 90s', '7>9 #1 gone 91s');
    expect(bench.counters()['droppedExpired']).toBe(2);
    expect(bench.database().slice(3)).toEqual(['4>7 #0', '7>8 #1 gone', '9>8 #0', '8>9 #0']);
    bench.after(16_000);
    expect(bench.database()).toEqual(['4>1 #0', `1>4 #1 ${limit}`, '7>4 #0', '4>7 #0']);
  });

  test('a withdrawn link is remembered until no older word about it can come', () => {
    const bench = aged();
    bench.hearsUpdates(4, '7>4 #1 gone');
    expect(bench.after(80_000).database()).toContain('7>4 #1 gone');
    bench.hears(4, '7>4 #0');
    expect(bench.database()).toContain('7>4 #1 gone');
    expect(bench.after(26_000).database()).not.toContain('7>4 #1 gone');
  });

  test('a lifetime no longer than the interval is taken for a little longer', () => {
    const bench = aged({ tUpdate: 15, tTimeo: 5 });
    bench.after(16_000);
    expect(bench.database()).toHaveLength(4);
    bench.after(15_000);
    expect(bench.database()).toHaveLength(1);
  });

  test('after a long sleep one interval does for all that were missed', () => {
    const bench = aged();
    bench.now += 1000_000;
    bench.routing.advance(bench.now);
    expect(bench.routing.nextDeadline()).toBeGreaterThan(bench.now);
    expect(bench.database()).toEqual([`1>4 #1 ${limit}`]);
  });
});

describe('routes (6.7 to 6.9)', () => {
  test('a link counts when both ends announce it', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(2);
    bench.hears(2, '2>7 #0');
    bench.hears(2, '7>2 #0');
    bench.after(10);
    // To 2 itself one direction is missing.
    expect([bench.routes(), bench.take('told')]).toEqual([{}, ['routes']]);
    bench.hears(2, '2>1 #0');
    bench.after(10);
    expect([bench.routes(), bench.take('told')]).toEqual([
      { 2: [2], 7: [2] },
      ['routes', '2 found', '7 found'],
    ]);
    expect([bench.routing.distance(2), bench.routing.distance(7), bench.routing.distance(8)]).toEqual([
      1,
      2,
      undefined,
    ]);
  });

  test('all changes of a few milliseconds are one calculation, and no change is none', () => {
    const bench = new RoutingBench({ limits: { recalculateMs: 2 } });
    bench.managed(2);
    bench.linked(2);
    for (let end = 10; end < 20; end += 1) bench.hearsLink(2, 2, end);
    bench.hearsLink(2, 2, 1);
    bench.after(1.9);
    expect(bench.take('told')).toEqual([]);
    bench.after(0.1);
    expect(bench.counters()['calculations']).toBe(1);
    expect([...bench.routing.members()]).toHaveLength(11);
    for (let end = 10; end < 20; end += 1) bench.hearsLink(2, 2, end, 1);
    bench.hears(2, '55>66 #0');
    bench.after(1000);
    expect(bench.counters()['calculations']).toBe(1);
  });

  test('changes that do not end are calculated every now and then', () => {
    const bench = new RoutingBench({ limits: { recalculateMs: 2, recalculatePauseMs: 20 } });
    bench.managed(2);
    bench.linked(2);
    bench.hearsLink(2, 2, 1);
    bench.after(50).take();
    const calculated: number[] = [];
    for (let end = 100; end < 200; end += 1) {
      bench.hearsLink(2, 2, end);
      bench.after(1);
      if (bench.take('told').includes('routes')) calculated.push(end - 99);
    }
    expect(calculated).toEqual([2, 22, 42, 62, 82]);
  });

  test('a calculation waits no longer than t_recalc', () => {
    const bench = new RoutingBench({ tRecalc: 1, limits: { recalculateMs: 5000 } });
    bench.managed(2);
    bench.linked(2);
    bench.hearsLink(2, 2, 1);
    expect(bench.after(999).take('told')).toEqual([]);
    expect(bench.after(1).take('told')).toEqual(['routes', '2 found']);
  });

  test('a link that goes takes its members with it, at once', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(2);
    bench.hearsLink(2, 2, 1);
    bench.hearsLink(2, 2, 7);
    bench.after(10).take();
    bench.unlinked(2);
    bench.after(2);
    expect([bench.routes(), bench.take('told')]).toEqual([{}, ['routes', '2 lost', '7 lost']]);
  });

  /** A square 1-2-9, 1-4-9 with one more link, by policy: next hops to 9, 2 and 4. */
  test.each([
    ['link_state', { 2: [2], 4: [4], 9: [2] }],
    ['lfa', { 2: [2], 4: [4], 9: [2, 4] }],
    ['ecmp', { 2: [2], 4: [4], 9: [4, 2] }],
  ] as const)('%s', (policy, expected) => {
    const bench = new RoutingBench({ policy });
    bench.managed(2);
    bench.linked(2);
    bench.linked(4, true);
    for (const middle of [2, 4]) {
      bench.hearsLink(2, middle, 1);
      bench.hearsLink(2, middle, 9);
    }
    bench.after(10);
    expect(bench.routes()).toEqual(expected);
  });
});

describe('the limit of the layer', () => {
  function limited(): RoutingBench {
    const bench = new RoutingBench();
    bench.managed(4, true);
    bench.linked(4, true, 1400);
    bench.after(10);
    return bench;
  }
  const limitOf = (bench: RoutingBench): number | undefined => bench.after(10).routing.layerMaxMessageBytes();

  test('is the smallest of the links that lead to members', () => {
    const bench = limited();
    expect(limitOf(bench)).toBeUndefined();
    bench.hearsUpdates(4, '4>1 #0 1300');
    expect(limitOf(bench)).toBe(1300);
    bench.hearsUpdates(4, '4>7 #0 900');
    expect(limitOf(bench)).toBe(1300);
    bench.hearsUpdates(4, '7>4 #0 1000');
    expect(limitOf(bench)).toBe(900);
    // A link beyond what can be reached.
    bench.hearsUpdates(4, '8>9 #0 500', '9>8 #0 500');
    expect(limitOf(bench)).toBe(900);
    bench.hearsUpdates(4, '4>7 #1 1200');
    expect(limitOf(bench)).toBe(1000);
    bench.hearsUpdates(4, '7>4 #1 gone');
    expect(limitOf(bench)).toBe(1300);
  });

  test('is that of the links that are known where a prototype does not say', () => {
    const bench = limited();
    bench.hearsUpdates(4, '4>1 #0', '4>7 #0', '7>4 #0');
    expect(limitOf(bench)).toBe(1400);
  });

  test('who tells one is of our kind', () => {
    const bench = limited();
    bench.hearsUpdates(4, '4>1 #0 1300', '4>7 #0 1300', '7>4 #0');
    expect([4, 7, 9].map((address) => bench.routing.isOurs(address))).toEqual([true, false, false]);
    bench.hearsUpdates(4, '7>4 #1 900');
    expect(bench.routing.isOurs(7)).toBe(true);
  });

  test('is told anew when nothing but a limit changed', () => {
    const bench = limited();
    bench.hearsUpdates(4, '4>1 #0 1300');
    bench.after(10).take();
    bench.hearsUpdates(4, '4>1 #1 1200');
    expect(bench.after(10).take('told')).toEqual(['routes']);
    bench.hearsUpdates(4, '4>1 #2 1200');
    expect(bench.after(10).take('told')).toEqual([]);
  });
});

describe('what a prototype needs besides (6.10)', () => {
  test('something at least every 15 s: what it knows already, with the number it knows', () => {
    const bench = new RoutingBench({ tUpdate: 100, tTimeo: 200 });
    bench.managed(2);
    bench.linked(2);
    bench.hearsLink(2, 2, 7);
    bench.after(14_999).take();
    bench.after(1);
    expect(bench.take()).toEqual(['to 2: 1>2 #0']);
    bench.after(30_000);
    expect(bench.take()).toEqual(['to 2: 1>2 #0', 'to 2: 1>2 #0']);
    expect(bench.counters()['repeats']).toBe(3);
  });

  test('if nothing is known that it may be told, a link that never was', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.hears(2, '2>3 #0');
    bench.after(30_000);
    expect(bench.take()).toEqual([`to 2: 1>${randomFrom} #0`, `to 2: 1>${randomFrom} #0`]);
    // If that comes back it is nothing new.
    bench.managed(4, true);
    bench.take();
    bench.hearsUpdates(4, `1>${randomFrom} #0`);
    expect([bench.takeUpdates(), bench.database()]).toEqual([[], ['2>3 #0']]);
  });

  test('nothing of the kind while the flow settles', () => {
    const bench = new RoutingBench();
    bench.managed(2, false, 60_000);
    expect(bench.after(59_999).take()).toEqual([]);
  });

  test('a neighbour of our kind is asked for a sign of life instead', () => {
    const bench = new RoutingBench();
    bench.managed(4, true);
    expect(bench.after(15_000).take()).toEqual(['to 4: [0: ]']);
  });

  const cures = (bench: RoutingBench): string[] =>
    bench.take().filter((event) => new RegExp(`>9\\d\\d\\d `).test(event));

  /** Neighbour 2 can be reminded of a link to 6 that stays: nothing else needs a link that never was. */
  function curable(): RoutingBench {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(6);
    return bench;
  }

  test('when a link ages out, a link that never was, before and after the prototypes forget it', () => {
    const bench = curable();
    bench.managed(3);
    bench.managed(4, true);
    bench.hearsLink(2, 2, 7);
    // The interval at 76 s is the first one later than 60 s.
    bench.after(74_999);
    expect(cures(bench)).toEqual([]);
    bench.after(1);
    expect(cures(bench)).toEqual([`to 2: 1>${randomFrom} #0`, `to 3: 1>${randomFrom} #0`]);
    bench.after(16_999);
    expect(cures(bench)).toEqual([]);
    bench.after(1);
    expect(cures(bench)).toEqual([`to 2: 1>${randomFrom + 1} #0`, `to 3: 1>${randomFrom + 1} #0`]);
    bench.after(15_000);
    expect(cures(bench)).toHaveLength(2);
    bench.after(200_000);
    expect(cures(bench)).toEqual([]);
  });

  test('half a link that ages out needs none', () => {
    const bench = curable();
    bench.hears(2, '2>7 #0');
    bench.after(200_000);
    expect([bench.counters()['agedOut'], cures(bench)]).toEqual([1, []]);
  });

  test('when an own link goes, as soon as prototypes no longer believe in it', () => {
    const bench = curable();
    bench.linked(7);
    bench.unlinked(7);
    bench.after(76_000);
    expect(cures(bench)).toEqual([]);
    bench.after(1000);
    expect(cures(bench)).toEqual([`to 2: 1>${randomFrom} #0`]);
  });

  test('when the flow to one is replaced that still lists the link', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(2);
    bench.hears(2, '2>1 #0');
    bench.unlinked(2);
    bench.after(5000).take();
    bench.linked(2);
    bench.after(1000);
    expect(cures(bench)).toEqual([`to 2: 1>${randomFrom} #0`]);
  });

  test('none for a first flow, nor for one of our kind', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.linked(2);
    bench.hears(2, '4>1 #0');
    bench.linked(4, true);
    expect(cures(bench.after(50_000))).toEqual([]);
  });

  test('however many links fail, few cures wait', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    for (let peer = 100; peer < 300; peer += 1) {
      bench.linked(peer);
      bench.unlinked(peer);
      bench.after(5);
    }
    bench.after(200_000);
    expect(bench.counters()['cures']).toBeLessThanOrEqual(4);
  });

  test('one whose numbers begin anew is told the number it had, in its own name only', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(3);
    bench.hears(2, '2>7 #40');
    bench.take();
    bench.hears(2, '2>7 #0');
    expect(bench.take()).toEqual(['to 2: 2>7 #40']);
    bench.hears(3, '2>7 #0');
    expect(bench.take()).toEqual([]);
    bench.hears(2, '2>7 #40');
    expect(bench.take()).toEqual([]);
  });

  test('no more LSUs in one go than its buffers have room for', () => {
    const bench = new RoutingBench({ limits: { burst: 10, pauseMs: 5 } });
    bench.managed(2);
    for (let source = 100; source < 125; source += 1) bench.hears(2, `${source}>2 #0`);
    bench.managed(3);
    const sent = (): number => bench.take().length;
    expect(sent()).toBe(10);
    expect(bench.after(4) && sent()).toBe(0);
    expect(bench.after(1) && sent()).toBe(10);
    expect(bench.after(5) && sent()).toBe(5);
    expect(bench.after(50) && sent()).toBe(0);
  });

  test('what waits is what is known when it leaves', () => {
    const bench = new RoutingBench({ limits: { burst: 1, pauseMs: 10 } });
    bench.managed(4, true);
    bench.hearsUpdates(4, '7>8 #1', '7>9 #1', '7>10 #1', '7>11 #1');
    bench.managed(2);
    bench.hearsUpdates(4, '7>9 #2', '7>10 #2 gone');
    bench.hears(2, '7>11 #1');
    expect(bench.after(100) && bench.takeUpdates()).toEqual(['to 2: 7>8 #1', 'to 2: 7>9 #2']);
  });
});

describe('updates among our kind arrive', () => {
  test('acknowledged, several at once', () => {
    const bench = new RoutingBench();
    bench.managed(4, true);
    bench.hearsUpdates(4, '4>7 #0');
    bench.after(5);
    bench.hearsUpdates(4, '4>7 #1');
    expect(bench.after(14).take()).toEqual([]);
    expect(bench.after(1).take()).toEqual(['to 4: ack 0 1']);
    expect(bench.after(1000).take()).toEqual([]);
  });

  test('acknowledged at once when there are many, so that the peer may go on', () => {
    const bench = new RoutingBench({ limits: { windowPackets: 8 } });
    bench.managed(4, true);
    bench.hearsUpdates(4, '4>7 #0');
    expect(bench.take()).toEqual([]);
    bench.hearsUpdates(4, '4>7 #1');
    expect(bench.take()).toEqual(['to 4: ack 0 1']);
  });

  test('sent again until they are acknowledged, later and later, as they are then', () => {
    const bench = new RoutingBench();
    bench.acknowledges = false;
    bench.managed(4, true);
    bench.linked(7);
    const sent = (ms: number): string[] => bench.after(ms).takeUpdates();
    expect(sent(0)).toEqual([`to 4: [1>7 #0 ${limit}]`]);
    expect(sent(499)).toEqual([]);
    expect(sent(1)).toEqual([`to 4: [1>7 #0 ${limit}]`]);
    bench.unlinked(7);
    expect(sent(0)).toEqual(['to 4: [1>7 #1 gone]']);
    // One number, one packet: the first is known to be lost, the second tells the same by now.
    expect(sent(1000)).toEqual(['to 4: [1>7 #1 gone 1s]']);
    expect(sent(60_000).length).toBeGreaterThan(10);
    bench.acknowledges = true;
    bench.after(10).take();
    expect(bench.after(10_000).takeUpdates()).toEqual([]);
    expect(bench.routing.isQuiet).toBe(true);
  });

  test('at once when the flow carries again after a while in which it did not', () => {
    const bench = new RoutingBench();
    const flow = bench.managed(4, true);
    bench.linked(7);
    bench.acknowledges = false;
    bench.take();
    bench.unlinked(7);
    expect(bench.after(60_000).takeUpdates().length).toBeGreaterThan(10);
    expect(bench.after(1).takeUpdates()).toEqual([]);
    bench.routing.managementBack(flow, bench.now);
    expect(bench.takeUpdates()).toEqual(['to 4: [1>7 #1 gone 60s]']);
    // From then on as soon as if nothing had been lost.
    expect(bench.after(500).takeUpdates()).toHaveLength(1);
    bench.unmanaged(4);
    bench.routing.managementBack(flow, bench.now);
    expect(bench.takeUpdates()).toEqual([]);
  });

  test('sooner once the round trip is known', () => {
    const bench = new RoutingBench();
    bench.managed(4, true);
    bench.linked(7);
    bench.hears(4, 'ack 0');
    bench.acknowledges = false;
    bench.after(1000).take();
    bench.unlinked(7);
    bench.take();
    expect(bench.after(99).takeUpdates()).toEqual([]);
    expect(bench.after(1).takeUpdates()).toEqual(['to 4: [1>7 #1 gone]']);
  });

  test('no more packets under way than the window has room for, none longer than the flow carries', () => {
    const bench = new RoutingBench({ limits: { windowPackets: 3 } });
    bench.managed(2);
    for (let source = 100; source < 120; source += 1) bench.hears(2, `${source}>2 #0`);
    bench.acknowledges = false;
    const flow = { peer: 4, isExtended: true, readyAt: 0, maxMessageBytes: 5 + 2 * 23 };
    bench.routing.managementUp(flow, bench.now);
    const sent = bench.takeUpdates();
    expect(sent).toHaveLength(3);
    expect(sent[0]).toBe('to 4: [100>2 #0, 101>2 #0]');
    const acknowledge = (numbers: string): void => {
      const message = messageOf(`ack ${numbers}`);
      bench.routing.receive(flow, message, 0, message.length, bench.now);
    };
    acknowledge('1');
    expect(bench.takeUpdates()).toEqual(['to 4: [106>2 #0, 107>2 #0]']);
    // Numbers that are not under way.
    acknowledge('1 77 4294967295');
    expect(bench.takeUpdates()).toEqual([]);
    acknowledge('0 2 3');
    expect(bench.takeUpdates()).toHaveLength(3);
  });

  test('a flow that carries next to nothing is tried with one thing at a time', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.hears(2, '100>2 #0');
    bench.hears(2, '101>2 #0');
    bench.acknowledges = false;
    const flow = { peer: 4, isExtended: true, readyAt: 0, maxMessageBytes: 0 };
    bench.routing.managementUp(flow, bench.now);
    expect(bench.takeUpdates()).toEqual(['to 4: [100>2 #0]', 'to 4: [101>2 #0]']);
    for (const update of ['[0: 102>2 #0]', '[1: 103>2 #0]']) {
      const message = messageOf(update);
      bench.routing.receive(flow, message, 0, message.length, bench.now);
    }
    bench.take();
    bench.after(99);
    expect(bench.take().filter((text) => text.includes('ack'))).toHaveLength(2);
  });

  test('a flow that goes takes what was under way with it', () => {
    const bench = new RoutingBench();
    bench.acknowledges = false;
    bench.managed(4, true);
    bench.linked(7);
    bench.unmanaged(4);
    bench.take();
    bench.after(10_000);
    expect([bench.take(), bench.routing.isQuiet]).toEqual([[], true]);
  });

  test('what the neighbour said meanwhile need not be said to it', () => {
    const bench = new RoutingBench({ limits: { windowPackets: 0 } });
    bench.managed(4, true);
    bench.managed(5, true);
    bench.hears(4, '4>7 #0');
    expect(bench.routing.isQuiet).toBe(false);
    bench.hears(5, '4>7 #0');
    bench.after(5);
    expect(bench.routing.isQuiet).toBe(true);
  });
});

describe('what is no message of a neighbour', () => {
  const cases: readonly (readonly [string, number, Buffer, string])[] = [
    ['a keepalive', 2, Buffer.alloc(0), 'keepalivesIn'],
    ['another length', 2, Buffer.alloc(23), 'droppedUnknownKind'],
    ['updates from a prototype', 2, messageOf('[0: 7>8 #0]'), 'droppedUnknownKind'],
    ['an acknowledgement from a prototype', 2, messageOf('ack 0'), 'droppedUnknownKind'],
    ['a kind that is not known', 4, Buffer.alloc(5, 0x83), 'droppedUnknownKind'],
    ['half a record', 4, messageOf('[0: 7>8 #0]').subarray(0, 27), 'droppedMalformed'],
    ['an empty acknowledgement', 4, Buffer.from([0x82]), 'droppedMalformed'],
    ['an LSU of no member', 2, Buffer.alloc(24), 'droppedImplausible'],
    ['an update of no member', 4, messageOf('[0: 7>7 #0]'), 'droppedImplausible'],
  ];

  test.each(cases)('%s is counted', (_name, peer, message, counter) => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(4, true);
    bench.hearsBytes(peer, message);
    expect(bench.counters()[counter]).toBe(1);
    expect([bench.database(), bench.takeUpdates()]).toEqual([[], []]);
  });

  test('nor is what comes on a flow that is gone', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.unmanaged(2);
    bench.hears(2, '7>8 #0');
    expect(bench.counters()).toEqual({ droppedUnknownFlow: 1 });
  });

  test('wrong updates do not keep the others of a packet from being heard', () => {
    const bench = new RoutingBench();
    bench.managed(4, true);
    bench.hearsUpdates(4, '7>7 #0', '7>8 #0');
    expect([bench.database(), bench.after(20).take()]).toEqual([['7>8 #0'], ['to 4: ack 0']]);
  });

  test('random messages change nothing but counters and entries, and none brings more than an answer', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            peer: fc.constantFrom(2, 4),
            bytes: fc.uint8Array({ maxLength: 80 }),
            kind: fc.constantFrom(undefined, 0x81, 0x82),
            length: fc.constantFrom(undefined, 24, 28, 51),
            small: fc.boolean(),
          }),
          { maxLength: 40 },
        ),
        (messages) => {
          const bench = new RoutingBench();
          for (const [peer, isExtended] of [
            [2, false],
            [4, true],
          ] as const) {
            bench.managed(peer, isExtended);
            bench.linked(peer, isExtended);
            bench.hearsLink(peer, peer, 1);
          }
          for (const { peer, bytes, kind, length, small } of messages) {
            const message = Buffer.alloc(length ?? bytes.length, Buffer.from([...bytes, 0]));
            // Small numbers where addresses lie, so that some are known.
            if (small) for (let at = 0; at < message.length; at += 1) message[at]! &= at % 4 === 0 ? 7 : 0;
            if (kind !== undefined && message.length > 0) message[0] = kind;
            bench.take();
            bench.hearsBytes(peer, message);
            expect(bench.take().length).toBeLessThanOrEqual(4);
          }
          bench.after(100_000);
          expect(bench.routing.nextDeadline()).toBeGreaterThan(bench.now);
          expect(
            bench.database().filter((text) => text.startsWith('1>') && !text.endsWith('gone')),
          ).toHaveLength(2);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('an enemy', () => {
  test('who says wrong things without end is contradicted a few times a second', () => {
    const bench = new RoutingBench({ limits: { contradictionsPerSecond: 3 } });
    bench.managed(4, true);
    const lie = (): void => {
      for (let end = 100; end < 200; end += 1) bench.hears(4, `1>${end} #5`);
    };
    lie();
    expect(bench.counters()).toMatchObject({ updatesContradicted: 3, droppedContradiction: 97 });
    expect(bench.database()).toHaveLength(3);
    bench.after(1000);
    lie();
    expect(bench.counters()).toMatchObject({ updatesContradicted: 6 });
  });

  test('whose lie could not be answered at once is outdone by the next announcement', () => {
    const bench = new RoutingBench({ limits: { contradictionsPerSecond: 0 } });
    bench.managed(4, true);
    bench.linked(7);
    bench.take();
    bench.hearsUpdates(4, '1>7 #90 gone');
    expect(bench.after(15_000).takeUpdates()).toEqual([`to 4: [1>7 #91 ${limit}]`]);
  });

  test('with the highest number there is does no more than that', () => {
    const bench = new RoutingBench();
    bench.managed(4, true);
    bench.linked(7);
    bench.take();
    bench.hearsUpdates(4, `1>7 #${Number.MAX_SAFE_INTEGER} gone`);
    bench.after(60_000);
    expect(bench.database()).toEqual([`1>7 #${Number.MAX_SAFE_INTEGER} ${limit}`]);
  });

  const limits = { entriesMax: 100, entriesOfSourceMax: 20 };
  /** Neighbour 2 has links to 7 and on to 8. */
  function linked(): RoutingBench {
    const bench = new RoutingBench({ limits });
    bench.managed(2);
    bench.linked(2);
    for (const [a, b] of [
      [2, 1],
      [2, 7],
      [7, 8],
    ] as const) {
      bench.hearsLink(2, a, b);
    }
    bench.after(10);
    return bench;
  }
  const members = (bench: RoutingBench): number[] => [...bench.after(10).routing.members()];

  test('who invents links fills no memory, and pushes no member out', () => {
    const bench = linked();
    for (let round = 0; round < 5000; round += 1)
      bench.hears(2, `${1000 + round}>${20_000 + round} #${round}`);
    for (let round = 0; round < 1000; round += 1) bench.hears(2, `2>${20_000 + round} #${round}`);
    expect(bench.database().length).toBeLessThanOrEqual(101);
    expect(members(bench)).toEqual([2, 7, 8]);
    expect(bench.counters()['evicted']).toBeGreaterThan(4000);
    // New members still come in.
    bench.hearsLink(2, 8, 9);
    expect(members(bench)).toEqual([2, 7, 8, 9]);
  });

  test('who invents links between members that are not there', () => {
    const bench = linked();
    for (let round = 0; round < 1000; round += 1) bench.hearsLink(2, 1000 + round, 20_000 + round);
    expect(bench.database().length).toBeLessThanOrEqual(101);
    bench.hearsLink(2, 8, 9);
    expect(members(bench)).toEqual([2, 7, 8, 9]);
  });

  test('who fills the database with members keeps own links from nobody', () => {
    const bench = linked();
    for (let round = 0; round < 200; round += 1) {
      bench.hearsLink(2, 1000 + round, 1001 + round);
      if (round === 0) bench.hearsLink(2, 8, 1000);
      if (round % 10 === 0) bench.after(10);
    }
    expect(bench.counters()['droppedNoRoom']).toBeGreaterThan(0);
    expect(bench.database().length).toBeLessThanOrEqual(101);
    expect(members(bench).slice(0, 3)).toEqual([2, 7, 8]);
    bench.linked(3);
    bench.hears(2, '3>1 #0');
    expect(members(bench)).toContain(3);
  });

  test('who takes up all the links of one member does not push out those it has', () => {
    const bench = linked();
    for (let end = 100; end < 200; end += 1) bench.hears(2, `7>${end} #1`);
    expect(bench.database().filter((text) => text.startsWith('7>'))).toHaveLength(20);
    bench.hearsLink(2, 7, 9);
    expect(members(bench)).toEqual([2, 7, 8, 9]);
  });
});

describe('conversations of prototypes, as captured', () => {
  /** What b heard and said in a line a - b - c, both captures in one. */
  test('a member in the place of b knows what b knew, and passes on what b passed on', () => {
    const [a, b, c] = [0x708b64d8, 0x6a64c606, 0x0fa004e9];
    const lines = ['unicast-line-ab', 'unicast-line-bc'].map((name) => managementMessages(name));
    const sent: string[] = [];
    let heard: string | undefined;
    const routing = new LinkState<ManagementFlow>(
      {
        address: b,
        policy: 'link_state',
        tRecalc: 4,
        tUpdate: 15,
        tTimeo: 60,
        random: () => 9,
        port: {
          send: (flow, message) => {
            if (heard !== undefined) sent.push(`${flow.peer.toString(16)} ${message.toString('hex')}`);
          },
          routesChanged: () => {},
          reachable: () => {},
        },
      },
      0,
    );
    const flows = new Map(
      [a, c].map((peer) => [peer, { peer, isExtended: false, readyAt: 0, maxMessageBytes: 1496 }]),
    );
    for (const flow of flows.values()) routing.managementUp(flow, 0);
    for (const peer of flows.keys()) routing.linkUp({ peer, isExtended: false, maxMessageBytes: 1496 }, 0);
    const heardByB = lines.flatMap((messages) => messages.filter(({ from }) => from !== b));
    for (const { from, bytes } of heardByB) {
      heard = bytes.toString('hex');
      routing.receive(flows.get(from)!, bytes, 0, bytes.length, 0);
    }
    // Of all that b said, what was not its own: the same to the other neighbour each time.
    const passedOn = lines.flatMap((messages, index) =>
      messages
        .filter(({ from, bytes }) => from === b && Number(bytes.readBigUInt64BE(8)) !== b)
        .map(({ bytes }) => `${(index === 0 ? a : c).toString(16)} ${bytes.toString('hex')}`),
    );
    expect(sent.toSorted()).toEqual(passedOn.toSorted());
    routing.advance(10);
    expect([...routing.members()].toSorted((one, other) => one - other)).toEqual([c, a]);
    expect(routing.counters).toMatchObject({ updatesAccepted: 13, updatesKnown: 0, updatesOld: 0 });
  });

  test('a duplicate is dropped without a word, what is newer passed on (unicast-errors-bp)', () => {
    const bench = new RoutingBench();
    bench.managed(2);
    bench.managed(3);
    const messages = managementMessages('unicast-errors-bp').filter(
      ({ bytes }) => bytes.readBigUInt64BE(0) === 0x1111n,
    );
    for (const { bytes } of messages) bench.hearsBytes(2, bytes);
    const peer = 0x4c55400c;
    expect(bench.take()).toEqual([`to 3: ${peer}>4369 #5`, `to 3: ${peer}>4369 #6`]);
    expect(bench.counters()).toMatchObject({ updatesAccepted: 2, updatesKnown: 1 });
  });
});

test('what is known is shown in the order of the prototype, with neighbours by component (11)', () => {
  const bench = new RoutingBench();
  bench.managed(2);
  bench.managed(4, true);
  bench.linked(2);
  bench.hearsUpdates(4, '4>2 #3 900 7s', '2>4 #1 gone');
  bench.after(500);
  expect(bench.routing.database(bench.now)).toEqual([
    { source: 1, destination: 2, seqno: 0, ageMs: 500, isWithdrawn: false, maxMessageBytes: limit },
    { source: 4, destination: 2, seqno: 3, ageMs: 7500, isWithdrawn: false, maxMessageBytes: 900 },
    { source: 2, destination: 4, seqno: 1, ageMs: 500, isWithdrawn: true, maxMessageBytes: undefined },
  ]);
  expect(bench.routing.neighbours()).toEqual([
    { address: 2, component: 'dt' },
    { address: 2, component: 'mgmt' },
    { address: 4, component: 'mgmt' },
  ]);
});
