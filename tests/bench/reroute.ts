/**
 * How long traffic stops when a link fails, in a ring of six nodes under one unicast layer: ours and, where
 * `O7S_PEER_PREFIX` names one, the prototype, in turn and in one run:
 *
 *     node --conditions=@o7s/source tests/bench/reroute.ts [RUNS (3)] [ROUTING...]
 *
 * An `oping` sends every millisecond to the node opposite. The cable that its packets leave by is set down at both ends: a
 * prototype does not notice a carrier that is gone. What counts is the longest run of pings without an answer. Needs root.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MixedLayer, type MixedNode } from '../support/mixed-layer.ts';
import { peerPrefix } from '../support/peer.ts';
import { median, short } from './measure.ts';

const [runsWord = '3', ...chosen] = process.argv.slice(2);
const runs = Number(runsWord);
const policies = chosen.length > 0 ? chosen : ['link_state', 'lfa', 'ecmp'];
const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'] as const;
const cables = names.map((name, index) => [names[index - 1] ?? 'n6', name] as const);
const ring = [...cables.slice(1), ['n1', 'n6'] as const];
const pings = 15_000;
/** When the link fails, and how long the prototype takes at most to calculate its routes, ms. */
const failsAfterMs = 4000;
const settleMs = 6000;
const attemptsMax = 6;

/** Packets that a device has sent. */
async function sentBy(node: MixedNode, device: string): Promise<number> {
  const [link] = JSON.parse(await node.ip('-j', '-s', 'link', 'show', 'dev', device)) as {
    readonly stats64: { readonly tx: { readonly packets: number } };
  }[];
  return link?.stats64.tx.packets ?? 0;
}

/** The longest run of pings that were not answered, in ms; Infinity when it did not end. Undefined without traffic. */
function outage(output: string): number | undefined {
  const answered = [...output.matchAll(/seq=(\d+) /g)]
    .map(([, seq]) => Number(seq))
    .toSorted((a, b) => a - b);
  const last = answered.at(-1);
  if (last === undefined || last < failsAfterMs / 2) return undefined;
  if (last < pings - 1000) return Infinity;
  return Math.max(...answered.map((seq, index) => seq - (answered[index - 1] ?? -1) - 1));
}

async function measure(runtime: 'ours' | 'peer', routing: string): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      const nodes = Object.fromEntries(names.map((name) => [name, runtime]));
      await using layer = await MixedLayer.make({
        nodes,
        cables: ring,
        options: `routing ${routing}`,
        ...(peerPrefix === undefined ? {} : { prefix: peerPrefix }),
      });
      const [first, last] = [layer.node('n1'), layer.node('n4')];
      if (runtime === 'peer') await delay(settleMs);
      else await layer.converged();
      await last.serve('ping', 'net');
      await first.ping('ping', 3);
      const pinging = first.run('oping', '-n', 'ping', '-c', String(pings), '-i', '1');
      await delay(failsAfterMs);
      const before = await Promise.all(['n2', 'n6'].map((to) => sentBy(first, first.device(to))));
      await delay(500);
      const after = await Promise.all(['n2', 'n6'].map((to) => sentBy(first, first.device(to))));
      const [toSecond = 0, toLast = 0] = after.map((count, index) => count - (before[index] ?? 0));
      const next = toSecond > toLast ? 'n2' : 'n6';
      await Promise.all([first.setLink(next, 'down'), layer.node(next).setLink('n1', 'down')]);
      const found = outage((await pinging).output);
      if (found !== undefined) return found;
      console.warn(`${runtime}, ${routing}: there was no traffic`);
    } catch (error) {
      console.warn(`${runtime}, ${routing}: ${String(error)}`);
    }
  }
  return Number.NaN;
}

const table: object[] = [];
for (const routing of policies) {
  const figures = { ours: [] as number[], peer: [] as number[] };
  for (let run = 0; run < runs; run += 1) {
    figures.ours.push(await measure('ours', routing));
    if (peerPrefix !== undefined) figures.peer.push(await measure('peer', routing));
  }
  const [own, other] = [median(figures.ours), median(figures.peer)];
  table.push({ routing, 'ours [ms]': own, 'prototype [ms]': other, ratio: short(own / other) });
  console.log(routing, JSON.stringify(figures));
}
console.table(table);
