/** The containers of labs: how they are made, found and removed. */
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { TestbedError } from '../../errors.ts';
import type { LabRecord, NodeLimits } from '../testbed.ts';
import { packageVersion } from '../../installation.ts';
import { poll } from '../../poll.ts';
import { LineReader, recordFile } from './agent/protocol.ts';
import { type Engine, statusOf } from './engine.ts';
import { helperContainer, labels, nodeContainer, ownUser } from './labels.ts';
import { containerMark, launcher } from './scripts.ts';
import { firstFile, pack } from './tar.ts';

/** How long the engine may take to remove a lab, in milliseconds. */
const removeMs = 20_000;

/** How long the engine may take to say that a container has ended whose files it cannot mount any more, in milliseconds. */
const endMs = 20_000;

/** How long after such a fault to try again, in milliseconds. */
const againMs = 50;

/** Processes a node may have; more is a program that went wild, and the machine is not only its own. */
const processesMax = 4_096;

/** What a lab's containers have in common. */
export interface LabContainers {
  readonly lab: string;
  readonly session: string;
  /** Name of the topology. */
  readonly topology: string;
}

/** A container of a lab, as the engine lists it. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly lab: string;
  readonly session: string;
  /** Undefined for the helper. */
  readonly node: string | undefined;
  readonly running: boolean;
  /** True where it ran and is left: an engine that fails to remove a container that has ended does not try again. */
  readonly hasEnded: boolean;
  /** Seconds since 1970. */
  readonly created: number;
  /** What it runs, and the digest of that. */
  readonly image: string;
  readonly imageDigest: string;
}

/** Makes the container of a node; it is not started yet. */
export async function createNode(
  engine: Engine,
  lab: LabContainers,
  node: { name: string; tun: boolean; image: string; isForeign: boolean },
): Promise<Dockerode.Container> {
  const { name, tun, image, isForeign } = node;
  const options: Dockerode.ContainerCreateOptions = {
    ...common(lab, image, { [labels.role]: 'node', [labels.node]: name }),
    Hostname: name,
    Entrypoint: ['sh', '-c', launcher],
    Cmd: [containerMark, lab.lab, name, lab.session],
    HostConfig: {
      ...commonHost,
      NetworkMode: 'none',
      Init: true,
      // The prototype's unicast IPCP schedules its threads in real time (unicast-layer.md 10).
      CapAdd: ['NET_ADMIN', 'NET_RAW', ...(isForeign ? ['SYS_NICE'] : [])],
      Tmpfs: { '/run': 'mode=755' },
      PidsLimit: processesMax,
      // Without a network the engine turns IPv6 off, also for the interfaces a lab adds.
      Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '0', 'net.ipv6.conf.default.disable_ipv6': '0' },
      Devices: tun ? [tunDevice] : [],
    },
  };
  const what = `make node ${name}`;
  try {
    return await create(engine, what, { ...options, name: nodeContainer(lab.lab, name) });
  } catch (error) {
    // Node b-c of lab a and node c of lab a-b would bear one name.
    if (statusOf(error) !== 409) throw error;
    return await create(engine, what, { ...options, name: `${nodeContainer(lab.lab, name)}-${lab.session}` });
  }
}

/** Makes the helper of a lab. Rejects with EFAILED when there is a lab of this name. */
export async function createHelper(
  engine: Engine,
  lab: LabContainers,
  image: string,
): Promise<Dockerode.Container> {
  const name = helperContainer(lab.lab);
  try {
    return await create(engine, `make the helper of lab ${lab.lab}`, {
      ...common(lab, image, { [labels.role]: 'helper' }),
      name,
      Entrypoint: ['node', agentFile],
      // The name is for who looks at the list of processes.
      Cmd: ['owner', lab.session, lab.lab],
      OpenStdin: true,
      // The engine closes the agent's input when the command line is gone, however it went.
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: {
        ...commonHost,
        // Bridges of LANs are in its own network; those of nodes are entered by their processes.
        NetworkMode: 'none',
        PidMode: 'host',
        CapAdd: ['KILL', 'NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE'],
      },
    });
  } catch (error) {
    if (statusOf(error) === 409) throw await nameTaken(engine, lab.lab, name);
    throw error;
  }
}

/** Gives a container its share of time and memory. */
export async function limitContainer(
  engine: Engine,
  id: string,
  { cpus, memoryBytes }: NodeLimits,
): Promise<void> {
  // -1 takes a limit away. Memory and swap together have a limit of their own: the same one, so no swap.
  const memory = memoryBytes ?? -1;
  const limits = {
    NanoCpus: cpus === undefined ? -1 : Math.round(cpus * 1e9),
    Memory: memory,
    MemorySwap: memory,
  };
  await engine.request('limit a node', engine.docker.getContainer(id).update(limits));
}

