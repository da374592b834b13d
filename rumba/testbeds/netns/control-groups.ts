/**
 * Shares of time and memory, by control groups of version 1 or 2. A group is a folder in a file system of the kernel
 * that outlasts its processes: that of a lab is named for the lab's first process, so that a left-over one is told.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { TestbedError } from '../../errors.ts';
import { poll } from '../../poll.ts';
import type { NodeLimits } from '../testbed.ts';
import { identify, type ProcessId } from './processes.ts';

/** Folder of all labs, at the root of each hierarchy. */
const root = 'o7s-testbed';

/** Microseconds in which a share of time is used up and given again. */
const periodUs = 100_000;

/** How long the last process of a lab may stay in its group, in milliseconds. */
const emptyMs = 5_000;

/** Where control groups are: one folder for both controllers (version 2), or one each. */
export interface Hierarchies {
  readonly version: 1 | 2;
  readonly cpu: string;
  readonly memory: string;
}

/** The hierarchies of this machine, by what is mounted; undefined where a controller is nowhere. */
function findHierarchies(mountinfo: string): Hierarchies | undefined {
  const mounts = mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap((fields) => {
      const dash = fields.indexOf('-');
      const [type, , options = ''] = fields.slice(dash + 1);
      return dash === -1 ? [] : [{ place: fields[4] ?? '', type, options: options.split(',') }];
    });
  const [cpu, memory] = ['cpu', 'memory'].map(
    (controller) =>
      mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))?.place,
  );
  if (cpu !== undefined && memory !== undefined) return { version: 1, cpu, memory };
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.place;
  return unified === undefined || cpu !== undefined || memory !== undefined
    ? undefined
    : { version: 2, cpu: unified, memory: unified };
}

/** What a limit is written to: files of the group, and their contents. */
function limitFiles(version: 1 | 2, { cpus, memoryBytes }: NodeLimits): { cpu: Files; memory: Files } {
  const quotaUs = cpus === undefined ? undefined : Math.max(1_000, Math.round(cpus * periodUs));
  return version === 1
    ? {
        cpu: { 'cpu.cfs_period_us': String(periodUs), 'cpu.cfs_quota_us': String(quotaUs ?? -1) },
        memory: { 'memory.limit_in_bytes': String(memoryBytes ?? -1) },
      }
    : {
        cpu: { 'cpu.max': `${quotaUs ?? 'max'} ${periodUs}` },
        memory: { 'memory.max': String(memoryBytes ?? 'max') },
      };
}

type Files = Readonly<Record<string, string>>;

/** Gives a node its limits; `pids` are all its processes. */
export function limit(
  lab: { readonly name: string; readonly init: ProcessId },
  node: string,
  limits: NodeLimits,
  pids: readonly number[],
): void {
  const found = hierarchies();
  try {
    const files = limitFiles(found.version, limits);
    for (const controller of ['cpu', 'memory'] as const) {
      const group = makeGroup(found, controller, [root, labGroup(lab), node]);
      for (const [name, value] of Object.entries(files[controller])) writeFileSync(`${group}/${name}`, value);
      for (const pid of pids) join(group, pid);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof TestbedError) throw error;
    throw new TestbedError('EENVIRONMENT', `cannot limit node ${node}: ${message}`, {
      hint: 'limits on the netns testbed take root and control groups that can be written; use --testbed docker otherwise',
      cause: error,
    });
  }
}

/** The files by which a process that is started on a node joins its groups; none for a node without limits. */
export function groupFiles(init: number): string[] {
  const own = readOrNothing(`/proc/${init}/cgroup`);
  if (!own.includes(`/${root}/`)) return [];
  const found = hierarchies();
  return own.split('\n').flatMap((line) => {
    const [, controllers = '', ...rest] = line.split(':');
    const path = rest.join(':');
    // What is before it is where the mounted hierarchy begins.
    const at = path.indexOf(`/${root}/`);
    if (at === -1) return [];
    const isMemory = found.version === 1 && controllers.split(',').includes('memory');
    return [`${isMemory ? found.memory : found.cpu}${path.slice(at)}/cgroup.procs`];
  });
}

/** Removes the groups of a lab whose processes have ended; does nothing where it has none. */
export async function removeGroups(lab: { readonly name: string; readonly init: ProcessId }): Promise<void> {
  for (const place of labFolders()) {
    const folder = `${place}/${labGroup(lab)}`;
    if (!existsSync(folder)) continue;
    await poll(() => removeTree(folder) || undefined, {
      what: `group ${folder} to be empty`,
      deadlineMs: emptyMs,
    });
  }
}

/** Removes the groups of labs that are no more; gives their names. */
export async function removeLeftGroups(): Promise<string[]> {
  const removed = new Set<string>();
  for (const place of labFolders()) {
    for (const name of subfolders(place)) {
      const [, lab, pid, startTime] = /^(.+)\.(\d+)\.(\d+)$/.exec(name) ?? [];
      if (lab === undefined || identify(Number(pid))?.startTime === Number(startTime)) continue;
      if (removeTree(`${place}/${name}`)) removed.add(lab);
    }
  }
  return [...removed];
}

function labGroup({ name, init }: { readonly name: string; readonly init: ProcessId }): string {
  return `${name}.${init.pid}.${init.startTime}`;
}

function hierarchies(): Hierarchies {
  const found = findHierarchies(readOrNothing('/proc/self/mountinfo'));
  if (found !== undefined) return found;
  throw new TestbedError('EENVIRONMENT', 'this machine has no control groups for processor time and memory', {
    hint: 'leave cpus and memory out, or mount them: mount -t cgroup2 none /sys/fs/cgroup',
  });
}

function labFolders(): string[] {
  const found = findHierarchies(readOrNothing('/proc/self/mountinfo'));
  if (found === undefined) return [];
  return [...new Set([found.cpu, found.memory])]
    .map((place) => `${place}/${root}`)
    .filter((each) => existsSync(each));
}

/** Makes a group and those around it. */
function makeGroup(found: Hierarchies, controller: 'cpu' | 'memory', path: readonly string[]): string {
  let place = found[controller];
  for (const name of path) {
    // Version 2 hands a controller down level by level.
    if (found.version === 2) writeFileSync(`${place}/cgroup.subtree_control`, '+cpu +memory');
    place = `${place}/${name}`;
    mkdirSync(place, { recursive: true });
  }
  return place;
}

function join(group: string, pid: number): void {
  try {
    writeFileSync(`${group}/cgroup.procs`, String(pid));
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Removes a group and those in it; false while one of them has processes. */
function removeTree(folder: string): boolean {
  const inner = subfolders(folder).map((name) => removeTree(`${folder}/${name}`));
  if (inner.includes(false)) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
