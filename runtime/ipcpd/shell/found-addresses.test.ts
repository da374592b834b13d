import { beforeEach, describe, expect, test } from 'vitest';
import { FlowInbox } from '../../../tests/support/flow-inbox.ts';
import { rawQos } from '../../lib/qos.ts';
import { never } from '../../lib/time/clock.ts';
import { FoundAddresses } from './found-addresses.ts';
import type { FlowOutcome, LayerFlow } from './layer.ts';
import type { LinkFlows } from './link-flows.ts';

const hash = Buffer.alloc(16, 7);
const key = hash.toString('hex');
const flow: LayerFlow = { headerBytes: 0, backlog: 0, write() {}, deallocate() {} };

/** Flows that end as the test says. */
class Asked {
  readonly addresses: string[] = [];
  end: (outcome: FlowOutcome) => void = () => {};

  unanswered(done: (outcome: FlowOutcome) => void): LayerFlow {
    done({ kind: 'unanswered' });
    return flow;
  }

  allocate(...[to, , , , , , done]: Parameters<LinkFlows<string>['allocate']>): LayerFlow {
    this.addresses.push(to);
    this.end = done;
    return flow;
  }
}

function make(cacheEntriesMax = 3): {
  found: FoundAddresses<string>;
  asked: Asked;
  outcomes: string[];
  ask: (now: number) => void;
} {
  const found = new FoundAddresses<string>({
    queryMs: 100,
    queryRepeatMs: 20,
    cacheMs: 1000,
    cacheEntriesMax,
  });
  const asked = new Asked();
  const outcomes: string[] = [];
  const ask = (now: number): void => {
    const flows = asked as unknown as LinkFlows<string>;
    found.allocate(flows, hash, rawQos, hash, new FlowInbox(), now, ({ kind }) => outcomes.push(kind));
  };
  return { found, asked, outcomes, ask };
}

test('an answer is believed for its time, and news replaces it', () => {
  const { found, asked, outcomes, ask } = make();
  found.answered(key, 'b', 0);
  ask(999);
  found.answered(key, 'c', 999);
  ask(1998);
  expect(asked.addresses).toEqual(['b', 'c']);
  expect(found.has(key, 1998)).toBe(true);
  ask(1999);
  expect([asked.addresses.length, outcomes]).toEqual([2, ['unanswered']]);
  expect(found.has(key, 0)).toBe(false);
});

test('who does not answer is asked for anew, unless there is news already', () => {
  const { found, asked, outcomes, ask } = make();
  found.answered(key, 'b', 0);
  ask(0);
  asked.end({ kind: 'unanswered' });
  expect(found.has(key, 0)).toBe(false);
  found.answered(key, 'b', 0);
  ask(0);
  found.answered(key, 'c', 0);
  asked.end({ kind: 'unanswered' });
  expect(found.has(key, 0)).toBe(true);
  expect(outcomes).toEqual(['unanswered', 'unanswered']);
});

test('who refuses a name that he was found with is told on; who was found long before may have lost it', () => {
  const unknown: FlowOutcome = { kind: 'refused', response: -1007 };
  const { found, asked, outcomes, ask } = make();
  found.answered(key, 'b', 0);
  ask(99);
  asked.end(unknown);
  expect([outcomes.splice(0), found.has(key, 99)]).toEqual([['refused'], false]);
  found.answered(key, 'b', 0);
  ask(100);
  asked.end(unknown);
  // A fresh attempt asks where the name is now.
  expect([outcomes.splice(0), found.has(key, 100)]).toEqual([['unanswered'], false]);
  // Any other refusal is that of whoever has the name.
  found.answered(key, 'b', 0);
  ask(100);
  asked.end({ kind: 'refused', response: -1009 });
  expect([outcomes, found.has(key, 100)]).toEqual([['refused'], true]);
});

describe('a question', () => {
  const answers: boolean[] = [];
  const put = (found: FoundAddresses<string>, now: number): boolean =>
    found.ask(key, now, (known) => answers.push(known));
  beforeEach(() => void (answers.length = 0));

  test('is put once, however many ask it, and all are answered', () => {
    const { found } = make();
    expect([put(found, 0), put(found, 10), found.isAsked(key)]).toEqual([true, false, true]);
    found.answered(key, 'b', 20);
    expect([answers, found.isAsked(key)]).toEqual([[true, true], false]);
    expect([put(found, 30), answers]).toEqual([false, [true, true, true]]);
  });

  test('to which nobody has an answer may be put again', () => {
    const { found } = make();
    put(found, 0);
    found.answered(key, undefined, 10);
    expect(answers).toEqual([false]);
    expect(put(found, 10)).toBe(true);
  });

  test('is put again and again until its time is over; what comes later is remembered', () => {
    const { found } = make();
    put(found, 0);
    const again: number[] = [];
    for (let now = found.nextDeadline(); now < never; now = found.nextDeadline()) {
      for (const name of found.advance(now)) again.push(name === key ? now : -1);
    }
    expect([again, answers]).toEqual([[20, 40, 60, 80], [false]]);
    found.answered(key, 'b', 150);
    expect(put(found, 160)).toBe(false);
    expect(answers).toEqual([false, true]);
  });

  test('ends with the layer', () => {
    const { found } = make();
    put(found, 0);
    found.close();
    expect([answers, found.nextDeadline()]).toEqual([[false], never]);
  });
});

test('beyond what is remembered the oldest go', () => {
  const { found } = make(2);
  for (const name of ['1', '2', '1', '3']) found.answered(name, 'b', 0);
  expect(['1', '2', '3'].map((name) => found.has(name, 0))).toEqual([false, true, true]);
});
