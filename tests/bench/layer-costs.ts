/**
 * What a unicast layer costs its members as it grows, in virtual time and so alike on every machine but for processor
 * time:
 *
 *     node --conditions=@o7s/source tests/bench/layer-costs.ts [MEMBERS (2 10 32 100)]
 *
 * Prints Markdown tables, with exponents, for trees and for random layers of about four links a member, and for names of a
 * layer of 100 members. Links take 1 ms; the seed is 1.
 */
import { rise, type ShapeName } from '../sim/unicast-scenarios.ts';
import { DirectoryNet } from '../support/directory-net.ts';
import { figure } from './bench.ts';
import { growthText, Results } from './table.ts';

const shapes: readonly ShapeName[] = ['tree', 'random'];
const wanted = process.argv.slice(2).map(Number);
const sizes = wanted.length > 0 ? wanted : [2, 10, 32, 100];
const nameCounts = [10, 100, 1000, 10_000];
const directoryMembers = 100;
const results = new Results();

function add(of: string, amount: number, cost: string, unit: string, value: number): void {
  const subject = {
    what: `${of}, ${amount}: ${cost}`,
    unit,
    better: 'less',
    growth: { of, amount, cost },
  } as const;
  results.add('layer', figure(subject, 'ours', value));
}

function measureLayer(shape: ShapeName, members: number): void {
  const of = `members, ${shape}`;
  const cpu = { up: 0, idle: 0 };
  const { costs, faults } = rise(shape, members, {
    seed: 1,
    reached: (phase, { cpuMs }) => (cpu[phase] = cpuMs),
  });
  if (faults.length > 0) throw new Error(`${shape} of ${members}: ${faults.join(', ')}`);
  const { upMs, upPackets, upBytes, idlePackets, idleBytes, aroundMs, lsdb, values, contacts } = costs;
  add(of, members, 'until all have routes to all', 'ms', upMs);
  if (aroundMs > 0) add(of, members, 'until all are around a link that fails', 'ms', aroundMs);
  add(of, members, 'packets of a member until then', '', upPackets);
  add(of, members, 'bytes of a member until then', 'kB', upBytes / 1000);
  add(of, members, 'processor time of a member until then', 'ms', cpu.up / members);
  add(of, members, 'packets of a member in 15 s of quiet', '', idlePackets);
  add(of, members, 'bytes of a member in 15 s of quiet', 'kB', idleBytes / 1000);
  // Two times 15 s have passed.
  add(of, members, 'processor time of a member in 15 s of quiet', 'ms', (cpu.idle - cpu.up) / 2 / members);
  add(of, members, 'links that a member knows', '', lsdb);
  add(of, members, 'contacts in the directory of a member', '', contacts);
  add(of, members, "others' names at a member", '', values);
}

/** Names of a layer, registered by its members in turn, 10 ms apart. */
function measureNames(count: number): void {
  const net = new DirectoryNet({ seed: 1 });
  const members = [net.addOurs(0)];
  while (members.length < directoryMembers) {
    members.push(net.addOurs(members[net.below(members.length)]?.address ?? 0));
    net.run(50);
  }
  net.run(10_000);
  const sent = (): number => members.reduce((sum, member) => sum + member.sent, 0);
  const before = { sent: sent(), cpu: process.cpuUsage() };
  const names = Array.from({ length: count }, () => net.randomBytes(32));
  for (const [index, name] of names.entries()) {
    const owner = members[index % members.length];
    if (owner !== undefined) net.register(owner, name);
    net.run(10);
  }
  net.run(5000);
  const of = `names in a layer of ${directoryMembers}`;
  const cpu = process.cpuUsage(before.cpu);
  add(of, count, 'messages to register one', '', (sent() - before.sent) / count);
  add(
    of,
    count,
    'processor time to register one, all members together',
    'ms',
    (cpu.user + cpu.system) / 1000 / count,
  );
  const asked = sent();
  const asker = members[7];
  if (asker === undefined) throw new Error('there is no member to ask');
  const others = names.slice(0, 12).filter((_name, index) => members[index % members.length] !== asker);
  const outcomes = others.map((name) => net.query(asker, name));
  net.run(5000);
  add(of, count, 'messages to find one', '', (sent() - asked) / outcomes.length);
  const found = outcomes.filter(({ addresses }) => (addresses?.length ?? 0) > 0).length;
  if (found < outcomes.length) throw new Error(`only ${found} of ${outcomes.length} names were found`);
  const latest = Math.max(...outcomes.map(({ after }) => after));
  add(of, count, 'time to find one, at most', 'ms', latest);
}

// What is compiled and made once is not of any layer.
for (const shape of shapes) rise(shape, 10, { seed: 1 });
for (const shape of shapes) for (const size of sizes) measureLayer(shape, size);
for (const count of nameCounts) measureNames(count);
process.stdout.write(growthText(results.rows));
