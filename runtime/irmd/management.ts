/** What management may ask of irmd. Source: irmd-and-irm.md 4. */
import { O7sError } from '../lib/errors.ts';
import type { Logger, LogLevel, LogSubject } from '../lib/log.ts';
import { checkName, hashName } from '../lib/names.ts';
import type { QosJson } from '../lib/qos.ts';
import {
  type BalancePolicy,
  type BootstrapConfig,
  type ComponentName,
  componentTitles,
  type IpcpInfo,
  type IpcpType,
  type Joining,
  type NameFiles,
  type NameInfo,
} from '../lib/rpc/api.ts';
import type { LayerInfo } from '../lib/rpc/data-plane-api.ts';
import type { IrmSnapshot } from '../lib/rpc/events.ts';
import { settledType, udpPort } from '../lib/udp-types.ts';
import type { EventHub } from './events.ts';
import type { Flows } from './flows.ts';
import {
  type DataPlanePort,
  type IpcpEntry,
  ipcpInfo,
  isStacked,
  type LayerEntry,
  type NameEntry,
  type ProcessEntry,
  type Registry,
} from './registry.ts';

/** Where IPCPs run: all in one process, or each in its own. */
export interface DataPlanes {
  /** A place for a new IPCP, and its pid. */
  place(): Promise<{ readonly plane: DataPlanePort; readonly pid: number }>;
  /** Whether a process runs one IPCP alone. */
  isOwn(plane: DataPlanePort): boolean;
  /** The IPCP at a place is gone, and with it a process that was its own; `answers` unless that is known to be stuck. */
  leave(plane: DataPlanePort, answers?: boolean): Promise<void>;
  /** Drops an IPCP without a goodbye; a process of its own dies, which is reported as any crash is. */
  kill(plane: DataPlanePort, pid: number): Promise<void>;
  /** Has all of them, those to come too, log so much. */
  setLogLevel(level: LogLevel): Promise<void>;
}

export interface ManagementSurroundings {
  /** The user irmd runs as. */
  readonly uid: number;
  readonly registry: Registry;
  readonly flows: Flows;
  readonly dataPlanes: DataPlanes;
  readonly log: Logger;
  readonly events: EventHub;
  /** For how long a process has run, in ms; undefined when there is no such process. */
  readonly ageMs: (pid: number) => number | undefined;
  /** Sets how much irmd logs. */
  readonly logLevel: { get(): LogLevel; set(level: LogLevel): void };
}

/** How long after its start a process may still be on its way to announce itself, in ms. */
const startMs = 3000;

export class Management {
  readonly #around: ManagementSurroundings;
  /** Names of IPCPs whose place is being made. */
  readonly #creating = new Set<string>();
  /** Who waits for a process that is being started. */
  readonly #awaited = new Map<number, Set<(process: ProcessEntry) => void>>();

  constructor(around: ManagementSurroundings) {
    this.#around = around;
  }

  async createIpcp(name: string, type: IpcpType): Promise<{ pid: number }> {
    const { registry, dataPlanes, log } = this.#around;
    checkName(name, 'the IPCP name');
    if (name === '') throw new O7sError('EINVAL', 'an IPCP needs a name');
    if (this.#creating.has(name) || registry.ipcps().some((ipcp) => ipcp.name === name)) {
      throw new O7sError('EEXIST', `there is an IPCP ${name} already`, { hint: 'choose another name' });
    }
    const { plane, pid } = await this.#place(name);
    const entry: IpcpEntry = { pid, plane, name, type, layer: undefined };
    registry.addIpcp(entry);
    this.#addProcess(entry);
    try {
      await plane.call('ipcp.create', { pid, name, type });
    } catch (error) {
      this.#remove(entry);
      await dataPlanes.leave(plane);
      log.error('Failed to create IPCP.');
      throw error;
    }
    log.info(`Created IPCP ${pid}.`, { event: 'ipcp.created', ipcp: name });
    this.#around.events.emit({ event: 'ipcp.created', ipcp: ipcpInfo(entry) });
    return { pid };
  }

