/**
 * `up` of a line of nodes on containers, beside starting as many bare containers of the same image in parallel:
 *
 *     node tests/bench/docker-up.ts [NODES] [ROUNDS]
 *
 * Prints a table and writes bench-results/docker-up.json. The machine should have nothing else to do.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../../bin/o7s-testbed.js', import.meta.url));
const results = fileURLToPath(new URL('../../bench-results/', import.meta.url));
const nodes = Number(process.argv[2] ?? 20);
const rounds = Number(process.argv[3] ?? 3);
const lab = `bench-${process.pid}`;
const image = `o7s-testbed/node:${process.env['npm_package_version'] ?? '0.1.0'}`;

const line = `import { ethDix, ethLink, node, server, topology } from 'o7s-testbed';
const nodes = Array.from({ length: ${nodes} }, (_, index) => node(\`n\${index + 1}\`));
const links = nodes.slice(1).map((each, index) => ethLink(nodes[index], each));
const layers = links.map((link, index) => ethDix(\`l\${index + 1}\`, link));
export default topology({ nodes, links, layers, servers: [server(nodes[1], 'ping', ['oping', '-l'])] });
`;

const run = promisify(execFile);

interface Up {
  ms: number;
  /** Milliseconds from the first step of a phase to its last; phases overlap. */
  phases: Record<string, number>;
}

async function up(file: string): Promise<Up> {
  const since = performance.now();
  const child = spawn(process.execPath, [program, 'up', file, '--lab', lab, '--testbed', 'docker'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const ms = performance.now() - since;
  if (code !== 0) throw new Error(told);
  const phases = told.matchAll(/^(\S+)(?: \S+)? (\d+)\/\2 +(\d+) ms$/gm);
  const longest: Record<string, number> = {};
  for (const [, phase = '', , time] of phases) longest[phase] = Math.max(longest[phase] ?? 0, Number(time));
  return { ms, phases: longest };
}

/** Bare containers: what an `up` could not be faster than. */
async function bare(): Promise<number> {
  const names = Array.from({ length: nodes }, (_, index) => `${lab}-${index}`);
  const since = performance.now();
  await Promise.all(
    names.map((name) =>
      run('docker', ['run', '-d', '--name', name, '--network', 'none', '--init', image, 'sleep', '1000']),
    ),
  );
  const ms = performance.now() - since;
  await run('docker', ['rm', '-f', ...names]);
  return ms;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const place = await mkdtemp(join(tmpdir(), 'o7s-bench-'));
try {
  const file = join(place, 'line.ts');
  await writeFile(file, line);
  const samples: { bareMs: number; upMs: number; downMs: number; phases: Record<string, number> }[] = [];
  for (let round = 0; round < rounds; round++) {
    const bareMs = await bare();
    const made = await up(file);
    const since = performance.now();
    await run(process.execPath, [program, 'down', '--lab', lab]);
    const downMs = performance.now() - since;
    samples.push({ bareMs, upMs: made.ms, downMs, phases: made.phases });
    const phases = Object.entries(made.phases).map(([phase, ms]) => `${phase} ${ms}`);
    const numbers = [bareMs, made.ms, downMs].map((ms) => Math.round(ms));
    process.stdout.write(
      `round ${round + 1}: bare ${numbers[0]} ms, up ${numbers[1]} ms (${phases.join(', ')}), down ${numbers[2]} ms\n`,
    );
  }
  const bareMs = median(samples.map((each) => each.bareMs));
  const upMs = median(samples.map((each) => each.upMs));
  const downMs = median(samples.map((each) => each.downMs));
  const ratio = upMs / bareMs;
  process.stdout.write(
    `\nNODES  BARE ms  UP ms  DOWN ms  UP/BARE\n` +
      `${String(nodes).padEnd(5)}  ${bareMs.toFixed(0).padEnd(7)}  ${upMs.toFixed(0).padEnd(5)}  ${downMs.toFixed(0).padEnd(7)}  ${ratio.toFixed(2)}\n`,
  );
  await mkdir(results, { recursive: true });
  await writeFile(
    `${results}docker-up.json`,
    `${JSON.stringify({ nodes, bareMs, upMs, downMs, ratio, samples }, null, 2)}\n`,
  );
} finally {
  await rm(place, { recursive: true, force: true });
}
