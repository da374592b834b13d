/** What management may ask of irmd. Source: irmd-and-irm.md 4. */
import { O7sError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { checkName, hashName } from '../lib/names.ts';
import type { QosJson } from '../lib/qos.ts';
import type {
  BalancePolicy,
  BootstrapConfig,
  ComponentName,
  IpcpInfo,
  IpcpType,
  Joining,
  NameInfo,
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
  type Registry,
} from './registry.ts';

/** Where IPCPs run: all in one process, or each in its own. */
export interface DataPlanes {
  /** A place for a new IPCP, and its pid. */
  place(): Promise<{ readonly plane: DataPlanePort; readonly pid: number }>;
  /** The IPCP at a place is gone, and with it a process that was its own. */
  leave(plane: DataPlanePort): Promise<void>;
}

const longNames: Record<ComponentName, string> = { dt: 'Data Transfer', mgmt: 'Management' };

export interface ManagementSurroundings {
  /** The user irmd runs as. */
  readonly uid: number;
  readonly registry: Registry;
  readonly flows: Flows;
  readonly dataPlanes: DataPlanes;
  readonly log: Logger;
  readonly events: EventHub;
}

export class Management {
  readonly #around: ManagementSurroundings;
  /** Names of IPCPs whose place is being made. */
  readonly #creating = new Set<string>();

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
    this.#creating.add(name);
    const { plane, pid } = await dataPlanes.place().finally(() => this.#creating.delete(name));
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
    log.info(`Created IPCP ${pid}.`);
    this.#around.events.emit({ event: 'ipcp.created', ipcp: ipcpInfo(entry) });
    return { pid };
  }

  async destroyIpcp(pid: number): Promise<void> {
    const { registry, dataPlanes, log } = this.#around;
    const entry = registry.findIpcp(pid);
    await entry.plane.call('ipcp.destroy', { pid });
    this.#remove(entry);
    await dataPlanes.leave(entry.plane);
    log.info(`Destroyed IPCP ${pid}.`);
    this.#around.events.emit({ event: 'ipcp.destroyed', pid, name: entry.name });
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
      log.error('Could not bootstrap IPCP.');
      throw error;
    }
    log.info(`Bootstrapped IPCP ${pid}.`);
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
      log.info(`Enrolled IPCP ${pid} in layer ${joined.layer}.`);
      events.emit({ event: 'ipcp.enrolled', ipcp: ipcpInfo(entry) });
      return { layer: joined.layer };
    } catch (error) {
      log.error(`Could not enroll IPCP ${pid}.`);
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
      log.error(`Could not connect IPCP ${pid} to ${destination}.`);
      throw error;
    }
    log.info(`Established ${longNames[component]} connection between IPCP ${pid} and ${destination}.`);
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
    await entry.plane.call('ipcp.disconnect', { pid, destination, component });
    log.info(`${longNames[component]} connection between IPCP ${pid} and ${destination} torn down.`);
    events.emit({ event: 'ipcp.disconnected', pid, name: entry.name, component, destination });
  }

  async ipcpMetrics(
    pid: number,
    parts: readonly string[] | null,
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.#around.registry.findIpcp(pid).plane.call('ipcp.metrics', { pid, parts });
  }

  /** The process that ran an IPCP is gone. */
  ipcpCrashed(entry: IpcpEntry): void {
    this.#around.log.error(`IPCP ${entry.pid} (${entry.name}) crashed.`);
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

  createName(name: string, policy: BalancePolicy): void {
    const { created } = this.#ensureName(name, policy);
    if (!created) this.#around.log.info(`Name ${name} already exists.`);
  }

  destroyName(name: string): void {
    const { registry, log } = this.#around;
    if (registry.findName(name) === undefined) {
      log.error(`Name ${name} does not exist.`);
      log.error(`Failed to destroy name ${name}.`);
    }
    registry.destroyName(name);
    log.info(`Destroyed name: ${name}.`);
    this.#around.events.emit({ event: 'name.destroyed', name });
  }

  listNames(): NameInfo[] {
    return this.#around.registry.listNames();
  }

  async registerName(name: string, pid: number): Promise<void> {
    this.#ensureName(name, 'spillover');
    const hash = await this.#directory('name.register', name, pid);
    this.#around.log.info(`Registered ${name} with IPCP ${pid} as ${hash.slice(0, 8)}.`);
    this.#around.events.emit({ event: 'name.registered', name, pid });
  }

  async unregisterName(name: string, pid: number): Promise<void> {
    const { registry, log } = this.#around;
    if (registry.findName(name) === undefined) {
      log.error(`Failed to get name ${name}.`);
      throw new O7sError('ENAME', `name ${name} does not exist`);
    }
    await this.#directory('name.unregister', name, pid);
    log.info(`Unregistered ${name} from ${pid}.`);
    this.#around.events.emit({ event: 'name.unregistered', name, pid });
  }

  bindProgram(program: string, name: string): void {
    const { registry, log } = this.#around;
    const { entry } = this.#ensureName(name, 'spillover');
    registry.bindProgram(program, entry);
    log.info(`Bound program ${program} to name ${name}.`);
    this.#around.events.emit({ event: 'name.bound', name, by: program });
  }

  unbindProgram(program: string, name: string | null): void {
    this.#around.registry.unbindProgram(program, name);
    this.#around.log.info(`${name === null ? 'All names' : `Name ${name}`} unbound for ${program}.`);
    this.#around.events.emit({ event: 'name.unbound', name: name ?? '*', by: program });
  }

  bindProcess(pid: number, name: string): void {
    const { registry, flows, log } = this.#around;
    const process = this.#process(pid);
    const { entry } = this.#ensureName(name, 'spillover');
    registry.bindProcess(process, entry, flows.acceptsOf(process));
    log.info(`Bound process ${pid} to name ${name}.`);
    this.#around.events.emit({ event: 'name.bound', name, by: String(pid) });
  }

  unbindProcess(pid: number, name: string | null): void {
    this.#around.registry.unbindProcess(this.#process(pid), name);
    this.#around.log.info(`${name === null ? 'All names' : `Name ${name}`} unbound for process ${pid}.`);
    this.#around.events.emit({ event: 'name.unbound', name: name ?? '*', by: String(pid) });
  }

  /** An IPCP is a process like any other to those that bind names; one over other layers takes flows, too. */
  #addProcess(ipcp: IpcpEntry): void {
    const { registry, flows, uid } = this.#around;
    const { pid, type, plane } = ipcp;
    const process = registry.addProcess({ pid, uid, privileged: true, program: `ipcpd-${type}`, ipcp });
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

  #process(pid: number): NonNullable<ReturnType<Registry['findProcess']>> {
    const process = this.#around.registry.findProcess(pid);
    if (process !== undefined) return process;
    this.#around.log.error(`Process ${pid} does not respond.`);
    throw new O7sError('ENOENT', `process ${pid} has not announced itself to irmd`, {
      hint: 'bind processes that use the Ouroboros library',
    });
  }

  #ensureName(name: string, policy: BalancePolicy): { entry: NameEntry; created: boolean } {
    checkName(name, 'the name');
    const result = this.#around.registry.ensureName(name, policy);
    if (result.created) {
      this.#around.log.info(`Created new name: ${name}.`);
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

function layerOf(info: LayerInfo, joined: Joining, device: string | null): LayerEntry {
  const { layer: name, hash, maxMessageBytes, address } = info;
  return { name, hash, maxMessageBytes, address, device, joined, names: new Set() };
}