  async destroyIpcp(pid: number): Promise<void> {
    const { registry, dataPlanes, log } = this.#around;
    const entry = registry.findIpcp(pid);
    let answers = true;
    try {
      await entry.plane.call('ipcp.destroy', { pid });
    } catch (error) {
      answers = !(error instanceof O7sError && error.code === 'ETIMEDOUT');
      // One that has a process of its own goes with that. What ipcpd knows no more it has destroyed, too late to say so.
      if (!answers && !dataPlanes.isOwn(entry.plane)) throw error;
    }
    // It may have crashed meanwhile, which is reported.
    if (!registry.hasIpcp(entry)) return;
    this.#remove(entry);
    await dataPlanes.leave(entry.plane, answers);
    log.info(`Process removed: ${pid}.`);
    log.info(`Destroyed IPCP ${pid}.`, { event: 'ipcp.destroyed', ipcp: entry.name });
    this.#around.events.emit({ event: 'ipcp.destroyed', pid, name: entry.name });
  }

  /** Ends an IPCP as the death of its process would. */
  async killIpcp(pid: number): Promise<void> {
    const { registry, dataPlanes } = this.#around;
    const entry = registry.findIpcp(pid);
    await dataPlanes.kill(entry.plane, pid);
    if (registry.hasIpcp(entry)) this.ipcpCrashed(entry);
  }

  listIpcps(): IpcpInfo[] {
    return this.#around.registry.ipcps().map(ipcpInfo);
  }

  async ipcpCounters(pid: number): Promise<Readonly<Record<string, number>>> {
    return this.#around.registry.findIpcp(pid).plane.call('ipcp.counters', { pid });
  }

  async bootstrapIpcp(pid: number, layer: string, config: BootstrapConfig): Promise<void> {
    const { registry, log } = this.#around;
    checkName(layer, 'the layer name');
    const entry = registry.findIpcp(pid);
    try {
      const joined = await entry.plane.call('ipcp.bootstrap', { pid, layer, config });
      const { dev, ip } = config;
      const device = dev ?? (ip === undefined ? null : `${ip} port ${config.port ?? udpPort}`);
      const { now: at } = this.#around.events;
      entry.layer = layerOf(joined, { by: 'bootstrap', destination: null, at }, device);
      entry.type = settledType(entry.type, config.ip);
    } catch (error) {
      log.error('Could not bootstrap IPCP.', { ipcp: entry.name, layer });
      throw error;
    }
    log.info(`Bootstrapped IPCP ${pid}.`, { event: 'ipcp.bootstrapped', ipcp: entry.name, layer });
    this.#around.events.emit({ event: 'ipcp.bootstrapped', ipcp: ipcpInfo(entry) });
  }

  /** An IPCP joins the layer of whoever serves a name; the layer's name. */
  async enrollIpcp(pid: number, destination: string, wanted: string | null): Promise<{ layer: string }> {
    const { registry, log, events } = this.#around;
    checkName(destination, 'the destination');
    const entry = registry.findIpcp(pid);
    try {
      const joined = await entry.plane.call('ipcp.enroll', { pid, destination, layer: wanted });
      entry.layer = layerOf(joined, { by: 'enrollment', destination, at: events.now }, null);
      const subject = { event: 'ipcp.enrolled', ipcp: entry.name, layer: joined.layer };
      log.info(`Enrolled IPCP ${pid} in layer ${joined.layer}.`, subject);
      events.emit({ event: 'ipcp.enrolled', ipcp: ipcpInfo(entry) });
      return { layer: joined.layer };
    } catch (error) {
      log.error(`Could not enroll IPCP ${pid}.`, { ipcp: entry.name });
      throw error;
    }
  }

  /** Connects a component of an IPCP to that of another member of its layer. */
  async connectIpcp(pid: number, destination: string, component: ComponentName, qos: QosJson): Promise<void> {
    const { registry, log, events } = this.#around;
    const entry = registry.findIpcp(pid);
    if (!isStacked(entry.type)) {
      log.error('Cannot establish connections for this IPCP type.');
      throw new O7sError('EIPCP', `IPCP ${entry.name} is of type ${entry.type}, which has no connections`);
    }
    try {
      await entry.plane.call('ipcp.connect', { pid, destination, component, qos });
    } catch (error) {
      log.error(`Could not connect IPCP ${pid} to ${destination}.`, { ipcp: entry.name });
      throw error;
    }
    log.info(`Established ${componentTitles[component]} connection between IPCP ${pid} and ${destination}.`, {
      event: 'ipcp.connected',
      ipcp: entry.name,
      layer: entry.layer?.name,
    });
    events.emit({ event: 'ipcp.connected', pid, name: entry.name, component, destination });
  }

