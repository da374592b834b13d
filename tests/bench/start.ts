/** How long `irm` takes from start to end, as a shell sees it: `start.ts [ROUNDS (30)]`, beside Node alone. */
import { spawnSync } from 'node:child_process';
import { program } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { median, short } from './measure.ts';

const rounds = Number(process.argv[2] ?? '30');

await using node = await TestNode.start();
const env = { ...process.env, O7S_RUN_DIR: node.directory };

/** Median and least of the wall times of a command, ms. */
function measure(file: string, ...words: string[]): { readonly median: number; readonly least: number } {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const startedAt = performance.now();
    const { status } = spawnSync(file, words, { env, stdio: 'ignore' });
    if (status !== 0) throw new Error(`${file} ${words.join(' ')} ended with ${status}`);
    // The first fills caches.
    if (round > 0) times.push(performance.now() - startedAt);
  }
  return { median: short(median(times)), least: short(Math.min(...times)) };
}

console.table({
  'node -e 0': measure(process.execPath, '-e', '0'),
  'irm help': measure(program('irm'), 'help'),
  'irm ipcp list': measure(program('irm'), 'ipcp', 'list'),
});
