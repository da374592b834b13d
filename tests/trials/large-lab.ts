/**
 * A line of many nodes on netns, from its `up` to its `down`: everything answers, the ends reach each other, and nothing is
 * left. Too large for the tests of every change:
 *
 *     node --conditions=@o7s/source tests/trials/large-lab.ts [--nodes 100]
 */
import { execFile } from 'node:child_process';
import { freemem, loadavg } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { markedProcesses } from '../netns/traces.ts';

const { values } = parseArgs({ options: { nodes: { type: 'string', default: '100' } } });
const nodes = Number(values.nodes);
const lab = `large-${process.pid}`;
const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));

async function cli(...words: readonly string[]): Promise<string> {
  const since = performance.now();
  const env = { ...process.env, O7S_TESTBED: 'netns' };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path('bin/o7s-testbed.js'), ...words],
    options,
  );
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  const free = (freemem() / 1e9).toFixed(1);
  process.stdout.write(
    `${words[0]}: ${seconds} s, load ${loadavg()[0]?.toFixed(1)}, ${free} GB of memory free\n`,
  );
  return stdout;
}

function check(what: string, isSo: boolean): void {
  process.stdout.write(`${isSo ? 'ok    ' : 'FAILED'} ${what}\n`);
  if (!isSo) process.exitCode = 1;
}

try {
  await cli('up', path('topologies/line-of-n.ts'), '--set', `n=${nodes}`, '--lab', lab);
  const asked = JSON.parse(await cli('exec', '--all', '--lab', lab, '-f', 'json', 'irm', 'ipcp', 'list')) as {
    code: number;
  }[];
  check(
    `irmd of all ${nodes} nodes answers`,
    asked.length === nodes && asked.every(({ code }) => code === 0),
  );
  const pinged = await cli('exec', 'n1', '--lab', lab, 'oping', '-n', 'ping', '-c', '3');
  check('a ping from end to end', pinged.includes('3 packets transmitted, 3 received'));
} finally {
  await cli('down', '--lab', lab);
}
check('nothing is left', markedProcesses(lab).length === 0);
