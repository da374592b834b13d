/**
 * Applications over each type of layer that lies on no other: two nodes on a cable, and one node with a layer within. Beside
 * the prototype and, over Ethernet, beside two plain programs over UDP on the same cable.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { joinNamespaces, PeerNode } from '../../support/peer.ts';
import { until } from '../../support/until.ts';
import { type Bench, figure, guarded, leftOut } from '../bench.ts';
import { benchProgram, Lab } from '../lab.ts';
import { namespaceOf, type Placement, placements, Program, takenIn, timed } from '../measure.ts';
import { averageOf, median } from '../numbers.ts';
import { limited, onPrototypes, type Wanted } from '../prototypes.ts';
import type { Subject } from '../table.ts';

const types = ['local', 'eth-dix', 'eth-llc', 'udp4', 'udp6'] as const;
type Type = (typeof types)[number];
const sizes = [64, 1400] as const;
type Size = (typeof sizes)[number];
const [ownIp, otherIp] = ['10.9.0.1', '10.9.0.2'];
const ports = { echo: '9001', 64: '9002', 1400: '9003' } as const;

/** What is measured of a layer. */
interface Subjects {
  readonly allocation: Subject;
  readonly allocations: Subject;
  readonly roundTrip: Subject;
  readonly rate: Readonly<Record<Size, Subject>>;
  readonly processor: Subject;
}

function subjectsOf(type: Type, placement: Placement): Subjects {
  const nodes = type === 'local' ? '1 node' : '2 nodes';
  const less = (name: string, unit: string, target?: number): Subject => ({
    what: `${type}, ${nodes}, ${placement}: ${name}`,
    unit,
    better: 'less',
    // The design speaks of flows between nodes.
    ...(target !== undefined && type !== 'local' && { targets: { prototype: target } }),
  });
  const more = (name: string, unit: string, target?: number): Subject => ({
    ...less(name, unit, target),
    better: 'more',
  });
  return {
    allocation: less('allocation of a flow', 'ms', 0.01),
    allocations: more('allocations one after another', '1/s'),
    roundTrip: less('round trip', 'us', 1),
    rate: {
      64: more('packets of 64 bytes', '1/s', 3),
      1400: more('packets of 1400 bytes', '1/s', 3),
    },
    processor: less('processor time of data planes for one of 64 bytes', 'us'),
  };
}

/** Where the client runs; the server runs on b. */
const clientOf = (type: Type): 'a' | 'b' => (type === 'local' ? 'b' : 'a');

interface Amounts {
  readonly allocations: number;
  readonly pings: number;
  readonly seconds: number;
}

interface Flood {
  readonly packets: number;
  readonly ms: number;
}

async function flood(lab: Lab, type: Type, size: Size, { seconds }: Amounts): Promise<Flood> {
  const file = `/run/o7s-testbed/sink.${type}`;
  const before = (await lab.read('b', file)).length;
  await lab.on(clientOf(type), benchProgram('source', `sink.${type}`, size, seconds));
  return JSON.parse(await lab.nextLine('b', file, before)) as Flood;
}

/** What a server of operf tells of a flow that has ended. */
interface Received {
  readonly packets: number;
  readonly elapsedMs: number;
}

/** Packets a second that `operf` sends, by its server's log. */
async function operf(lab: Lab, type: Type, size: Size, { seconds }: Amounts): Promise<number> {
  const told = async (): Promise<string[]> =>
    (await lab.read('b', `/run/o7s-testbed/perf.${type}.log`))
      .split('\n')
      .filter((line) => line.includes('"received"'));
  const before = (await told()).length;
  const words = ['-n', `perf.${type}`, '-s', String(size), '-d', `${seconds}s`, '-f'];
  await lab.on(clientOf(type), ['operf', ...words]);
  const last = await until("operf's server", async () => (await told())[before]);
  const { packets, elapsedMs } = JSON.parse(last) as Received;
  return (packets / elapsedMs) * 1000;
}

