/** Every message in every state of a flow. The port is a list of what was asked of it. */
import { describe, expect, test } from 'vitest';
import { FlowInbox, packetOf } from '../../../tests/support/flow-inbox.ts';
import { rawQos } from '../../lib/qos.ts';
import { never } from '../../lib/time/clock.ts';
import { PacketPool } from '../../lib/wire/packet.ts';
import type { FlowOutcome, FlowRequest, LayerFlow } from './layer.ts';
import { type LinkFlowCounter, linkFlowLimits, LinkFlows, type LinkFlowLimits } from './link-flows.ts';

const now = 1000;
const hash = Buffer.alloc(32, 7);
/** Its first 16 bytes name the handshake. */
const handshake = Buffer.alloc(36, 0x11);
const answer = Buffer.alloc(84, 0x11);
const own = 64;
const peer = 99;
const reserved = 0;
const nothing = Buffer.alloc(0);

class Bench {
  readonly sent: string[] = [];
  readonly counts: LinkFlowCounter[] = [];
  readonly requests: FlowRequest[] = [];
  readonly outcomes: FlowOutcome[] = [];
  readonly inbox = new FlowInbox();
  readonly flows: LinkFlows<string>;
  flow: LayerFlow | undefined;

  constructor(limits: Partial<LinkFlowLimits> = {}, eids = { min: own, max: own + 1 }, firstDataHoldMs = 0) {
    this.flows = new LinkFlows<string>({
      port: {
        headerBytes: 4,
        backlog: 0,
        maxMessageBytes: 100,
        count: (reason) => this.counts.push(reason),
        isSame: (a, b) => a === b,
        isReserved: (eid) => eid === reserved,
        sendRequest: (to, eid) => this.sent.push(`request ${eid} to ${to}`),
        sendReply: (to, requester, eid, response) =>
          this.sent.push(`reply ${response} to ${requester} of ${to} from ${eid}`),
        sendRelease: (to, eid, peerEid) => this.sent.push(`release ${peerEid} of ${to} from ${eid}`),
        sendData: (flow, packet) =>
          this.sent.push(`data ${packet.bytes().toString()} to ${flow.peerEid} of ${flow.address}`),
      },
      events: { flowRequested: (request) => this.requests.push(request) },
      limits: { ...linkFlowLimits, eidRestMs: 1000, eidRestReleasedMs: 0, ...limits },
      eids,
      packets: new PacketPool(),
      firstDataHoldMs,
    });
  }

  allocate(): void {
    this.flow = this.flows.allocate('b', hash, rawQos, handshake, this.inbox, now, (outcome) =>
      this.outcomes.push(outcome),
    );
  }

  /** A request that came in from b, whose id is `peer`. */
  requested(from = 'b', eid = peer, piggyback = handshake, ours = false): void {
    this.flows.requestReceived(from, eid, hash, rawQos, piggyback, ours);
  }

  accept(): LayerFlow | undefined {
    const request = this.requests.shift();
    if (request === undefined) throw new Error('no request came in');
    return (this.flow = this.flows.accept(request.handle, answer, this.inbox, now));
  }

  /** What happened since the last call. */
  take(): Effects {
    const effects = {
      sent: this.sent.splice(0),
      counts: this.counts.splice(0),
      outcomes: this.outcomes
        .splice(0)
        .map((outcome) => (outcome.kind === 'refused' ? `refused ${outcome.response}` : outcome.kind)),
      told: this.inbox.messages.splice(0),
      requests: this.requests.splice(0).length,
    };
    return Object.fromEntries(
      Object.entries(effects).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value > 0)),
    );
  }
}

type Effects = Partial<{
  sent: string[];
  counts: string[];
  outcomes: string[];
  told: string[];
  requests: number;
}>;

function waiting(): Bench {
  const bench = new Bench();
  bench.allocate();
  return bench;
}

function opened(): Bench {
  const bench = waiting();
  bench.flows.replyReceived('b', own, peer, 0, answer, now);
  return bench;
}

