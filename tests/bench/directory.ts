/**
 * What the directory of a unicast layer costs its members, by the size of the layer, in virtual time:
 *
 *     node --conditions=@o7s/source tests/bench/directory.ts [OURS[+PROTOTYPES]] ...
 *
 * Members come one after another, 100 of them register a name each, and 40 ask for 40 of these and for 5 that nobody
 * serves. Packets take 1 to 20 ms each way, and one of a hundred is lost.
 */
import { Dht } from '../../runtime/ipcpd/unicast/directory/dht/dht.ts';
import { DirectoryNet, type NetMember } from '../support/directory-net.ts';

const loss = 0.01;
const layers = process.argv.slice(2);
if (layers.length === 0) layers.push('3', '10', '50', '100', '200', '500', '1000', '25+25', '100+20');

interface Queries {
  readonly 'found, %': number;
  readonly messages: number;
  readonly 'median ms': number;
  readonly '99 % ms': number;
}

function measure(ours: number, prototypes: number): Record<string, number> {
  const started = performance.now();
  const net = new DirectoryNet({ seed: 1, loss });
  const members: NetMember[] = [];
  const sent = (): number => members.reduce((sum, member) => sum + member.sent, 0);
  const left = { ours, prototypes };
  while (left.ours + left.prototypes > 0) {
    const peer = members[net.below(members.length)]?.address ?? 0;
    const isPrototype = net.below(left.ours + left.prototypes) >= left.ours;
    left[isPrototype ? 'prototypes' : 'ours'] -= 1;
    members.push(isPrototype ? net.addPrototype(peer) : net.addOurs(peer));
    net.run(50);
  }
  net.run(10_000);
  const each = (before: number, among: number): number => Number(((sent() - before) / among).toFixed(1));
  const joining = each(0, members.length);

  const owners = members.slice(0, 100);
  const names = owners.map(() => net.randomBytes(32));
  let before = sent();
  for (const [index, owner] of owners.entries()) net.register(owner, names[index] ?? Buffer.alloc(0));
  net.run(10_000);
  const registering = each(before, owners.length);

  const ourselves = members.filter(({ dht }) => dht instanceof Dht).slice(-40);
  const ask = (keys: readonly Buffer[]): Queries => {
    before = sent();
    const outcomes = ourselves.flatMap((asker) =>
      keys.filter((_key, index) => owners[index] !== asker).map((key) => net.query(asker, key)),
    );
    net.run(10_000);
    const times = outcomes.map(({ after }) => after).toSorted((a, b) => a - b);
    const found = outcomes.filter(({ addresses }) => (addresses?.length ?? 0) > 0).length;
    return {
      'found, %': Number(((100 * found) / outcomes.length).toFixed(2)),
      messages: each(before, outcomes.length),
      'median ms': Math.round(times[times.length >> 1] ?? 0),
      '99 % ms': Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
    };
  };
  const known = ask(names.slice(0, 40));
  const unknown = ask(Array.from({ length: 5 }, () => net.randomBytes(32)));
  before = sent();
  net.run(900_000);
  return {
    ours,
    prototypes,
    'joining, messages a member': joining,
    'registering, messages a name': registering,
    '900 s, messages a member': each(before, members.length),
    ...Object.fromEntries(Object.entries(known).map(([key, value]) => [`known: ${key}`, value])),
    ...Object.fromEntries(Object.entries(unknown).map(([key, value]) => [`unknown: ${key}`, value])),
    'real s': Number(((performance.now() - started) / 1000).toFixed(1)),
  };
}

for (const layer of layers) {
  const [ours = 0, prototypes = 0] = layer.split('+').map(Number);
  console.log(JSON.stringify(measure(ours, prototypes)));
}