/** The agent in the node image. */
export const agentFile = '/opt/o7s-testbed/dist/bundle/lab-agent.cjs';

/** The program that captures, in the node image. */
export const captureFile = '/opt/o7s-testbed/dist/bundle/capture.cjs';

const tunDevice = { PathOnHost: '/dev/net/tun', PathInContainer: '/dev/net/tun', CgroupPermissions: 'rwm' };

const commonHost: Dockerode.HostConfig = {
  AutoRemove: true,
  RestartPolicy: { Name: 'no' },
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  // Programs have logs of their own, and what the agent says is for the command line.
  LogConfig: { Type: 'none', Config: {} },
};

function common(
  lab: LabContainers,
  image: string,
  own: Record<string, string>,
): Dockerode.ContainerCreateOptions {
  return {
    Image: image,
    User: '0:0',
    WorkingDir: '/',
    Labels: {
      [labels.lab]: lab.lab,
      [labels.owner]: ownUser(),
      [labels.session]: lab.session,
      [labels.topology]: lab.topology,
      [labels.version]: packageVersion,
      ...own,
    },
  };
}

async function create(
  engine: Engine,
  what: string,
  options: Dockerode.ContainerCreateOptions,
): Promise<Dockerode.Container> {
  return await engine.request(what, engine.docker.createContainer(options));
}

async function nameTaken(engine: Engine, lab: string, name: string): Promise<TestbedError> {
  const found = await engine.docker
    .getContainer(name)
    .inspect()
    .catch(() => undefined);
  const marks = found?.Config.Labels;
  if (found !== undefined && marks?.[labels.lab] !== lab) {
    return new TestbedError(
      'EFAILED',
      `a container ${name} that is no helper has the name lab ${lab} needs`,
      {
        hint: 'give the lab another name with --lab',
      },
    );
  }
  const owner = marks?.[labels.owner];
  if (owner !== undefined && owner !== ownUser()) {
    return new TestbedError('EFAILED', `user ${owner} has a lab named ${lab} on this engine`, {
      hint: 'give yours another name with --lab',
    });
  }
  return new TestbedError('EFAILED', `a lab named ${lab} is there already`, {
    hint: `take it down with "o7s-testbed down --lab ${lab}", or give another name with --lab`,
  });
}

const endedStates = new Set(['exited', 'removing', 'dead']);

