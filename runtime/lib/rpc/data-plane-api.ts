/** What irmd and its data plane, ipcpd, ask of each other. Binary values are hexadecimal. */
import type { LayerHash } from '../names.ts';
import type { QosJson } from '../qos.ts';
import type { BootstrapConfig, IpcpType } from './api.ts';

/** What became of a request for a flow. */
export type AllocationOutcome =
  | { readonly outcome: 'accepted'; readonly piggyback: string }
  /** `response` is the peer's, negative. */
  | { readonly outcome: 'refused'; readonly response: number }
  /** Nobody answered: a fresh attempt may succeed. */
  | { readonly outcome: 'unanswered' };

/** How irmd answers a request for a flow that came in. */
export type AllocationAnswer =
  | { readonly response: 0; readonly flowId: number; readonly token: string; readonly piggyback: string }
  | { readonly response: number };

/** What irmd calls in ipcpd. */
export interface DataPlaneApi {
  'ipcp.create': { params: { pid: number; name: string; type: IpcpType }; result: null };
  'ipcp.bootstrap': {
    params: { pid: number; layer: string; config: BootstrapConfig };
    result: { hash: LayerHash; maxMessageBytes: number };
  };
  'ipcp.counters': { params: { pid: number }; result: Readonly<Record<string, number>> };
  'ipcp.destroy': { params: { pid: number }; result: null };
  'name.register': { params: { pid: number; hash: string }; result: null };
  'name.unregister': { params: { pid: number; hash: string }; result: null };
  'name.query': { params: { pid: number; hash: string }; result: { known: boolean } };
  'flow.allocate': {
    params: { pid: number; flowId: number; token: string; hash: string; qos: QosJson; piggyback: string };
    result: AllocationOutcome;
  };
  'flow.deallocate': { params: { flowId: number }; result: null };
}

/** What ipcpd calls in irmd. */
export interface DataPlaneUpcalls {
  /** First of all: where applications pick up their flows. */
  'dataPlane.ready': { params: { socket: string }; result: null };
  'flow.requested': {
    params: { pid: number; hash: string; qos: QosJson; piggyback: string };
    result: AllocationAnswer;
  };
  /** The application's end of a flow is gone. */
  'flow.closed': { params: { flowId: number }; result: null };
}
