/** `o7s-testbed up`: from a topology file to a lab, or from a lab to another topology. */
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { checkBuilt } from '../../installation.ts';
import type { Topology } from '../../model/topology.ts';
import { apply, build, type Change, compare, type LabSource, whileThere } from '../../orchestrate.ts';
import type { Step } from '../../plan/action.ts';
import { type Difference, fromNothing } from '../../plan/difference.ts';
import { plan } from '../../plan/plan.ts';
import { chooseTestbed } from '../../testbeds/known.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import { confirm } from '../confirm.ts';
import { interruptible } from '../interrupt.ts';
import { labName } from '../lab-name.ts';
import { askedTestbed, findLab, lockLabHere } from '../labs.ts';
import { loadTopology } from '../load-topology.ts';
import {
  checkJobs,
  formatOption,
  jobsOption,
  parseSet,
  setOption,
  testbedOption,
  verboseOption,
  yesOption,
} from '../options.ts';
import { seconds, standardProgress } from '../progress.ts';
import { counted, listCell, table } from '../table.ts';
import { checkTerminal, viewProgress } from '../view.ts';

interface UpArguments {
  file: string;
  set: string[];
  node: string[] | undefined;
  lab: string | undefined;
  testbed: string | undefined;
  image: string | undefined;
  jobs: number | undefined;
  'dry-run': boolean;
  tui: boolean;
  yes: boolean;
  format: 'table' | 'json';
  verbose: boolean;
}

export const up: CommandModule<object, UpArguments> = {
  command: 'up [file]',
  describe: 'Build the topology of a file, or change a running lab into it',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: 'topology.ts', describe: 'Topology file' })
      .option('set', setOption)
      .option('node', {
        alias: 'n',
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Only this node, and what is between those that are wanted; more than once, or a,b',
      })
      .option('lab', {
        type: 'string',
        requiresArg: true,
        describe: "Name of the lab; else the topology's, else the file's",
      })
      .option('testbed', testbedOption)
      .option('image', { type: 'string', requiresArg: true, describe: 'Image that nodes run (docker)' })
      .option('jobs', jobsOption)
      .option('dry-run', { type: 'boolean', default: false, describe: 'Show the plan and change nothing' })
      .option('tui', {
        type: 'boolean',
        default: false,
        describe: 'Watch it on the whole screen, as with tui',
      })
      .option('yes', { ...yesOption, describe: 'Do not ask before a running lab is changed' })
      .option('format', formatOption)
      .option('verbose', verboseOption)
      .example('$0 up topologies/two-nodes.ts', 'build it')
      .example('$0 up line.ts --set n=50 --lab long', 'with a parameter, under a name of your choice')
      .example('$0 up line.ts --dry-run', 'show what would be done, with the irm commands')
      .example('$0 up line.ts -n n1,n2', 'only two of its nodes'),
  handler: async (options) => {
    const { file, lab: askedName, testbed, image, 'dry-run': dryRun, format } = options;
    if (options.tui && !dryRun) checkTerminal('up --tui');
    const asked = askedTestbed(testbed);
    const set = parseSet(options.set);
    const only = options.node?.flatMap((text) => text.split(','));
    const workers = checkJobs(options.jobs);
    const { topology, parameters } = await loadTopology(file, { set, only });
    const name = labName({ asked: askedName, own: topology.name, file });
    const source: LabSource = {
      file: resolve(file),
      parameters: Object.fromEntries(parameters.map((each) => [each.name, String(each.value)])),
      image,
    };
    if (!dryRun) checkBuilt();

    const started = performance.now();
    let fresh = true;
    using interrupt = interruptible((exitCode) => {
      const rest = fresh
        ? 'to remove what is left: o7s-testbed down'
        : 'to complete the change: o7s-testbed up';
      process.stderr.write(`o7s-testbed: stopped at once; ${rest} --lab ${name}\n`);
      process.exit(exitCode);
    });
    const { signal } = interrupt;
    // A plan is only shown: what another command changes meanwhile shows next time.
    await using lock = dryRun ? undefined : await lockLabHere(name, signal);
    const running = await findLab(name, asked);
    signal.throwIfAborted();
    fresh = running === undefined;
    if (dryRun) {
      const change = running === undefined ? undefined : await compare(running, topology, signal);
      process.stdout.write(planText(name, change?.difference ?? fromNothing(plan(topology)), format));
      return;
    }
    using shown = standardProgress(options.verbose);
    const change = running === undefined ? undefined : await agreed(running, topology, options, signal);
    await using screen = options.tui ? await viewProgress(name, topology, shown, signal) : undefined;
    const { onEvent, note } = screen ?? shown;
    const work = { signal, workers, onEvent };
    let lab: Lab;
    if (change === undefined) {
      const bed = await chooseTestbed(asked, {
        signal,
        image,
        nodes: topology.nodes,
        onProgress: note,
        onSkip: (_skipped, next, { message }) => note(`using testbed ${next.name}: ${message}`),
      });
      const onRemove = (): void => {
        if (signal.aborted) note(`removing lab ${name}`);
      };
      lab = await build(bed, name, topology, source, { ...work, onLab: screen?.onLab, onRemove });
    } else {
      lab = change.lab;
      screen?.onLab(lab);
      await whileThere(lab, signal, () => apply(change, source, work)).catch((error: unknown) => {
        throw incomplete(error, name, file, signal);
      });
    }
    const ms = performance.now() - started;
    // A view may be open for long.
    await lock?.[Symbol.asyncDispose]();
    await screen?.closed;
    shown[Symbol.dispose]();
    report(lab, topology, { format, ms, changed: change !== undefined });
  },
};

