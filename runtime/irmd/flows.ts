/**
 * Allocation of flows: directly between two processes of the node, or through its IPCPs. Knows no sockets: the
 * data plane, time and randomness are given to it. Source: irmd-and-irm.md 5.
 */
import { O7sError } from '../lib/errors.ts';
import { maxPacketLifetimeMs } from '../lib/frct/limits.ts';
import type { Logger } from '../lib/log.ts';
import { flowIdMax, flowIdMin, messageBytesMax } from '../lib/limits.ts';
import { LowestFree } from '../lib/lowest-free.ts';
import { hashName } from '../lib/names.ts';
import { isOrdered, npQos, type QosJson, qosFromJson, qosToJson } from '../lib/qos.ts';
import type { FlowGrant } from '../lib/rpc/api.ts';
import type { AllocationAnswer } from '../lib/rpc/data-plane-api.ts';
import type { FlowInfo } from '../lib/rpc/events.ts';
import { Complaints } from './complaints.ts';
import type { EventHub } from './events.ts';
import { type Encrypted, Handshakes } from './handshakes.ts';
import type { Accept, DataPlanePort, IpcpEntry, NameEntry, ProcessEntry, Registry } from './registry.ts';
import type { SecuritySource } from './security.ts';
import type { Shares } from './shares.ts';

/** Times in ms; parameters, so that a test need not wait for them. */
export interface FlowLimits {
  /** An allocation without a limit of its own. */
  readonly allocateMs: number;
  /** How long a request waits for somebody who accepts. */
  readonly acceptorMs: number;
  /**
   * How long a layer that knows a name waits at least for those that come before it. One that took longer to find it
   * waits as long again: what delayed its answer delays theirs.
   */
  readonly preferenceMs: number;
  /** How long a program that was started for a request may take until it accepts. */
  readonly startMs: number;
}

export const flowLimits: FlowLimits = {
  allocateMs: 20_000,
  acceptorMs: 1000,
  preferenceMs: 5,
  startMs: 5000,
};

/** Starts the programs of names that nobody serves. */
export interface ProgramStarter {
  /** The user the programs run as. */
  readonly uid: number;
  /** The pid; undefined when it cannot be started. `onEnd` runs when the program has ended. */
  start(path: string, args: readonly string[], onEnd: () => void): number | undefined;
}

/** Programs that run because they were started for one name. */
const startedMax = 32;

export interface FlowSurroundings {
  readonly registry: Registry;
  readonly log: Logger;
  readonly events: EventHub;
  readonly limits: FlowLimits;
  /** ns since 1970. */
  readonly wallClock: () => bigint;
  readonly randomBytes: (count: number) => Buffer;
  /** Without one, flows are clear and nobody proves who he is. */
  readonly security?: SecuritySource | undefined;
  /** Without one, no program is started. */
  readonly starter?: ProgramStarter | undefined;
  readonly shares: Shares;
}

interface PendingAccept extends Accept {
  /** Where the process takes direct flows. */
  readonly listen: string;
  readonly grant: (grant: FlowGrant) => void;
}

interface FlowRecord {
  readonly name: string;
  readonly owners: Set<ProcessEntry>;
  /** The IPCP the flow goes through; a direct flow has none. */
  readonly ipcp: IpcpEntry | undefined;
  readonly qos: QosJson;
  /** Whether the layer carries its packets. */
  up: boolean;
  /** ms since 1970. */
  allocatedAt: number;
  /** Whether listeners know of it. */
  told: boolean;
  /** Its id is in the share of a user no more. */
  readonly giveBack: () => void;
}

const okAnswer = 0;
const joinQos = qosToJson(npQos);
const tokenBytes = 16;
/** Bytes in front of the hash and handshake in the longest allocation message, beyond those of a flow's packets. */
const messageHeaderBytesMax = 43;

export class Flows {
  readonly #around: FlowSurroundings;
  readonly #ids = new LowestFree(flowIdMin, flowIdMax);
  readonly #flows = new Map<number, FlowRecord>();
  readonly #accepts = new Map<ProcessEntry, Set<PendingAccept>>();
  readonly #handshakes: Handshakes;
  /** Programs that were started for a name and have not accepted yet; aborted when the last of them ended. */
  readonly #starting = new Map<NameEntry, AbortSignal>();
  /** How many programs run that were started for a name. */
  readonly #started = new Map<NameEntry, number>();