async function* ours(
  lab: Lab,
  type: Type,
  placement: Placement,
  amounts: Amounts,
): ReturnType<Bench['measure']> {
  const subjects = subjectsOf(type, placement);
  const client = clientOf(type);
  const times = JSON.parse(
    await lab.on(client, benchProgram('allocate', `ping.${type}`, amounts.allocations)),
  ) as number[];
  yield figure(subjects.allocation, 'ours', median(times));
  yield figure(
    subjects.allocations,
    'ours',
    (1000 * times.length) / times.reduce((sum, each) => sum + each, 0),
  );
  const ping = ['oping', '-n', `ping.${type}`, '-c', String(amounts.pings), '-f', '-Q'];
  yield figure(subjects.roundTrip, 'ours', averageOf(await lab.on(client, ping)) ?? Number.NaN);
  for (const size of sizes) {
    // A flow within a node passes no data plane.
    const before = [await lab.taken('a'), await lab.taken('b')];
    const { packets, ms } = await flood(lab, type, size, amounts);
    yield figure(subjects.rate[size], 'ours', (packets / ms) * 1000);
    if (size !== 64 || type === 'local') continue;
    const after = [await lab.taken('a'), await lab.taken('b')];
    const used = after.reduce((sum, { ipcpdMs }, index) => sum + ipcpdMs - (before[index]?.ipcpdMs ?? 0), 0);
    yield figure(subjects.processor, 'ours', (used * 1000) / packets);
  }
}

async function* byOperf(lab: Lab, placement: Placement, amounts: Amounts): ReturnType<Bench['measure']> {
  for (const size of sizes) {
    const { rate } = subjectsOf('eth-dix', placement);
    const subject = { ...rate[size], what: `${rate[size].what}, by operf`, targets: {} };
    yield figure(subject, 'ours', await operf(lab, 'eth-dix', size, amounts));
  }
}

/** Two plain programs over UDP, and the kernel's ping. */
async function* plain(lab: Lab, placement: Placement, amounts: Amounts): ReturnType<Bench['measure']> {
  const subjects = subjectsOf('eth-dix', placement);
  const echo = new Program(lab.words('b', benchProgram('bare-udp', 'echo', otherIp, ports.echo)));
  await echo.line('ready');
  const ping = benchProgram('bare-udp', 'ping', otherIp, ports.echo, ownIp, amounts.pings);
  const { us } = JSON.parse(await lab.on('a', ping)) as { us: number };
  echo.end();
  await echo.ended;
  yield figure(subjects.roundTrip, 'bare UDP', us);
  for (const size of sizes) {
    const count = new Program(lab.words('b', benchProgram('bare-udp', 'count', otherIp, ports[size])));
    await count.line('ready');
    await lab.on('a', benchProgram('bare-udp', 'flood', otherIp, ports[size], ownIp, size, amounts.seconds));
    const { packets, ms } = JSON.parse((await count.ended).output.replace('ready\n', '')) as Flood;
    yield figure(subjects.rate[size], 'bare UDP', (packets / ms) * 1000);
  }
  const kernel = await new Program(lab.words('a', ['ping', '-q', '-f', '-c', String(amounts.pings), otherIp]))
    .ended;
  const average = averageOf(kernel.output);
  yield average === undefined
    ? leftOut(subjects.roundTrip, "kernel's ping", `ping ended with ${kernel.code}`)
    : figure(subjects.roundTrip, "kernel's ping", average);
}

/** Two nodes of the prototype on a cable, with servers. */
class PrototypePair implements AsyncDisposable {
  readonly client: PeerNode;
  readonly server: PeerNode;
  readonly #nodes: readonly PeerNode[];
  /** What the sink has printed. */
  report = '';

  private constructor(client: PeerNode, server: PeerNode) {
    this.client = client;
    this.server = server;
    this.#nodes = [...new Set([client, server])];
  }

