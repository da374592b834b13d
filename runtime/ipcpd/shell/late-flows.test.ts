import { describe, expect, test } from 'vitest';
import { packetOf } from '../../../tests/support/flow-inbox.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { LateFlows } from './late-flows.ts';
import type { FlowUser, LayerFlow } from './layer.ts';
import { Turn } from './turn.ts';

class Below implements LayerFlow {
  readonly headerBytes = 4;
  readonly backlog = 0;
  readonly sent: string[] = [];
  released = 0;

  write(packet: Packet): void {
    this.sent.push(packet.bytes().toString());
  }

  deallocate(): void {
    this.released += 1;
  }
}

interface Setup {
  readonly late: LateFlows;
  now: number;
}

function setup(): Setup {
  const around: Setup = { late: new LateFlows(new Turn(() => 0), () => around.now), now: 1000 };
  return around;
}

const word = { ms: 500, packet: Buffer.from('bye') };
const retransmission = packetOf(Buffer.from('again'));

function keep({ late }: Setup, ipcp = 1, ms = word.ms): { below: Below; user: FlowUser } {
  const below = new Below();
  return { below, user: late.keep(ipcp, below, { ...word, ms }) };
}

test('what comes is answered with the last word, until its time is over', () => {
  const around = setup();
  const { below, user } = keep(around);
  user.deliver(retransmission);
  expect(below.sent).toEqual(['bye']);
  around.now += 400;
  around.late.advance(around.now);
  user.deliver(retransmission);
  expect([below.sent.length, below.released, around.late.answered]).toEqual([2, 0, 2]);
  expect(around.late.nextDeadline()).toBe(1500);
  around.now = 1500;
  around.late.advance(around.now);
  expect([below.released, around.late.count]).toEqual([1, 0]);
  expect(around.late.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
});

test('a sign of life is not answered, and a burst once', () => {
  const around = setup();
  const { below, user } = keep(around);
  user.deliver(packetOf(Buffer.alloc(0)));
  expect(below.sent).toEqual([]);
  for (let count = 0; count < 100; count += 1) user.deliver(retransmission);
  expect(below.sent).toEqual(['bye']);
});

test('two that are late answer each other only so often', () => {
  const around = setup();
  const [one, other] = [keep(around, 1, 100_000), keep(around, 1, 100_000)];
  let [answered, before] = [0, -1];
  one.user.deliver(retransmission);
  while (answered !== before) {
    before = answered;
    around.now += 20;
    if (one.below.sent.length > other.below.sent.length) other.user.deliver(retransmission);
    else one.user.deliver(retransmission);
    answered = one.below.sent.length + other.below.sent.length;
  }
  expect(answered).toBe(32);
});

describe('a flow is let go', () => {
  test('when the other end releases it', () => {
    const around = setup();
    const { below, user } = keep(around);
    user.released();
    user.released();
    expect([below.released, around.late.count]).toEqual([1, 0]);
  });

  test('after the longest time that FRCT waits over any layer, whatever the application says', () => {
    const around = setup();
    const { below } = keep(around, 1, 0xffff_ffff);
    expect(around.late.nextDeadline()).toBe(1000 + 146_000);
    around.late.advance(1000 + 146_000);
    expect(below.released).toBe(1);
  });

  test('when the last words are too long together, the oldest first', () => {
    const around = setup();
    const packet = Buffer.alloc(400_000);
    const flows = Array.from({ length: 4 }, () => new Below());
    for (const flow of flows) around.late.keep(1, flow, { ms: 500, packet });
    expect(flows.map(({ released }) => released)).toEqual([1, 1, 0, 0]);
    around.late.releaseOf(1);
    keep(around);
    expect(around.late.count).toBe(1);
  });

  test('when its IPCP goes', () => {
    const around = setup();
    const [mine, other] = [keep(around, 1), keep(around, 2)];
    around.late.releaseOf(1);
    expect([mine.below.released, other.below.released]).toEqual([1, 0]);
  });

  test('when there are too many, the oldest first', () => {
    const around = setup();
    const flows = Array.from({ length: 1025 }, () => keep(around));
    expect(flows.map(({ below }) => below.released).slice(0, 2)).toEqual([1, 0]);
    expect(around.late.count).toBe(1024);
  });
});
