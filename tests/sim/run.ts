/**
 * Simulates unicast layers of as many members as it is told, with the scenarios of the tests:
 *
 *     npm run sim -- [MEMBERS (1000)] [SEED (1)] [SHAPE...]
 *
 * Each shape comes up, registers a name a member and loses a link; the last also goes through members that come and go, and
 * through a partition. Prints what that cost a member, and ends with 1 if anything was wrong in the end.
 */
import {
  churn,
  faultsOf,
  layerOf,
  part,
  rise,
  serveAll,
  type ShapeName,
  shapes,
  tableOf,
} from './unicast-scenarios.ts';

const minute = 60_000;
const names = Object.keys(shapes) as ShapeName[];
const [members = '1000', seedWord = '1', ...wanted] = process.argv.slice(2);
const [size, seed] = [Number(members), Number(seedWord)];
const unknown = wanted.filter((name) => !names.includes(name as ShapeName));
if (!Number.isInteger(size) || size < 2 || !Number.isInteger(seed) || unknown.length > 0) {
  console.error(`usage: npm run sim -- [MEMBERS] [SEED] [SHAPE...]; shapes are ${names.join(', ')}`);
  process.exit(2);
}
const chosen = wanted.length > 0 ? (wanted as ShapeName[]) : names;

const faults: string[] = [];
const took = (): number => Math.round(performance.now() / 1000);
const note = (what: string, found: readonly string[]): void => {
  faults.push(...found.map((fault) => `${what}: ${fault}`));
  console.error(`${what}: ${found.length} faults, ${took()} s`);
};
/** Bytes of the heap and beside it that are in use. */
const memoryBytes = (): number => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** What a shape costs, and what was wrong with it in the end. A function, so that nothing of it stays. */
function rowOf(shape: ShapeName, count: number): Record<string, string | number> {
  const before = memoryBytes();
  const cpu = { up: 0, idle: 0 };
  const risen = rise(shape, count, { seed, reached: (phase, { cpuMs }) => (cpu[phase] = cpuMs) });
  const used = memoryBytes() - before;
  note(`${shape} of ${count}`, risen.faults);
  const each = (total: number): number => Number((total / risen.net.members.length).toPrecision(3));
  return {
    ...risen.costs,
    upCpuMs: each(cpu.up),
    // Two times 15 s have passed.
    idleCpuMs: each((cpu.idle - cpu.up) / 2),
    KiB: each(used / 1024),
  };
}

// What is compiled and made once is not of any layer.
for (const shape of chosen) rowOf(shape, 10);
const table = tableOf(chosen.map((shape) => rowOf(shape, size)));
console.log(`seed ${seed}\n\n${table}`);

const last = chosen.at(-1)!;
const { net, settledMs } = churn(last, size, { seed, rounds: 40, links: true });
note(`members come and go in ${last} of ${size}, settled in ${settledMs} ms`, faultsOf(net));
const parted = layerOf(last, size, { seed });
parted.settle(10 * minute);
serveAll(parted);
parted.run(minute);
const healedMs = part(parted, minute, () => note('halves', parted.wrongRoutes()));
parted.run(minute);
note(`halves of ${last} of ${size} meet again, settled in ${healedMs} ms`, faultsOf(parted));

for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);