/** The states an own endpoint id can be in, each as its way there. */
const states = {
  'never used': () => new Bench(),
  waiting,
  'open, as requester': opened,
  'open, as responder': () => {
    const bench = new Bench();
    bench.requested();
    bench.accept();
    return bench;
  },
  unanswered: () => {
    const bench = waiting();
    bench.flows.advance(now + linkFlowLimits.replyMs);
    return bench;
  },
  refused: () => {
    const bench = waiting();
    bench.flows.replyReceived('b', own, 0, -1009, nothing, now);
    return bench;
  },
  'closed here': () => {
    const bench = opened();
    bench.flow?.deallocate(now);
    return bench;
  },
  'closed there': () => {
    const bench = opened();
    bench.flows.releaseReceived('b', own, peer, now);
    return bench;
  },
} as const satisfies Record<string, () => Bench>;
type State = keyof typeof states;
const stateNames = Object.keys(states) as State[];

interface Step {
  readonly run: (bench: Bench) => void;
  /** What it does in most states, and in those that differ. */
  readonly always: Effects;
  readonly but: Partial<Record<State, Effects>>;
}

const unexpectedReply: Effects = { counts: ['droppedUnexpectedReply'] };
/** Whoever opened a flow that nobody waits for is told. */
const late: Effects = { ...unexpectedReply, sent: [`release ${peer} of b from ${own}`] };
const foreign: Effects = { counts: ['droppedForeignSource'] };
const unexpectedRelease: Effects = { counts: ['droppedUnexpectedRelease'] };
const open = (effects: Effects): Partial<Record<State, Effects>> => ({
  'open, as requester': effects,
  'open, as responder': effects,
});

const data = ({ flows }: Bench, at = now, from = 'b'): void => {
  const flow = flows.find(own);
  if (flow === undefined) flows.strayReceived(from, own, at);
  else flows.deliver(flow, packetOf(Buffer.from('x')), at);
};
/** When who sends to a flow that was released is told again. */
const again = now + 50;

