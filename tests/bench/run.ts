/**
 * All benches in one table, each figure paired with its peers in the same run:
 *
 *     npm run bench -- [--quick] [--runs N] [--only BENCH...] [--nodes N,N...] [--json FILE]
 *
 * Prints a table of medians with the least and the greatest, of ratios, and of the targets of the design, and writes a JSON
 * file. Asserts nothing. What cannot be measured is left out, and a line says why.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peerPrefix } from '../support/peer.ts';
import { type Bench, reasonOf } from './bench.ts';
import { crypto } from './benches/crypto.ts';
import { flows } from './benches/flows.ts';
import { frct } from './benches/frct.ts';
import { irmd } from './benches/irmd.ts';
import { layers } from './benches/layers.ts';
import { line } from './benches/line.ts';
import { memory } from './benches/memory.ts';
import { reliable } from './benches/reliable.ts';
import { reroute } from './benches/reroute.ts';
import { routing } from './benches/routing.ts';
import { start } from './benches/start.ts';
import { up } from './benches/up.ts';
import { view } from './benches/view.ts';
import { downAll, endAll } from './lab.ts';
import { growthText, leftOutText, Results, textOf } from './table.ts';

/** When a quick run begins nothing any more that it has measured already, s. */
const quickSeconds = 18 * 60;
const root = fileURLToPath(new URL('../..', import.meta.url));
const benches: Readonly<Record<string, Bench>> = {
  layers,
  line,
  reliable,
  flows,
  memory,
  reroute,
  up,
  irmd,
  start,
  view,
  crypto,
  frct,
  routing,
};
const usage = `usage: npm run bench -- [OPTION...]
  --only BENCH,...  these alone: ${Object.entries(benches)
    .map(([name, { about }]) => `\n      ${name.padEnd(9)} ${about}`)
    .join('')}
  --runs N          how often each is measured (3)
  --quick           less of everything, in about 20 minutes: then nothing is begun that was measured already
  --nodes N,...     sizes of the labs of the bench up (10,25,50,100)
  --json FILE       where the results go (bench-results/bench.json)
Takes root. Peers: the prototype where O7S_PEER_PREFIX names one; iperf3, ping and mininet of the distribution.
`;

function fail(why: string): never {
  process.stderr.write(`${why}\n${usage}`);
  process.exit(2);
}

interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly runs: number;
  readonly chosen: readonly string[];
  readonly labNodes: readonly number[] | undefined;
  readonly json: string;
}

function optionsOf(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      nodes: { type: 'string' },
      json: { type: 'string', default: `${root}bench-results/bench.json` },
    },
  });
  // `--only line up` reads as it should.
  const wanted = [...values.only, ...positionals].flatMap((words) => words.split(','));
  const unknown = wanted.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) fail(`there is no bench ${unknown}`);
  if (positionals.length > 0 && values.only.length === 0) fail(`what is ${positionals[0]}?`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) fail('--runs takes a number from 1');
  const labNodes = values.nodes?.split(',').map(Number);
  if (labNodes?.some((nodes) => !Number.isInteger(nodes) || nodes < 2) === true)
    fail('--nodes takes numbers from 2');
  const chosen = wanted.length > 0 ? wanted : Object.keys(benches);
  return { help: values.help, quick: values.quick, runs, chosen, labNodes, json: values.json };
}

let options: Options;
try {
  options = optionsOf();
} catch (error) {
  fail(reasonOf(error));
}
const { help, quick, runs, chosen, labNodes, json } = options;
if (help) {
  process.stdout.write(usage);
  process.exit(0);
}

const startedAt = performance.now();
const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
const results = new Results();
const loads: number[] = [];
const { commit, changed } = checkout();

/** The state of the checkout, as far as there is one. */
function checkout(): { readonly commit: string; readonly changed: boolean } {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return { commit: git('rev-parse', 'HEAD'), changed: git('status', '--porcelain', '-uno') !== '' };
  } catch {
    return { commit: 'unknown', changed: false };
  }
}

/** What is known so far, in whole or as it was before. */
function write(): void {
  const machine = {
    processors: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    kernel: release(),
    node: process.version,
    loads,
  };
  const { rows, leftOut } = results;
  const document = { commit, changed, quick, runs, seconds: seconds(), machine, rows, leftOut };
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(`${json}.new`, `${JSON.stringify(document, null, 2)}\n`);
  renameSync(`${json}.new`, json);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endAll();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

if (process.getuid?.() !== 0) fail('benches take root');
if (peerPrefix === undefined) process.stderr.write('O7S_PEER_PREFIX is not set: nothing of the prototype\n');
for (let number = 0; number < runs; number += 1) {
  for (const name of chosen) {
    // Later runs make medians better, and nothing else.
    if (quick && number > 0 && seconds() > quickSeconds) continue;
    loads.push(Number(loadavg()[0]?.toFixed(2)));
    process.stderr.write(
      `run ${number + 1} of ${runs}, ${name}, after ${seconds()} s, load ${loads.at(-1)}\n`,
    );
    try {
      const found = benches[name]?.measure({ quick, number, prefix: peerPrefix, labNodes });
      for await (const item of found ?? []) {
        if ('why' in item) results.leave(name, item);
        else results.add(name, item);
        const outcome =
          'why' in item ? `left out: ${item.why}` : `${item.value.toPrecision(3)} ${item.subject.unit}`;
        const what = 'why' in item ? item.what : item.subject.what;
        process.stderr.write(`  ${what}, ${item.source}: ${outcome}\n`);
      }
    } catch (error) {
      // What else there is to measure is worth measuring.
      results.leave(name, { what: `run ${number + 1}`, source: 'ours', why: reasonOf(error) });
      process.stderr.write(`  ${name} failed: ${String(error)}\n`);
    }
    write();
  }
}
downAll();
process.stdout.write(
  `median (least..greatest) of up to ${runs} runs, ${seconds()} s\n\n${textOf(results.rows)}\n`,
);
const growth = growthText(results.rows);
if (growth !== '')
  process.stdout.write(
    `how costs grow: 0 where they stay, 1 where they grow as the amount does\n\n${growth}\n`,
  );
process.stdout.write(leftOutText(results));
const judged = results.rows.filter(({ met }) => met !== undefined);
process.stdout.write(
  `${judged.filter(({ met }) => met).length} of ${judged.length} targets are met; ${json}\n`,
);
