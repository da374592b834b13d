/**
 * What irmd knows of its node: names, the programs and processes bound to them, who accepts, and the IPCPs.
 * Pure: no I/O, no time. Source: irmd-and-irm.md 3, 4, 7.
 */
import { O7sError } from '../lib/errors.ts';
import { hashName, type LayerHash, layerHashes } from '../lib/names.ts';
import {
  type BalancePolicy,
  type IpcpInfo,
  type IpcpType,
  ipcpTypes,
  type Joining,
  type NameFiles,
  type NameInfo,
} from '../lib/rpc/api.ts';
import type { DataPlaneApi } from '../lib/rpc/data-plane-api.ts';
import type { ProcessInfo } from '../lib/rpc/events.ts';

/** An accept call that waits for a flow. */
export interface Accept {
  readonly process: ProcessEntry;
  /** It takes any number of flows: an IPCP's. */
  readonly standing?: boolean;
}

/** Somebody who waits for an accept call to a name: tells whether it takes this one. */
export type AcceptWaiter = (accept: Accept) => boolean;

/** A program whose processes serve a name. */
export interface BoundProgram {
  /** Absolute. */
  readonly path: string;
  /** Its arguments when it is started because a flow is asked for; null when it never is. */
  readonly auto: readonly string[] | null;
}

export interface NameEntry {
  readonly name: string;
  readonly policy: BalancePolicy;
  /** Files of its security that are not in the configuration folder. */
  readonly files: NameFiles | undefined;
  /** Programs bound to the name, as `programKey` spells them, the latest last. */
  readonly programs: Map<string, BoundProgram>;
  readonly processes: Set<ProcessEntry>;
  /** The accept calls that wait, in the order in which they are served. */
  readonly accepts: Accept[];
  readonly waiters: Set<AcceptWaiter>;
}

export interface ProcessEntry {
  readonly pid: number;
  readonly uid: number;
  /** Processes of root and of the group ouroboros count as one user. */
  readonly privileged: boolean;
  readonly program: string;
  /** What is no process of its own but an IPCP, which uses flows like one. */
  readonly ipcp: IpcpEntry | undefined;
  readonly names: Set<NameEntry>;
}

/** The process that runs an IPCP, as far as irmd's decisions need it. */
export interface DataPlanePort {
  readonly pid: number;
  /** Where applications pick up their flows. */
  readonly socket: string;
  call<M extends keyof DataPlaneApi>(
    method: M,
    params: DataPlaneApi[M]['params'],
  ): Promise<DataPlaneApi[M]['result']>;
}

export interface LayerEntry {
  readonly name: string;
  readonly hash: LayerHash;
  /** Longest message of a flow, in bytes, as the IPCP told it last. */
  maxMessageBytes: number;
  /** The IPCP's address there; null where there are none. */
  readonly address: string | null;
  /** What a link layer lies over. */
  readonly device: string | null;
  readonly joined: Joining;
  /** Names that are registered with the IPCP. */
  readonly names: Set<string>;
}

export interface IpcpEntry {
  readonly pid: number;
  readonly plane: DataPlanePort;
  readonly name: string;
  /** An address settles what `udp` is. */
  type: IpcpType;
  layer: LayerEntry | undefined;
}

/** Whether IPCPs of a type lie over flows of other layers. */
export function isStacked(type: IpcpType): boolean {
  return type === 'unicast' || type === 'broadcast';
}

/** A program is known by the name of its file, a script without its extension. */
export function programKey(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/\.[cm]?[jt]s$/, '');
}

export class Registry {
  readonly #names = new Map<string, NameEntry>();
  /** Names by algorithm and hash: what comes from a layer knows no more. */
  readonly #hashes = new Map<string, NameEntry>();
  readonly #processes = new Map<number, ProcessEntry>();
  readonly #ipcps = new Map<number, IpcpEntry>();

  /** Finds a name, or creates it. */
  ensureName(
    name: string,
    policy: BalancePolicy,
    files?: NameFiles,
  ): { readonly entry: NameEntry; readonly created: boolean } {
    const known = this.#names.get(name);
    if (known !== undefined) return { entry: known, created: false };
    const entry: NameEntry = {
      name,
      policy,
      files,
      programs: new Map(),
      processes: new Set(),
      accepts: [],
      waiters: new Set(),
    };
    this.#names.set(name, entry);
    for (const key of hashKeys(name)) this.#hashes.set(key, entry);
    return { entry, created: true };
  }

  findName(name: string): NameEntry | undefined {
    return this.#names.get(name);
  }

  /** The name whose hash this is. */
  findNameByHash(hash: Buffer, algorithm: LayerHash): NameEntry | undefined {
    return this.#hashes.get(`${algorithm}:${hash.toString('hex')}`);
  }

  /** Removes a name and every binding to it. */
  destroyName(name: string): void {
    const entry = this.#names.get(name);
    if (entry === undefined) throw new O7sError('ENAME', `name ${name} does not exist`);
    this.#names.delete(name);
    for (const key of hashKeys(name)) this.#hashes.delete(key);
    for (const process of entry.processes) process.names.delete(entry);
  }