const steps: Record<string, Step> = {
  'a reply': {
    run: ({ flows }) => flows.replyReceived('b', own, peer, 0, answer, now),
    always: late,
    but: { waiting: { outcomes: ['accepted'] }, unanswered: unexpectedReply, ...open(unexpectedReply) },
  },
  'a reply from elsewhere': {
    run: ({ flows }) => flows.replyReceived('c', own, peer, 0, answer, now),
    always: { ...unexpectedReply, sent: [`release ${peer} of c from ${own}`] },
    but: { waiting: foreign, unanswered: unexpectedReply, ...open(unexpectedReply) },
  },
  'a reply with a reserved id': {
    run: ({ flows }) => flows.replyReceived('b', own, reserved, 0, answer, now),
    always: unexpectedReply,
    but: { waiting: { counts: ['droppedReservedEid'] } },
  },
  'a refusal': {
    run: ({ flows }) => flows.replyReceived('b', own, 0, -1009, nothing, now),
    always: unexpectedReply,
    but: { waiting: { outcomes: ['refused -1009'] } },
  },
  'a refusal from elsewhere': {
    run: ({ flows }) => flows.replyReceived('c', own, 0, -1009, nothing, now),
    always: unexpectedReply,
    but: { waiting: foreign },
  },
  'a positive response': {
    run: ({ flows }) => flows.replyReceived('b', own, peer, 1, answer, now),
    always: unexpectedReply,
    but: {},
  },
  'a reply that lost its address': {
    run: ({ flows }) => flows.lostReplyReceived('b', peer, 0, answer, now),
    always: unexpectedReply,
    but: { waiting: { counts: ['repliesMisdirected'], outcomes: ['accepted'] } },
  },
  'a lost reply of another handshake': {
    run: ({ flows }) => flows.lostReplyReceived('b', peer, 0, Buffer.alloc(84, 0x22), now),
    always: unexpectedReply,
    but: {},
  },
  'a lost reply without a handshake': {
    run: ({ flows }) => flows.lostReplyReceived('b', peer, 0, answer.subarray(0, 15), now),
    always: unexpectedReply,
    but: {},
  },
  'a release': {
    run: ({ flows }) => flows.releaseReceived('b', own, peer, now),
    always: unexpectedRelease,
    but: {
      ...open({
        sent: [`release ${peer} of b from ${own}`],
        counts: ['releasedByPeer'],
        told: ['(released)'],
      }),
      // It confirms the own.
      'closed here': {},
    },
  },
  'a release from elsewhere': {
    run: ({ flows }) => flows.releaseReceived('c', own, peer, now),
    always: unexpectedRelease,
    but: {},
  },
  'a release of another id': {
    run: ({ flows }) => flows.releaseReceived('b', own, peer + 1, now),
    always: unexpectedRelease,
    but: {},
  },
  'a request': {
    run: (bench) => bench.requested('b', peer, Buffer.alloc(36, 0x33)),
    always: { requests: 1 },
    but: {},
  },
  'the request again': {
    run: (bench) => bench.requested(),
    always: { requests: 1 },
    but: { 'open, as responder': { counts: ['droppedRepeatedRequest'] } },
  },
  'a request with a reserved id': {
    run: (bench) => bench.requested('b', reserved),
    always: { counts: ['droppedReservedEid'] },
    but: {},
  },
  data: {
    run: (bench) => data(bench),
    always: { counts: ['droppedUnknownEid'] },
    but: { waiting: { told: ['x'] }, unanswered: { told: ['x'] }, ...open({ told: ['x'] }) },
  },
  'data of one who should have heard of a release': {
    run: (bench) => data(bench, again),
    always: { counts: ['droppedUnknownEid'] },
    but: {
      waiting: { told: ['x'] },
      unanswered: { told: ['x'] },
      ...open({ told: ['x'] }),
      'closed here': { counts: ['droppedUnknownEid'], sent: [`release ${peer} of b from ${own}`] },
    },
  },
  'data to a flow that was released, from elsewhere': {
    run: ({ flows }) => flows.strayReceived('c', own, again),
    always: { counts: ['droppedUnknownEid'] },
    but: {},
  },
  'a write': {
    run: ({ flow }) => flow?.write(packetOf(Buffer.from('y'))),
    always: { counts: ['droppedNotOpen'] },
    but: { 'never used': {}, ...open({ sent: [`data y to ${peer} of b`] }) },
  },
  'a write that is too long': {
    run: ({ flow }) => flow?.write(packetOf(Buffer.alloc(101))),
    always: { counts: ['droppedTooLong'] },
    but: { 'never used': {} },
  },
  deallocation: {
    run: ({ flow }) => flow?.deallocate(now),
    always: {},
    but: { waiting: { outcomes: ['unanswered'] }, ...open({ sent: [`release ${peer} of b from ${own}`] }) },
  },
  'the end of its time': {
    run: ({ flows }) => flows.advance(now + linkFlowLimits.replyMs),
    always: {},
    but: { waiting: { outcomes: ['unanswered'] } },
  },
  'its device goes down': {
    run: ({ flows }) => flows.setUp(false),
    always: {},
    but: { waiting: { told: ['(down)'] }, unanswered: { told: ['(down)'] }, ...open({ told: ['(down)'] }) },
  },
  'the layer closes': {
    run: ({ flows }) => flows.close(),
    always: {},
    but: { waiting: { outcomes: ['unanswered'] } },
  },
};

describe.each(stateNames)('an endpoint id that is %s', (state) => {
  test.each(Object.keys(steps))('%s', (name) => {
    const step = steps[name];
    if (step === undefined) throw new Error(name);
    const bench = states[state]();
    bench.take();
    step.run(bench);
    expect(bench.take()).toEqual(step.but[state] ?? step.always);
    if (name !== 'the end of its time' && bench.flows.nextDeadline() !== never) {
      // Only an allocation that waits has a deadline, and it is still told at it, once.
      bench.flows.advance(bench.flows.nextDeadline());
      expect(bench.take()).toEqual({ outcomes: ['unanswered'] });
    }
    expect(bench.flows.nextDeadline()).toBe(never);
  });
});

test('a request is answered once, by acceptance or refusal', () => {
  const bench = new Bench();
  bench.requested();
  const [request] = bench.requests;
  const handle = request?.handle ?? 0;
  bench.flows.refuse(handle, -1008);
  bench.flows.refuse(handle, -1008);
  expect(bench.flows.accept(handle, answer, bench.inbox, now)).toBeUndefined();
  expect(bench.take()).toEqual({ sent: [`reply -1008 to ${peer} of b from 0`], requests: 1 });
});

