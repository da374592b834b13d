/** The folder of a run: all that is needed to see what happened, and to do it again. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDiskFull } from '../errors.ts';
import type { Topology } from '../model/topology.ts';
import type { Experiment, Prepared } from '../storyboard/experiment.ts';
import type { Lab, LabNode } from '../testbeds/testbed.ts';
import { html } from './html.ts';
import { junit } from './junit.ts';

/** Bytes of a log that are kept. */
const logBytesMax = 16 * 1024 * 1024;

/** All that a run can leave in its folder. */
const own = [
  ...['run.json', 'topology.json', 'plan.json', 'results.json', 'events.ndjson', 'junit.xml', 'report.html'],
  ...['logs', 'metrics', 'pcaps'],
];

/** Begins the folder with what is known before the run; what an earlier run left there goes. */
export async function beginBundle(folder: string, prepared: Prepared): Promise<void> {
  const { board, story: _, plan, ...facts } = prepared;
  await mkdir(folder, { recursive: true });
  await Promise.all(own.map(async (name) => await rm(join(folder, name), { recursive: true, force: true })));
  await writeJson(join(folder, 'run.json'), { ...facts, status: 'running' });
  await writeJson(join(folder, 'topology.json'), board.topology);
  await writeJson(join(folder, 'plan.json'), plan);
}

/** Completes it with what came of the run; logs, metrics and captures are taken while the lab is there. */
export async function completeBundle(folder: string, run: Experiment, topology: Topology): Promise<void> {
  const { plan: _, result, ...facts } = run;
  const { events, ...rest } = result;
  await writeJson(join(folder, 'results.json'), rest);
  await writeFile(
    join(folder, 'events.ndjson'),
    events.map((event) => `${JSON.stringify(event)}\n`).join(''),
  );
  await writeFile(join(folder, 'junit.xml'), junit(run));
  await writeFile(join(folder, 'report.html'), await html(run, topology));
  // Who finds this one finds the others.
  await writeJson(join(folder, 'run.json'), facts);
}

/** Copies the logs of all nodes that are there. */
export async function saveLogs(folder: string, lab: Lab): Promise<void> {
  await Promise.all(
    lab.nodes().map(async (node) => {
      // A node that was ended has none any more; the others are kept all the same.
      await saveNode(join(folder, 'logs', node.name), node).catch((error: unknown) => {
        if (isDiskFull(error)) throw error;
      });
    }),
  );
}

/** Keeps what every node that has `irm metrics` counted, as Prometheus reads it: a file a node. */
export async function saveMetrics(folder: string, lab: Lab, signal: AbortSignal): Promise<void> {
  const metrics = join(folder, 'metrics');
  await mkdir(metrics, { recursive: true });
  await Promise.all(
    lab.nodes().map(async (node) => {
      // A node of the prototype has none, nor has one that was ended.
      const ran = await node.run(['irm', 'metrics'], signal).catch(() => undefined);
      if (ran?.code === 0) await writeFile(join(metrics, `${node.name}.prom`), ran.stdout);
    }),
  );
}

async function saveNode(folder: string, node: LabNode): Promise<void> {
  const logs = await node.logs();
  if (logs.length > 0) await mkdir(folder, { recursive: true });
  for (const { name } of logs) {
    const file = createWriteStream(join(folder, `${name.replaceAll('/', '_')}.log`));
    await pipeline(partsOf(node, name), file);
  }
}

async function* partsOf(node: LabNode, name: string): AsyncGenerator<Buffer, void, void> {
  for (let from = 0; from < logBytesMax;) {
    const part = await node.readLog(name, from);
    if (part.length === 0) return;
    from += part.length;
    yield part;
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}
