/** `o7s-testbed stop`, `start` and `restart`: nodes of a running lab, which keep their links. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import {
  kill as killNodes,
  pause as pauseNodes,
  start as startNodes,
  stop as stopNodes,
} from '../../orchestrate.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import { interruptible } from '../interrupt.ts';
import { withLabAlone } from '../labs.ts';
import { checkJobs, formatOption, jobsOption, labOption, verboseOption } from '../options.ts';
import { type Progress, standardProgress } from '../progress.ts';
import { counted } from '../table.ts';

interface NodesArguments {
  nodes: string[];
  lab: string | undefined;
  jobs: number | undefined;
  verbose: boolean;
  format: 'table' | 'json';
}

type Work = (
  lab: Lab,
  names: readonly string[],
  options: NodesArguments,
  shown: Progress,
  signal: AbortSignal,
) => Promise<void>;

const stopThem: Work = (lab, names, _options, _shown, signal) => stopNodes(lab, names, signal);

const startThem: Work = (lab, names, { jobs }, { onEvent }, signal) =>
  startNodes(lab, names, { signal, workers: checkJobs(jobs), onEvent });

export const stop = command('stop', {
  describe: 'Stop nodes: all that runs on them ends; their links stay, without a carrier',
  done: 'stopped',
  work: stopThem,
  example: 'as if its power were cut, after a goodbye',
});

export const start = command('start', {
  describe: 'Start nodes that were stopped, or ended by themselves; they join their layers again',
  done: 'started',
  work: startThem,
  example: 'its irmd, IPCPs, names and servers come back',
});

export const kill = command('kill', {
  describe: 'Cut the power of nodes: nothing on them has a last word',
  done: 'without power',
  work: (lab, names, _options, _shown, signal) => killNodes(lab, names, signal),
  example: 'start brings it back',
});

export const pause = command('pause', {
  describe: 'Let nothing on nodes run; their links stay as they are',
  done: 'paused',
  work: (lab, names, _options, _shown, signal) => pauseNodes(lab, names, 'SIGSTOP', signal),
  example: 'resume lets it run on',
});

export const resume = command('resume', {
  describe: 'Let what was paused run on',
  done: 'running',
  work: (lab, names, _options, _shown, signal) => pauseNodes(lab, names, 'SIGCONT', signal),
  example: 'as if nothing had been',
});

export const restart = command('restart', {
  describe: 'Stop nodes and start them again',
  done: 'started again',
  work: async (...words) => {
    await stopThem(...words);
    await startThem(...words);
  },
  example: 'its links stay as they are',
});

function command(
  verb: string,
  { describe, done, work, example }: { describe: string; done: string; work: Work; example: string },
): CommandModule<object, NodesArguments> {
  return {
    command: `${verb} <nodes..>`,
    describe,
    builder: (yargs) =>
      yargs
        .positional('nodes', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'Names of nodes',
        })
        .option('lab', labOption)
        .option('jobs', jobsOption)
        .option('verbose', verboseOption)
        .option('format', formatOption)
        .example(`$0 ${verb} b`, example)
        .example(`$0 ${verb} b c --lab line`, 'two of several labs'),
    handler: async (options) => {
      const names = [...new Set(options.nodes.flatMap((text) => text.split(',')))];
      if (names.includes('')) throw new TestbedError('EUSAGE', 'the name of a node is empty');
      using interrupt = interruptible((exitCode) => process.exit(exitCode));
      using shown = standardProgress(options.verbose);
      const { signal } = interrupt;
      const lab = await withLabAlone(options.lab, signal, async (chosen) => {
        await work(chosen, names, options, shown, signal);
      });
      shown[Symbol.dispose]();
      const what = names.length === 1 ? `node ${names[0]} is` : `${counted(names.length, 'node')} are`;
      process.stderr.write(`${what} ${done}\n`);
      if (options.format === 'json')
        process.stdout.write(`${JSON.stringify({ lab: lab.name, nodes: names })}\n`);
    },
  };
}