test('without a free endpoint id a request is refused, not left without an answer', () => {
  const bench = new Bench({}, { min: own, max: own });
  bench.requested();
  expect(bench.accept()).toBeDefined();
  bench.take();
  bench.requested('c');
  expect(bench.accept()).toBeUndefined();
  expect(bench.take()).toEqual({ sent: [`reply -1003 to ${peer} of c from 0`] });
});

test.each(stateNames)('an endpoint id that was %s is given out again once, after its rest', (state) => {
  const rest = 1000;
  const bench = states[state]();
  bench.flow?.deallocate(now);
  bench.flow?.deallocate(now);
  const taken = (at: number): string[] => {
    for (let count = 0; count < 4; count += 1) {
      bench.flows.allocate('b', hash, rawQos, handshake, bench.inbox, at, () => {});
    }
    return bench.take().sent ?? [];
  };
  bench.take();
  const never = state === 'never used';
  // Whose other end has said that it has no flow, or sends no more, need not rest.
  const atOnce = never || state === 'refused' || state === 'closed there';
  const ids = [...(never ? [own] : []), own + 1, ...(atOnce && !never ? [own] : [])];
  expect(taken(now + rest - 1)).toEqual(ids.map((eid) => `request ${eid} to b`));
  expect(taken(now + rest)).toEqual(atOnce ? [] : [`request ${own} to b`]);
});

describe('an endpoint id whose release is confirmed', () => {
  const next = (bench: Bench): string[] => {
    bench.take();
    bench.allocate();
    return bench.take().sent ?? [];
  };
  const closed = (limits: Partial<LinkFlowLimits> = {}): Bench => {
    const bench = new Bench(limits, { min: own, max: own });
    bench.allocate();
    bench.flows.replyReceived('b', own, peer, 0, answer, now);
    bench.flow?.deallocate(now);
    return bench;
  };

  test('is free at once', () => {
    const bench = closed();
    expect(next(bench)).toEqual([]);
    bench.flows.releaseReceived('b', own, peer, now);
    expect(next(bench)).toEqual([`request ${own} to b`]);
  });

  test('rests for the shorter time where packets overtake each other', () => {
    const bench = closed({ eidRestReleasedMs: 100 });
    bench.flows.releaseReceived('b', own, peer, now - 50);
    expect(next(bench)).toEqual([]);
    bench.flows.releaseReceived('b', own, peer, now - 100);
    // It was confirmed once: the second changes nothing.
    expect(bench.take()).toEqual({ counts: ['droppedUnexpectedRelease'] });
    expect(next(bench)).toEqual([]);
  });

  test.each([
    ['from elsewhere', 'c', peer],
    ['for another id', 'b', peer + 1],
  ])('is not, when that comes %s', (_what, from, peerEid) => {
    const bench = closed();
    bench.take();
    bench.flows.releaseReceived(from, own, peerEid, now);
    expect(bench.take()).toEqual({ counts: ['droppedUnexpectedRelease'] });
    expect(next(bench)).toEqual([]);
  });

  test('is free when both ends give a flow up at once', () => {
    const bench = closed();
    bench.take();
    // The other's release, sent before it had ours.
    bench.flows.releaseReceived('b', own, peer, now);
    expect(bench.take()).toEqual({});
    expect(next(bench)).toEqual([`request ${own} to b`]);
  });

  test('is free when a late reply was undone', () => {
    const bench = new Bench({}, { min: own, max: own });
    bench.allocate();
    bench.flow?.deallocate(now);
    bench.take();
    bench.flows.replyReceived('b', own, peer, 0, answer, now);
    expect(bench.take().sent).toEqual([`release ${peer} of b from ${own}`]);
    expect(next(bench)).toEqual([]);
    bench.flows.releaseReceived('b', own, peer, now);
    expect(next(bench)).toEqual([`request ${own} to b`]);
  });

  test('belongs to the next flow: a confirmation of the last one that comes now ends nothing', () => {
    const bench = closed({ eidRestMs: 0 });
    expect(next(bench)).toEqual([`request ${own} to b`]);
    bench.flows.replyReceived('b', own, peer + 1, 0, answer, now);
    bench.take();
    bench.flows.releaseReceived('b', own, peer, now);
    expect(bench.take()).toEqual({ counts: ['droppedUnexpectedRelease'] });
  });
});

