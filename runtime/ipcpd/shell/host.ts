/** The IPCPs of one data-plane process, as irmd drives them. */
import { type ErrorCode, O7sError } from '../../lib/errors.ts';
import type { FlowRendezvous } from '../../lib/flow/rendezvous.ts';
import type { Logger } from '../../lib/log.ts';
import { KernelError } from '../../lib/os/libc.ts';
import { qosFromJson, qosToJson } from '../../lib/qos.ts';
import type { BootstrapConfig, IpcpType } from '../../lib/rpc/api.ts';
import type {
  AllocationAnswer,
  AllocationOutcome,
  DataPlaneApi,
  DataPlaneUpcalls,
} from '../../lib/rpc/data-plane-api.ts';
import type { Deadlines } from '../../lib/time/clock.ts';
import { type DeadlineTimer, monotonicNow } from '../../lib/time/timer.ts';
import { ApplicationPort } from './application-port.ts';
import type { FlowOutcome, FlowRequest, Layer, LayerEvents, LayerFlow } from './layer.ts';
import type { Turn } from './turn.ts';

/** Makes the layer of a type when its IPCP is bootstrapped. */
export type LayerFactory = (config: BootstrapConfig, events: LayerEvents) => Layer;

/** Asks irmd; rejects with an O7sError when it refuses or is gone. */
export type CallIrmd = <M extends keyof DataPlaneUpcalls>(
  method: M,
  params: DataPlaneUpcalls[M]['params'],
) => Promise<DataPlaneUpcalls[M]['result']>;

interface Ipcp {
  readonly pid: number;
  readonly type: IpcpType;
  readonly log: Logger;
  layer: Layer | undefined;
  /** The layer's deadlines, each of which is a turn. */
  deadlines: Deadlines | undefined;
  /** What the ports of flows that are gone have counted. */
  readonly ports: Record<string, number>;
}

interface HostedFlow {
  readonly ipcp: Ipcp;
  readonly port: ApplicationPort;
  readonly token: string;
}

export interface HostSetup {
  readonly turn: Turn;
  readonly timer: DeadlineTimer;
  readonly rendezvous: FlowRendezvous;
  readonly factories: Partial<Record<IpcpType, LayerFactory>>;
  readonly call: CallIrmd;
  readonly log: Logger;
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

  /** What irmd may call. */
  readonly handlers: Handlers = {
    'ipcp.create': ({ pid, type }) => this.#create(pid, type),
    'ipcp.bootstrap': ({ pid, layer, config }) => this.#bootstrap(pid, layer, config),
    'ipcp.counters': ({ pid }) => this.#counters(pid),
    'ipcp.destroy': ({ pid }) => this.#destroy(pid),
    'name.register': ({ pid, hash }) => {
      this.#layer(pid).register(Buffer.from(hash, 'hex'));
      return null;
    },
    'name.unregister': ({ pid, hash }) => {
      this.#layer(pid).unregister(Buffer.from(hash, 'hex'));
      return null;
    },
    'name.query': ({ pid, hash }) => this.#query(pid, hash),
    'flow.allocate': (params) => this.#allocate(params),
    'flow.deallocate': ({ flowId }) => {
      this.#release(flowId);
      return null;
    },
  };

  constructor(setup: HostSetup) {
    this.#setup = setup;
  }

  /** Ends all IPCPs and their flows. */
  close(): void {
    for (const pid of [...this.#ipcps.keys()]) this.#destroy(pid);
  }

  #create(pid: number, type: IpcpType): null {
    if (this.#setup.factories[type] === undefined) {
      throw new O7sError('EIPCPTYPE', `IPCPs of type ${type} are not part of this build`);
    }
    const log = this.#setup.log.child('ipcpd/ipcp', pid);
    this.#ipcps.set(pid, { pid, type, log, layer: undefined, deadlines: undefined, ports: {} });
    log.info(`IPCP ${type} ${pid} initialized.`);
    return null;
  }

  #bootstrap(pid: number, name: string, config: BootstrapConfig): DataPlaneApi['ipcp.bootstrap']['result'] {
    const ipcp = this.#ipcp(pid);
    if (ipcp.layer !== undefined) {
      ipcp.log.error('Failed to bootstrap: IPCP in state <operational>, need <boot>.');
      throw new O7sError('EIPCPSTATE', `IPCP ${pid} is in a layer already`, {
        hint: 'destroy it and create it again to change its layer',
      });
    }
    ipcp.log.info('Bootstrapping...');
    const factory = this.#setup.factories[ipcp.type];
    if (factory === undefined) throw new O7sError('EIPCPTYPE');
    try {
      const layer: Layer = factory(config, { flowRequested: (request) => this.#requested(ipcp, request) });
      ipcp.layer = layer;
      ipcp.deadlines = {
        nextDeadline: () => layer.nextDeadline(),
        advance: (now) => {
          layer.advance(now);
          this.#setup.turn.end();
        },
      };
      this.#setup.timer.add(ipcp.deadlines);
      ipcp.log.info(`Finished bootstrapping in ${name}.`);
      ipcp.log.info(`  type: ${ipcp.type}`);
      ipcp.log.info(`  hash: ${layer.hash.replace('_', '-')}`);
      return { hash: layer.hash, maxMessageBytes: layer.maxMessageBytes };
    } catch (error) {
      ipcp.log.error('Failed to bootstrap IPCP.');
      if (error instanceof O7sError) throw error;
      if (error instanceof KernelError) throw kernelRefusal(error);
      throw error;
    }
  }

  #destroy(pid: number): null {
    const ipcp = this.#ipcp(pid);
    ipcp.log.info(`IPCP ${pid} shutting down.`);
    for (const [flowId, flow] of this.#flows) if (flow.ipcp === ipcp) this.#gone(flowId);
    if (ipcp.deadlines !== undefined) this.#setup.timer.delete(ipcp.deadlines);
    ipcp.layer?.close();
    this.#ipcps.delete(pid);
    ipcp.log.info(`IPCP ${pid} out.`);
    return null;
  }

  #counters(pid: number): Record<string, number> {
    const ipcp = this.#ipcp(pid);
    const counters: Record<string, number> = { ...ipcp.layer?.counters, ...ipcp.ports };
    for (const { ipcp: owner, port } of this.#flows.values()) if (owner === ipcp) addPort(counters, port);
    return counters;
  }

  #query(pid: number, hash: string): Promise<{ known: boolean }> {
    const ipcp = this.#ipcp(pid);
    const layer = this.#layer(pid);
    return new Promise((resolve) => {
      layer.query(Buffer.from(hash, 'hex'), monotonicNow(), (known) => resolve({ known }));
      this.#endTurn(ipcp);
    });
  }

  #allocate(params: DataPlaneApi['flow.allocate']['params']): Promise<AllocationOutcome> {
    const { pid, flowId, token, hash } = params;
    const ipcp = this.#ipcp(pid);
    const layer = this.#layer(pid);
    ipcp.log.info(`Allocating flow ${flowId} to ${hash.slice(0, 8)}.`);
    const port = this.#openPort(ipcp, layer, flowId, token);
    return new Promise((resolve) => {
      port.flow = layer.allocate(
        Buffer.from(hash, 'hex'),
        qosFromJson(params.qos),
        Buffer.from(params.piggyback, 'hex'),
        port,
        monotonicNow(),
        (outcome) => {
          ipcp.log.info(`Finished allocating flow ${flowId} to ${hash.slice(0, 8)}.`);
          // The caller of `allocate` gets the flow only after this, where the layer answers at once.
          queueMicrotask(() => {
            if (outcome.kind !== 'accepted') this.#release(flowId);
            resolve(outcomeToJson(outcome));
          });
        },
      );
      this.#endTurn(ipcp);
    });
  }

