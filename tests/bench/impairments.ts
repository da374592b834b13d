/**
 * What the wire makes of what is asked of it, on netns: delay, jitter, loss and rate, and what it adds by itself.
 * `node --conditions=@o7s/source tests/bench/impairments.ts`; prints a table.
 */
import { impairment, type ImpairmentOptions, perfect } from '../../rumba/model/impairment.ts';
import type { TopologyCable } from '../../rumba/model/topology.ts';
import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import { carried, type Stream } from '../support/datagrams.ts';

const signal = new AbortController().signal;
const cable: TopologyCable = {
  kind: 'eth',
  name: 'a-b',
  mtu: 1500,
  ends: [
    { node: 'a', interface: 'e1', mac: '02:00:00:00:01:0a' },
    { node: 'b', interface: 'e1', mac: '02:00:00:00:01:0b' },
  ],
};
const lab = await new NetnsTestbed().createLab(`bench-${process.pid}`, signal);
try {
  for (const name of ['a', 'b']) await lab.addNode({ name }, signal);
  await lab.addCable(cable, signal);
  await lab.node('a').addAddress(['10.0.0.1/24', 'dev', 'e1'], signal);
  await lab.node('b').addAddress(['10.0.0.2/24', 'dev', 'e1'], signal);
  const row = (...cells: readonly (string | number)[]): void => {
    const text = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(3) : cell).padStart(12));
    process.stdout.write(`${text.join('')}\n`);
  };
  const measure = async (
    options: ImpairmentOptions,
    stream: Stream,
  ): Promise<{ delays: number[]; arrived: number }> => {
    const bad = impairment(options, 'the link');
    await lab.impair(cable, [bad, bad], { seed: 1 }, signal);
    const got = await carried(lab, cable, stream);
    return { delays: got.map(([, ms]) => ms).toSorted((one, other) => one - other), arrived: got.length };
  };
  const at = (delays: readonly number[], share: number): number =>
    delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? Number.NaN;

  row('delay', 'jitter', 'least', 'p5', 'median', 'p95', 'p99');
  const cases: [string, ImpairmentOptions][] = [
    ['none', {}],
    ['wire', { queue: '999frames', corrupt: '0.0000001%' }],
    ...['1ms', '5ms', '20ms', '100ms'].map((delay): [string, ImpairmentOptions] => [delay, { delay }]),
    ['20ms', { delay: '20ms', jitter: '5ms' }],
  ];
  for (const [name, options] of cases) {
    const { delays } = await measure(options, { count: 400, gap: 3 });
    row(name, options.jitter ?? '-', ...[0, 0.05, 0.5, 0.95, 0.99].map((share) => at(delays, share)));
  }
  process.stdout.write('\n');
  // The receiver may miss some too, on a machine that is busy.
  row('loss', 'arrived', 'lost by wire');
  for (const loss of ['0.1%', '1%', '10%', '50%']) {
    const { arrived } = await measure({ loss }, { count: 20_000, gap: 0.1, bytes: 20 });
    const [counts] = (await lab.linkStates([cable], signal))[0]?.splice?.counts ?? [];
    const lost = (100 * (counts?.lost ?? 0)) / (counts?.framesReceived ?? 1);
    row(loss, `${(arrived / 200).toFixed(2)}%`, `${lost.toFixed(2)}%`);
    await lab.impair(cable, [perfect, perfect], { seed: 1 }, signal);
  }
  process.stdout.write('\n');
  row('rate', 'Mbit/s');
  for (const rate of ['1Mbit', '10Mbit', '100Mbit', '500Mbit']) {
    const seconds = 2;
    const bits = Number.parseInt(rate, 10) * 1e6;
    const count = Math.ceil((bits * seconds) / (1442 * 8));
    const bad = impairment({ rate, queue: '1000000frames' }, 'the link');
    await lab.impair(cable, [bad, bad], { seed: 1 }, signal);
    const got = await carried(lab, cable, { count, bytes: 1400, gap: (1442 * 8000) / bits / 1.2 });
    const [first, last] = [got[0], got.at(-1)];
    // Times are those of sending: how much later the last came than the first is of both.
    const sent = ((last?.[0] ?? 0) - (first?.[0] ?? 0)) * ((1442 * 8000) / bits / 1.2);
    const took = sent + (last?.[1] ?? 0) - (first?.[1] ?? 0);
    row(rate, ((got.length - 1) * 1442 * 8) / took / 1000);
  }
} finally {
  await lab.destroy();
}