  constructor(around: FlowSurroundings) {
    this.#around = around;
    this.#handshakes = new Handshakes(around);
  }

  /** Flows of the node, each end counted. */
  get count(): number {
    return this.#ids.used;
  }

  /** Those that are complete. */
  list(): FlowInfo[] {
    return [...this.#flows].flatMap(([flowId, flow]) => (flow.told ? [flowInfo(flowId, flow)] : []));
  }

  /** Whether a process holds an end of a flow. */
  isOf(flowId: number, process: ProcessEntry): boolean {
    return this.#flows.get(flowId)?.owners.has(process) === true;
  }

  /** Whether a process holds an end of any. */
  holds(process: ProcessEntry): boolean {
    for (const { owners } of this.#flows.values()) if (owners.has(process)) return true;
    return false;
  }

  /** The layer carries a flow's packets no more, or again. */
  stateChanged(flowId: number, up: boolean): void {
    const flow = this.#flows.get(flowId);
    if (flow === undefined || flow.up === up) return;
    flow.up = up;
    const { name } = flow;
    if (flow.told) this.#around.events.emit({ event: up ? 'flow.up' : 'flow.down', flowId, name });
  }

  /** Waits for the next flow to a name of the process. */
  accept(
    process: ProcessEntry,
    params: { timeoutMs: number | null; listen: string },
    signal: AbortSignal,
  ): Promise<FlowGrant> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        this.#around.registry.removeAccept(pending);
        this.#accepts.get(process)?.delete(pending);
      };
      const pending: PendingAccept = {
        process,
        listen: params.listen,
        grant: (grant) => (settle(), resolve(grant)),
      };
      const cancel = (): void => (settle(), reject(new O7sError('ECANCELED')));
      const { timeoutMs } = params;
      const timer =
        timeoutMs === null
          ? undefined
          : setTimeout(() => (settle(), reject(new O7sError('ETIMEDOUT'))), timeoutMs);
      if (signal.aborted) return cancel();
      signal.addEventListener('abort', cancel, { once: true });
      const ofProcess = this.#accepts.get(process) ?? new Set();
      this.#accepts.set(process, ofProcess.add(pending));
      this.#around.registry.addAccept(pending);
    });
  }

  /** An IPCP takes all flows that come to its names. */
  acceptStanding(process: ProcessEntry, plane: DataPlanePort): void {
    const standing: PendingAccept = {
      process,
      standing: true,
      get listen() {
        return plane.socket;
      },
      grant: (grant) => {
        plane.call('flow.offered', { pid: process.pid, grant }).catch(() => this.closed(grant.flowId));
      },
    };
    this.#accepts.set(process, new Set([standing]));
  }

  /** The accept calls of a process that wait. */
  acceptsOf(process: ProcessEntry): Iterable<Accept> {
    return [...(this.#accepts.get(process) ?? [])];
  }

  /** Allocates a flow for a process to a name. */
  async allocate(
    process: ProcessEntry,
    params: { name: string; qos: QosJson; timeoutMs: number | null },
    signal: AbortSignal,
  ): Promise<FlowGrant> {
    const { name, qos, timeoutMs } = params;
    const { log, limits } = this.#around;
    if (process.ipcp !== undefined && ordered(qos)) {
      throw new O7sError('ENOTSUP', 'an IPCP has no order on its flows', { hint: 'use qos raw' });
    }
    log.info(`Allocating flow for ${process.pid} to ${name} (uid ${process.uid}).`);
    const limit = AbortSignal.timeout(Math.ceil(timeoutMs ?? limits.allocateMs));
    const either = AbortSignal.any([signal, limit]);
    try {
      return await this.#find(process, name, qos, either);
    } catch (error) {
      if (signal.aborted) throw new O7sError('ECANCELED');
      if (limit.aborted) {
        log.error('Flow allocation timed out.');
        throw new O7sError(timeoutMs === null ? 'EPERM' : 'ETIMEDOUT', `no answer from ${name} in time`);
      }
      throw error;
    }
  }

  /** A process joins a broadcast layer. */
  async join(process: ProcessEntry, layerName: string): Promise<FlowGrant> {
    const { registry, log } = this.#around;
    log.info(`Allocating flow for ${process.pid} to ${layerName} (uid ${process.uid}).`);
    const ipcp = registry.ipcps().find(({ layer }) => layer?.name === layerName);
    if (ipcp?.layer === undefined) {
      log.child('reg').error(`No IPCP for ${layerName} not found.`);
      log.error(`Failed to get IPCP for layer ${layerName}.`);
      throw new O7sError('EIPCP', `no IPCP of this node is in a layer ${layerName}`);
    }
    if (ipcp.type !== 'broadcast') {
      log.error(`Flow join with layer ${layerName} failed.`);
      throw new O7sError('ENOTALLOC', `layer ${layerName} is no broadcast layer`, {
        hint: 'allocate a flow to a name instead',
      });
    }
    const { plane, layer } = ipcp;
    const grant = this.#grant(layerName, [process], ipcp, joinQos, plane.socket, layer.maxMessageBytes);
    const { flowId, token } = grant;
    try {
      await plane.call('flow.join', { pid: ipcp.pid, flowId, token });
    } catch (error) {
      this.#forget(flowId);
      throw error;
    }
    this.#tellAllocated(flowId);
    return grant;
  }

  /** Answers a request for a flow that came in through an IPCP. */
  async requested(
    ipcp: IpcpEntry,
    params: { hash: string; qos: QosJson; piggyback: string; maxMessageBytes: number },
  ): Promise<AllocationAnswer> {
    const { registry, log, limits } = this.#around;
    const entry =
      ipcp.layer === undefined
        ? undefined
        : registry.findNameByHash(Buffer.from(params.hash, 'hex'), ipcp.layer.hash);
    if (entry === undefined || ipcp.layer === undefined) {
      log.warn(`No name for ${params.hash.slice(0, 8)}.`);
      return refusal('ENAME');
    }
    log.info(`Flow request arrived for ${entry.name}.`, { ipcp: ipcp.name, layer: ipcp.layer.name });
    if (ordered(params.qos) && isOfIpcp(entry)) {
      log.warn(`Refused a flow to ${entry.name}: an IPCP has no order on its flows.`);
      return refusal('ENOTSUP');
    }
    const request = Buffer.from(params.piggyback, 'hex');
    const answer = this.#handshakes.answer(entry.name, request, ordered(params.qos));
    if ('error' in answer) return refusal(answer.error);
    if (answer.response.length > params.maxMessageBytes - messageHeaderBytesMax) {
      log.error(
        `The handshake for ${entry.name} has ${answer.response.length} bytes, too many for its layer.`,
      );
      return refusal('ECRYPT');
    }
    const mayStart = entry.processes.size === 0;
    const patience = mayStart && autoStart(entry) !== undefined ? 0 : limits.acceptorMs;
    const accept =
      (await this.#acceptor(entry, patience, () => true)) ?? (await this.#fromStarted(entry, () => true));
    if (accept === undefined) {
      log.error(`No active process for ${entry.name}.`);
      return refusal('EIPCP');
    }
    if (!registry.hasIpcp(ipcp)) {
      // Nobody would ever say that the flow is over.
      this.#giveBack(accept);
      log.warn(`The IPCP of a flow to ${entry.name} is gone before it was accepted.`, { ipcp: ipcp.name });
      return refusal('EIPCP');
    }
    const { process } = accept;
    const { socket } = ipcp.plane;
    let open: FlowGrant;
    try {
      open = this.#grant(entry.name, [process], ipcp, params.qos, socket, params.maxMessageBytes);
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      this.#giveBack(accept);
      log.warn(`Refused a flow to ${entry.name}: ${error.message}.`, { ipcp: ipcp.name });
      return refusal(error.code);
    }
    const grant = { ...open, ...answer.flow };
    const user = userIn(ipcp.plane, process);
    if (user === null) accept.grant(grant);
    const { flowId, token } = grant;
    this.#tellAllocated(flowId);
    log.info(`Flow ${flowId} accepted by ${process.pid} for ${entry.name} (uid ${process.uid}).`, {
      event: 'flow.allocated',
      flow: flowId,
      ipcp: ipcp.name,
      layer: ipcp.layer?.name,
    });
    const piggyback = answer.response.toString('hex');
    const accepted = { response: okAnswer, flowId, token, piggyback, user } as const;
    return user === null ? accepted : { ...accepted, ...answer.flow };
  }

  /** A process releases its end. */
  deallocate(process: ProcessEntry, flowId: number): void {
    const flow = this.#flows.get(flowId);
    if (flow === undefined || !flow.owners.has(process)) throw new O7sError('ENOTALLOC');
    this.#around.log.info(`Deallocating flow ${flowId} for process ${process.pid} (timeout: 0 s).`, {
      flow: flowId,
    });
    flow.owners.delete(process);
    // What the process wrote may still be in its socket: the data plane says when it is through.
    if (flow.ipcp === undefined && flow.owners.size === 0) this.#forget(flowId);
  }

  /** The data plane is through with a flow. */
  closed(flowId: number): void {
    const flow = this.#flows.get(flowId);
    if (flow === undefined) return;
    this.#forget(flowId);
    const by = flow.ipcp === undefined ? '' : ` by process ${flow.ipcp.pid}`;
    this.#around.log.info(`Completed deallocation of flow_id ${flowId}${by}.`, {
      event: 'flow.deallocated',
      flow: flowId,
    });
  }

  /** An IPCP is gone, and its flows with it. */
  ipcpGone(ipcp: IpcpEntry): void {
    for (const [flowId, flow] of this.#flows) if (flow.ipcp === ipcp) this.#forget(flowId);
  }

  /** A process is gone: what it waited for and its ends of direct flows are too. */
  processGone(process: ProcessEntry): void {
    this.#accepts.delete(process);
    for (const [flowId, flow] of this.#flows) {
      if (flow.owners.delete(process) && flow.ipcp === undefined && flow.owners.size === 0)
        this.#forget(flowId);
    }
  }

  async #find(process: ProcessEntry, name: string, qos: QosJson, signal: AbortSignal): Promise<FlowGrant> {
    const { registry, limits } = this.#around;
    // An IPCP that serves a name asks for other members; an application may well ask for itself.
    const isOther = (bound: ProcessEntry): boolean => process.ipcp === undefined || bound !== process;
    const mayServe = (accept: Accept): boolean =>
      sameUser(accept.process, process) && isOther(accept.process);
    const entry = registry.findName(name);
    // A process of this node that serves the name comes first; it may be between two accept calls.
    const served = [...(entry?.processes ?? [])].some((bound) => sameUser(bound, process) && isOther(bound));
    const patience = served ? limits.acceptorMs : 0;
    if (entry !== undefined) {
      const local =
        (await this.#acceptor(entry, patience, mayServe, signal)) ??
        (this.#mayStartFor(process) ? await this.#fromStarted(entry, mayServe, signal) : undefined);
      signal.throwIfAborted();
      if (local !== undefined) return this.#direct(process, entry, local, qos);
    }

    const known = await this.#overLayers(process, name, qos, signal);
    if (known !== undefined) return known;
    if (entry === undefined) {
      this.#around.log.child('reg').error(`Name ${name} does not exist.`);
      this.#around.log.error(`Failed to get name info for ${name}.`);
      throw new O7sError('ENAME', `${name} is not known here, and no layer knows it`, {
        hint: 'register it in a layer that both nodes are in',
      });
    }
    const late = await this.#acceptor(entry, limits.acceptorMs - patience, mayServe, signal);
    if (late !== undefined) return this.#direct(process, entry, late, qos);
    this.#around.log.error(`Failed to find IPCP for ${name}.`);
    throw new O7sError('EIPCP', `nobody serves ${name}: no process accepts, no layer knows it`, {
      hint: 'start its server, bind it to the name, and register the name in a layer',
    });
  }

  #direct(process: ProcessEntry, entry: NameEntry, accept: PendingAccept, qos: QosJson): FlowGrant {
    const { log } = this.#around;
    let open: FlowGrant;
    let encrypted: Encrypted;
    try {
      if (accept.process.ipcp !== undefined && ordered(qos)) {
        throw new O7sError('ENOTSUP', `${entry.name} is an IPCP, which has no order on its flows`, {
          hint: 'use qos raw',
        });
      }
      encrypted = this.#handshakes.within(entry.name, ordered(qos));
      const owners = [process, accept.process];
      open = this.#grant(entry.name, owners, undefined, qos, accept.listen, messageBytesMax);
    } catch (error) {
      // Whom it was not to be had for is nothing to who accepts.
      this.#giveBack(accept);
      throw error;
    }
    const grant = { ...open, ...encrypted };
    accept.grant({ ...grant, connect: null });
    this.#tellAllocated(grant.flowId);
    const subject = { event: 'flow.allocated', flow: grant.flowId };
    log.info(`Flow ${grant.flowId} accepted (direct) by ${accept.process.pid} for ${entry.name}.`, subject);
    log.info(`Flow ${grant.flowId} allocated (direct) for ${process.pid} to ${entry.name}.`, subject);
    return grant;
  }

  /** Tries the layers that know the name, in their order; undefined when none does. */
  async #overLayers(
    process: ProcessEntry,
    name: string,
    qos: QosJson,
    signal: AbortSignal,
  ): Promise<FlowGrant | undefined> {
    let failure: Error | undefined;
    for await (const ipcp of this.#knowing(name, process, signal)) {
      try {
        return await this.#overLayer(process, ipcp, name, qos, signal);
      } catch (error) {
        signal.throwIfAborted();
        failure = error as Error;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /**
   * The IPCPs whose layers know a name, the preferred first. All are asked at once; one that says yes waits only a
   * moment for those before it, because a layer that does not know a name may take long to be sure of it.
   */
  async *#knowing(
    name: string,
    askedBy: ProcessEntry,
    signal: AbortSignal,
  ): AsyncGenerator<IpcpEntry, void, void> {
    const { registry, limits } = this.#around;
    let wake = (): void => {};
    let preferenceOver: boolean | undefined;
    const askedAt = performance.now();
    const asked = registry
      .ipcps()
      // An IPCP gets its flows from other layers than its own.
      .filter(({ layer, type, pid }) => layer !== undefined && type !== 'broadcast' && pid !== askedBy.pid)
      .map((ipcp, place) => ({ ipcp, place, knows: undefined as boolean | undefined }));
    const complaints = new Complaints<IpcpEntry>((ipcp, text) => this.#complain(ipcp, text));
    for (const entry of asked) {
      void this.#ask(entry.ipcp, name).then(({ known, complaint }) => {
        entry.knows = known;
        if (complaint !== undefined) complaints.heard(entry.place, entry.ipcp, complaint);
        wake();
      });
    }
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => wake();
    signal.addEventListener('abort', abort);
    try {
      while (asked.length > 0) {
        signal.throwIfAborted();
        const yes = asked.findIndex(({ knows }) => knows === true);
        const undecided = asked.some(({ knows }, index) => knows === undefined && index < yes);
        if (yes !== -1 && (!undecided || preferenceOver === true)) {
          const [chosen] = asked.splice(yes, 1);
          if (chosen === undefined) continue;
          complaints.reached(chosen.place);
          yield chosen.ipcp;
          continue;
        }
        if (asked.every(({ knows }) => knows === false)) return complaints.reached(Number.POSITIVE_INFINITY);
        if (yes !== -1 && preferenceOver === undefined) {
          preferenceOver = false;
          timer = setTimeout(
            () => {
              preferenceOver = true;
              wake();
            },
            Math.max(limits.preferenceMs, performance.now() - askedAt),
          );
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  async #overLayer(
    process: ProcessEntry,
    ipcp: IpcpEntry,
    name: string,
    qos: QosJson,
    signal: AbortSignal,
  ): Promise<FlowGrant> {
    const { log } = this.#around;
    const { plane } = ipcp;
    const { layer } = ipcp;
    if (layer === undefined) throw new O7sError('EIPCPSTATE');
    const hash = hashName(name, layer.hash).toString('hex');
    const ask = this.#handshakes.asker(name, ordered(qos));
    let lastId = 0;
    do {
      const oap = ask();
      const room = layer.maxMessageBytes - messageHeaderBytesMax - hash.length / 2;
      if (oap.bytes.length > room) {
        throw new O7sError('EMSGSIZE', `the handshake with ${name} has ${oap.bytes.length} bytes`, {
          hint: `${layer.name} takes ${room}: choose another kex in enc.conf, or a smaller certificate`,
        });
      }
      const grant = this.#grant(name, [process], ipcp, qos, plane.socket, layer.maxMessageBytes);
      const { flowId, token } = grant;
      lastId = flowId;
      const user = userIn(plane, process);
      const giveUp = (): void => {
        this.#forget(flowId);
        plane.call('flow.deallocate', { flowId }).catch(() => {});
      };
      try {
        const piggyback = oap.bytes.toString('hex');
        const params = { pid: ipcp.pid, process: process.pid, flowId, token, hash, qos, piggyback, user };
        const asked = plane.call('flow.allocate', params).catch((error: unknown) => {
          log.error(`Flow allocation ${flowId} failed.`, { flow: flowId });
          throw error;
        });
        const result = await orAborted(asked, signal);
        if (result.outcome === 'accepted') {
          const encrypted = oap.judge(Buffer.from(result.piggyback, 'hex'));
          this.#tellAllocated(flowId);
          return { ...grant, ...encrypted, maxMessageBytes: result.maxMessageBytes };
        }
        if (result.outcome === 'refused') {
          log.warn(`Allocation rejected: ${name} (${result.response}).`);
          throw O7sError.fromErrno(result.response, `${name} refused the flow (${result.response})`);
        }
        giveUp();
      } catch (error) {
        giveUp();
        throw error;
      }
    } while ((await orAborted(this.#ask(ipcp, name), signal)).known);
    log.error(`Flow allocation ${lastId} failed.`, { flow: lastId });
    throw new O7sError('EIPCP', `${name} was known in ${layer.name} but no longer answers`);
  }

  /** Asks an IPCP whether its layer knows a name. */
  async #ask(ipcp: IpcpEntry, name: string): Promise<{ known: boolean; complaint?: string | undefined }> {
    const { pid, layer, plane } = ipcp;
    if (layer === undefined) return { known: false };
    const hash = hashName(name, layer.hash).toString('hex');
    try {
      const { known, complaint, maxMessageBytes } = await plane.call('name.query', { pid, hash });
      layer.maxMessageBytes = maxMessageBytes;
      return { known, complaint };
    } catch {
      // An IPCP that is gone knows nothing.
      return { known: false };
    }
  }

  /** Logs what an IPCP has to say of a name that it was asked for. */
  #complain({ pid, type, name, layer }: IpcpEntry, text: string): void {
    const speaker = { pid, program: `ipcpd-${type}`, ipcp: name, layer: layer?.name };
    this.#around.log.child(`ipcpd/${type}`, speaker).error(text);
  }

  /** The next accept call to a name that may serve; undefined when none came in time. */
  #acceptor(
    entry: NameEntry,
    patienceMs: number,
    mayServe: (accept: Accept) => boolean,
    signal?: AbortSignal,
  ): Promise<PendingAccept | undefined> {
    const take = (accept: Accept): PendingAccept => {
      this.#around.registry.removeAccept(accept);
      return accept as PendingAccept;
    };
    const ready = entry.accepts.find(mayServe);
    if (ready !== undefined) return Promise.resolve(take(ready));
    if (patienceMs <= 0 || signal?.aborted === true) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const settle = (accept: PendingAccept | undefined): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        entry.waiters.delete(waiter);
        resolve(accept);
      };
      const giveUp = (): void => settle(undefined);
      const waiter = (accept: Accept): boolean => {
        if (!mayServe(accept)) return false;
        settle(take(accept));
        return true;
      };
      const timer = setTimeout(giveUp, patienceMs);
      signal?.addEventListener('abort', giveUp, { once: true });
      entry.waiters.add(waiter);
    });
  }

  /** Nothing came of the flow that an accept call was taken for: it waits again. One that stands was never taken. */
  #giveBack(accept: PendingAccept): void {
    const { process, standing } = accept;
    if (standing !== true && this.#accepts.get(process)?.has(accept) === true)
      this.#around.registry.addAccept(accept);
  }

  /** Whether a program that is started would be of the user who asks: direct flows join those of one user only. */
  #mayStartFor({ uid, privileged, ipcp }: ProcessEntry): boolean {
    const starter = this.#around.starter;
    if (starter === undefined || ipcp !== undefined) return false;
    return uid === starter.uid || (privileged && starter.uid === 0);
  }

  /** Starts a program that is bound to a name for that, unless one is starting, and waits until it accepts. */
  async #fromStarted(
    entry: NameEntry,
    mayServe: (accept: Accept) => boolean,
    signal?: AbortSignal,
  ): Promise<PendingAccept | undefined> {
    const { log, limits, starter } = this.#around;
    const program = autoStart(entry);
    if (program === undefined || starter === undefined || signal?.aborted === true) return undefined;
    let ended = this.#starting.get(entry);
    if (ended === undefined) {
      const running = this.#started.get(entry) ?? 0;
      if (running >= startedMax) {
        log.error(`Not starting ${program.path} for ${entry.name}: ${running} were started and run.`);
        return undefined;
      }
      const end = new AbortController();
      const pid = starter.start(program.path, program.auto, () => {
        const left = (this.#started.get(entry) ?? 1) - 1;
        if (left === 0) this.#started.delete(entry);
        else this.#started.set(entry, left);
        end.abort();
      });
      if (pid === undefined) {
        log.error(`Failed to start ${program.path} for ${entry.name}.`);
        return undefined;
      }
      this.#started.set(entry, running + 1);
      log.info(`Instantiated ${program.path} as process ${pid}.`);
      log.info(`Starting ${program.path} for ${entry.name}.`);
      ended = end.signal;
      this.#starting.set(entry, ended);
    }
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const accept = await this.#acceptor(entry, limits.startMs, mayServe, either);
    if (this.#starting.get(entry) === ended) this.#starting.delete(entry);
    return accept;
  }

  #grant(
    name: string,
    owners: readonly ProcessEntry[],
    ipcp: IpcpEntry | undefined,
    qos: QosJson,
    connect: string,
    maxMessageBytes: number,
  ): FlowGrant {
    const [payer] = owners;
    const giveBack = payer === undefined ? () => {} : this.#around.shares.take(payer, 'flows');
    const flowId = this.#ids.take();
    if (flowId === undefined) {
      giveBack();
      throw new O7sError('EBADF', `this node has ${this.#ids.size} flows open`, {
        hint: 'release some: `irm events` lists them',
      });
    }
    const allocatedAt = this.#around.events.now;
    this.#flows.set(flowId, {
      name,
      owners: new Set(owners),
      ipcp,
      qos,
      up: true,
      allocatedAt,
      told: false,
      giveBack,
    });
    return {
      flowId,
      qos,
      maxMessageBytes,
      mplMs: maxPacketLifetimeMs[ipcp?.type ?? 'direct'],
      connect,
      token: this.#around.randomBytes(tokenBytes).toString('hex'),
    };
  }

  #tellAllocated(flowId: number): void {
    const flow = this.#flows.get(flowId);
    if (flow === undefined) return;
    flow.told = true;
    flow.allocatedAt = this.#around.events.now;
    this.#around.events.emit({ event: 'flow.allocated', flow: flowInfo(flowId, flow) });
  }

  #forget(flowId: number): void {
    const flow = this.#flows.get(flowId);
    this.#flows.delete(flowId);
    this.#ids.release(flowId);
    flow?.giveBack();
    // An attempt that came to nothing was never a flow to anybody.
    if (flow?.told !== true) return;
    this.#around.events.emit({ event: 'flow.deallocated', flowId, name: flow.name });
  }
}

