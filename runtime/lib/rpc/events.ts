/**
 * What irmd tells those that subscribe to its events: all there is, then each change, and counters as often as was
 * asked. docs/events.md is generated from the schema of the same shape. Times are ms since 1970, pids those of `irm`.
 */
import type { QosJson } from '../qos.ts';
import type { BalancePolicy, ComponentName, IpcpInfo, NameInfo } from './api.ts';

/** A process that has announced itself to irmd. */
export interface ProcessInfo {
  readonly pid: number;
  readonly uid: number;
  readonly program: string;
  readonly names: readonly string[];
}

/** A process of this node that holds an end of a flow. */
export interface FlowEnd {
  readonly pid: number;
  /** `ipcpd-unicast` and the like for an IPCP. */
  readonly program: string;
}

/** One end of a flow, as its node knows it. */
export interface FlowInfo {
  readonly flowId: number;
  /** The name it was allocated to, or the broadcast layer that was joined. */
  readonly name: string;
  /** Two for a flow between two processes of the node, else one. */
  readonly ends: readonly FlowEnd[];
  /** The IPCP it goes through; null for a flow between two processes of the node. */
  readonly ipcp: number | null;
  readonly layer: string | null;
  readonly qos: QosJson;
  /** Whether it carries packets, as far as the layer knows. */
  readonly up: boolean;
  readonly allocatedAt: number;
}

/** A connection of an IPCP to another member of its layer. */
export interface Adjacency {
  /** A number that no other of the IPCP has or had. */
  readonly id: number;
  readonly component: ComponentName;
  /** The address of the other member; null in layers that have none. */
  readonly peer: string | null;
  /** The name it was asked for by; null on the side that was asked. */
  readonly destination: string | null;
  readonly up: boolean;
  /** Whether the other member is of the reference prototype's kind. */
  readonly prototype: boolean;
}

/** The way to another member of a unicast layer. */
export interface Route {
  readonly address: string;
  /** Links to it. */
  readonly links: number;
  /** The neighbours that packets may leave by, the first choice first. */
  readonly via: readonly string[];
}

/** What an IPCP that is in a layer knows of it. */
export interface LayerFacts {
  readonly pid: number;
  /** Names that are registered with this IPCP. */
  readonly names: readonly string[];
  /** Whether the device of a link layer is up; null for the other types. */
  readonly linkUp: boolean | null;
  readonly adjacencies: readonly Adjacency[];
  readonly routes: readonly Route[];
}

/** All there is on a node at one moment. One that comes later replaces all that was told before it. */
export interface IrmSnapshot {
  readonly event: 'snapshot';
  readonly at: number;
  /** Events that were not told because the reader was too slow for them: what they said is in here. */
  readonly dropped: number;
  readonly ipcps: readonly IpcpInfo[];
  readonly names: readonly NameInfo[];
  readonly processes: readonly ProcessInfo[];
  readonly flows: readonly FlowInfo[];
  /** One for each IPCP that is in a layer. */
  readonly layers: readonly LayerFacts[];
}

/** What changed. `name` beside a `pid` is that of the IPCP, if not of a name that is registered. */
export type IrmChange =
  | { readonly event: 'ipcp.created' | 'ipcp.bootstrapped' | 'ipcp.enrolled'; readonly ipcp: IpcpInfo }
  | {
      readonly event: 'ipcp.connected' | 'ipcp.disconnected';
      readonly pid: number;
      readonly name: string;
      readonly component: ComponentName;
      readonly destination: string;
    }
  | { readonly event: 'ipcp.destroyed' | 'ipcp.crashed'; readonly pid: number; readonly name: string }
  /** The device of a link layer. */
  | { readonly event: 'link.up' | 'link.down'; readonly pid: number; readonly name: string }
  | {
      readonly event: 'adjacency.added' | 'adjacency.up' | 'adjacency.down' | 'adjacency.removed';
      readonly pid: number;
      readonly name: string;
      readonly adjacency: Adjacency;
    }
  /** Routes that are new or other than before, and members to which there is no route any more. */
  | {
      readonly event: 'routes.changed';
      readonly pid: number;
      readonly name: string;
      readonly set: readonly Route[];
      readonly gone: readonly string[];
    }
  | { readonly event: 'name.created'; readonly name: string; readonly policy: BalancePolicy }
  | { readonly event: 'name.destroyed'; readonly name: string }
  | { readonly event: 'name.registered' | 'name.unregistered'; readonly name: string; readonly pid: number }
  /** `by` is a program or a pid; of a name `*` all bindings went. */
  | { readonly event: 'name.bound' | 'name.unbound'; readonly name: string; readonly by: string }
  | { readonly event: 'process.added' | 'process.removed'; readonly pid: number; readonly program: string }
  | { readonly event: 'flow.allocated'; readonly flow: FlowInfo }
  | {
      readonly event: 'flow.up' | 'flow.down' | 'flow.deallocated';
      readonly flowId: number;
      readonly name: string;
    };

