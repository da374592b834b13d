/** The IPCPs of one data-plane process, as irmd drives them. */
import { errnoOf, type ErrorCode, O7sError } from '../../lib/errors.ts';
import type { FlowRendezvous } from '../../lib/flow/rendezvous.ts';
import type { Logger, LogSetting, LogSpeaker } from '../../lib/log.ts';
import { leaveHotLoop } from '../../lib/os/hot-loop.ts';
import { nodeRequestsMax } from '../../lib/limits.ts';
import { hashBytes, hashName } from '../../lib/names.ts';
import { KernelError } from '../../lib/os/libc.ts';
import { qosFromJson, type QosJson, qosToJson } from '../../lib/qos.ts';
import { type BootstrapConfig, componentTitles, type IpcpType } from '../../lib/rpc/api.ts';
import type { IpcpCounts } from '../../lib/rpc/events.ts';
import type {
  AllocationAnswer,
  AllocationOutcome,
  DataPlaneApi,
  CallIrmd,
  LayerInfo,
} from '../../lib/rpc/data-plane-api.ts';
import type { Deadlines } from '../../lib/time/clock.ts';
import { type DeadlineTimer, monotonicNow } from '../../lib/time/timer.ts';
import { ApplicationPort, type PortCounters } from './application-port.ts';
import { ChangeNotes } from './change-notes.ts';
import { InnerPort } from './inner-port.ts';
import type {
  FlowOutcome,
  FlowRequest,
  FlowUser,
  Joined,
  Layer,
  LayerEvents,
  LayerFlow,
  StackedSurroundings,
  StackedIpcp,
} from './layer.ts';
import { LateFlows } from './late-flows.ts';
import { IpcpLowerFlows } from './lower-flows.ts';
import type { Turn } from './turn.ts';

/** Makes the layer of a type when its IPCP is bootstrapped. */
export type LayerFactory = (config: BootstrapConfig, events: LayerEvents, log: Logger) => Layer;

/** Makes an IPCP of a type whose layer lies over others. */
export type StackedFactory = (
  around: Pick<StackedSurroundings, 'lower' | 'events' | 'log' | 'deadlineChanged' | 'factsChanged'>,
) => StackedIpcp;

interface Ipcp {
  readonly pid: number;
  readonly type: IpcpType;
  readonly log: Logger;
  readonly speaker: LogSpeaker;
  layer: Layer | undefined;
  /** Of a type over other layers: there before its layer is. */
  readonly stacked: StackedIpcp | undefined;
  /** The flows it uses itself. */
  readonly lower: IpcpLowerFlows;
  /** What wants to be called, each time for a turn. */
  deadlines: Deadlines | undefined;
  /** Whether the device of a link layer is up; null where there is none. */
  linkUp: boolean | null;
  /** Whether its deadlines are to be asked for when the turn ends. */
  deadlineAsked: boolean;
  /** What the ports of flows that are gone have counted. */
  readonly ports: Record<string, number>;
}

/** What uses a flow of an IPCP here. */
interface Port extends FlowUser {
  readonly counters: PortCounters;
  flow: LayerFlow | undefined;
  close(): void;
}

interface HostedFlow {
  readonly ipcp: Ipcp;
  readonly port: Port;
  readonly token: string;
  /** The IPCP of this process that uses the flow; null where an application does. */
  readonly user: number | null;
}

export interface HostSetup {
  readonly turn: Turn;
  readonly timer: DeadlineTimer;
  readonly rendezvous: FlowRendezvous;
  readonly factories: Partial<Record<IpcpType, LayerFactory>>;
  readonly stackedFactories: Partial<Record<IpcpType, StackedFactory>>;
  readonly call: CallIrmd;
  readonly log: Logger;
  readonly logSetting: LogSetting;
}

type Handlers = {
  [M in keyof DataPlaneApi]: (
    params: DataPlaneApi[M]['params'],
  ) => DataPlaneApi[M]['result'] | Promise<DataPlaneApi[M]['result']>;
};

