/**
 * What irmd answers, as types. irmd checks every request against a schema of the same shape before it
 * acts on it. Times are ms, identifiers positive integers, binary values hexadecimal.
 */
import type { CipherName } from '../crypto/algorithms.ts';
import type { LogLevel } from '../log.ts';
import type { HashAlgorithm } from '../names.ts';
import type { QosJson } from '../qos.ts';
import type { IrmCounters, IrmSnapshot } from './events.ts';

/** All of `IpcpType`. */
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

/** Made, in a layer, or about to end. */
export type IpcpState = 'boot' | 'operational' | 'shutdown';

/** An IPCP of a node. */
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
  /** The own address in a unicast layer; null elsewhere. */
  readonly address: string | null;
  /** What a link layer lies over: an interface, or an IP address with its port. null for other types. */
  readonly device: string | null;
  /** How it came into its layer; null before. */
  readonly joined: Joining | null;
}

/** How an IPCP came into its layer. */
export interface Joining {
  readonly by: 'bootstrap' | 'enrollment';
  /** The name it enrolled with; null for a bootstrap. */
  readonly destination: string | null;
  /** ms since 1970. */
  readonly at: number;
}

/** Options of `ipcp bootstrap`, in the words of `irm`; which apply depends on the type. */
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
  /** Bytes of an address of a unicast layer: 4. */
  readonly addr?: number | undefined;
  /** Bytes of its endpoint ids: 8, whatever is said. */
  readonly eid?: number | undefined;
  /** What the time to live of its packets begins with, 0 to 255 links. */
  readonly ttl?: number | undefined;
  readonly addr_auth?: 'flat' | undefined;
  readonly directory?: 'DHT' | undefined;
  readonly routing?: RoutingPolicy | undefined;
  readonly congestion?: CongestionPolicy | undefined;
  /** Members asked at once, and contacts in an answer. */
  readonly dht_alpha?: number | undefined;
  readonly dht_k?: number | undefined;
  /** Seconds. */
  readonly dht_t_expire?: number | undefined;
  readonly dht_t_refresh?: number | undefined;
  readonly dht_t_replicate?: number | undefined;
  readonly ls_t_recalc?: number | undefined;
  readonly ls_t_update?: number | undefined;
  readonly ls_t_timeo?: number | undefined;
}

/** All of `RoutingPolicy`, in the order of their codes in the configuration of a layer. */
export const routingPolicies = ['link_state', 'lfa', 'ecmp'] as const;
/** How members of a unicast layer forward: by one next hop on a shortest path, with loop-free alternates, or over all paths of equal length in turn. */
export type RoutingPolicy = (typeof routingPolicies)[number];

/** All of `CongestionPolicy`, in the order of their codes in the configuration of a layer. */
export const congestionPolicies = ['none', 'mb-ecn'] as const;
/** What senders of a unicast layer do about congestion. */
export type CongestionPolicy = (typeof congestionPolicies)[number];

export const componentNames = ['dt', 'mgmt'] as const;
/** What a connection between two members of a layer is for: data transfer, or management. */
export type ComponentName = (typeof componentNames)[number];
/** What components are called in connection records and in the log. */
export const componentTitles = {
  dt: 'Data Transfer',
  mgmt: 'Management',
} as const satisfies Record<ComponentName, string>;

/** All of `BalancePolicy`: in turn, or to the process that accepted last. */
export const balancePolicies = ['round-robin', 'spillover'] as const;
/** How the flows to a name are shared among the processes that accept for it. */
export type BalancePolicy = (typeof balancePolicies)[number];

/** A name of a node. */
export interface NameInfo {
  readonly name: string;
  readonly policy: BalancePolicy;
}

