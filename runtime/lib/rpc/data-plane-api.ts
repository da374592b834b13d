/** What irmd and its data plane, ipcpd, ask of each other. Binary values are hexadecimal. */
import type { LogLevel } from '../log.ts';
import type { LayerHash } from '../names.ts';
import type { QosJson } from '../qos.ts';
import type { BootstrapConfig, ComponentName, FlowEncryption, FlowGrant, IpcpType } from './api.ts';
import type { IpcpCounts, LayerFacts, PortCounts } from './events.ts';

/** What became of a request for a flow. */
export type AllocationOutcome =
  | { readonly outcome: 'accepted'; readonly piggyback: string; readonly maxMessageBytes: number }
  /** `response` is the peer's, negative. */
  | { readonly outcome: 'refused'; readonly response: number }
  /** Nobody answered: a fresh attempt may succeed. */
  | { readonly outcome: 'unanswered' };

/** How irmd answers a request for a flow that came in. */
export type AllocationAnswer =
  | {
      readonly response: 0;
      readonly flowId: number;
      readonly token: string;
      readonly piggyback: string;
      /** The IPCP of this data plane that takes the flow; null when somebody else picks it up. */
      readonly user: number | null;
      /** How the flow of such an IPCP is encrypted; absent when it is clear, and where somebody else picks it up. */
      readonly encryption?: FlowEncryption | undefined;
    }
  | { readonly response: number };

/** What an IPCP is told of the layer it is in now. */
export interface LayerInfo {
  readonly layer: string;
  readonly hash: LayerHash;
  readonly maxMessageBytes: number;
  /** Its address in a unicast layer; null elsewhere. */
  readonly address: string | null;
}

/** What irmd calls in ipcpd. */
export interface DataPlaneApi {
  'log.level': { params: { level: LogLevel }; result: null };
  'ipcp.create': { params: { pid: number; name: string; type: IpcpType }; result: null };
  'ipcp.bootstrap': {
    params: { pid: number; layer: string; config: BootstrapConfig };
    result: LayerInfo;
  };
  'ipcp.enroll': { params: { pid: number; destination: string; layer: string | null }; result: LayerInfo };
  'ipcp.connect': {
    params: { pid: number; destination: string; component: ComponentName; qos: QosJson };
    result: null;
  };
  'ipcp.disconnect': {
    params: { pid: number; destination: string; component: ComponentName };
    result: null;
  };
  'ipcp.metrics': {
    params: { pid: number; parts: readonly string[] | null };
    result: Readonly<Record<string, unknown>>;
  };
  'ipcp.counters': { params: { pid: number }; result: Readonly<Record<string, number>> };
  /** What the IPCP knows of its layer, but for the names, of which it has only hashes. */
  'ipcp.facts': { params: { pid: number }; result: Omit<LayerFacts, 'pid' | 'names'> };
  /** The counters of all IPCPs and flows of this data plane. */
  'counters.sample': {
    params: Record<string, never>;
    result: { ipcps: readonly IpcpCounts[]; flows: readonly FlowSample[] };
  };
  'ipcp.destroy': { params: { pid: number }; result: null };
  /** Drops the IPCP at once: nobody in its layer is told. */
  'ipcp.kill': { params: { pid: number }; result: null };
  'name.register': { params: { pid: number; hash: string }; result: null };
  'name.unregister': { params: { pid: number; hash: string }; result: null };
  /** With the longest message that a flow of the layer carries now. */
  'name.query': {
    params: { pid: number; hash: string };
    /** `complaint` is a line for the log where the layer should have known the name. */
    result: { known: boolean; complaint?: string | undefined; maxMessageBytes: number };
  };
  'flow.allocate': {
    params: {
      pid: number;
      /** The pid of who asks, for the log. */
      process: number;
      flowId: number;
      token: string;
      hash: string;
      qos: QosJson;
      piggyback: string;
      /** The IPCP of this data plane that asks for it; null when somebody else picks it up. */
      user: number | null;
    };
    result: AllocationOutcome;
  };
  /** An application joins a broadcast layer; it picks its flow up. */
  'flow.join': { params: { pid: number; flowId: number; token: string }; result: null };
  /** An IPCP has a flow of somebody outside this data plane; it is picked up like an application's. */
  'flow.offered': { params: { pid: number; grant: FlowGrant }; result: null };
  'flow.deallocate': { params: { flowId: number }; result: null };
}

/** What a flow carried. */
export type FlowSample = PortCounts & { readonly flowId: number };

/** What ipcpd calls in irmd. */
export interface DataPlaneUpcalls {
  /** First of all: where applications pick up their flows. */
  'dataPlane.ready': { params: { socket: string }; result: null };
  'flow.requested': {
    params: { pid: number; hash: string; qos: QosJson; piggyback: string; maxMessageBytes: number };
    result: AllocationAnswer;
  };
  /** An IPCP wants a flow of a layer below. */
  'flow.wanted': { params: { pid: number; name: string; qos: QosJson }; result: FlowGrant };
  /** An IPCP released a flow that it picked up. */
  'flow.released': { params: { pid: number; flowId: number }; result: null };
  /** The application's end of a flow is gone. */
  'flow.closed': { params: { flowId: number }; result: null };
  /** IPCPs whose facts may be others now, and flows that went up or down: told together, ten times a second at most. */
  'dataPlane.changed': {
    params: { ipcps: readonly number[]; flows: readonly { flowId: number; up: boolean }[] };
    result: null;
  };
}

/** Asks irmd; rejects with an O7sError when it refuses or is gone. */
export type CallIrmd = <M extends keyof DataPlaneUpcalls>(
  method: M,
  params: DataPlaneUpcalls[M]['params'],
) => Promise<DataPlaneUpcalls[M]['result']>;
