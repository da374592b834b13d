/** What is done to the links of a lab that runs. */
import { setTimeout as delay } from 'node:timers/promises';
import { TestbedError } from '../errors.ts';
import {
  type ImpairedBy,
  impairment,
  type ImpairmentOptions,
  type Impairments,
  impairmentSeed,
  perfect,
} from '../model/impairment.ts';
import type { Topology, TopologyLink } from '../model/topology.ts';
import type { Lab } from '../testbeds/testbed.ts';
import { alone } from '../lock.ts';

/** Which direction of a link: all of them where nothing is said. */
export interface Direction {
  /** Only what this node sends over the link. */
  readonly from?: string | undefined;
  /** Only what this node gets from it. */
  readonly to?: string | undefined;
}

export interface ImpairLinkOptions extends Direction {
  /** Of the choices that are made for a link that was not impaired so far; 1 by default. */
  readonly seed?: number | undefined;
  /** What is to impair the link; else what does already, or netem where it is as repeatable as the wire. */
  readonly by?: ImpairedBy | undefined;
}

/** A link by its name, or by those of the nodes it joins. Throws EUSAGE, listing the links there are. */
export function linkNamed(topology: Topology, name: string): TopologyLink {
  const { links } = topology;
  const found =
    links.find((link) => link.name === name) ??
    links.find(({ kind, ends }) => kind === 'eth' && `${ends[1]?.node}-${ends[0]?.node}` === name);
  if (found !== undefined) return found;
  throw new TestbedError('EUSAGE', `the topology has no link ${JSON.stringify(name)}`, {
    hint: `it has ${links.map((link) => link.name).join(', ') || 'none'}`,
  });
}

/** Makes a link worse or better in what is given; what is not given stays as it is. */
export async function impairLink(
  lab: Lab,
  link: TopologyLink,
  change: ImpairmentOptions,
  { from, to, seed = impairmentSeed, by }: ImpairLinkOptions,
  signal: AbortSignal,
): Promise<void> {
  const what = `link ${link.name}`;
  const ways = waysOf(link, { from, to });
  // A value that is none is told of before anything is done.
  impairment(change, what, { ...perfect, delayMs: 1 });
  const node = link.kind === 'lan' ? (from ?? to) : undefined;
  await alone(lab, link.name, signal, async () => {
    for (const state of await lab.linkStates([link], signal, { mend: true })) {
      if (node !== undefined && state.node !== node) continue;
      const before = state.splice?.impairments ?? [perfect, perfect];
      const after = before.map((each, way) => (ways.includes(way) ? impairment(change, what, each) : each));
      await lab.impair(link, after as unknown as Impairments, { seed, node: state.node, by }, signal);
    }
  });
}

/** Makes a link good in both directions. */
export async function resetLink(lab: Lab, link: TopologyLink, signal: AbortSignal): Promise<void> {
  await alone(lab, link.name, signal, async () => {
    await lab.impair(link, [perfect, perfect], { seed: impairmentSeed }, signal);
  });
}

export interface Flapping {
  readonly downMs: number;
  readonly upMs: number;
  readonly count: number;
}

/** Sets a link down and up, again and again. It is up in the end, also where the signal aborts. */
export async function flapLink(
  lab: Lab,
  link: TopologyLink,
  { downMs, upMs, count }: Flapping,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    if (round > 0) await delay(upMs, undefined, { signal });
    await lab.setLink(link, 'down', undefined, signal);
    try {
      await delay(downMs, undefined, { signal });
    } finally {
      await lab.setLink(link, 'up', undefined, new AbortController().signal);
    }
  }
}

/** Which of the two ways are meant: 0 is from the first end of a cable, or from a node of a LAN. */
function waysOf(link: TopologyLink, { from, to }: Direction): readonly number[] {
  for (const node of [from, to]) {
    if (node === undefined || link.ends.some((end) => end.node === node)) continue;
    throw new TestbedError('EUSAGE', `link ${link.name} does not end in node ${JSON.stringify(node)}`, {
      hint: `it ends in ${link.ends.map((end) => end.node).join(', ')}`,
    });
  }
  if (from !== undefined && to !== undefined && (from === to || link.kind === 'lan')) {
    throw new TestbedError('EUSAGE', `link ${link.name} has no direction from ${from} to ${to}`, {
      hint: 'say one of both',
    });
  }
  if (link.kind === 'lan') return [from === undefined && to !== undefined ? 1 : 0];
  if (from !== undefined) return [link.ends[0].node === from ? 0 : 1];
  if (to !== undefined) return [link.ends[0].node === to ? 1 : 0];
  return [0, 1];
}