  /** Ends the connections that were made so. */
  async disconnectIpcp(pid: number, destination: string, component: ComponentName): Promise<void> {
    const { registry, log, events } = this.#around;
    const entry = registry.findIpcp(pid);
    if (!isStacked(entry.type)) {
      log.error('Cannot tear down connections for this IPCP type.');
      throw new O7sError('EIPCP', `IPCP ${entry.name} is of type ${entry.type}, which has no connections`);
    }
    try {
      await entry.plane.call('ipcp.disconnect', { pid, destination, component });
    } catch (error) {
      log.error('Could not disconnect IPCP.', { ipcp: entry.name });
      throw error;
    }
    log.info(`${componentTitles[component]} connection between IPCP ${pid} and ${destination} torn down.`, {
      event: 'ipcp.disconnected',
      ipcp: entry.name,
      layer: entry.layer?.name,
    });
    events.emit({ event: 'ipcp.disconnected', pid, name: entry.name, component, destination });
  }

  async ipcpMetrics(
    pid: number,
    parts: readonly string[] | null,
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.#around.registry.findIpcp(pid).plane.call('ipcp.metrics', { pid, parts });
  }

  /** A place for a new IPCP, whose name nobody else can have from here on. */
  async #place(name: string): Promise<{ readonly plane: DataPlanePort; readonly pid: number }> {
    const { dataPlanes, log } = this.#around;
    this.#creating.add(name);
    try {
      return await dataPlanes.place();
    } catch (error) {
      log.error(`Failed to spawn IPCP ${name}.`);
      log.error('Failed to create IPCP.');
      throw error;
    } finally {
      this.#creating.delete(name);
    }
  }

  /** Sets how much irmd and all IPCPs log, from now on, where a level is given. */
  async logLevel(level: LogLevel | null): Promise<{ level: LogLevel }> {
    const { logLevel, dataPlanes } = this.#around;
    if (level !== null) {
      logLevel.set(level);
      await dataPlanes.setLogLevel(level);
    }
    return { level: logLevel.get() };
  }

  /** The process that ran an IPCP is gone. */
  ipcpCrashed(entry: IpcpEntry): void {
    this.#around.log.error(`IPCP ${entry.pid} (${entry.name}) crashed.`, {
      event: 'ipcp.crashed',
      ipcp: entry.name,
      layer: entry.layer?.name,
    });
    this.#remove(entry);
    this.#around.events.emit({ event: 'ipcp.crashed', pid: entry.pid, name: entry.name });
  }

  /** What irmd knows by itself of all there is on the node. */
  snapshot(): Omit<IrmSnapshot, 'dropped' | 'layers'> {
    const { registry, flows, events } = this.#around;
    return {
      event: 'snapshot',
      at: events.now,
      ipcps: this.listIpcps(),
      names: this.listNames(),
      processes: registry.processInfos(),
      flows: flows.list(),
    };
  }

  createName(name: string, policy: BalancePolicy, files?: NameFiles): void {
    const { created } = this.#ensureName(name, policy, files);
    if (!created) this.#around.log.info(`Name ${name} already exists.`);
  }

  destroyName(name: string): void {
    const { registry, log } = this.#around;
    if (registry.findName(name) === undefined) {
      log.child('reg').error(`Name ${name} does not exist.`);
      log.error(`Failed to destroy name ${name}.`);
    }
    registry.destroyName(name);
    log.info(`Destroyed name: ${name}.`, { event: 'name.destroyed' });
    this.#around.events.emit({ event: 'name.destroyed', name });
  }

  listNames(): NameInfo[] {
    return this.#around.registry.listNames();
  }

  async registerName(name: string, pid: number): Promise<void> {
    this.#ensureName(name, 'spillover');
    const { registry, log } = this.#around;
    let hash: string;
    try {
      hash = await this.#directory('name.register', name, pid);
    } catch (error) {
      log.error(`Could not register ${this.#shortHash(name, pid)} with IPCP ${pid}.`);
      throw error;
    }
    log.info(`Registered ${name} with IPCP ${pid} as ${hash.slice(0, 8)}.`, {
      event: 'name.registered',
      ...placeOf(registry.findIpcp(pid)),
    });
    this.#around.events.emit({ event: 'name.registered', name, pid });
  }

  async unregisterName(name: string, pid: number): Promise<void> {
    const { registry, log } = this.#around;
    if (registry.findName(name) === undefined) {
      log.error(`Failed to get name ${name}.`);
      throw new O7sError('ENAME', `name ${name} does not exist`);
    }
    try {
      await this.#directory('name.unregister', name, pid);
    } catch (error) {
      log.error(`Could not unregister ${name} with IPCP ${pid}.`);
      throw error;
    }
    log.info(`Unregistered ${name} from ${pid}.`, {
      event: 'name.unregistered',
      ...placeOf(registry.findIpcp(pid)),
    });
    this.#around.events.emit({ event: 'name.unregistered', name, pid });
  }

  bindProgram(program: string, name: string, auto: readonly string[] | null): void {
    const { registry, log } = this.#around;
    const { entry } = this.#ensureName(name, 'spillover');
    try {
      registry.bindProgram(program, entry, auto);
    } catch (error) {
      log.child('reg').error(`Name ${name} already bound to program ${program}.`);
      log.error(`Failed to bind program ${program} to name ${name}`);
      throw error;
    }
    log.info(`Bound program ${program} to name ${name}.`, { event: 'name.bound' });
    this.#around.events.emit({ event: 'name.bound', name, by: program });
  }

  unbindProgram(program: string, name: string | null): void {
    const { registry, log } = this.#around;
    try {
      registry.unbindProgram(program, name);
    } catch (error) {
      const unknown = `Could not find ${this.#isUnknown(name) ? `name ${name}` : `program ${program}`}.`;
      const isElsewhere = name !== null && !this.#isUnknown(name) && registry.isBound(program);
      log.child('reg').error(isElsewhere ? `Name ${name} not bound to program ${program}.` : unknown);
      log.error(`Failed to unbind ${program}${name === null ? '.' : ` from ${name}`}`);
      throw error;
    }
    const text = name === null ? `Program ${program} unbound.` : `Name ${name} unbound for ${program}.`;
    log.info(text, { event: 'name.unbound' });
    this.#around.events.emit({ event: 'name.unbound', name: name ?? '*', by: program });
  }

  async bindProcess(pid: number, name: string): Promise<void> {
    const { registry, flows, log } = this.#around;
    const process = registry.findProcess(pid) ?? (await this.#announced(pid)) ?? this.#process(pid);
    const { entry } = this.#ensureName(name, 'spillover');
    try {
      registry.bindProcess(process, entry, flows.acceptsOf(process));
    } catch (error) {
      log.child('reg').error(`Process ${pid} already bound to name ${name}.`);
      log.error(`Failed to add name ${name} to process ${pid}.`);
      throw error;
    }
    log.info(`Bound process ${pid} to name ${name}.`, { event: 'name.bound' });
    this.#around.events.emit({ event: 'name.bound', name, by: String(pid) });
  }

  unbindProcess(pid: number, name: string | null): void {
    const { registry, log } = this.#around;
    const process = registry.findProcess(pid);
    try {
      if (process === undefined) throw strangeProcess(pid);
      registry.unbindProcess(process, name);
    } catch (error) {
      const fault = this.#isUnknown(name)
        ? `Could not find name ${name}.`
        : process === undefined
          ? `Could not find process ${pid}.`
          : `Process ${pid} not bound to ${name === null ? 'any name' : `name ${name}`}.`;
      log.child('reg').error(fault);
      log.error(`Failed to unbind ${pid}${name === null ? '.' : ` from ${name}`}`);
      throw error;
    }
    const text = name === null ? `Process ${pid} unbound.` : `Name ${name} unbound for process ${pid}.`;
    log.info(text, { event: 'name.unbound' });
    this.#around.events.emit({ event: 'name.unbound', name: name ?? '*', by: String(pid) });
  }

  /** A process has announced itself. */
  processAdded(process: ProcessEntry): void {
    for (const resolve of this.#awaited.get(process.pid) ?? []) resolve(process);
  }

  /** A process that has just been started, once it has announced itself; undefined when it does not. */
  #announced(pid: number): Promise<ProcessEntry | undefined> {
    const age = this.#around.ageMs(pid);
    const patienceMs = age === undefined ? 0 : startMs - age;
    if (patienceMs <= 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiting = this.#awaited.get(pid) ?? new Set();
      const settle = (process: ProcessEntry | undefined): void => {
        clearTimeout(timer);
        waiting.delete(settle);
        if (waiting.size === 0) this.#awaited.delete(pid);
        resolve(process);
      };
      const timer = setTimeout(() => settle(undefined), patienceMs);
      this.#awaited.set(pid, waiting.add(settle));
    });
  }

  /** An IPCP is a process like any other to those that bind names; one over other layers takes flows, too. */
  #addProcess(ipcp: IpcpEntry): void {
    const { registry, flows, uid, log } = this.#around;
    const { pid, type, plane } = ipcp;
    const process = registry.addProcess({ pid, uid, privileged: true, program: `ipcpd-${type}`, ipcp });
    log.info(`Process added: ${pid} (${process.program}).`);
    if (isStacked(type)) flows.acceptStanding(process, plane);
  }

  #remove(ipcp: IpcpEntry): void {
    const { registry, flows } = this.#around;
    flows.ipcpGone(ipcp);
    registry.removeIpcp(ipcp.pid);
    const process = registry.findProcess(ipcp.pid);
    if (process === undefined) return;
    flows.processGone(process);
    registry.removeProcess(process);
  }

  #process(pid: number): ProcessEntry {
    const process = this.#around.registry.findProcess(pid);
    if (process !== undefined) return process;
    const gone = this.#around.ageMs(pid) === undefined;
    this.#around.log.error(`Process ${pid} ${gone ? 'does not exist' : 'does not respond'}.`);
    throw strangeProcess(pid);
  }

  #isUnknown(name: string | null): boolean {
    return name !== null && this.#around.registry.findName(name) === undefined;
  }

  /** A name as the log of a directory has it: by its hash where the IPCP is in a layer, which says how it is hashed. */
  #shortHash(name: string, pid: number): string {
    const layer = this.#around.registry.ipcps().find((ipcp) => ipcp.pid === pid)?.layer;
    return layer === undefined ? name : hashName(name, layer.hash).toString('hex', 0, 4);
  }

  #ensureName(
    name: string,
    policy: BalancePolicy,
    files?: NameFiles,
  ): { entry: NameEntry; created: boolean } {
    checkName(name, 'the name');
    const result = this.#around.registry.ensureName(name, policy, files);
    if (result.created) {
      this.#around.log.info(`Created new name: ${name}.`, { event: 'name.created' });
      this.#around.events.emit({ event: 'name.created', name, policy });
    }
    return result;
  }

  /** Registers a name with the layer of an IPCP, or takes it back; the name's hash there. */
  async #directory(method: 'name.register' | 'name.unregister', name: string, pid: number): Promise<string> {
    const { layer, plane } = this.#around.registry.findIpcp(pid);
    if (layer === undefined) {
      throw new O7sError('EIPCPSTATE', `IPCP ${pid} is not in a layer`, { hint: 'bootstrap it first' });
    }
    const hash = hashName(name, layer.hash).toString('hex');
    await plane.call(method, { pid, hash });
    if (method === 'name.register') layer.names.add(name);
    else layer.names.delete(name);
    return hash;
  }
}

function strangeProcess(pid: number): O7sError {
  return new O7sError('ENOENT', `process ${pid} has not announced itself to irmd`, {
    hint: 'bind processes that use the Ouroboros library',
  });
}

function layerOf(info: LayerInfo, joined: Joining, device: string | null): LayerEntry {
  const { layer: name, hash, maxMessageBytes, address } = info;
  return { name, hash, maxMessageBytes, address, device, joined, names: new Set() };
}

function placeOf({ name, layer }: IpcpEntry): LogSubject {
  return { ipcp: name, layer: layer?.name };
}