  #requested(ipcp: Ipcp, request: FlowRequest): void {
    const { handle, hash, qos, piggyback } = request;
    const params = {
      pid: ipcp.pid,
      hash: hash.toString('hex'),
      qos: qosToJson(qos),
      piggyback: piggyback.toString('hex'),
    };
    this.#setup.call('flow.requested', params).then(
      (answer) => this.#respond(ipcp, handle, answer),
      // irmd is gone: this process follows it.
      () => ipcp.layer?.refuse(handle, -1),
    );
  }

  #respond(ipcp: Ipcp, handle: number, answer: AllocationAnswer): void {
    const { layer } = ipcp;
    if (layer === undefined) return;
    ipcp.log.info(
      `Responding ${answer.response} to alloc on flow_id ${'flowId' in answer ? answer.flowId : '-'}.`,
    );
    if ('flowId' in answer) {
      const port = this.#openPort(ipcp, layer, answer.flowId, answer.token);
      const piggyback = Buffer.from(answer.piggyback, 'hex');
      const flow: LayerFlow | undefined = layer.accept(handle, piggyback, port, monotonicNow());
      if (flow === undefined) this.#gone(answer.flowId);
      port.flow = flow;
    } else {
      layer.refuse(handle, answer.response);
    }
    this.#endTurn(ipcp);
  }

  #openPort(ipcp: Ipcp, layer: Layer, flowId: number, token: string): ApplicationPort {
    const gone = (): void => this.#gone(flowId);
    const port = new ApplicationPort(this.#setup.turn, layer.maxMessageBytes, gone);
    this.#flows.set(flowId, { ipcp, port, token });
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
    this.#setup.call('flow.closed', { flowId }).catch(() => {});
  }

  #release(flowId: number): boolean {
    const hosted = this.#flows.get(flowId);
    if (hosted === undefined) return false;
    const { ipcp, port, token } = hosted;
    this.#flows.delete(flowId);
    this.#setup.rendezvous.forget(token);
    ipcp.log.info(`Deallocating flow ${flowId}.`);
    port.flow?.deallocate(monotonicNow());
    port.close();
    addPort(ipcp.ports, port);
    // What tells the other end must not wait for the next turn.
    this.#setup.turn.end();
    ipcp.log.info(`Finished deallocating flow ${flowId}.`);
    return true;
  }

  #endTurn(ipcp: Ipcp): void {
    this.#setup.turn.end();
    if (ipcp.deadlines !== undefined) this.#setup.timer.update(ipcp.deadlines);
  }

  #ipcp(pid: number): Ipcp {
    const ipcp = this.#ipcps.get(pid);
    if (ipcp === undefined) throw new O7sError('EIPCP', `there is no IPCP ${pid}`);
    return ipcp;
  }

  #layer(pid: number): Layer {
    const { layer } = this.#ipcp(pid);
    if (layer !== undefined) return layer;
    throw new O7sError('EIPCPSTATE', `IPCP ${pid} is not in a layer`, { hint: 'bootstrap it first' });
  }
}

/** Adds what a port has counted. */
function addPort(counters: Record<string, number>, port: ApplicationPort): void {
  for (const [name, count] of Object.entries(port.counters)) counters[name] = (counters[name] ?? 0) + count;
}

function outcomeToJson(outcome: FlowOutcome): AllocationOutcome {
  switch (outcome.kind) {
    case 'accepted':
      return { outcome: 'accepted', piggyback: outcome.piggyback.toString('hex') };
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