/** Files of one side of a name, by absolute path; those of the configuration folder where absent (end-to-end.md 4.5). */
export interface SideFiles {
  /** `enc.conf`. */
  readonly encryption?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** What serves a name's security, where that is not in the configuration folder. */
export interface NameFiles {
  readonly server?: SideFiles | undefined;
  readonly client?: SideFiles | undefined;
}

/** What both ends of an encrypted flow seal its packets with. */
export interface FlowEncryption {
  readonly cipher: CipherName;
  /** 64 hexadecimal digits. */
  readonly key: string;
}

/** Where one end of a flow is picked up: a listening socket and the token that opens it, once. */
export interface FlowGrant {
  readonly flowId: number;
  readonly qos: QosJson;
  /** Longest message the layer carries, in bytes; what its ends add counts as well. */
  readonly maxMessageBytes: number;
  /** Longest time a packet lives in the layer, in ms. */
  readonly mplMs: number;
  /** The socket to connect to; null when the other end connects to this process. */
  readonly connect: string | null;
  /** 32 hexadecimal digits. */
  readonly token: string;
  /** How the flow is encrypted; absent when it is clear. Only the processes at its ends are told. */
  readonly encryption?: FlowEncryption | undefined;
}

/** Methods of `irmd.sock`, for applications. */
export interface ApplicationApi {
  'process.announce': { params: { program: string }; result: { pid: number } };
  /** The process is about to end in order; the end of its connection alone is its death. */
  'process.leave': { params: object; result: null };
  'flow.allocate': { params: { name: string; qos: QosJson; timeoutMs: number | null }; result: FlowGrant };
  /** Joins a broadcast layer by its name. */
  'flow.join': { params: { layer: string; timeoutMs: number | null }; result: FlowGrant };
  'flow.accept': { params: { timeoutMs: number | null; listen: string }; result: FlowGrant };
  'flow.deallocate': { params: { flowId: number }; result: null };
}

/** A file of the RIB: as text, and its lines by their labels, those under a heading in an object of their own. */
export interface RibFile {
  readonly path: string;
  readonly text: string;
  readonly values: RibValues;
}
export interface RibValues {
  readonly [label: string]: string | number | RibValues;
}

/** Methods of `irm.sock`, for management. */
export interface ManagementApi {
  'irmd.version': { params: object; result: { version: string; pid: number } };
  'ipcp.create': { params: { name: string; type: IpcpType }; result: { pid: number } };
  'ipcp.destroy': { params: { pid: number }; result: null };
  /** Ends the IPCP as `kill -9` of its process would, if it has one of its own. */
  'ipcp.kill': { params: { pid: number }; result: null };
  'ipcp.list': { params: object; result: readonly IpcpInfo[] };
  'ipcp.bootstrap': { params: { pid: number; layer: string; config: BootstrapConfig }; result: null };
  /** Joins the layer of whoever serves a name; `layer` is the one that is wanted, null for any. */
  'ipcp.enroll': {
    params: { pid: number; destination: string; layer: string | null };
    result: { layer: string };
  };
  'ipcp.connect': {
    params: { pid: number; destination: string; component: ComponentName; qos: QosJson };
    result: null;
  };
  'ipcp.disconnect': {
    params: { pid: number; destination: string; component: ComponentName };
    result: null;
  };
  /** What the IPCP knows, in parts such as `neighbours`, `routes` and `directory`, as its type has them; null for all. */
  'ipcp.metrics': {
    params: { pid: number; parts: readonly string[] | null };
    result: Readonly<Record<string, unknown>>;
  };
  /** What the IPCP did and dropped, by reason. */
  'ipcp.counters': { params: { pid: number }; result: Readonly<Record<string, number>> };
  'name.create': {
    params: { name: string; policy: BalancePolicy; files?: NameFiles | undefined };
    result: null;
  };
  'name.destroy': { params: { name: string }; result: null };
  'name.list': { params: object; result: readonly NameInfo[] };
  'name.register': { params: { name: string; pid: number }; result: null };
  'name.unregister': { params: { name: string; pid: number }; result: null };
  /** With `auto`, the arguments it is started with when a flow is asked for and nobody accepts; null for never. */
  'program.bind': {
    params: { program: string; name: string; auto: readonly string[] | null };
    result: null;
  };
  'program.unbind': { params: { program: string; name: string | null }; result: null };
  'process.bind': { params: { pid: number; name: string }; result: null };
  'process.unbind': { params: { pid: number; name: string | null }; result: null };
  /** Sets how much is logged, from now on, where a level is given; the level in force. */
  'log.level': { params: { level: LogLevel | null }; result: { level: LogLevel } };
  /** All there is on the node, once. */
  'node.snapshot': { params: object; result: IrmSnapshot };
  /** The tree of the RIB at and below a path, all of it for an empty one. Its form is that of the prototype's files. */
  'node.rib': { params: { path: string }; result: readonly RibFile[] };
  /** The counters of all IPCPs and flows. */
  'node.counters': { params: object; result: IrmCounters };
  /**
   * From here on the connection brings notifications `event`, each an IrmEvent of what changes after the result, and
   * counters every `countersMs`, null for none. A reader that is too slow misses events and is told a snapshot, again as
   * a notification, once it has caught up.
   */
  'events.subscribe': { params: { countersMs?: number | null }; result: IrmSnapshot };
}
