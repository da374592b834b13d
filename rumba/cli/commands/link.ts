/** `o7s-testbed link`: the links of a running lab, made bad and good again. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { flapLink, impairLink, linkNamed, resetLink } from '../../links/changes.ts';
import type { LinkState } from '../../links/wiring.ts';
import {
  type ImpairedBy,
  impairmentNames,
  type ImpairmentOptions,
  impairmentText,
  parseMs,
  perfect,
} from '../../model/impairment.ts';
import type { Topology, TopologyLink } from '../../model/topology.ts';
import { recordOf } from '../../orchestrate.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import type { DirectionCounts } from '../../wire/api.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser, withLabAlone } from '../labs.ts';
import { formatOption, labOption, withVariables } from '../options.ts';
import { table } from '../table.ts';

interface LinkArguments {
  lab: string | undefined;
  links?: string[];
}

type SetArguments = LinkArguments &
  ImpairmentOptions & {
    link: string;
    from: string | undefined;
    to: string | undefined;
    seed: number | undefined;
    by: ImpairedBy | undefined;
  };

const describe: Readonly<Record<keyof ImpairmentOptions, string>> = {
  delay: 'How long a frame is under way, 20ms',
  jitter: 'By how much that varies to either side, 2ms',
  loss: 'Share of frames that are lost, 0.5%',
  rate: 'Bits that leave in a second, 10Mbit, or unlimited',
  duplicate: 'Share of frames that come twice, 1%',
  reorder: 'Share of frames that overtake those that are delayed, 1%',
  corrupt: 'Share of frames of which a bit is turned, 0.1%',
  queue: 'Frames that may wait for the rate, 50frames',
};

const set: CommandModule<object, SetArguments> = {
  command: 'set <link>',
  describe: 'Make a link bad, or change how bad it is; what is not given stays as it is',
  builder: (yargs) => {
    const built = yargs
      .positional('link', { type: 'string', demandOption: true, describe: 'Name of the link, a-b' })
      .option('lab', labOption)
      .option('from', { type: 'string', requiresArg: true, describe: 'Only what this node sends' })
      .option('to', { type: 'string', requiresArg: true, describe: 'Only what this node gets' })
      .option('seed', {
        type: 'number',
        requiresArg: true,
        describe: 'Seed of what is left to chance; else 1',
      })
      .option('by', {
        choices: ['netem', 'wire'] as const,
        describe: 'What is to do it: the kernel, or a process of the lab; else as suits',
      });
    for (const name of impairmentNames) {
      built.option(name, { type: 'string', requiresArg: true, describe: describe[name] });
    }
    return built
      .example('$0 link set a-b --delay 20ms --jitter 2ms --loss 0.5%', 'in both directions')
      .example('$0 link set a-b --rate 10Mbit --queue 50frames --from a', 'only from a to b');
  },
  handler: async (options) => {
    const given = impairmentNames.flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    if (given.length === 0 && options.by === undefined) {
      throw new TestbedError('EUSAGE', 'nothing is to be changed', {
        hint: `say what: ${impairmentNames.map((name) => `--${name}`).join(', ')}`,
      });
    }
    const { seed } = options;
    if (seed !== undefined && !Number.isSafeInteger(seed)) {
      throw new TestbedError('EUSAGE', 'the seed is no whole number');
    }
    await withLab(options, 'change', async (lab, { links: all }, signal) => {
      const link = linkNamed({ links: all } as Topology, options.link);
      const { from, to, by } = options;
      await impairLink(lab, link, Object.fromEntries(given), { from, to, seed, by }, signal);
    });
  },
};

interface ShowArguments extends LinkArguments {
  links: string[];
  format: 'table' | 'json';
}

const show: CommandModule<object, ShowArguments> = {
  command: 'show [links..]',
  describe: 'Show how links are, and what became of frames on those that are bad',
  builder: (yargs) =>
    yargs
      .positional('links', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Names of links; else all',
      })
      .option('lab', labOption)
      .option('format', formatOption),
  handler: async (options) => {
    await withLab(options, 'look', async (lab, topology, signal) => {
      const links = chosen(topology, options.links);
      const states = await lab.linkStates(links, signal);
      process.stdout.write(
        options.format === 'json' ? `${JSON.stringify(states.map(asJson))}\n` : shownStates(links, states),
      );
      warn(states);
    });
  },
};

const reset: CommandModule<object, LinkArguments & { links: string[]; all: boolean }> = {
  command: 'reset [links..]',
  describe: 'Make links good again; what is under way arrives',
  builder: (yargs) =>
    yargs
      .positional('links', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Names of links',
      })
      .option('lab', labOption)
      .option('all', { type: 'boolean', default: false, describe: 'All links' }),
  handler: async (options) => {
    if (options.all === options.links.length > 0) {
      throw new TestbedError(
        'EUSAGE',
        options.all ? 'links are named, and --all given' : 'no link is named',
        {
          hint: 'name links, or give --all',
        },
      );
    }
    await withLab(options, 'change', async (lab, topology, signal) => {
      for (const link of chosen(topology, options.links)) await resetLink(lab, link, signal);
    });
  },
};

const down = carrier('down', 'Take the carrier of links away: as if their cables were pulled out');
const up = carrier('up', 'Give links their carrier back');

interface FlapArguments extends LinkArguments {
  link: string;
  down: string;
  up: string;
  count: number;
}

const flap: CommandModule<object, FlapArguments> = {
  command: 'flap <link>',
  describe: 'Set a link down and up, again and again; it is up in the end',
  builder: (yargs) =>
    yargs
      .positional('link', { type: 'string', demandOption: true, describe: 'Name of the link' })
      .option('lab', labOption)
      .option('down', { type: 'string', default: '1s', describe: 'How long it is down' })
      .option('up', { type: 'string', default: '1s', describe: 'How long it is up in between' })
      .option('count', { alias: 'c', type: 'number', default: 1, describe: 'How often' }),
  handler: async (options) => {
    const { count } = options;
    if (!Number.isInteger(count) || count < 1)
      throw new TestbedError('EUSAGE', `--count ${count} is no number of times`);
    const [downMs, upMs] = [parseMs(options.down, '--down'), parseMs(options.up, '--up')];
    // For as long as it lasts others may change the lab: it does not depend on what they do.
    await withLab(options, 'look', async (lab, topology, signal) => {
      await flapLink(lab, linkNamed(topology, options.link), { downMs, upMs, count }, signal);
    });
  },
};

export const link: CommandModule = {
  command: 'link',
  describe: 'Make links of a running lab bad and good again',
  builder: (yargs) =>
    yargs
      .command(withVariables(set))
      .command(withVariables(show))
      .command(withVariables(reset))
      .command(withVariables(down))
      .command(withVariables(up))
      .command(withVariables(flap))
      .demandCommand(1, 'there is no command after "link"'),
  handler: () => {},
};

function carrier(
  state: 'up' | 'down',
  what: string,
): CommandModule<object, LinkArguments & { links: string[] }> {
  return {
    command: `${state} <links..>`,
    describe: what,
    builder: (yargs) =>
      yargs
        .positional('links', { type: 'string', array: true, demandOption: true, describe: 'Names of links' })
        .option('lab', labOption),
    handler: async (options) => {
      await withLab(options, 'change', async (lab, topology, signal) => {
        for (const each of chosen(topology, options.links)) await lab.setLink(each, state, undefined, signal);
      });
    },
  };
}

async function withLab(
  { lab: name }: LinkArguments,
  purpose: 'look' | 'change',
  use: (lab: Lab, topology: Topology, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using interrupt = interruptible((exitCode) => process.exit(exitCode));
  const { signal } = interrupt;
  const work = async (lab: Lab): Promise<void> => await use(lab, (await recordOf(lab)).topology, signal);
  if (purpose === 'look') await work(chooseLab(await labsOfUser(), name));
  else await withLabAlone(name, signal, work);
}

function chosen(topology: Topology, names: readonly string[]): readonly TopologyLink[] {
  return names.length === 0 ? topology.links : names.map((name) => linkNamed(topology, name));
}

function shownStates(links: readonly TopologyLink[], states: readonly LinkState[]): string {
  const kinds = new Map(links.map((each) => [each.name, each]));
  const rows = states.flatMap((each) => {
    const { link: name, node, splice } = each;
    const ends = kinds.get(name)?.ends.map((end) => end.node) ?? [];
    const [one = '', other = ''] = node === undefined ? ends : [node, name];
    return [0, 1].map((way) => {
      const counts = splice?.counts[way];
      return [
        name,
        way === 0 ? `${one} > ${other}` : `${other} > ${one}`,
        stateWord(each),
        impairmentText(splice?.impairments[way] ?? perfect),
        ...(counts === undefined
          ? ['-', '-', '-', '-']
          : [
              String(counts.framesReceived),
              String(counts.framesDelivered),
              String(splice?.queued[way]),
              countsText(counts),
            ]),
      ];
    });
  });
  return table(
    ['LINK', 'DIRECTION', 'STATE', 'IMPAIRMENT', 'FRAMES', 'ARRIVED', 'UNDER WAY', 'LOST AND ALTERED'],
    rows,
  );
}

/** In which order, and how, counts are told that are not zero. */
const countWords: readonly (readonly [keyof DirectionCounts, string])[] = [
  ['lost', 'lost'],
  ['queueFull', 'queue full'],
  ['noRoom', 'no room'],
  ['missed', 'missed'],
  ['tooLong', 'too long'],
  ['notSent', 'not sent'],
  ['duplicated', 'doubled'],
  ['corrupted', 'corrupted'],
  ['reordered', 'overtook'],
];