/** The containers of this user's labs, or of one of them. */
export async function findContainers(engine: Engine, lab?: string): Promise<FoundContainer[]> {
  const mark = lab === undefined ? labels.lab : `${labels.lab}=${lab}`;
  const filters = { label: [mark, `${labels.owner}=${ownUser()}`] };
  const found = await engine.request('list containers', engine.docker.listContainers({ all: true, filters }));
  // One without a name is gone but for this list, where an engine may forget it for ever.
  const named = found.filter(({ Names }) => ((Names as string[] | null) ?? []).length > 0);
  return named.map(({ Id, Names, Labels, State, Created, Image, ImageID }) => ({
    id: Id,
    name: (Names[0] ?? Id).replace(/^\//, ''),
    lab: Labels[labels.lab] ?? '',
    session: Labels[labels.session] ?? '',
    node: Labels[labels.role] === 'helper' ? undefined : Labels[labels.node],
    running: State === 'running',
    hasEnded: endedStates.has(State),
    created: Created,
    image: Image,
    imageDigest: ImageID,
  }));
}

/**
 * Removes containers until there are none: `find` is asked again after each round, since the engine may
 * still be making one that was asked for by a command that is gone. The record of a lab goes first, by which it is seen to
 * be left over should this process end, and its helper last. Rejects after 20 s, with what the engine said where it
 * refused, else with ETIMEDOUT.
 */
export async function removeContainers(
  engine: Engine,
  what: string,
  find: () => Promise<readonly FoundContainer[]>,
): Promise<readonly FoundContainer[]> {
  const removed = new Map<string, FoundContainer>();
  let refusal: unknown;
  const round = async (): Promise<true | undefined> => {
    const found = await find();
    const helpers = found.filter((each) => each.node === undefined);
    await Promise.all(
      helpers
        .filter(({ id, running }) => running && !removed.has(id))
        .map((each) => emptyRecord(engine, each.id)),
    );
    for (const each of found) removed.set(each.id, each);
    refusal = undefined;
    for (const group of [found.filter((each) => each.node !== undefined), helpers]) {
      const refusals = await Promise.all(group.map((each) => remove(engine, each.id)));
      refusal ??= refusals.find((each) => each !== undefined);
    }
    return found.length === 0 ? true : undefined;
  };
  try {
    await poll(round, { what, deadlineMs: removeMs });
  } catch (error) {
    const isLate = error instanceof TestbedError && error.code === 'ETIMEDOUT';
    throw isLate ? (refusal ?? error) : error;
  }
  return [...removed.values()];
}

async function emptyRecord(engine: Engine, helper: string): Promise<void> {
  const archive = pack([{ path: recordFile.slice(1), mode: 0o644, bytes: Buffer.alloc(0) }]);
  await withFiles(engine, helper, async (container) => {
    await engine.request('remove the record of a lab', container.putArchive(archive, { path: '/' }));
  });
}

/** Gives the error of an engine that could not, as while it ends the container of itself; the next round sees. */
async function remove(engine: Engine, id: string): Promise<unknown> {
  const removal = engine.docker.getContainer(id).remove({ force: true, v: true });
  try {
    await engine.request('remove a container', removal);
    return undefined;
  } catch (error) {
    if (isGoneOrGoing(error)) return undefined;
    if (isFault(error)) return error;
    throw error;
  }
}

/**
 * Does something with the files of a container; undefined where it is gone or about to be. The engine mounts them for
 * that, which fails in whatever words where the container ends at that moment, a while before the engine says that
 * it has ended.
 */
async function withFiles<T>(
  engine: Engine,
  id: string,
  work: (container: Dockerode.Container) => Promise<T>,
): Promise<T | undefined> {
  const container = engine.docker.getContainer(id);
  const end = performance.now() + endMs;
  for (;;) {
    try {
      return await work(container);
    } catch (error) {
      if (isGoneOrGoing(error)) return undefined;
      if (!isFault(error) || performance.now() > end) throw error;
    }
    if (!(await isRunning(engine, container))) return undefined;
    await delay(againMs);
  }
}

async function isRunning(engine: Engine, container: Dockerode.Container): Promise<boolean> {
  try {
    return (await engine.request('look at a container', container.inspect())).State.Running;
  } catch (error) {
    if (isGoneOrGoing(error)) return false;
    throw error;
  }
}

/** 404: it is gone; 409: it is being removed, also by itself since it ended. */
function isGoneOrGoing(error: unknown): boolean {
  const status = statusOf(error);
  return status === 404 || status === 409;
}

function isFault(error: unknown): boolean {
  return (statusOf(error) ?? 0) >= 500;
}

/** What `keep` wrote in a lab's helper; undefined when it did not, or is gone, `removed` once the lab is being removed. */
export async function readRecord(
  engine: Engine,
  helper: string | undefined,
): Promise<LabRecord | 'removed' | undefined> {
  if (helper === undefined) return undefined;
  const archive = await readArchive(engine, helper);
  const file = archive === undefined ? undefined : firstFile(archive);
  if (file === undefined) return undefined;
  return file.length === 0 ? 'removed' : (JSON.parse(file.toString('utf8')) as LabRecord);
}

async function readArchive(engine: Engine, helper: string): Promise<Buffer | undefined> {
  return await withFiles(engine, helper, async (container) => {
    const reading = container.getArchive({ path: recordFile });
    return await buffer(await engine.request('read the record of a lab', reading));
  });
}

/**
 * The containers of a lab that end, and those that have ended as far as the engine remembers: one may end while it is still
 * listed as one that runs, and be told of before anybody asks. Times are ms since 1970.
 */
export async function* endedContainers(
  engine: Engine,
  { lab, session }: LabContainers,
  signal: AbortSignal,
): AsyncGenerator<{ id: string; at: number }, void, void> {
  const label = [`${labels.lab}=${lab}`, `${labels.session}=${session}`, `${labels.owner}=${ownUser()}`];
  const stream = await engine.request(
    'tell what happens',
    engine.docker.getEvents({
      since: 1,
      filters: { type: ['container'], event: ['die'], label },
      abortSignal: signal,
    }),
  );
  const ended: { id: string; at: number }[] = [];
  const reader = new LineReader<ContainerEvent>(({ Actor, timeNano }) => {
    ended.push({ id: Actor.ID, at: Math.floor(timeNano / 1e6) });
  });
  try {
    for await (const chunk of stream) {
      reader.push(chunk as Buffer);
      yield* ended.splice(0);
    }
  } catch (error) {
    if (!signal.aborted) throw engine.failure('tell what happens', error);
  }
}

interface ContainerEvent {
  readonly Actor: { readonly ID: string };
  readonly timeNano: number;
}