/** What an IPCP did and dropped since it was created, and how much it holds now. */
export interface IpcpCounts {
  readonly pid: number;
  /** By name; they only grow. */
  readonly counters: Readonly<Record<string, number>>;
  /** By name: flows, members, adjacencies and what else its type has. */
  readonly gauges: Readonly<Record<string, number>>;
}

/** What the data plane carried of a flow, as the process of this node sees it. */
export interface PortCounts {
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  /** Packets of the other end that the process did not read in time. */
  readonly droppedSlowReader: number;
  /** Packets for a flow that is not there yet, or no more. */
  readonly droppedNotOpen: number;
  /** Packets of the process that were longer than the layer takes. */
  readonly droppedTooLong: number;
}

/** Order and retransmission on a flow that has them, at one end. Times in ms. */
export interface FrctReport {
  /** Whether what is lost is sent again. */
  readonly reliable: boolean;
  /** Smoothed round trip; null before the first measurement. */
  readonly roundTripMs: number | null;
  /** Packets that may be under way at once. */
  readonly window: number;
  /** Messages written and not acknowledged. */
  readonly outstanding: number;
  /** For how long the other end's window has refused writes; 0 while it does not. */
  readonly closedMs: number;
  /** Longest time a packet lives in the layer, an acknowledgement is held back, and a packet is sent again. */
  readonly mplMs: number;
  readonly ackMs: number;
  readonly retransmitMs: number;
  /** Of the round trip. */
  readonly deviationMs: number;
  /** How long an acknowledgement is waited for now. */
  readonly timeoutMs: number;
  /** Round trips that were measured. */
  readonly estimates: number;
  /** Sequence numbers; a right edge is the first that may not be sent. */
  readonly sender: {
    readonly left: number;
    readonly right: number;
    readonly next: number;
    readonly inactiveMs: number;
  };
  readonly receiver: {
    readonly left: number;
    readonly right: number;
    readonly acknowledged: number;
    readonly inactiveMs: number;
  };
  /** Retransmissions, time-outs, what was dropped and more, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What the library in a process knows of its end of a flow. */
export interface FlowReport {
  readonly flowId: number;
  /** What the process knows it by; null where it has no such number. */
  readonly fd: number | null;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Messages and packets that were lost, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** null where the QoS asks for no order. */
  readonly frct: FrctReport | null;
}

/** The same, of the process with this pid. */
export type EndReport = Omit<FlowReport, 'flowId'> & { readonly pid: number };

export interface FlowCounts {
  readonly flowId: number;
  /** null for a flow between two processes of the node: no third one is in its path. */
  readonly port: PortCounts | null;
  /** Of the ends whose processes tell. */
  readonly ends: readonly EndReport[];
}

/**
 * Totals of those IPCPs and flows that did anything since they were last told. Of an IPCP, the numbers that are other
 * than when they were told last; what was never told is 0. After a snapshot all are told anew.
 */
export interface IrmCounters {
  readonly event: 'counters';
  readonly at: number;
  readonly ipcps: readonly IpcpCounts[];
  readonly flows: readonly FlowCounts[];
  /** How often users were refused for having their share, since irmd started: of `connections`, `requests` and `flows`. */
  readonly refused: Readonly<Record<string, number>>;
}

/** A change with its moment, or counters. */
export type IrmEvent = (IrmChange & { readonly at: number }) | IrmCounters;