function flowInfo(flowId: number, flow: FlowRecord): FlowInfo {
  const { name, owners, ipcp, qos, up, allocatedAt } = flow;
  const ends = [...owners].map(({ pid, program }) => ({ pid, program }));
  const layer = ipcp?.layer?.name ?? null;
  return { flowId, name, ends, ipcp: ipcp?.pid ?? null, layer, qos, up, allocatedAt };
}

/** The program that is started for a name: of several the one that was bound last. */
function autoStart({ programs }: NameEntry): { path: string; auto: readonly string[] } | undefined {
  for (const { path, auto } of [...programs.values()].toReversed()) if (auto !== null) return { path, auto };
  return undefined;
}

function ordered(qos: QosJson): boolean {
  return isOrdered(qosFromJson(qos));
}

/** What an IPCP sends and takes is ordered by nobody: data transfer of a prototype does not survive it (unicast-layer.md 2.2). */
function isOfIpcp({ processes }: NameEntry): boolean {
  return [...processes].some(({ ipcp }) => ipcp !== undefined);
}

function refusal(code: ConstructorParameters<typeof O7sError>[0]): AllocationAnswer {
  return { response: -new O7sError(code).errno };
}

/** The IPCP a flow is for, where it runs in the data plane that has the flow; null for anybody else. */
function userIn(plane: DataPlanePort, { ipcp }: ProcessEntry): number | null {
  return ipcp?.plane === plane ? ipcp.pid : null;
}

/** Direct flows join processes of one user only; who is privileged counts as one. */
function sameUser(a: ProcessEntry, b: ProcessEntry): boolean {
  return (a.privileged && b.privileged) || a.uid === b.uid;
}

/** What a promise brings, unless the signal aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new O7sError('ECANCELED'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