function countsText(counts: DirectionCounts): string {
  const told = countWords
    .filter(([name]) => counts[name] > 0)
    .map(([name, word]) => `${word} ${counts[name]}`);
  return told.join(', ') || '-';
}

function stateWord({ isDown, isDead }: LinkState): 'down' | 'dead' | 'up' {
  if (isDown) return 'down';
  return isDead === true ? 'dead' : 'up';
}

/** What a table has no room for: wires that have ended. */
function warn(states: readonly LinkState[]): void {
  const dead = [...new Set(states.filter(({ isDead }) => isDead === true).map((each) => each.link))];
  if (dead.length > 0) {
    process.stderr.write(
      `the wire has ended, and no frame passes ${dead.join(', ')}: link set and link reset start it again\n`,
    );
  }
  const restarts = Math.max(0, ...states.map(({ splice }) => splice?.restarts ?? 0));
  if (restarts === 0) return;
  process.stderr.write(
    `the wire has ended and was started again ${restarts === 1 ? 'once' : `${restarts} times`}: ` +
      'what was under way was lost, and counts began anew\n',
  );
}

function asJson(state: LinkState): object {
  const { link: name, node, splice, by } = state;
  return {
    link: name,
    ...(node === undefined ? {} : { node }),
    state: stateWord(state),
    directions: [0, 1].map((way) => ({
      ...(splice?.impairments[way] ?? perfect),
      ...(splice === undefined ? {} : { counts: splice.counts[way], queued: splice.queued[way] }),
    })),
    ...(splice === undefined ? {} : { by, seed: splice.seed, restarts: splice.restarts }),
  };
}
