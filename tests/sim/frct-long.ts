/**
 * Many simulated flows over bad paths, and a summary:
 *
 *     node tests/sim/frct-long.ts [SEEDS (10000)] [FIRST (1)]
 */
import { type Outcome, runScenario } from './frct/scenario.ts';

const seeds = Number(process.argv[2] ?? 10_000);
const first = Number(process.argv[3] ?? 1);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Row {
  flows: number;
  messages: number;
  packets: number;
  'longest, s': number;
  'most held, KiB': number;
  'prototype failed': number;
  failed: number;
}

const rows = new Map<string, Row>();
const failed: Outcome[] = [];
for (let seed = first; seed < first + seeds; seed += 1) {
  const outcome = runScenario(seed);
  const key = `${outcome.peer}, ${outcome.reliable ? 'reliable' : 'best effort'}`;
  const row = rows.get(key) ?? {
    flows: 0,
    messages: 0,
    packets: 0,
    'longest, s': 0,
    'most held, KiB': 0,
    'prototype failed': 0,
    failed: 0,
  };
  rows.set(key, row);
  row.flows += 1;
  row.messages += outcome.messages;
  row.packets += outcome.packets;
  row['longest, s'] = Math.max(row['longest, s'], Math.round(outcome.took / 1000));
  row['most held, KiB'] = Math.max(row['most held, KiB'], Math.round(outcome.bytesHeldMax / 1024));
  row['prototype failed'] += outcome.prototypeFailed ? 1 : 0;
  if (outcome.fault === undefined) continue;
  row.failed += 1;
  failed.push(outcome);
  say(`seed ${seed} (${key}, loss ${outcome.loss}): ${outcome.fault}`);
}
console.table(Object.fromEntries([...rows].toSorted(([a], [b]) => a.localeCompare(b))));
say(
  failed.length === 0
    ? `${seeds} flows, none failed`
    : `failed seeds: ${failed.map(({ seed }) => seed).join(' ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