export class IpcpHost {
  readonly #setup: HostSetup;
  readonly #ipcps = new Map<number, Ipcp>();
  readonly #flows = new Map<number, HostedFlow>();
  readonly #late: LateFlows;
  readonly #notes: ChangeNotes;
  /** Requests for flows that irmd has not answered. */
  #requestsOpen = 0;

  /** What irmd may call. */
  readonly handlers: Handlers = {
    'log.level': ({ level }) => {
      this.#setup.logSetting.level = level;
      return null;
    },
    'ipcp.create': ({ pid, name, type }) => this.#create(pid, name, type),
    'ipcp.bootstrap': ({ pid, layer, config }) => this.#bootstrap(pid, layer, config),
    'ipcp.enroll': ({ pid, destination, layer }) => this.#enroll(pid, destination, layer),
    'ipcp.connect': (params) => this.#connect(params),
    'ipcp.disconnect': (params) => this.#disconnect(params),
    'ipcp.counters': ({ pid }) => this.#counters(pid),
    'ipcp.metrics': ({ pid, parts }) => this.#metrics(pid, parts),
    'ipcp.facts': ({ pid }) => this.#facts(pid),
    'counters.sample': () => this.#sample(),
    'ipcp.destroy': ({ pid }) => this.#destroy(pid),
    'ipcp.kill': ({ pid }) => this.#kill(pid),
    'name.register': ({ pid, hash }) => this.#directory('register', pid, hash),
    'name.unregister': ({ pid, hash }) => this.#directory('unregister', pid, hash),
    'name.query': ({ pid, hash }) => this.#query(pid, hash),
    'flow.allocate': (params) => this.#allocate(params),
    'flow.join': (params) => this.#join(params),
    'flow.offered': ({ pid, grant }) => {
      const ipcp = this.#ipcp(pid);
      ipcp.lower.offered(grant, (flow) => this.#stacked(ipcp).acceptFlow(flow, monotonicNow()));
      this.#endTurn(ipcp);
      return null;
    },
    'flow.deallocate': ({ flowId }) => {
      this.#release(flowId);
      return null;
    },
  };

  constructor(setup: HostSetup) {
    this.#setup = setup;
    this.#late = new LateFlows(setup.turn, monotonicNow);
    setup.timer.add(this.#late);
    this.#notes = new ChangeNotes((changed) => {
      // Who is gone needs not be told.
      this.#callIrmd('dataPlane.changed', changed).catch(() => {});
    });
    setup.timer.add(this.#notes);
  }

  /** Ends all IPCPs and their flows, those over others first. */
  close(): void {
    const stackedFirst = [...this.#ipcps.values()].toSorted(
      (a, b) => Number(b.stacked !== undefined) - Number(a.stacked !== undefined),
    );
    for (const { pid } of stackedFirst) this.#destroy(pid);
  }

  #create(pid: number, name: string, type: IpcpType): null {
    const { factories, stackedFactories, turn, rendezvous } = this.#setup;
    const makeStacked = stackedFactories[type];
    if (factories[type] === undefined && makeStacked === undefined) {
      throw new O7sError('EIPCPTYPE', `IPCPs of type ${type} are not part of this build`);
    }
    const speaker: LogSpeaker = { pid, program: `ipcpd-${type}`, ipcp: name };
    const log = this.#setup.log.child('ipcpd/ipcp', speaker);
    const lower = new IpcpLowerFlows({
      pid,
      turn,
      rendezvous,
      call: (method, params) => this.#callIrmd(method, params),
      inner: (flowId) => {
        const port = this.#flows.get(flowId)?.port;
        return port instanceof InnerPort ? port : undefined;
      },
      endTurn: () => this.#endTurn(ipcp),
    });
    const stacked = makeStacked?.({
      lower,
      events: { flowRequested: (request) => this.#requested(ipcp, request) },
      log,
      deadlineChanged: () => this.#deadlineChanged(ipcp),
      factsChanged: () => this.#factsChanged(ipcp),
    });
    const ipcp: Ipcp = {
      pid,
      type,
      log,
      speaker,
      layer: undefined,
      stacked,
      lower,
      deadlines: undefined,
      linkUp: null,
      deadlineAsked: false,
      ports: {},
    };
    this.#ipcps.set(pid, ipcp);
    if (stacked !== undefined) this.#watchDeadlines(ipcp, stacked);
    log.info(`IPCP ${type} ${pid} initialized.`);
    return null;
  }

  #bootstrap(pid: number, name: string, config: BootstrapConfig): LayerInfo {
    const ipcp = this.#ipcp(pid);
    this.#mustBeNew(ipcp, 'bootstrap');
    ipcp.log.info('Bootstrapping...');
    try {
      if (ipcp.stacked !== undefined) {
        const joined = ipcp.stacked.bootstrap(name, config, monotonicNow());
        return this.#joined(ipcp, joined, `Finished bootstrapping in ${name}.`);
      }
      const factory = this.#setup.factories[ipcp.type];
      if (factory === undefined) throw new O7sError('EIPCPTYPE');
      const events: LayerEvents = {
        flowRequested: (request) => this.#requested(ipcp, request),
        linkChanged: (up) => {
          if (ipcp.linkUp === up) return;
          ipcp.linkUp = up;
          this.#factsChanged(ipcp);
        },
      };
      const layer = factory(config, events, ipcp.log);
      ipcp.linkUp ??= ipcp.type === 'local' ? null : true;
      this.#watchDeadlines(ipcp, layer);
      return this.#joined(ipcp, { layer, name }, `Finished bootstrapping in ${name}.`);
    } catch (error) {
      ipcp.log.error('Failed to bootstrap IPCP.');
      if (error instanceof KernelError) throw kernelRefusal(error);
      throw error;
    }
  }

