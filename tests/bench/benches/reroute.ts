/**
 * How long traffic stops when a link fails, in a ring of six nodes under one unicast layer, beside the prototype. An `oping`
 * sends every millisecond to the node opposite. The cable that its packets leave by is set down at both ends: a prototype
 * does not notice a carrier that is gone. What counts is the longest run of pings without an answer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MixedLayer, type MixedNode } from '../../support/mixed-layer.ts';
import { type Bench, figure, guarded } from '../bench.ts';
import { onPrototypes, prototypeLayer } from '../prototypes.ts';
import type { Subject } from '../table.ts';

const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'] as const;
const cables = names.map((name, index) => [names[index - 1] ?? 'n6', name] as const);
const ring = [...cables.slice(1), ['n1', 'n6'] as const];
/** When the link fails, ms. */
const failsAfterMs = 2000;
/** Pings that are sent, one a ms; traffic has come back when the last of them are answered. */
const pings = { ours: 6000, prototype: 15_000 } as const;

type Runtime = keyof typeof pings;

/** Packets that a device has sent. */
async function sentBy(node: MixedNode, device: string): Promise<number> {
  const [link] = JSON.parse(await node.ip('-j', '-s', 'link', 'show', 'dev', device)) as {
    readonly stats64: { readonly tx: { readonly packets: number } };
  }[];
  return link?.stats64.tx.packets ?? 0;
}

/** The longest run of pings that were not answered, ms. */
function outage(output: string, sent: number): number {
  const answered = [...output.matchAll(/seq=(\d+) /g)]
    .map(([, seq]) => Number(seq))
    .toSorted((a, b) => a - b);
  const last = answered.at(-1);
  if (last === undefined || last < failsAfterMs / 2) throw new Error('there was no traffic');
  if (last < sent - 500) throw new Error(`traffic had not come back ${sent - failsAfterMs} ms later`);
  return Math.max(...answered.map((seq, index) => seq - (answered[index - 1] ?? -1) - 1));
}

async function measure(layer: MixedLayer, runtime: Runtime): Promise<number> {
  const [first, last] = [layer.node('n1'), layer.node('n4')];
  await last.serve('ping', 'net');
  await first.ping('ping', 3, 15_000);
  const count = pings[runtime];
  const pinging = first.run('oping', '-n', 'ping', '-c', String(count), '-i', '1');
  await delay(failsAfterMs);
  const before = await Promise.all(['n2', 'n6'].map((to) => sentBy(first, first.device(to))));
  await delay(300);
  const after = await Promise.all(['n2', 'n6'].map((to) => sentBy(first, first.device(to))));
  const [toSecond = 0, toLast = 0] = after.map((sent, index) => sent - (before[index] ?? 0));
  const next = toSecond > toLast ? 'n2' : 'n6';
  await Promise.all([first.setLink(next, 'down'), layer.node(next).setLink('n1', 'down')]);
  return outage((await pinging).output, count);
}

async function* ours(policy: string, subject: Subject): ReturnType<Bench['measure']> {
  const nodes = Object.fromEntries(names.map((name) => [name, 'ours' as const]));
  await using layer = await MixedLayer.make({ nodes, cables: ring, options: `routing ${policy}` });
  await layer.converged();
  yield figure(subject, 'ours', await measure(layer, 'ours'));
}

export const reroute: Bench = {
  about: 'how long traffic stops when a link of a ring of six fails, by policies of routing',
  async *measure(round) {
    const { quick, prefix, number } = round;
    const policies = quick ? ['link_state'] : ['link_state', 'lfa', 'ecmp'];
    for (const policy of policies) {
      const subject: Subject = {
        what: `ring of 6 nodes, ${policy}: outage after a link has failed`,
        unit: 'ms',
        better: 'less',
        targets: { prototype: 1 },
      };
      yield* guarded(subject.what, ours(policy, subject));
      // The prototype's takes a minute, and differs little.
      if (prefix === undefined || (quick && number > 1)) continue;
      const make = (): Promise<MixedLayer> =>
        prototypeLayer(prefix, names, ring, { bootstrap: `routing ${policy}` });
      yield* onPrototypes(make, [{ subject, measure: (layer) => measure(layer, 'prototype') }], round);
    }
  },
};
