import { expect, test } from 'vitest';
import { FlowInbox } from '../../../tests/support/flow-inbox.ts';
import { rawQos } from '../../lib/qos.ts';
import { FoundAddresses } from './found-addresses.ts';
import type { FlowOutcome, LayerFlow } from './layer.ts';
import type { LinkFlows } from './link-flows.ts';

const hash = Buffer.alloc(16, 7);
const key = hash.toString('hex');
const flow: LayerFlow = { write() {}, deallocate() {} };

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
  const found = new FoundAddresses<string>({ cacheMs: 1000, cacheEntriesMax });
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
  found.set(key, 'b', 0);
  ask(999);
  found.set(key, 'c', 999);
  ask(1998);
  expect(asked.addresses).toEqual(['b', 'c']);
  expect(found.has(key, 1998)).toBe(true);
  ask(1999);
  expect([asked.addresses.length, outcomes]).toEqual([2, ['unanswered']]);
  expect(found.has(key, 0)).toBe(false);
});

test('who does not answer is asked for anew, unless there is news already', () => {
  const { found, asked, outcomes, ask } = make();
  found.set(key, 'b', 0);
  ask(0);
  asked.end({ kind: 'unanswered' });
  expect(found.has(key, 0)).toBe(false);
  found.set(key, 'b', 0);
  ask(0);
  found.set(key, 'c', 0);
  asked.end({ kind: 'unanswered' });
  expect(found.has(key, 0)).toBe(true);
  expect(outcomes).toEqual(['unanswered', 'unanswered']);
});

test('beyond what is remembered the oldest go', () => {
  const { found } = make(2);
  for (const name of ['1', '2', '1', '3']) found.set(name, 'b', 0);
  expect(['1', '2', '3'].map((name) => found.has(name, 0))).toEqual([false, true, true]);
});
