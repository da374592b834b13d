/** Memory of a node with three IPCPs: in a line under one unicast layer, any but the first and the last. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, figure } from '../bench.ts';
import { Lab } from '../lab.ts';
import { namespaceOf, placements, takenIn } from '../measure.ts';
import { onPrototypes, prototypeLine } from '../prototypes.ts';
import type { Subject } from '../table.ts';

/** Nodes of a line of ours: three in the middle. */
const nodes = 5;
/** By then our daemons have given back what only their start took (ARCHITECTURE.md, Life of a packet), ms. */
const quietMs = 32_000;

const subject: Subject = {
  what: 'node with three IPCPs: memory of its daemons (PSS)',
  unit: 'MB',
  better: 'less',
  targets: { prototype: 0.7 },
};
const young: Subject = { ...subject, what: `${subject.what}, when it has just come up`, targets: {} };

export const memory: Bench = {
  about: 'memory of the daemons of a node with three IPCPs',
  async *measure(round) {
    const { quick, prefix, number } = round;
    if (quick && number > 0) return;
    await using lab = await Lab.up('line', { set: { n: nodes } });
    const upAt = performance.now();
    for (let node = 2; node < nodes; node += 1)
      yield figure(young, 'ours', (await lab.taken(`n${node}`)).pssMb);
    if (prefix !== undefined) {
      const make = (): ReturnType<typeof prototypeLine> =>
        prototypeLine(prefix, 3, placements['all processors']);
      const measure = async (layer: Awaited<ReturnType<typeof make>>): Promise<number> =>
        Promise.resolve(takenIn(namespaceOf(layer.node('n2').pid, 'net')).pssMb);
      yield* onPrototypes(make, [{ subject, measure }], round);
    }
    await delay(Math.max(0, quietMs - (performance.now() - upAt)));
    for (let node = 2; node < nodes; node += 1)
      yield figure(subject, 'ours', (await lab.taken(`n${node}`)).pssMb);
  },
};