  #enroll(pid: number, destination: string, wanted: string | null): Promise<LayerInfo> {
    const ipcp = this.#ipcp(pid);
    const stacked = this.#stacked(ipcp);
    this.#mustBeNew(ipcp, 'enroll');
    ipcp.log.info(`Enrolling with ${destination}...`);
    return new Promise((resolve, reject) => {
      stacked.enroll(destination, wanted ?? undefined, monotonicNow(), (result) => {
        leaveHotLoop();
        if (result instanceof O7sError) {
          ipcp.log.error('Failed to bootstrap IPCP.');
          ipcp.log.error(`Enrolment with ${destination} failed: ${result.message}.`);
          return reject(result);
        }
        resolve(
          this.#joined(ipcp, result, `Finished enrolling with ${destination} in layer ${result.name}.`),
        );
      });
      this.#endTurn(ipcp);
    });
  }

  #connect(params: DataPlaneApi['ipcp.connect']['params']): Promise<null> {
    const { pid, destination, component, qos } = params;
    const ipcp = this.#ipcp(pid);
    const stacked = this.#stacked(ipcp);
    this.#layer(pid);
    const what = componentTitles[component];
    ipcp.log.info(`Connecting ${what} to ${destination}...`);
    return new Promise((resolve, reject) => {
      stacked.connect(destination, component, qosFromJson(qos), monotonicNow(), (fault) => {
        leaveHotLoop();
        ipcp.log.info('Finished connecting.');
        if (fault === undefined) return resolve(null);
        ipcp.log.error(`Connecting ${what} to ${destination} failed: ${fault.message}.`);
        reject(fault);
      });
      this.#endTurn(ipcp);
    });
  }

  #disconnect({ pid, destination, component }: DataPlaneApi['ipcp.disconnect']['params']): null {
    const ipcp = this.#ipcp(pid);
    const what = componentTitles[component];
    ipcp.log.info(`Disconnecting ${what} from ${destination}...`);
    this.#stacked(ipcp).disconnect(destination, component, monotonicNow());
    this.#endTurn(ipcp);
    ipcp.log.info(`Finished disconnecting ${what} from ${destination}.`);
    return null;
  }

  #directory(what: 'register' | 'unregister', pid: number, hash: string): null {
    const ipcp = this.#ipcp(pid);
    const short = hash.slice(0, 8);
    ipcp.log.info(`${what === 'register' ? 'Registering' : 'Unregistering'} ${short}...`);
    this.#layer(pid)[what](Buffer.from(hash, 'hex'));
    this.#endTurn(ipcp);
    ipcp.log.info(`Finished ${what}ing ${short}.`);
    return null;
  }

  #mustBeNew(ipcp: Ipcp, what: 'bootstrap' | 'enroll'): void {
    if (ipcp.layer === undefined) return;
    ipcp.log.error(`Failed to ${what}: IPCP in state <operational>, need <boot>.`);
    throw new O7sError('EIPCPSTATE', `IPCP ${ipcp.pid} is in a layer already`, {
      hint: 'destroy it and create it again to change its layer',
    });
  }

  #joined(ipcp: Ipcp, { layer, name }: Joined, said: string): LayerInfo {
    ipcp.layer = layer;
    ipcp.speaker.layer = name;
    ipcp.log.info(said);
    ipcp.log.info(`  type: ${ipcp.type}`);
    ipcp.log.info(`  hash: ${layer.hash.replace('_', '-')} [${hashBytes(layer.hash)} bytes]`);
    const address = ipcp.stacked?.facts(monotonicNow()).address ?? null;
    return { layer: name, hash: layer.hash, maxMessageBytes: layer.maxMessageBytes, address };
  }

  #watchDeadlines(ipcp: Ipcp, subject: Deadlines): void {
    ipcp.deadlines = {
      nextDeadline: () => subject.nextDeadline(),
      advance: (now) => {
        subject.advance(now);
        this.#setup.turn.end();
      },
    };
    this.#setup.timer.add(ipcp.deadlines);
  }

  /** Asks at the end of the turn when the IPCP wants to be called. */
  #deadlineChanged(ipcp: Ipcp): void {
    if (ipcp.deadlineAsked) return;
    ipcp.deadlineAsked = true;
    this.#setup.turn.flushLater({
      flush: () => {
        ipcp.deadlineAsked = false;
        if (ipcp.deadlines !== undefined) this.#setup.timer.update(ipcp.deadlines);
      },
    });
  }

  #destroy(pid: number): null {
    const ipcp = this.#ipcp(pid);
    ipcp.log.info(`IPCP ${pid} shutting down.`);
    this.#end(ipcp);
    ipcp.log.info(`IPCP ${pid} out.`);
    return null;
  }

  /** What the death of its process is to an IPCP that has its own: it tells nobody in its layer. */
  #kill(pid: number): null {
    const ipcp = this.#ipcp(pid);
    // Without its flows and its device it may say what it likes.
    for (const [flowId, { port, user }] of this.#flows) {
      if (user !== pid || !(port instanceof InnerPort)) continue;
      port.user = undefined;
      this.#gone(flowId);
      port.flow = undefined;
    }
    ipcp.lower.cut();
    if (ipcp.stacked === undefined) {
      ipcp.layer?.close();
      ipcp.layer = undefined;
    }
    this.#end(ipcp);
    return null;
  }

  #end(ipcp: Ipcp): void {
    for (const [flowId, flow] of this.#flows) if (flow.ipcp === ipcp) this.#gone(flowId);
    this.#late.releaseOf(ipcp.pid);
    if (ipcp.deadlines !== undefined) this.#setup.timer.delete(ipcp.deadlines);
    ipcp.stacked?.close();
    if (ipcp.stacked === undefined) ipcp.layer?.close();
    this.#setup.turn.end();
    this.#ipcps.delete(ipcp.pid);
  }

  #counters(pid: number): Record<string, number> {
    const ipcp = this.#ipcp(pid);
    const counters: Record<string, number> = {
      ...ipcp.stacked?.counters,
      ...ipcp.layer?.counters,
      ...(ipcp.stacked === undefined ? {} : ipcp.lower.counters),
    };
    // Some reasons are counted at more than one place.
    addCounts(counters, ipcp.ports);
    for (const { ipcp: owner, port } of this.#flows.values()) {
      if (owner === ipcp) addCounts(counters, port.counters);
    }
    return counters;
  }

  #facts(pid: number): DataPlaneApi['ipcp.facts']['result'] {
    const { stacked, linkUp } = this.#ipcp(pid);
    const { adjacencies = [], routes = [] } = stacked?.facts(monotonicNow()) ?? {};
    return { linkUp, adjacencies, routes };
  }

  #sample(): DataPlaneApi['counters.sample']['result'] {
    const flowsOf = new Map<Ipcp, number>();
    const flows = [...this.#flows].map(([flowId, { ipcp, port }]) => {
      flowsOf.set(ipcp, (flowsOf.get(ipcp) ?? 0) + 1);
      const { packetsIn, bytesIn, packetsOut, bytesOut, ...dropped } = port.counters;
      return {
        flowId,
        packetsSent: packetsIn,
        bytesSent: bytesIn,
        packetsReceived: packetsOut,
        bytesReceived: bytesOut,
        ...dropped,
      };
    });
    const ipcps = [...this.#ipcps.values()].map((ipcp): IpcpCounts => {
      const gauges = { flows: flowsOf.get(ipcp) ?? 0, ...ipcp.stacked?.gauges };
      return { pid: ipcp.pid, counters: this.#counters(ipcp.pid), gauges };
    });
    return { ipcps, flows };
  }

  #factsChanged({ pid }: Ipcp): void {
    this.#notes.ipcpChanged(pid, monotonicNow());
    this.#setup.timer.update(this.#notes);
  }

  #stateChanged(flowId: number, up: boolean): void {
    this.#notes.flowChanged(flowId, up, monotonicNow());
    this.#setup.timer.update(this.#notes);
  }

  #metrics(pid: number, parts: readonly string[] | null): Record<string, unknown> {
    const metrics = Object.entries(this.#ipcp(pid).stacked?.metrics(monotonicNow()) ?? {});
    const wanted = metrics.filter(([part]) => parts === null || parts.includes(part));
    return Object.fromEntries(wanted.map(([part, make]) => [part, make()]));
  }

  #query(pid: number, hash: string): Promise<DataPlaneApi['name.query']['result']> {
    const ipcp = this.#ipcp(pid);
    const layer = this.#layer(pid);
    return new Promise((resolve) => {
      layer.query(Buffer.from(hash, 'hex'), monotonicNow(), (known, complaint) => {
        leaveHotLoop();
        resolve({ known, complaint, maxMessageBytes: layer.maxMessageBytes });
      });
      this.#endTurn(ipcp);
    });
  }

  #allocate(params: DataPlaneApi['flow.allocate']['params']): Promise<AllocationOutcome> {
    const { pid, flowId, token, hash, user } = params;
    const ipcp = this.#ipcp(pid);
    const layer = this.#layer(pid);
    const asked = `${params.process} to ${hash.slice(0, 8)}`;
    ipcp.log.info(`Allocating flow ${flowId} for ${asked}.`, { flow: flowId });
    const { maxMessageBytes } = layer;
    const port = this.#openPort(ipcp, layer, { flowId, token, user, maxMessageBytes });
    return new Promise((resolve) => {
      port.flow = layer.allocate(
        Buffer.from(hash, 'hex'),
        qosFromJson(params.qos),
        Buffer.from(params.piggyback, 'hex'),
        port,
        monotonicNow(),
        (outcome) => {
          leaveHotLoop();
          ipcp.log.info(`Finished allocating flow ${flowId} to ${hash.slice(0, 8)}.`, { flow: flowId });
          // The caller of `allocate` gets the flow only after this, where the layer answers at once.
          queueMicrotask(() => {
            if (outcome.kind !== 'accepted') this.#release(flowId);
            resolve(outcomeToJson(outcome, layer));
          });
        },
      );
      this.#endTurn(ipcp);
    });
  }

  #join({ pid, flowId, token }: DataPlaneApi['flow.join']['params']): null {
    const ipcp = this.#ipcp(pid);
    const layer = this.#layer(pid);
    if (layer.join === undefined) throw new O7sError('ENOTSUP', `a layer of type ${ipcp.type} is not joined`);
    const short = hashName(ipcp.speaker.layer ?? '', layer.hash).toString('hex', 0, 4);
    ipcp.log.info(`Joining layer ${short}.`, { flow: flowId });
    const { maxMessageBytes } = layer;
    const port = this.#openPort(ipcp, layer, { flowId, token, user: null, maxMessageBytes });
    port.flow = layer.join(port);
    ipcp.log.info(`Finished joining layer ${short}.`, { flow: flowId });
    return null;
  }

  #requested(ipcp: Ipcp, request: FlowRequest): void {
    const { handle, hash, qos, piggyback } = request;
    const params = {
      pid: ipcp.pid,
      hash: hash.toString('hex'),
      qos: qosToJson(qos),
      piggyback: piggyback.toString('hex'),
      maxMessageBytes: ipcp.layer?.maxMessageBytes ?? 0,
    };
    // Of all layers together: beyond it irmd would refuse what ends flows, too.
    if (this.#requestsOpen >= nodeRequestsMax) {
      addCounts(ipcp.ports, { refusedBusy: 1 });
      return ipcp.layer?.refuse(handle, -errnoOf('EAGAIN'));
    }
    this.#requestsOpen += 1;
    this.#callIrmd('flow.requested', params)
      .finally(() => (this.#requestsOpen -= 1))
      .then(
        (answer) => this.#respond(ipcp, handle, params, answer),
        // irmd is gone: this process follows it.
        () => ipcp.layer?.refuse(handle, -1),
      );
  }

  #respond(
    ipcp: Ipcp,
    handle: number,
    { qos, maxMessageBytes }: { readonly qos: QosJson; readonly maxMessageBytes: number },
    answer: AllocationAnswer,
  ): void {
    const { layer } = ipcp;
    if (layer === undefined) return;
    ipcp.log.info(
      `Responding ${answer.response} to alloc on flow_id ${'flowId' in answer ? answer.flowId : '-'}.`,
    );
    if ('flowId' in answer) {
      const piggyback = Buffer.from(answer.piggyback, 'hex');
      let flow: LayerFlow | undefined;
      // Whoever waits for the flow may send as soon as it can be picked up.
      const port = this.#openPort(ipcp, layer, { ...answer, maxMessageBytes }, (made) => {
        flow = layer.accept(handle, piggyback, made, monotonicNow());
        made.flow = flow;
      });
      if (flow === undefined) this.#gone(answer.flowId);
      const above = answer.user === null ? undefined : this.#ipcps.get(answer.user);
      const stacked = above?.stacked;
      if (port instanceof InnerPort && above !== undefined && stacked !== undefined && flow !== undefined) {
        const { encryption } = answer;
        above.lower.accepted(port, { qos, encryption }, (own) => stacked.acceptFlow(own, monotonicNow()));
        this.#endTurn(above);
      }
    } else {
      layer.refuse(handle, answer.response);
    }
    ipcp.log.info(`Finished responding ${answer.response} to allocation request.`);
    this.#endTurn(ipcp);
  }

  /**
   * Opens this end of a flow, for an application that picks it up or for an IPCP of this process. `start` is called
   * before that can happen; `maxMessageBytes` is what irmd was told of the layer.
   */
  #openPort(
    ipcp: Ipcp,
    layer: Layer,
    {
      flowId,
      token,
      user,
      maxMessageBytes,
    }: { flowId: number; token: string; user: number | null; maxMessageBytes: number },
    start: (port: Port) => void = () => {},
  ): Port {
    const gone = (): void => this.#gone(flowId);
    const onState = (up: boolean): void => this.#stateChanged(flowId, up);
    if (user !== null) {
      const inner = new InnerPort(layer, gone, onState);
      this.#flows.set(flowId, { ipcp, port: inner, token, user });
      start(inner);
      return inner;
    }
    const { turn } = this.#setup;
    const onTooLong = (bytes: number): void => {
      if (port.counters.droppedTooLong > 1) return;
      ipcp.log.warn(
        `Dropped ${bytes} bytes on flow ${flowId}: its layer carries ${layer.maxMessageBytes} at most.`,
      );
    };
    const port: ApplicationPort = new ApplicationPort({
      turn,
      layer,
      maxMessageBytes,
      onGone: gone,
      onTooLong,
      onState,
    });
    this.#flows.set(flowId, { ipcp, port, token, user });
    start(port);
    this.#setup.rendezvous.expect(
      token,
      (stream) => {
        const owner = port.attach(stream);
        this.#setup.turn.end();
        return owner;
      },
      gone,
    );
    return port;
  }

  /** An end was given up by its application. */
  #gone(flowId: number): void {
    if (!this.#release(flowId)) return;
    this.#callIrmd('flow.closed', { flowId }).catch(() => {});
  }

  #release(flowId: number): boolean {
    const hosted = this.#flows.get(flowId);
    if (hosted === undefined) return false;
    const { ipcp, port, token } = hosted;
    this.#flows.delete(flowId);
    this.#setup.rendezvous.forget(token);
    ipcp.log.info(`Deallocating flow ${flowId}.`, { flow: flowId });
    const word = port instanceof ApplicationPort ? port.lastWord : undefined;
    if (port instanceof ApplicationPort && port.flow !== undefined && word !== undefined) {
      port.heir = this.#late.keep(ipcp.pid, port.flow, word);
      this.#setup.timer.update(this.#late);
    } else {
      port.flow?.deallocate(monotonicNow());
    }
    port.close();
    addCounts(ipcp.ports, port.counters);
    // What tells the other end must not wait for the next turn.
    this.#setup.turn.end();
    ipcp.log.info(`Finished deallocating flow ${flowId}.`, { flow: flowId });
    return true;
  }

  /** Asks irmd, for which the event loop is needed. */
  readonly #callIrmd: CallIrmd = (method, params) => {
    leaveHotLoop();
    return this.#setup.call(method, params);
  };

  #endTurn(ipcp: Ipcp): void {
    this.#setup.turn.end();
    if (ipcp.deadlines !== undefined) this.#setup.timer.update(ipcp.deadlines);
  }

  #ipcp(pid: number): Ipcp {
    const ipcp = this.#ipcps.get(pid);
    if (ipcp === undefined) throw new O7sError('EIPCP', `there is no IPCP ${pid}`);
    return ipcp;
  }

  #stacked({ stacked, type }: Ipcp): StackedIpcp {
    if (stacked !== undefined) return stacked;
    throw new O7sError('ENOTSUP', `an IPCP of type ${type} neither enrols nor connects`);
  }

  #layer(pid: number): Layer {
    const { layer } = this.#ipcp(pid);
    if (layer !== undefined) return layer;
    throw new O7sError('EIPCPSTATE', `IPCP ${pid} is not in a layer`, { hint: 'bootstrap it first' });
  }
}

function addCounts(counters: Record<string, number>, more: object): void {
  for (const [name, count] of Object.entries(more) as [string, number][]) {
    counters[name] = (counters[name] ?? 0) + count;
  }
}

function outcomeToJson(outcome: FlowOutcome, { maxMessageBytes }: Layer): AllocationOutcome {
  switch (outcome.kind) {
    case 'accepted':
      return { outcome: 'accepted', piggyback: outcome.piggyback.toString('hex'), maxMessageBytes };
    case 'refused':
      return { outcome: 'refused', response: outcome.response };
    case 'unanswered':
      return { outcome: 'unanswered' };
  }
}

const kernelCodes: Readonly<Record<string, ErrorCode>> = { EPERM: 'EPERM', EACCES: 'EPERM' };

function kernelRefusal(error: KernelError): O7sError {
  const code = kernelCodes[error.code] ?? 'EINVAL';
  const hints: Readonly<Record<string, string>> = {
    ENODEV: '`ip link` lists the interfaces there are',
    EPERM: 'raw sockets need the capability NET_RAW',
  };
  const hint = hints[error.code];
  return new O7sError(code, error.message, { cause: error, ...(hint === undefined ? {} : { hint }) });
}
