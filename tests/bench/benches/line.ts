/** Nodes in a line under one unicast layer, application to application from end to end, beside the prototype. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MixedLayer } from '../../support/mixed-layer.ts';
import { type Bench, figure, guarded } from '../bench.ts';
import { benchProgram, Lab } from '../lab.ts';
import { type Placement, placements } from '../measure.ts';
import { averageOf } from '../numbers.ts';
import { limited, onPrototypes, prototypeLine, type Wanted } from '../prototypes.ts';
import type { Subject } from '../table.ts';
import { bestRateOf } from './layers.ts';

const lengths = [2, 3, 4];
const sizes = [64, 1400] as const;
/** How long a line of prototypes may take until its ends reach each other, ms. */
const reachMs = 40_000;

interface Subjects {
  readonly roundTrip: Subject;
  readonly rates: readonly Subject[];
}

function subjectsOf(count: number, placement: Placement): Subjects {
  const what = `unicast over eth-dix, ${count} nodes in line, ${placement}`;
  return {
    roundTrip: {
      what: `${what}: round trip`,
      unit: 'us',
      better: 'less',
      targets: { prototype: count === 2 ? 1 : 0.6 },
    },
    rates: sizes.map((size) => ({
      what: `${what}: packets of ${size} bytes`,
      unit: '1/s',
      better: 'more',
      targets: { prototype: 3 },
    })),
  };
}

async function* ours(
  count: number,
  placement: Placement,
  pings: number,
  seconds: number,
): ReturnType<Bench['measure']> {
  const { roundTrip, rates } = subjectsOf(count, placement);
  await using lab = await Lab.up('line', { placement, set: { n: count } });
  const ping = await lab.on('n1', ['oping', '-n', 'ping', '-c', String(pings), '-f', '-Q']);
  yield figure(roundTrip, 'ours', averageOf(ping) ?? Number.NaN);
  const [last, file] = [`n${count}`, '/run/o7s-testbed/sink'];
  for (const [index, subject] of rates.entries()) {
    const before = (await lab.read(last, file)).length;
    await lab.on('n1', benchProgram('source', 'sink', sizes[index] ?? 0, seconds));
    const { packets, ms } = JSON.parse(await lab.nextLine(last, file, before)) as {
      packets: number;
      ms: number;
    };
    yield figure(subject, 'ours', (packets / ms) * 1000);
  }
}

/** A line of prototypes with servers on the last node. */
class Served implements AsyncDisposable {
  readonly layer: MixedLayer;
  /** What the sink has printed. */
  report = '';

  private constructor(layer: MixedLayer) {
    this.layer = layer;
  }

  static async make(prefix: string, count: number, processors: string): Promise<Served> {
    const layer = await prototypeLine(prefix, count, processors);
    try {
      const served = new Served(layer);
      const [first, last] = [layer.node('n1'), layer.node(`n${count}`)];
      await last.peer.serve('ping', ['oping', '-l', '-Q'], 'net');
      await last.peer.serve('sink', ['ocbr', '-l', '-i', '1'], 'net', (text) => (served.report += text));
      for (const name of ['ping', 'sink']) await first.know(name);
      // The directory stores a name with others some time after it was registered.
      await delay(2000);
      // Until then requests for flows get lost on the way to the end of a long line.
      await first.ping('ping', 1, reachMs);
      return served;
    } catch (error) {
      await layer[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.layer[Symbol.asyncDispose]();
  }
}

function wantedOf(count: number, placement: Placement, pings: number, seconds: number): Wanted<Served>[] {
  const { roundTrip, rates } = subjectsOf(count, placement);
  const processors = placements[placement];
  return [
    {
      subject: roundTrip,
      async measure({ layer }) {
        const words = ['oping', '-n', 'ping', '-c', String(pings), '-f', '-Q'];
        const { code, output } = await layer.node('n1').peer.run(limited(20, processors, words));
        const average = averageOf(output);
        if (average === undefined) throw new Error(`oping ended with ${code} and no average`);
        return average;
      },
    },
    ...rates.map((subject, index) => ({
      subject,
      async measure(served: Served) {
        const from = served.report.length;
        // A second more, since only whole ones in which all came are looked at.
        const words = ['-n', 'sink', '-d', String(seconds + 1), '-s', String(sizes[index]), '-f'];
        await served.layer.node('n1').peer.run(limited(seconds + 5, processors, ['ocbr', ...words]));
        await delay(1200);
        const rate = bestRateOf(served.report.slice(from));
        if (rate === 0) throw new Error('nothing arrived');
        return rate;
      },
    })),
  ];
}

export const line: Bench = {
  about: 'round trip and packets a second over 2, 3 and 4 nodes under a unicast layer',
  async *measure(round) {
    const { quick, prefix } = round;
    const [pings, seconds] = quick ? [2000, 1] : [5000, 2];
    for (const placement of Object.keys(placements) as Placement[]) {
      if (quick && placement !== 'all processors') continue;
      for (const count of lengths) {
        yield* guarded(`${count} nodes in line`, ours(count, placement, pings, seconds));
        if (prefix === undefined) continue;
        const wanted = wantedOf(count, placement, pings, seconds);
        yield* onPrototypes(() => Served.make(prefix, count, placements[placement]), wanted, round);
      }
    }
  },
};
