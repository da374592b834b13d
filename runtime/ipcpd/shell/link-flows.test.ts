/** Every message in every state of a flow. The port is a list of what was asked of it. */
import { describe, expect, test } from 'vitest';
import { FlowInbox, packetOf } from '../../../tests/support/flow-inbox.ts';
import { rawQos } from '../../lib/qos.ts';
import { never } from '../../lib/time/clock.ts';
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

  constructor(limits: Partial<LinkFlowLimits> = {}, eids = { min: own, max: own + 1 }) {
    this.flows = new LinkFlows<string>(
      {
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
      { flowRequested: (request) => this.requests.push(request) },
      { ...linkFlowLimits, eidRestMs: 1000, ...limits },
      eids,
    );
  }

  allocate(): void {
    this.flow = this.flows.allocate('b', hash, rawQos, handshake, this.inbox, now, (outcome) =>
      this.outcomes.push(outcome),
    );
  }

  /** A request that came in from b, whose id is `peer`. */
  requested(from = 'b', eid = peer): void {
    this.flows.requestReceived(from, eid, hash, rawQos, handshake);
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

const data = (bench: Bench): void => {
  const flow = bench.flows.find(own);
  if (flow !== undefined) bench.flows.deliver(flow, packetOf(Buffer.from('x')));
};

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
    but: open({ counts: ['releasedByPeer'], told: ['(released)'] }),
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
    run: (bench) => bench.requested(),
    always: { requests: 1 },
    but: {},
  },
  'a request with a reserved id': {
    run: (bench) => bench.requested('b', reserved),
    always: { counts: ['droppedReservedEid'] },
    but: {},
  },
  data: {
    run: data,
    always: { counts: ['droppedUnknownEid'] },
    but: { waiting: { told: ['x'] }, unanswered: { told: ['x'] }, ...open({ told: ['x'] }) },
  },
  'a write': {
    run: ({ flow }) => flow?.write(packetOf(Buffer.from('y'))),
    always: { sent: [`data y to ${peer} of b`] },
    but: {
      'never used': {},
      waiting: { counts: ['droppedNotOpen'] },
      unanswered: { counts: ['droppedNotOpen'] },
      refused: { counts: ['droppedNotOpen'] },
    },
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
  bench.requested();
  expect(bench.accept()).toBeUndefined();
  expect(bench.take()).toEqual({ sent: [`reply -1003 to ${peer} of b from 0`] });
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
  const ids = state === 'never used' ? [own, own + 1] : [own + 1];
  expect(taken(now + rest - 1)).toEqual(ids.map((eid) => `request ${eid} to b`));
  expect(taken(now + rest)).toEqual(state === 'never used' ? [] : [`request ${own} to b`]);
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
  for (const from of ['b', 'b', 'b', 'c', 'c']) bench.requested(from);
  expect(bench.take()).toEqual({ requests: 3, counts: ['droppedTooManyRequests', 'droppedTooManyRequests'] });
});
