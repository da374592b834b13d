/** Labs from programs and tests: they live as long as a variable does. */
import type { DeployEvent } from './deploy/deploy.ts';
import { deploy } from './deploy/deploy.ts';
import { TestbedError, undone } from './errors.ts';
import { nameFault } from './model/names.ts';
import type { Topology } from './model/topology.ts';
import { fromNothing } from './plan/difference.ts';
import { plan } from './plan/plan.ts';
import { withFolders } from './configuration.ts';
import { chooseTestbed, findTestbed } from './testbeds/known.ts';
import type { CommandResult, Lab } from './testbeds/testbed.ts';

export interface RunningLabOptions {
  /** Name of the lab: the topology's, and a number that makes it unique, by default. */
  name?: string;
  /** `docker` or `netns`: what O7S_TESTBED names, else the first that this machine has all for, by default. */
  testbed?: string;
  /** Image that nodes run that have none of their own (docker). */
  image?: string;
  /** What folders in the topology are relative to: the current folder, by default. */
  base?: string;
  signal?: AbortSignal;
  onEvent?: (event: DeployEvent) => void;
}

/** A lab that runs; it is taken down when it is disposed of, and when this process ends, however it does. */
export interface RunningLab extends AsyncDisposable {
  readonly name: string;
  readonly testbed: string;
  readonly topology: Topology;
  /** A node by name. Throws EUSAGE, listing the nodes there are. */
  node(name: string): RunningNode;
  /** Takes it down; doing that again does nothing. */
  down(): Promise<void>;
}

/** A node of a lab that runs. */
export interface RunningNode {
  readonly name: string;
  /** Runs a command to its end; gives its exit code, 128 and the signal's number when one ended it, and what it wrote. */
  run(command: readonly string[], options?: { signal?: AbortSignal }): Promise<CommandResult>;
}

let serial = 0;

/**
 * Builds a topology: `await using lab = await up(topology)`. Rejects with a TestbedError, and leaves nothing then; where
 * what was made cannot be removed either, with a SuppressedError of both.
 */
export async function up(topology: Topology, options: RunningLabOptions = {}): Promise<RunningLab> {
  const { base = process.cwd(), image, signal = new AbortController().signal, onEvent } = options;
  const located = withFolders(topology, base);
  const name = options.name ?? `${topology.name ?? 'lab'}-${process.pid}-${++serial}`;
  const fault = nameFault('lab', name);
  if (fault !== undefined) throw new TestbedError('EUSAGE', `the lab name ${JSON.stringify(name)} ${fault}`);
  const asked = options.testbed ?? process.env['O7S_TESTBED'];
  const testbed = await chooseTestbed(asked ? findTestbed(asked) : undefined, {
    signal,
    image,
    nodes: located.nodes,
    onProgress: () => {},
    onSkip: () => {},
  });
  const lab = await testbed.createLab(name, signal, { topology: topology.name, image });
  try {
    await deploy(fromNothing(plan(located)), lab, { signal, nodes: located.nodes, onEvent });
  } catch (error) {
    throw await undone(error, () => lab.destroy());
  }
  return running(lab, located);
}

function running(lab: Lab, topology: Topology): RunningLab {
  let ended: Promise<void> | undefined;
  const down = (): Promise<void> => (ended ??= lab.destroy());
  return {
    name: lab.name,
    testbed: lab.testbed,
    topology,
    node: (name) => {
      const node = lab.node(name);
      return { name, run: (command, { signal } = {}) => node.run(command, signal) };
    },
    down,
    [Symbol.asyncDispose]: down,
  };
}