describe('the first data of an accepted flow', () => {
  const hold = 10;
  const accepted = (ours = false): Bench => {
    const bench = new Bench({}, { min: own, max: own + 1 }, hold);
    bench.requested('b', peer, handshake, ours);
    bench.accept();
    bench.take();
    return bench;
  };
  const write = ({ flow }: Bench, ...texts: readonly string[]): void => {
    for (const text of texts) flow?.write(packetOf(Buffer.from(text)));
  };
  const receive = ({ flows }: Bench): void => {
    const flow = flows.find(own);
    if (flow !== undefined) flows.deliver(flow, packetOf(Buffer.from('x')), now);
  };
  const dataOf = (...texts: readonly string[]): string[] =>
    texts.map((text) => `data ${text} to ${peer} of b`);

  test('is held back until the requester has had time, in order', () => {
    const bench = accepted();
    write(bench, '1', '2', '');
    expect(bench.take()).toEqual({});
    expect(bench.flows.nextDeadline()).toBe(now + hold);
    bench.flows.advance(now + hold - 1);
    expect(bench.take()).toEqual({});
    bench.flows.advance(now + hold);
    expect(bench.take()).toEqual({ sent: dataOf('1', '2', '') });
    expect(bench.flows.nextDeadline()).toBe(never);
    write(bench, '3');
    expect(bench.take()).toEqual({ sent: dataOf('3') });
  });

  test('is not held back from one of ours, nor where the layer needs none of that', () => {
    const bench = accepted(true);
    write(bench, '1');
    expect(bench.take()).toEqual({ sent: dataOf('1') });
    const other = new Bench();
    other.requested();
    other.accept();
    other.take();
    write(other, '1');
    expect(other.take()).toEqual({ sent: dataOf('1') });
  });

  test('leaves as soon as the requester sends itself', () => {
    const bench = accepted();
    write(bench, '1');
    receive(bench);
    expect(bench.take()).toEqual({ sent: dataOf('1'), told: ['x'] });
    write(bench, '2');
    expect(bench.take()).toEqual({ sent: dataOf('2') });
  });

  test('is so much at most; what is beyond is counted', () => {
    const bench = accepted();
    write(bench, ...Array.from({ length: 66 }, () => 'y'));
    expect(bench.take()).toEqual({ counts: ['droppedHeldBack', 'droppedHeldBack'] });
    bench.flows.advance(now + hold);
    expect(bench.take().sent).toHaveLength(64);
  });

  test('still leaves when the flow is released meanwhile, and then its release', () => {
    const bench = accepted();
    write(bench, 'last words');
    bench.flow?.deallocate(now);
    bench.flow?.deallocate(now);
    expect(bench.take()).toEqual({});
    // Its user is gone.
    bench.flows.setUp(false);
    expect(bench.take()).toEqual({});
    bench.flows.advance(now + hold);
    expect(bench.take()).toEqual({ sent: [...dataOf('last words'), `release ${peer} of b from ${own}`] });
    bench.flows.advance(now + 2 * hold);
    expect(bench.take()).toEqual({});
  });

  test('leaves with the release when the requester sends to a flow that is released', () => {
    const bench = accepted();
    write(bench, 'last words');
    bench.flow?.deallocate(now);
    receive(bench);
    expect(bench.take()).toEqual({ sent: [...dataOf('last words'), `release ${peer} of b from ${own}`] });
  });

  test('does not leave to a requester that releases the flow itself', () => {
    const bench = accepted();
    write(bench, 'last words');
    bench.flow?.deallocate(now);
    bench.flows.releaseReceived('b', own, peer, now);
    expect(bench.take()).toEqual({ sent: [`release ${peer} of b from ${own}`], counts: ['releasedByPeer'] });
    bench.flows.advance(now + hold);
    expect([bench.take(), bench.flows.nextDeadline()]).toEqual([{}, never]);
  });

  test('without data a release waits for nothing', () => {
    const bench = accepted();
    bench.flow?.deallocate(now);
    expect(bench.take()).toEqual({ sent: [`release ${peer} of b from ${own}`] });
    expect(bench.flows.nextDeadline()).toBe(never);
  });
});

