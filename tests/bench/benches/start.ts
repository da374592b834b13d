/** How long `irm` takes from start to end, as a shell sees it, beside Node alone and the prototype's `irm`. */
import { program } from '../../support/command.ts';
import { TestNode } from '../../support/node.ts';
import { PeerNode } from '../../support/peer.ts';
import { type Bench, figure } from '../bench.ts';
import { timed, written } from '../measure.ts';
import { median } from '../numbers.ts';
import { onPrototypes } from '../prototypes.ts';
import type { Subject } from '../table.ts';

const subject: Subject = { what: 'irm ipcp list, from start to end', unit: 'ms', better: 'less' };

/** Median of some times, the first left out, which fills caches. */
async function medianOf(rounds: number, action: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) times.push(await timed(action));
  return median(times.slice(1));
}

export const start: Bench = {
  about: 'how long irm takes from start to end',
  async *measure(round) {
    const { quick, prefix } = round;
    const rounds = quick ? 10 : 30;
    {
      await using node = await TestNode.start();
      const irm = ['env', `O7S_RUN_DIR=${node.directory}`, program('irm'), 'ipcp', 'list'];
      yield figure(subject, 'ours', await medianOf(rounds, () => written(irm)));
    }
    yield figure(subject, 'node -e 0', await medianOf(rounds, () => written([process.execPath, '-e', '0'])));
    if (prefix === undefined) return;
    const measure = (node: PeerNode): Promise<number> =>
      medianOf(rounds, async () => {
        const { code } = await node.run(['timeout', '-k', '1', '3', 'irm', 'ipcp', 'list']);
        if (code !== 0) throw new Error(`irm ended with ${code}`);
      });
    yield* onPrototypes(() => PeerNode.start(prefix), [{ subject, measure }], round);
  },
};
