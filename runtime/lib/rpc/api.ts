/**
 * What irmd answers, as types. irmd checks every request against a schema of the same shape before it
 * acts on it. Times are ms, identifiers positive integers, binary values hexadecimal.
 */
import type { HashAlgorithm } from '../names.ts';
import type { QosJson } from '../qos.ts';

export const ipcpTypes = [
  'local',
  'unicast',
  'broadcast',
  'eth-llc',
  'eth-dix',
  'udp',
  'udp4',
  'udp6',
] as const;
/**
 * The types of IPCP, in the order in which layers are asked for a name (irmd-and-irm.md 3.4). `udp` is what an IPCP
 * can be created as: bootstrapped, it is `udp4` or `udp6`, as its address is.
 */
export type IpcpType = (typeof ipcpTypes)[number];

export type IpcpState = 'boot' | 'operational' | 'shutdown';

export interface IpcpInfo {
  /** The number commands take; in a shared ipcpd above the kernel's largest pid. */
  readonly pid: number;
  /** The process that runs the IPCP. */
  readonly hostPid: number;
  readonly name: string;
  readonly type: IpcpType;
  /** null before bootstrap and enrolment. */
  readonly layer: string | null;
  readonly state: IpcpState;
}

/** Options of `ipcp bootstrap`; which apply depends on the type. */
export interface BootstrapConfig {
  /** Interface of an Ethernet layer. */
  readonly dev?: string | undefined;
  /** Ethernet type of an eth-dix layer, 0x0600..0xfffe. */
  readonly ethertype?: number | undefined;
  readonly hash?: HashAlgorithm | undefined;
  /** The address of a udp layer; its family is the type's, or decides it. */
  readonly ip?: string | undefined;
  /** The DNS server of a udp layer; the system's resolver when absent. */
  readonly dns?: string | undefined;
  /** The port of a udp layer, the same at all its members. */
  readonly port?: number | undefined;
}

export const balancePolicies = ['round-robin', 'spillover'] as const;
/** How the flows to a name are shared among the processes that accept for it. */
export type BalancePolicy = (typeof balancePolicies)[number];

export interface NameInfo {
  readonly name: string;
  readonly policy: BalancePolicy;
}

/** Where one end of a flow is picked up: a listening socket and the token that opens it, once. */
export interface FlowGrant {
  readonly flowId: number;
  readonly qos: QosJson;
  /** Longest message the flow carries, in bytes. */
  readonly maxMessageBytes: number;
  /** The socket to connect to; null when the other end connects to this process. */
  readonly connect: string | null;
  /** 32 hexadecimal digits. */
  readonly token: string;
}

/** Methods of `irmd.sock`, for applications. */
export interface ApplicationApi {
  'process.announce': { params: { program: string }; result: { pid: number } };
  'flow.allocate': { params: { name: string; qos: QosJson; timeoutMs: number | null }; result: FlowGrant };
  'flow.accept': { params: { timeoutMs: number | null; listen: string }; result: FlowGrant };
  'flow.deallocate': { params: { flowId: number }; result: null };
}

/** Methods of `irm.sock`, for management. */
export interface ManagementApi {
  'irmd.version': { params: object; result: { version: string; pid: number } };
  'ipcp.create': { params: { name: string; type: IpcpType }; result: { pid: number } };
  'ipcp.destroy': { params: { pid: number }; result: null };
  'ipcp.list': { params: object; result: readonly IpcpInfo[] };
  'ipcp.bootstrap': { params: { pid: number; layer: string; config: BootstrapConfig }; result: null };
  /** What the IPCP did and dropped, by reason. */
  'ipcp.counters': { params: { pid: number }; result: Readonly<Record<string, number>> };
  'name.create': { params: { name: string; policy: BalancePolicy }; result: null };
  'name.destroy': { params: { name: string }; result: null };
  'name.list': { params: object; result: readonly NameInfo[] };
  'name.register': { params: { name: string; pid: number }; result: null };
  'name.unregister': { params: { name: string; pid: number }; result: null };
  'program.bind': { params: { program: string; name: string }; result: null };
  'program.unbind': { params: { program: string; name: string | null }; result: null };
  'process.bind': { params: { pid: number; name: string }; result: null };
  'process.unbind': { params: { pid: number; name: string | null }; result: null };
  /** From here on the connection brings notifications `event`, each an IrmEvent, of what changes after the result. */
  'events.subscribe': { params: object; result: IrmSnapshot };
}

export interface ProcessInfo {
  readonly pid: number;
  readonly uid: number;
  readonly program: string;
  readonly names: readonly string[];
}

export interface FlowInfo {
  readonly flowId: number;
  /** Processes of this node that hold an end. */
  readonly pids: readonly number[];
  /** The IPCP it goes through; null for a flow between two processes of the node. */
  readonly ipcp: number | null;
  readonly name: string;
}

/** All there is on a node at one moment. */
export interface IrmSnapshot {
  readonly event: 'snapshot';
  /** ms since 1970. */
  readonly at: number;
  readonly ipcps: readonly IpcpInfo[];
  readonly names: readonly NameInfo[];
  readonly processes: readonly ProcessInfo[];
  readonly flows: readonly FlowInfo[];
}

/** What changed. */
export type IrmChange =
  | { readonly event: 'ipcp.created' | 'ipcp.bootstrapped'; readonly ipcp: IpcpInfo }
  | { readonly event: 'ipcp.destroyed' | 'ipcp.crashed'; readonly pid: number; readonly name: string }
  | { readonly event: 'name.created'; readonly name: string; readonly policy: BalancePolicy }
  | { readonly event: 'name.destroyed'; readonly name: string }
  | { readonly event: 'name.registered' | 'name.unregistered'; readonly name: string; readonly pid: number }
  | { readonly event: 'name.bound' | 'name.unbound'; readonly name: string; readonly by: string }
  | { readonly event: 'process.added' | 'process.removed'; readonly pid: number; readonly program: string }
  | { readonly event: 'flow.allocated'; readonly flow: FlowInfo }
  | { readonly event: 'flow.deallocated'; readonly flowId: number };

/** A change with its moment, ms since 1970. */
export type IrmEvent = IrmChange & { readonly at: number };
