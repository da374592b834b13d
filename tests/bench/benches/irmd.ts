/**
 * What an irmd costs that has much to look after, and what looking after it costs: names, processes and flows. Flows are direct
 * ones, made one after another. Takes python3 for processes that cost nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { TestNode } from '../../support/node.ts';
import { until } from '../../support/until.ts';
import { type Bench, figure, type Round } from '../bench.ts';
import { benchProgram } from '../lab.ts';
import { processorMs, pssMb, timed } from '../measure.ts';
import { median } from '../numbers.ts';
import type { Subject } from '../table.ts';

const nameCounts = [10, 100, 1000, 10_000];
const processes = 200;
const patienceMs = 120_000;
/** Flows that one program holds. */
const perHolder = 500;
const announcer = fileURLToPath(new URL('../programs/announce.py', import.meta.url));

const program = (name: string, ...words: (string | number)[]): [string, string[]] => {
  const [file = '', ...rest] = benchProgram(name, ...words);
  return [file, rest];
};

/** An irmd with a local layer and a server of direct flows. */
async function served(): Promise<TestNode> {
  const node = await TestNode.start();
  await node.manage('i b t local n l l ll');
  const server = node.spawn(...program('hold', 'serve'));
  await until('the server', () => server.stdout.includes('ready'), patienceMs);
  await node.manage(`bind process ${server.pid} name direct`);
  await node.manage('name register direct layer ll');
  return node;
}

/** `subject` names a cost. */
async function* costs(
  node: TestNode,
  { quick }: Pick<Round, 'quick'>,
  subject: (cost: string, unit: string) => Subject,
): ReturnType<Bench['measure']> {
  const [allocations, lists] = quick ? [100, 3] : [300, 7];
  // The first ones warm up.
  await node.run(...program('allocate', 'direct', allocations));
  const { stdout } = await node.run(...program('allocate', 'direct', allocations));
  yield figure(subject('allocation of a direct flow', 'ms'), 'ours', median(JSON.parse(stdout) as number[]));
  const times: number[] = [];
  for (let round = 0; round < lists; round += 1)
    times.push(await timed(() => node.manage('name list direct')));
  yield figure(subject('irm name list NAME', 'ms'), 'ours', median(times));
  yield figure(subject('memory (PSS)', 'MB'), 'ours', pssMb(node.irmd.pid));
}

async function* ofNames(count: number, round: Round): ReturnType<Bench['measure']> {
  await using node = await served();
  const subject = (cost: string, unit: string): Subject => ({
    what: `irmd, ${count} names: ${cost}`,
    unit,
    better: 'less',
    growth: { of: 'names of an irmd', amount: count, cost },
  });
  const before = processorMs(node.irmd.pid);
  await node.managed(async (client) => {
    const [layer] = await client.listIpcps();
    for (let index = 0; index < count; index += 1) {
      await client.createName(`service-${index}`);
      if (layer !== undefined) await client.registerName(`service-${index}`, layer.pid);
    }
  });
  const used = processorMs(node.irmd.pid) - before;
  yield figure(subject('processor time to create and register one', 'ms'), 'ours', used / count);
  yield* costs(node, round, subject);
}

export const irmd: Bench = {
  about:
    'allocations, memory and `irm name list` of an irmd with 10 to 10 000 names, and with many processes and flows',
  async *measure(round) {
    if (round.quick && round.number > 0) return;
    for (const count of nameCounts) yield* ofNames(count, round);
    const [names, flowCount] = round.quick ? [1000, 500] : [10_000, 2000];
    await using node = await served();
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
      const what = `irmd, ${names} names, ${processes} processes, ${flowCount} flows`;
      yield* costs(node, round, (cost, unit) => ({ what: `${what}: ${cost}`, unit, better: 'less' }));
    } finally {
      if (idle.pid !== undefined) process.kill(-idle.pid, 'SIGKILL');
    }
  },
};