  listNames(): NameInfo[] {
    return [...this.#names.values()]
      .map(({ name, policy }) => ({ name, policy }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  bindProgram(path: string, entry: NameEntry, auto: readonly string[] | null): void {
    const key = programKey(path);
    if (entry.programs.has(key)) throw new O7sError('EEXIST', `${key} is bound to ${entry.name} already`);
    entry.programs.set(key, { path, auto });
  }

  /** Takes bindings of a program back; without a name, all of them. Running processes keep theirs. */
  unbindProgram(program: string, name: string | null): void {
    const key = programKey(program);
    let found = false;
    for (const entry of this.#names.values()) {
      if (name === null || entry.name === name) found = entry.programs.delete(key) || found;
    }
    if (!found) throw new O7sError('ENOENT', `${key} is not bound to ${name ?? 'any name'}`);
  }

  /** Whether a program is bound to any name. */
  isBound(program: string): boolean {
    const key = programKey(program);
    return this.#names.values().some(({ programs }) => programs.has(key));
  }

  /** A process announced itself: it gets the names its program is bound to. */
  addProcess(process: Omit<ProcessEntry, 'names' | 'ipcp'> & { readonly ipcp?: IpcpEntry }): ProcessEntry {
    const entry: ProcessEntry = { ...process, ipcp: process.ipcp, names: new Set() };
    this.#processes.set(entry.pid, entry);
    for (const name of this.#names.values()) {
      if (name.programs.has(entry.program)) this.#bind(entry, name);
    }
    return entry;
  }

  removeProcess(process: ProcessEntry): void {
    if (this.#processes.get(process.pid) === process) this.#processes.delete(process.pid);
    for (const name of process.names) {
      name.processes.delete(process);
      removeAll(name.accepts, (accept) => accept.process === process);
    }
    process.names.clear();
  }

  findProcess(pid: number): ProcessEntry | undefined {
    return this.#processes.get(pid);
  }

  /** Binds a process; its waiting accept calls, `accepts`, serve the name at once. */
  bindProcess(process: ProcessEntry, entry: NameEntry, accepts: Iterable<Accept>): void {
    if (entry.processes.has(process)) {
      throw new O7sError('EEXIST', `process ${process.pid} is bound to ${entry.name} already`);
    }
    this.#bind(process, entry);
    for (const accept of accepts) offer(entry, accept);
  }

  /** Takes bindings of a process back; without a name, all of them. */
  unbindProcess(process: ProcessEntry, name: string | null): void {
    const names = [...process.names].filter((entry) => name === null || entry.name === name);
    if (names.length === 0) {
      throw new O7sError('ENOENT', `process ${process.pid} is not bound to ${name ?? 'any name'}`);
    }
    for (const entry of names) {
      process.names.delete(entry);
      entry.processes.delete(process);
      removeAll(entry.accepts, (accept) => accept.process === process);
    }
  }

  /** An accept call begins to wait, for every name of its process. */
  addAccept(accept: Accept): void {
    for (const entry of accept.process.names) if (offer(entry, accept)) return;
  }

  /** An accept call no longer waits: it was served or given up. */
  removeAccept(accept: Accept): void {
    if (accept.standing === true) return;
    for (const entry of accept.process.names) removeAll(entry.accepts, (other) => other === accept);
  }

  /** All processes that have announced themselves. */
  processInfos(): ProcessInfo[] {
    return [...this.#processes.values()]
      .filter(({ ipcp }) => ipcp === undefined)
      .map(({ pid, uid, program, names }) => ({
        pid,
        uid,
        program,
        names: [...names].map(({ name }) => name),
      }));
  }

  addIpcp(entry: IpcpEntry): void {
    this.#ipcps.set(entry.pid, entry);
  }

  removeIpcp(pid: number): void {
    this.#ipcps.delete(pid);
  }

  findIpcp(pid: number): IpcpEntry {
    const entry = this.#ipcps.get(pid);
    if (entry === undefined) throw new O7sError('EIPCP', `there is no IPCP ${pid}`);
    return entry;
  }

  /** Whether an IPCP is still there. */
  hasIpcp(ipcp: IpcpEntry): boolean {
    return this.#ipcps.get(ipcp.pid) === ipcp;
  }

  /** All IPCPs, in the order in which layers are asked for a name. */
  ipcps(): IpcpEntry[] {
    const rank = (type: IpcpType): number => ipcpTypes.indexOf(type);
    return [...this.#ipcps.values()].toSorted((a, b) => rank(a.type) - rank(b.type) || a.pid - b.pid);
  }

  #bind(process: ProcessEntry, entry: NameEntry): void {
    entry.processes.add(process);
    process.names.add(entry);
  }
}

function hashKeys(name: string): string[] {
  return layerHashes.map((algorithm) => `${algorithm}:${hashName(name, algorithm).toString('hex')}`);
}

export function ipcpInfo(entry: IpcpEntry): IpcpInfo {
  const { pid, plane, name, type, layer } = entry;
  const state = layer === undefined ? 'boot' : 'operational';
  const { name: layerName = null, address = null, device = null, joined = null } = layer ?? {};
  return { pid, hostPid: plane.pid, name, type, layer: layerName, state, address, device, joined };
}

/** Gives an accept call to somebody who waits for the name, or queues it as the name's policy says. */
function offer(entry: NameEntry, accept: Accept): boolean {
  for (const waiter of entry.waiters) {
    if (!waiter(accept)) continue;
    if (accept.standing !== true) return true;
  }
  if (entry.policy === 'round-robin') entry.accepts.push(accept);
  else entry.accepts.unshift(accept);
  return false;
}

function removeAll<T>(list: T[], matches: (item: T) => boolean): void {
  for (let index = list.length - 1; index >= 0; index -= 1) {
    const item = list[index];
    if (item !== undefined && matches(item)) list.splice(index, 1);
  }
}
