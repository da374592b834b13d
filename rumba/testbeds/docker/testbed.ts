/** Labs of containers: on any Docker engine that can be reached, with no root on this side. */
import type { Duplex } from 'node:stream';
import { TestbedError } from '../../errors.ts';
import type { Lab, LabOptions, PrepareOptions, Removed, Testbed } from '../testbed.ts';
import type { Check } from '../check.ts';
import { AgentClient } from './agent-client.ts';
import { checkDocker } from './checks.ts';
import { createHelper, type FoundContainer, findContainers, removeContainers } from './containers.ts';
import { Engine, isEngineNamed, statusOf } from './engine.ts';
import { GuestAgents } from './guest-agents.ts';
import { newSession, sessionAlive } from './labels.ts';
import { DockerLab, readRecord } from './lab.ts';
import { ensureNodeImage, inspectImage, nodeImage } from './node-image.ts';

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
      agent = new AgentClient(name, engine, attached as Duplex);
      await engine.request('start the helper', helper.start());
      await agent.ready();
      signal.throwIfAborted();
      const guests = this.#guests;
      return new DockerLab({ engine, containers, helper: helper.id, image, agent, guests });
    } catch (error) {
      await removeContainers(engine, `lab ${name} to end`, find);
      agent?.[Symbol.dispose]();
      throw error;
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
      [...groups].map(async ([lab, found]) => {
        const helper = found.find((each) => each.node === undefined);
        const containers = { lab, session: found[0]?.session ?? '', topology: '' };
        const record = await readRecord(engine, helper?.id);
        const guests = this.#guests;
        const image = record?.image ?? nodeImage;
        return new DockerLab({ engine, containers, helper: helper?.id, image, found, record, guests });
      }),
    );
    return labs.toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** The engine; undefined where there is none, and nobody said that there is one. */
  async #found(): Promise<Engine | undefined> {
    try {
      return await this.#connect();
    } catch (error) {
      if (isEngineNamed()) throw error;
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

/** True for the containers of a lab that has no helper, or was never completed and has no maker any more. */
async function isLeftOver(engine: Engine, found: readonly FoundContainer[]): Promise<boolean> {
  const helper = found.find((each) => each.node === undefined);
  if (helper === undefined) return true;
  if (helper.running && (await readRecord(engine, helper.id)) !== undefined) return false;
  const hasMaker = sessionAlive(helper.session);
  if (hasMaker !== undefined) return !hasMaker;
  // Made on another machine. A helper runs as long as its maker does, and is started soon after it is made.
  return !helper.running && Date.now() / 1000 - helper.created > startSeconds;
}

function imageGone(cause: unknown): TestbedError {
  return new TestbedError('EENVIRONMENT', `the engine has no image ${nodeImage}`, {
    hint: 'build it: o7s-testbed image build',
    cause,
  });
}