describe('a flow whose peer has given its id to another', () => {
  const fresh = Buffer.alloc(36, 0x44);
  const told = (bench: Bench): string[] => bench.inbox.messages;

  test('is over once that one is accepted, and what is written to it goes nowhere', () => {
    const bench = new Bench();
    bench.requested();
    const first = bench.accept();
    bench.requested('b', peer, fresh);
    expect(told(bench)).toEqual([]);
    bench.accept();
    expect(bench.take()).toMatchObject({ counts: ['supersededByPeer'], told: ['(released)'] });
    first?.write(packetOf(Buffer.from('stale')));
    first?.deallocate(now);
    expect(bench.take()).toEqual({ counts: ['droppedNotOpen'] });
    // Its own id rests: the other end may have packets under way still.
    bench.allocate();
    expect(bench.take()).toEqual({ outcomes: ['refused -9'] });
  });

  test('is over when the peer answers with that id', () => {
    const bench = new Bench();
    bench.allocate();
    bench.flows.replyReceived('b', own, peer, 0, answer, now);
    bench.allocate();
    bench.take();
    bench.flows.replyReceived('b', own + 1, peer, 0, answer, now);
    expect(bench.take()).toEqual({
      counts: ['supersededByPeer'],
      told: ['(released)'],
      outcomes: ['accepted'],
    });
  });

  test('goes on when that one is refused, or is of another station', () => {
    const bench = new Bench();
    bench.requested();
    bench.accept();
    bench.requested('b', peer, fresh);
    bench.flows.refuse(2, -1009);
    bench.requests.length = 0;
    bench.requested('c', peer, fresh);
    bench.accept();
    expect(told(bench)).toEqual([]);
    data(bench);
    expect(told(bench)).toEqual(['x']);
  });

  test('that was released with data held back says nothing more', () => {
    const bench = new Bench({}, { min: own, max: own + 1 }, 10);
    bench.requested();
    bench.accept()?.write(packetOf(Buffer.from('last words')));
    bench.flow?.deallocate(now);
    bench.requested('b', peer, fresh);
    bench.accept();
    expect(bench.take()).toMatchObject({ counts: ['supersededByPeer'] });
    bench.flows.advance(now + 10);
    expect(bench.take()).toEqual({});
  });
});

describe('a request that the link doubled', () => {
  test('is dropped while the first waits', () => {
    const bench = new Bench();
    bench.requested();
    bench.requested();
    expect(bench.take()).toEqual({ requests: 1, counts: ['droppedRepeatedRequest'] });
  });

  test.each([
    ['another station', 'c', peer, handshake],
    ['another id', 'b', peer + 1, handshake],
    ['another handshake', 'b', peer, Buffer.alloc(36, 0x22)],
    ['no handshake', 'b', peer, handshake.subarray(0, 15)],
  ] as const)('is none with %s', (_what, from, eid, piggyback) => {
    const bench = new Bench();
    bench.requested();
    bench.requested(from, eid, piggyback);
    expect(bench.take()).toEqual({ requests: 2 });
  });

  test('is a new one when the first is over: whoever judges handshakes refuses it', () => {
    const refused = new Bench();
    refused.requested();
    refused.flows.refuse(1, -1009);
    refused.requested();
    expect(refused.take()).toMatchObject({ requests: 2 });
    const released = new Bench();
    released.requested();
    released.accept();
    released.flow?.deallocate(now);
    released.requested();
    expect(released.take()).toMatchObject({ requests: 1 });
  });
});

test('who is told of a refusal may release its flow at once; the id is not freed twice', () => {
  const bench = new Bench({ eidRestMs: 0 }, { min: own, max: own });
  const release = (): void => flow.deallocate(now);
  const flow: LayerFlow = bench.flows.allocate('b', hash, rawQos, handshake, bench.inbox, now, release);
  bench.flows.replyReceived('b', own, 0, -1009, nothing, now);
  bench.take();
  bench.allocate();
  bench.allocate();
  expect(bench.take()).toEqual({ sent: [`request ${own} to b`], outcomes: ['refused -9'] });
});

test('so many requests wait, in all and from one station; those beyond are counted', () => {
  const bench = new Bench({ requestsMax: 3, requestsOfStationMax: 2 });
  for (const [index, from] of ['b', 'b', 'b', 'c', 'c'].entries()) bench.requested(from, peer + index);
  expect(bench.take()).toEqual({ requests: 3, counts: ['droppedTooManyRequests', 'droppedTooManyRequests'] });
});
