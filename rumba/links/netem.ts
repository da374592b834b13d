/**
 * The commands by which the kernel itself impairs a direction of a join, with netem, and what it tells of it (tc-netem(8)).
 * A direction has two stages, each a pair of interfaces with a queue at the end that frames enter: `chance` loses, doubles,
 * corrupts and delays, `rate` lets out what the rate allows. In one queue, frames under way would take the room of those
 * that wait for the rate.
 */
import { type Impairment, impairment, impairmentNames, impairmentText } from '../model/impairment.ts';
import { classifierCommand, funnelOf, leadCommand, pairOfPorts } from './commands.ts';

export type Stage = 'chance' | 'rate';
const stages: readonly Stage[] = ['chance', 'rate'];

/** The handle of our queues: `replace` changes one that has it, and keeps what is in it. */
const handle = '6f:';
/** Frames a queue holds where none is to be lost in it. */
const unlimitedFrames = 1_000_000;
/** With a rate netem keeps the order of frames, whatever the jitter. */
const unlimitedRate = '1000gbit';

/** Where frames of a stage enter, which has its queue, and where they come out. */
export function stageOf(port: string, stage: Stage): { enter: string; leave: string } {
  const { funnel, reader } = funnelOf(port);
  return stage === 'chance' ? { enter: funnel, leave: reader } : { enter: `q${port}`, leave: `s${port}` };
}

/** Makes the stages of what comes in at a port and leaves by another. Nothing is led into them yet. */
export function stageCommands(from: string, to: string, mtu: number): string[][] {
  const [chance, rate] = [stageOf(from, 'chance'), stageOf(from, 'rate')];
  return [
    ...stages.flatMap((stage) => {
      const { enter, leave } = stageOf(from, stage);
      return pairOfPorts(enter, leave, mtu);
    }),
    // What the sender left to its hardware to cut is cut here, so that the rate and its queue count frames of the link.
    ['ip', 'link', 'set', 'dev', chance.enter, 'gso_max_segs', '1'],
    ...[chance.leave, rate.leave].map(classifierCommand),
    leadCommand(chance.leave, rate.enter),
    leadCommand(rate.leave, to),
  ];
}

/** Gives the stages of a direction their impairment, and notes it at the first as an alias. Without seed chance is the kernel's. */
export function queueCommands(from: string, each: Impairment, seed: number, takesSeed: boolean): string[][] {
  const [chance, rate] = [stageOf(from, 'chance').enter, stageOf(from, 'rate').enter];
  const place = (device: string): string[] => [
    'tc',
    'qdisc',
    'replace',
    'dev',
    device,
    'root',
    'handle',
    handle,
  ];
  return [
    [...place(chance), ...chanceWords(each), ...(takesSeed ? ['seed', String(seed)] : [])],
    // One is being sent, and the others wait.
    [...place(rate), 'netem', 'limit', String(each.queueFrames + 1), 'rate', rateWord(each.rate)],
    ['ip', 'link', 'set', 'dev', chance, 'alias', aliasOf(each, seed)],
  ];
}

/** All of them are given each time: what is left out stays as it was. */
function chanceWords(each: Impairment): string[] {
  const { delayMs, jitterMs, loss, duplicate, corrupt, reorder } = each;
  return [
    ...['netem', 'limit', String(unlimitedFrames), 'delay', micros(delayMs), micros(jitterMs)],
    ...['loss', percent(loss), 'duplicate', percent(duplicate), 'corrupt', percent(corrupt)],
    ...(reorder === 0 ? [] : ['reorder', percent(reorder)]),
    ...['rate', unlimitedRate],
  ];
}

function micros(ms: number): string {
  return `${Math.round(ms * 1000)}us`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(9))}%`;
}

function rateWord(rate: number | null): string {
  return rate === null ? unlimitedRate : `${Math.round(rate)}bit`;
}

const aliasMark = 'netem seed';

function aliasOf(each: Impairment, seed: number): string {
  return `${aliasMark} ${seed} ${impairmentText(each)}`;
}

/** What the alias of a stage says; undefined for one that is not of ours. */
export function parseAlias(alias: string | undefined): { seed: number; impairment: Impairment } | undefined {
  const [, seed, text] = /^netem seed (\d+) (.*)$/.exec(alias ?? '') ?? [];
  if (seed === undefined || text === undefined) return undefined;
  const words = text === '-' ? [] : text.split(' ');
  const options = impairmentNames.flatMap((name) => {
    const at = words.indexOf(name);
    return at === -1 ? [] : [[name, words[at + 1] ?? ''] as const];
  });
  return { seed: Number(seed), impairment: impairment(Object.fromEntries(options), 'an alias') };
}

/** Prints the queues of all interfaces, for `parseQueues`. */
export const queuesCommand = ['tc', '-s', '-j', 'qdisc', 'show'] as const;

/** What a queue counted, and holds. */
export interface Queue {
  readonly bytes: number;
  readonly packets: number;
  readonly drops: number;
  /** Frames that netem let overtake. */
  readonly requeues: number;
  readonly qlen: number;
}

/** What `queuesCommand` printed: those of netem, by interface. */
export function parseQueues(text: string): Map<string, Queue> {
  const listed = JSON.parse(text === '' ? '[]' : text) as readonly ({
    kind?: string;
    dev?: string;
  } & Partial<Queue>)[];
  const own = listed.filter(({ kind, dev }) => kind === 'netem' && dev !== undefined);
  return new Map(
    own.map(({ dev = '', bytes = 0, packets = 0, drops = 0, requeues = 0, qlen = 0 }) => [
      dev,
      { bytes, packets, drops, requeues, qlen },
    ]),
  );
}

/** Whether the kernel has netem, and it takes a seed: then its choices are the same each time. */
export type Support = 'none' | 'seedless' | 'seeded';

/** Tries netem at an interface that is made for it and taken away again; `parseSupport` reads what it prints. */
export function probeCommand(device: string): string[] {
  const words = chanceWords(impairment({ delay: '1ms', reorder: '1%' }, 'the probe')).join(' ');
  const script = `ip link add name "$1" type veth || exit 0
place="dev $1 root handle ${handle}"
tc qdisc replace $place ${words} seed 1 2>/dev/null || tc qdisc replace $place ${words} 2>/dev/null
tc -j qdisc show dev "$1"
ip link delete dev "$1"`;
  return ['sh', '-c', script, 'o7s-testbed', device];
}

export function parseSupport(text: string): Support {
  let listed: readonly { kind?: string; options?: { seed?: number } }[];
  try {
    listed = JSON.parse(text) as typeof listed;
  } catch {
    return 'none';
  }
  const found = listed.find(({ kind }) => kind === 'netem');
  if (found === undefined) return 'none';
  return found.options?.seed === 1 ? 'seeded' : 'seedless';
}