  static async make(prefix: string, processors: string, type: Type): Promise<PrototypePair> {
    const server = await PeerNode.start(prefix, processors);
    const pair = new PrototypePair(
      type === 'local' ? server : await PeerNode.start(prefix, processors),
      server,
    );
    try {
      await pair.#layer(type);
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #layer(type: Type): Promise<void> {
    const names = ['ping', 'sink'];
    const options: Readonly<Record<Type, (index: number) => string[]>> = {
      local: () => [],
      'eth-dix': () => ['dev', 'e1'],
      'eth-llc': () => ['dev', 'e1'],
      udp4: (index) => ['ip', index === 0 ? ownIp : otherIp],
      udp6: (index) => ['ip', `fd09::${index + 1}`],
    };
    if (type !== 'local')
      joinNamespaces({ pid: this.client.pid, dev: 'e1' }, { pid: this.server.pid, dev: 'e1' });
    for (const [index, node] of this.#nodes.entries()) {
      if (type.startsWith('udp')) {
        await node.run(['ip', 'address', 'add', `10.9.0.${index + 1}/24`, 'dev', 'e1']);
        await node.run(['ip', 'address', 'add', `fd09::${index + 1}/64`, 'dev', 'e1', 'nodad']);
        for (const name of names) await node.addHost(type === 'udp6' ? 'fd09::2' : otherIp, name);
      }
      await node.bootstrap(type, ...options[type](index));
    }
    await this.server.serve('ping', ['oping', '-l', '-Q'], type);
    await this.server.serve('sink', ['ocbr', '-l', '-i', '1'], type, (text) => (this.report += text));
    if (type !== 'local') for (const name of names) await this.client.run(['irm', 'name', 'create', name]);
  }

  get ipcpdMs(): number {
    return this.#nodes.reduce((sum, { pid }) => sum + takenIn(namespaceOf(pid, 'net')).ipcpdMs, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
  }
}

/** The best whole second that `ocbr -l -i 1` has printed: packets a second. */
export function bestRateOf(report: string): number {
  return Math.max(0, ...[...report.matchAll(/=>\s+([\d.]+) pps/g)].map(([, rate]) => Number(rate)));
}

function wantedOf(type: Type, placement: Placement, amounts: Amounts): Wanted<PrototypePair>[] {
  const subjects = subjectsOf(type, placement);
  const processors = placements[placement];
  const succeed = async (pair: PrototypePair, seconds: number, ...command: string[]): Promise<string> => {
    const { code, output } = await pair.client.run(limited(seconds, processors, command));
    if (code !== 0) throw new Error(`${command[0]} ended with ${code}`);
    return output;
  };
  let processorUs = Number.NaN;
  // A second more, since only whole ones in which all came are looked at.
  const seconds = amounts.seconds + 1;
  const rateOf = (size: Size) => async (pair: PrototypePair) => {
    const [from, before] = [pair.report.length, pair.ipcpdMs];
    // Its client is ended where it does not end.
    const words = ['ocbr', '-n', 'sink', '-d', String(seconds), '-s', String(size), '-f'];
    await pair.client.run(limited(seconds + 4, processors, words));
    await delay(1200);
    const report = pair.report.slice(from);
    const rate = bestRateOf(report);
    if (rate === 0) throw new Error('nothing arrived');
    const all = [...report.matchAll(/=>\s+([\d.]+) pps/g)].reduce((sum, [, each]) => sum + Number(each), 0);
    if (size === 64) processorUs = ((pair.ipcpdMs - before) * 1000) / all;
    return rate;
  };
  let allocationMs = Number.NaN;
  return [
    {
      subject: subjects.allocation,
      // A ping without packets is an allocation and a release.
      measure: async (pair) => {
        allocationMs = await timed(() => succeed(pair, 5, 'oping', '-n', 'ping', '-c', '0'));
        return allocationMs;
      },
    },
    {
      subject: subjects.allocations,
      measure: () => {
        if (Number.isNaN(allocationMs)) throw new Error('no allocation succeeded');
        return Promise.resolve(1000 / allocationMs);
      },
    },
    {
      subject: subjects.roundTrip,
      measure: async (pair) => {
        const words = ['-n', 'ping', '-c', String(amounts.pings), '-f', '-Q'];
        return averageOf(await succeed(pair, 15, 'oping', ...words)) ?? Number.NaN;
      },
    },
    ...sizes.map((size) => ({ subject: subjects.rate[size], measure: rateOf(size) })),
    ...(type === 'local'
      ? []
      : [
          {
            subject: subjects.processor,
            measure: async (pair: PrototypePair) => {
              // Where its packets were counted on a pair that has gone.
              if (Number.isNaN(processorUs)) await rateOf(64)(pair);
              return processorUs;
            },
          },
        ]),
  ];
}

export const layers: Bench = {
  about: 'allocation, round trip, packets a second and processor time a packet of each type of layer',
  async *measure(round) {
    const { quick, prefix } = round;
    const amounts = { allocations: 200, pings: quick ? 5000 : 10_000, seconds: quick ? 1 : 2 };
    for (const placement of Object.keys(placements) as Placement[]) {
      const chosen = quick && placement === 'all processors' ? (['eth-dix'] as const) : types;
      await using lab = await Lab.up('two-nodes', { placement });
      yield* guarded('plain programs', plain(lab, placement, amounts));
      for (const type of chosen) {
        yield* guarded(type, ours(lab, type, placement, amounts));
        if (prefix === undefined) continue;
        const wanted = wantedOf(type, placement, amounts);
        yield* onPrototypes(() => PrototypePair.make(prefix, placements[placement], type), wanted, round);
      }
      if (!quick) yield* guarded('operf', byOperf(lab, placement, amounts));
    }
  },
};