/** What is to change in a running lab, once whoever is asked agrees. */
async function agreed(
  lab: Lab,
  topology: Topology,
  { file, yes }: UpArguments,
  signal: AbortSignal,
): Promise<Change> {
  const change = await compare(lab, topology, signal);
  const { undo, redo } = change.difference;
  if (undo.length + redo.steps.length === 0) {
    process.stderr.write(`lab ${lab.name} is as ${file} says: nothing to change\n`);
    return change;
  }
  const other = change.record.file === resolve(file) ? '' : `, made from ${change.record.file}`;
  process.stderr.write(`lab ${lab.name} is running${other}; to make it as ${file} says:\n`);
  for (const line of change.lost) process.stderr.write(`  ! ${line}\n`);
  for (const line of changeLines(change)) process.stderr.write(`  ${line}\n`);
  if (!yes) await confirm(`Change lab ${lab.name}?`, 'nothing changed');
  return change;
}

/** How many lines of a change are shown one by one. */
const shownMax = 40;

/** What a change touches: `-` goes, `+` comes, `~` goes and comes again. */
function changeLines({ difference: { undo, redo } }: Change): string[] {
  const gone = new Map(undo.map((step) => [step.id, step]));
  const again = redo.steps.filter((step) => gone.has(step.id));
  const ids = new Set(redo.steps.map(({ id }) => id));
  const isShown = ({ action }: Step): boolean => action.kind !== 'converge';
  const lines = [
    ...undo.filter(({ id }) => !ids.has(id)).map((step) => `- ${step.text}`),
    ...again.filter(isShown).map((step) => `~ ${step.text}`),
    ...redo.steps.filter((step) => !gone.has(step.id) && isShown(step)).map((step) => `+ ${step.text}`),
  ];
  const rest = lines.length - shownMax;
  return rest <= 1 ? lines : [...lines.slice(0, shownMax), `... and ${rest} more; --dry-run shows all`];
}

function incomplete(error: unknown, lab: string, file: string, signal: AbortSignal): unknown {
  if (signal.aborted) {
    process.stderr.write(`lab ${lab} is half changed; to complete it: o7s-testbed up ${file} --lab ${lab}\n`);
    return error;
  }
  if (!(error instanceof TestbedError)) return error;
  const {
    code,
    message,
    details,
    hint = `lab ${lab} is half changed; mend the cause and bring it up again`,
  } = error;
  return new TestbedError(code, message, { cause: error, details, hint });
}

function planText(lab: string, { undo, redo }: Difference, format: 'table' | 'json'): string {
  if (format === 'json') {
    const { phases, steps } = redo;
    return `${JSON.stringify({ lab, undo, phases, steps }, null, 2)}\n`;
  }
  const section = (phase: string, steps: readonly Step[]): string => {
    const lines = steps.map(({ node, text, command }) =>
      command === undefined ? `  ${text}\n` : `  ${node} >> ${command}\n`,
    );
    return `${phase}\n${lines.join('')}`;
  };
  const undoLines = undo.map((step) => `  ${step.text}\n`);
  return [
    ...(undo.length === 0 ? [] : [`taking away\n${undoLines.join('')}`]),
    ...redo.phases.map((phase) =>
      section(
        phase,
        redo.steps.filter((step) => step.phase === phase),
      ),
    ),
  ].join('');
}

function report(
  lab: Lab,
  topology: Topology,
  { format, ms, changed }: { format: 'table' | 'json'; ms: number; changed: boolean },
): void {
  const what = changed ? 'is changed' : 'is up';
  process.stderr.write(`lab ${lab.name} ${what}: ${summary(topology)} in ${seconds(ms)}\n`);
  process.stdout.write(
    format === 'json'
      ? `${JSON.stringify({ lab: lab.name, testbed: lab.testbed, topology })}\n`
      : nodeTable(topology),
  );
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
  const interfaces = Map.groupBy(
    links.flatMap(({ ends }) => ends),
    ({ node }) => node,
  );
  const members = Map.groupBy(
    layers.flatMap((layer) => layer.members.map(({ node, ipcp }) => ({ node, ipcp }))),
    ({ node }) => node,
  );
  const served = Map.groupBy(servers, ({ node }) => node);
  const rows = nodes.map(({ name }) => [
    name,
    listCell(interfaces.get(name)?.map((end) => end.interface) ?? []),
    listCell(members.get(name)?.map(({ ipcp }) => ipcp) ?? []),
    listCell(served.get(name)?.map((server) => server.name) ?? []),
  ]);
  return table(['NODE', 'INTERFACES', 'IPCPS', 'SERVERS'], rows);
}
