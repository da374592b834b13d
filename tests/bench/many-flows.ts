/**
 * What a packet costs the data planes of two nodes, in processor time, over 1 to 500 flows of one eth-dix IPCP:
 *
 *     node tests/bench/many-flows.ts [SECONDS]
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const seconds = process.argv[2] ?? '3';
const lab = `bench-flows-${process.pid}`;
const ticksPerSecond = 100;

function cli(...words: readonly string[]): string {
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] } as const;
  return execFileSync(process.execPath, [`${root}bin/o7s-testbed.js`, ...words], {
    ...options,
    stdio: [...options.stdio],
  });
}

/** Seconds of processor time that a node's ipcpd has used. */
function used(node: string): number {
  const stat = cli('exec', '--lab', lab, node, '--', 'sh', '-c', 'cat /proc/$(pgrep -x ipcpd)/stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

cli('up', `${root}tests/bench/two-nodes.topology.ts`, '--testbed', 'netns', '--lab', lab);
try {
  const rows = [1, 10, 100, 500].map((flows) => {
    const before = used('a') + used('b');
    const program = [
      process.execPath,
      `${root}tests/bench/source.ts`,
      'sink.eth-dix',
      '64',
      seconds,
      String(flows),
    ];
    const { packets } = JSON.parse(cli('exec', '--lab', lab, 'a', '--', ...program)) as { packets: number };
    const microseconds = ((used('a') + used('b') - before) * 1e6) / packets;
    return { flows, packets, 'us a packet': Number(microseconds.toPrecision(3)) };
  });
  console.table(rows);
} finally {
  cli('down', '--lab', lab);
}
