/**
 * What an irmd costs that has much to look after: direct flows, one after another, on an empty irmd and on a full one, and its
 * memory. Takes python3 for processes that cost nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { TestNode } from '../../support/node.ts';
import { until } from '../../support/until.ts';
import { type Bench, figure } from '../bench.ts';
import { benchProgram } from '../lab.ts';
import { pssMb, timed } from '../measure.ts';
import { median } from '../numbers.ts';
import type { Subject } from '../table.ts';

const processes = 200;
const patienceMs = 120_000;
/** Flows that one program holds. */
const perHolder = 500;
const announcer = fileURLToPath(new URL('../programs/announce.py', import.meta.url));

const program = (name: string, ...words: (string | number)[]): [string, string[]] => {
  const [file = '', ...rest] = benchProgram(name, ...words);
  return [file, rest];
};

export const irmd: Bench = {
  about: 'allocations, memory and `irm name list` of an irmd with many names, processes and flows',
  async *measure({ quick }) {
    const [names, flowCount, allocations, lists] = quick ? [1000, 500, 100, 3] : [10_000, 2000, 300, 7];
    await using node = await TestNode.start();
    await node.manage('i b t local n l l ll');
    const server = node.spawn(...program('hold', 'serve'));
    await until('the server', () => server.stdout.includes('ready'), patienceMs);
    await node.manage(`bind process ${server.pid} name direct`);
    await node.manage('name register direct layer ll');

    async function* costs(how: string): ReturnType<Bench['measure']> {
      const of = (what: string, unit: string): Subject => ({
        what: `irmd, ${how}: ${what}`,
        unit,
        better: 'less',
      });
      const { stdout } = await node.run(...program('allocate', 'direct', allocations));
      yield figure(of('allocation of a direct flow', 'ms'), 'ours', median(JSON.parse(stdout) as number[]));
      yield figure(of('memory (PSS)', 'MB'), 'ours', pssMb(node.irmd.pid));
      const times: number[] = [];
      for (let round = 0; round < lists; round += 1)
        times.push(await timed(() => node.manage('name list direct')));
      yield figure(of('irm name list', 'ms'), 'ours', median(times));
    }

    await node.run(...program('allocate', 'direct', allocations));
    yield* costs('empty');
    await node.managed(async (client) => {
      for (let index = 0; index < names; index += 1) await client.createName(`service-${index}`);
    });
    const idle = spawn('python3', [announcer, node.applicationSocket, String(processes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      const [said] = (await once(idle.stdout, 'data')) as [Buffer];
      if (!said.toString().startsWith('ready')) throw new Error(`announce.py said ${said.toString()}`);
      for (let left = flowCount; left > 0; left -= perHolder) {
        const holder = node.spawn(...program('hold', 'ask', 'direct', Math.min(left, perHolder)));
        await until('the flows', () => holder.stdout.includes('ready'), patienceMs);
      }
      yield* costs(`${names} names, ${processes} processes, ${flowCount} flows`);
    } finally {
      if (idle.pid !== undefined) process.kill(-idle.pid, 'SIGKILL');
    }
  },
};
