/** Labs of containers: on any Docker engine that can be reached, with no root on this side. */
import type { Duplex } from 'node:stream';
import { TestbedError, undone } from '../../errors.ts';
import type { Lab, LabOptions, PrepareOptions, Removed, Testbed } from '../testbed.ts';
import type { Check } from '../check.ts';
import { AgentClient } from './agent-client.ts';
import { checkDocker } from './checks.ts';
import {
  createHelper,
  type FoundContainer,
  findContainers,
  readRecord,
  removeContainers,
} from './containers.ts';
import { Engine, isEngineNamed, isSilent, statusOf } from './engine.ts';
import { runCommand } from './execution.ts';
import { GuestAgents } from './guest-agents.ts';
import { newSession, sessionAlive } from './labels.ts';
import { DockerLab } from './lab.ts';
import { ensureNodeImage, inspectImage, nodeImage } from './node-image.ts';
import { keptFile } from './scripts.ts';

/** How long a helper may be there without running, in seconds. */
const startSeconds = 60;

export class DockerTestbed implements Testbed {
  readonly name = 'docker';
  readonly #guests = new GuestAgents();
  #engine: Promise<Engine> | undefined;

  async prepare(options: PrepareOptions): Promise<void> {
    const engine = await this.#connect(options.signal);
    await ensureNodeImage(engine, options);
    for (const { name, runtime } of options.nodes ?? []) {
      if (runtime === undefined || runtime.image !== undefined) continue;
      throw new TestbedError('EENVIRONMENT', `node ${name} runs ${runtime.name}, which has no image here`, {
        hint: `set ${runtime.variables.image ?? 'its image'} to an image that has it, or use --testbed netns`,
      });
    }
    const own = (options.nodes ?? []).map(({ image, runtime }) => image ?? runtime?.image);
    for (const image of new Set([options.image, ...own])) {
      if (image === undefined || (await inspectImage(engine, image)) !== undefined) continue;
      throw new TestbedError('EENVIRONMENT', `the engine has no image ${image}`, {
        hint: `get it first: docker pull ${image}`,
      });
    }
  }

  async createLab(name: string, signal: AbortSignal, options: LabOptions = {}): Promise<Lab> {
    const { topology = name, image = nodeImage } = options;
    const engine = await this.#connect(signal);
    const containers = { lab: name, session: newSession(), topology };
    const before = await findContainers(engine, name);
    if (before.length > 0 && !(await isLeftOver(engine, before))) throw labThere(name, before);
    const helper = await createHelper(engine, containers, nodeImage).catch((error: unknown) => {
      throw statusOf(error) === 404 ? imageGone(error) : error;
    });
    // What is ours from here on is told by the session: the name may be another's in a moment.
    const find = async (): Promise<FoundContainer[]> =>
      (await findContainers(engine, name)).filter((each) => each.session === containers.session);
    let agent: AgentClient | undefined;
    try {
      signal.throwIfAborted();
      const attached = await engine.request(
        'reach the helper',
        helper.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
      );
      agent = new AgentClient(name, attached as Duplex);
      await engine.request('start the helper', helper.start());
      await agent.ready();
      signal.throwIfAborted();
      const guests = this.#guests;
      return new DockerLab({ engine, containers, helper: helper.id, image, agent, guests });
    } catch (error) {
      const told = await undone(error, () => removeContainers(engine, `lab ${name} to end`, find));
      agent?.[Symbol.dispose]();
      throw told;
    }
  }

  async clean(all: boolean): Promise<Removed[]> {
    const engine = await this.#found();
    if (engine === undefined) return [];
    const find = async (): Promise<FoundContainer[]> => {
      const labs = Map.groupBy(await findContainers(engine), (each) => `${each.lab} ${each.session}`);
      const left = await Promise.all(
        [...labs.values()].map(async (found) => (all || (await isLeftOver(engine, found)) ? found : [])),
      );
      return left.flat();
    };
    const removed = await removeContainers(engine, 'what is left over to end', find);
    return removed.map(({ lab, name }) => ({ lab, testbed: this.name, what: `container ${name}` }));
  }

  async check(): Promise<Check[]> {
    return await checkDocker();
  }

  async labs(): Promise<Lab[]> {
    const engine = await this.#found();
    if (engine === undefined) return [];
    const groups = Map.groupBy(await findContainers(engine), (each) => each.lab);
    const labs = await Promise.all(
      [...groups].map(async ([lab, all]) => {
        const helper = all.find((each) => each.node === undefined && !each.hasEnded);
        // Without a helper the last that was made is the lab.
        const session = (helper ?? all[0])?.session ?? '';
        const found = all.filter((each) => each.session === session);
        const left = all.filter((each) => each.session !== session).map((each) => each.session);
        const containers = { lab, session, topology: '' };
        const read = await readRecord(engine, helper?.id);
        const record = read === 'removed' ? undefined : read;
        const guests = this.#guests;
        const image = record?.image ?? nodeImage;
        const parts = { engine, containers, helper: helper?.id, image, found, record, left, guests };
        return new DockerLab({ ...parts, isBeingRemoved: read === 'removed' });
      }),
    );
    return labs.toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** The engine; undefined where there is none that may be used, and nobody said that there is one. */
  async #found(): Promise<Engine | undefined> {
    try {
      return await this.#connect();
    } catch (error) {
      // One that is too busy to answer may have labs of this user.
      if (isEngineNamed() || isSilent(error)) throw error;
      return undefined;
    }
  }

  #connect(signal?: AbortSignal): Promise<Engine> {
    this.#engine ??= Engine.connect(signal).catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }
}

/**
 * True for the containers of a lab that was never completed and has no maker any more, or whose removal was begun. One
 * that lost its helper is not left over while its nodes run: somebody may be at work on them.
 */
async function isLeftOver(engine: Engine, found: readonly FoundContainer[]): Promise<boolean> {
  if (found.every(({ hasEnded }) => hasEnded)) return true;
  const helper = found.find((each) => each.node === undefined && !each.hasEnded);
  if (helper === undefined) {
    if (sessionAlive(found[0]?.session ?? '') === true) return false;
    const running = found.filter((each) => each.running);
    const kept = await Promise.all(running.map((each) => isKept(engine, each)));
    return !kept.includes(true);
  }
  const record = helper.running ? await readRecord(engine, helper.id) : undefined;
  if (record !== undefined) return record === 'removed';
  const hasMaker = sessionAlive(helper.session);
  if (hasMaker !== undefined) return !hasMaker;
  // Made on another machine. A helper runs as long as its maker does, and is started soon after it is made.
  return !helper.running && Date.now() / 1000 - helper.created > startSeconds;
}

function labThere(lab: string, found: readonly FoundContainer[]): TestbedError {
  const isWhole = found.some((each) => each.node === undefined);
  const state = isWhole ? 'is there already' : 'has lost its helper, and its nodes run';
  return new TestbedError('EFAILED', `a lab named ${lab} ${state}`, {
    hint: `take it down with "o7s-testbed down --lab ${lab}", or give another name with --lab`,
  });
}

/** True for a node of a lab that was completed. */
async function isKept(engine: Engine, { id }: FoundContainer): Promise<boolean> {
  try {
    return (await runCommand(engine, id, ['test', '-e', keptFile])).code === 0;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 409) return false;
    throw error;
  }
}

function imageGone(cause: unknown): TestbedError {
  return new TestbedError('EENVIRONMENT', `the engine has no image ${nodeImage}`, {
    hint: 'build it: o7s-testbed image build',
    cause,
  });
}
