/** `o7s-testbed up`: from a topology file to a lab. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { deploy } from '../../deploy/deploy.ts';
import { TestbedError } from '../../errors.ts';
import { binDirectory, packageRoot } from '../../installation.ts';
import type { Topology } from '../../model/topology.ts';
import { type Plan, plan } from '../../plan/plan.ts';
import { chooseTestbed } from '../../testbeds/known.ts';
import { interruptible } from '../interrupt.ts';
import { labName } from '../lab-name.ts';
import { askedTestbed } from '../labs.ts';
import { loadTopology } from '../load-topology.ts';
import { progress } from '../progress.ts';
import { counted, table } from '../table.ts';

interface UpArguments {
  file: string;
  lab: string | undefined;
  testbed: string | undefined;
  image: string | undefined;
  'dry-run': boolean;
  format: 'table' | 'json';
  verbose: boolean;
}

export const up: CommandModule<object, UpArguments> = {
  command: 'up [file]',
  describe: 'Build the topology of a file',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: 'topology.ts', describe: 'Topology file' })
      .option('lab', {
        type: 'string',
        requiresArg: true,
        describe: "Name of the lab; else the topology's, else the file's",
      })
      .option('testbed', {
        type: 'string',
        requiresArg: true,
        describe: 'What to build on: docker or netns; else O7S_TESTBED, else the first there is',
      })
      .option('image', { type: 'string', requiresArg: true, describe: 'Image that nodes run (docker)' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Show the plan and change nothing' })
      .option('format', {
        alias: 'f',
        choices: ['table', 'json'] as const,
        default: 'table' as const,
        describe: 'Form of the output',
      })
      .option('verbose', {
        alias: 'v',
        type: 'boolean',
        default: false,
        describe: 'Show every step with its command',
      }),
  handler: async ({ file, lab, testbed, image, 'dry-run': dryRun, format, verbose }) => {
    const asked = askedTestbed(testbed);
    const topology = await loadTopology(file);
    const name = labName({ asked: lab, own: topology.name, file });
    const steps = plan(topology);
    if (dryRun) {
      process.stdout.write(
        format === 'json' ? `${JSON.stringify({ lab: name, ...steps }, null, 2)}\n` : planText(steps),
      );
      return;
    }
    if (!existsSync(`${binDirectory}/irmd`)) {
      throw new TestbedError('EENVIRONMENT', `${binDirectory}/irmd is missing`, {
        hint: `run: npm --prefix ${packageRoot} run build`,
      });
    }

    const started = performance.now();
    using interrupt = interruptible((exitCode) => {
      process.stderr.write(
        `o7s-testbed: stopped at once; to remove what is left: o7s-testbed down --lab ${name}\n`,
      );
      process.exit(exitCode);
    });
    const { signal } = interrupt;
    const bed = await chooseTestbed(asked, {
      signal,
      image,
      onProgress: (line) => process.stderr.write(`${line}\n`),
      onSkip: (_skipped, next, { message }) =>
        process.stderr.write(`using testbed ${next.name}: ${message}\n`),
    });
    const made = await bed.createLab(name, signal, { topology: topology.name, image });
    try {
      await deploy(steps, made, { signal, onEvent: progress((line) => process.stderr.write(line), verbose) });
      signal.throwIfAborted();
      await made.keep({ lab: name, file: resolve(file), createdAt: new Date().toISOString(), topology });
    } catch (error) {
      if (signal.aborted) process.stderr.write(`removing lab ${name}\n`);
      await made.destroy();
      throw error;
    }
    process.stderr.write(
      `lab ${name} is up: ${summary(topology)} in ${Math.round(performance.now() - started)} ms\n`,
    );
    process.stdout.write(
      format === 'json'
        ? `${JSON.stringify({ lab: name, testbed: bed.name, topology })}\n`
        : nodeTable(topology),
    );
  },
};

function planText({ phases, steps }: Plan): string {
  return phases
    .map((phase) => {
      const lines = steps
        .filter((step) => step.phase === phase)
        .map(({ node, text, command }) =>
          command === undefined ? `  ${text}\n` : `  ${node} >> ${command}\n`,
        );
      return `${phase}\n${lines.join('')}`;
    })
    .join('');
}

function summary({ nodes, links, layers, servers }: Topology): string {
  return [
    counted(nodes.length, 'node'),
    counted(links.length, 'link'),
    counted(layers.length, 'layer'),
    counted(servers.length, 'server'),
  ].join(', ');
}

function nodeTable({ nodes, links, layers, servers }: Topology): string {
  const list = (values: readonly string[]): string => values.join(',') || '-';
  const rows = nodes.map(({ name }) => [
    name,
    list(links.flatMap((link) => link.ends.filter((end) => end.node === name).map((end) => end.interface))),
    list(
      layers.flatMap((layer) =>
        layer.members.filter((member) => member.node === name).map((member) => member.ipcp),
      ),
    ),
    list(servers.filter((server) => server.node === name).map((server) => server.name)),
  ]);
  return table(['NODE', 'INTERFACES', 'IPCPS', 'SERVERS'], rows);
}
