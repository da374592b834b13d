/**
 * Ends `up` and `down` at random moments, by Ctrl-C and by `kill -9`, and looks whether one `down` or `clean` leaves the
 * machine as it was:
 *
 *     node --conditions=@o7s/source tests/fuzz/interrupts.ts [--testbed netns] [--rounds 10] [--seed N] [--nodes 4]
 *
 * Prints a line for each round, and ends with code 1 where something was left.
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { leftOf } from '../docker/engine.ts';
import { markedProcesses } from '../netns/traces.ts';
import { Seeded } from '../support/seeded.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const { values } = parseArgs({
  options: {
    testbed: { type: 'string', default: 'netns' },
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    nodes: { type: 'string', default: '4' },
  },
});
const random = new Seeded(Number(values.seed));
const chance = (): number => random.next();
const left = values.testbed === 'docker' ? leftOf : markedProcesses;
const lab = `interrupts-${process.pid}`;
const up = ['up', path('topologies/line-of-n.ts'), '--set', `n=${values.nodes}`, '--lab', lab];
const down = ['down', '--lab', lab];

/** Runs the command line, and ends it after so many milliseconds. */
async function run(
  words: readonly string[],
  end?: { ms: number; signal: 'SIGINT' | 'SIGKILL' },
): Promise<number | null> {
  const env = { ...process.env, O7S_TESTBED: values.testbed };
  const child = spawn(process.execPath, [path('bin/o7s-testbed.js'), ...words], { env, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const timer = end === undefined ? undefined : setTimeout(() => child.kill(end.signal), end.ms);
  const code = await ended;
  clearTimeout(timer);
  return code;
}

/** What is still there after the kernel, or the engine, had a while. */
async function remains(): Promise<string[]> {
  const until = performance.now() + 20_000;
  for (;;) {
    const found = left(lab);
    if (found.length === 0 || performance.now() > until) return found;
    await delay(50);
  }
}

async function timed(words: readonly string[]): Promise<number> {
  const since = performance.now();
  const code = await run(words);
  if (code !== 0) throw new Error(`${words.join(' ')} ended with code ${code}`);
  return performance.now() - since;
}

const takes = { up: await timed(up), down: await timed(down) };
process.stdout.write(
  `seed ${values.seed}: up takes ${Math.round(takes.up)} ms, down ${Math.round(takes.down)} ms on ${values.testbed}\n`,
);
for (let round = 1; round <= Number(values.rounds); round++) {
  const verb = chance() < 0.5 ? 'up' : 'down';
  const end = {
    ms: Math.round(chance() * takes[verb] * 1.1),
    signal: chance() < 0.5 ? 'SIGINT' : 'SIGKILL',
  } as const;
  if (verb === 'down') await timed(up);
  const code = await run(verb === 'up' ? up : down, end);
  // A lab that was complete by then stays, as it should, and is no left-over.
  const mend = verb === 'up' && code !== 0 && chance() < 0.5 ? ['clean'] : down;
  const mended = await run(mend);
  const found = await remains();
  process.stdout.write(
    `round ${round}: ${verb} ended by ${end.signal} after ${end.ms} ms with ${code}, ${mend[0]} with ${mended}: ${found.length === 0 ? 'nothing left' : found.join('; ')}\n`,
  );
  if (found.length > 0) {
    process.exitCode = 1;
    await run(down);
  }
}
