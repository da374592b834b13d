/**
 * What the shell asks of an IPCP of any type. Implementations are cores: they take packets and `now`, and
 * speak through what they were given; they open no socket, start no timer and read no clock.
 */
import type { O7sError } from '../../lib/errors.ts';
import type { LayerHash } from '../../lib/names.ts';
import type { QosSpec } from '../../lib/qos.ts';
import type { BootstrapConfig, ComponentName } from '../../lib/rpc/api.ts';
import type { Adjacency, Route } from '../../lib/rpc/events.ts';
import type { Deadlines, Millis } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';

/** Who uses a flow of a layer: an application, or an IPCP above. */
export interface FlowUser {
  /** Takes a packet; it is valid only until the turn ends. */
  deliver(packet: Packet): void;
  /** The flow went down with its device, or came up again. */
  setUp(up: boolean): void;
  /** The other end released the flow: nothing more comes. */
  released(): void;
  /**
   * The layer asks for no more packets until it says so again. What is written all the same is held, as far as there is
   * room.
   */
  setPaused?(paused: boolean): void;
  /** The longest message is another from here on: `maxMessageBytes` of the layer, or of the lower flow, has changed. */
  limitChanged?(): void;
}

/** One end of a flow that a layer provides. */
export interface LayerFlow {
  /** Room its packets need in front, in bytes, for this layer and those below; it may grow with them. */
  readonly headerBytes: number;
  /**
   * Packets that wait to leave the node where these do: what a layer above takes for congestion. Known roughly, and
   * not at all times.
   */
  readonly backlog: number;
  /** Sends a packet, writing headers in front of it. The packet is used up. */
  write(packet: Packet): void;
  /** Releases the end. Idempotent. */
  deallocate(now: Millis): void;
}

export type FlowOutcome =
  | { readonly kind: 'accepted'; readonly piggyback: Buffer }
  /** `response` is the peer's, negative. */
  | { readonly kind: 'refused'; readonly response: number }
  | { readonly kind: 'unanswered' };

/** A request for a flow that came in over the layer; `accept` or `refuse` with the same handle answers it. */
export interface FlowRequest {
  readonly handle: number;
  readonly hash: Buffer;
  readonly qos: QosSpec;
  readonly piggyback: Buffer;
}

export interface LayerEvents {
  flowRequested(request: FlowRequest): void;
  /** The device of a link layer went up or down. */
  linkChanged?(up: boolean): void;
}

/** Counts of what a layer did and dropped, by reason. */
export type LayerCounters = Readonly<Record<string, number>>;

/** `complaint` is what the log is to say of a name that is not known, where it is this layer that should know it. */
export type OnQueried = (known: boolean, complaint?: string) => void;

export interface Layer extends Deadlines {
  readonly hash: LayerHash;
  /** Longest message a flow of the layer carries now, in bytes. */
  readonly maxMessageBytes: number;
  readonly counters: LayerCounters;

  register(hash: Buffer): void;
  unregister(hash: Buffer): void;

  /** Asks whether the layer knows a name; `done` is called once. */
  query(hash: Buffer, now: Millis, done: OnQueried): void;

  /** Requests a flow; packets may come for `user` before `done` is called, once. */
  allocate(
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow;

  /** Accepts a request that came in; undefined when the layer can no longer. */
  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined;

  /** Refuses a request that came in, with a negative response. */
  refuse(handle: number, response: number): void;

  /** An application joins a layer in which everybody hears everybody; such layers alone have this. */
  join?(user: FlowUser): LayerFlow;

  /** Ends everything the layer holds open. */
  close(): void;
}

/** What an IPCP knows of its layer, by parts: plain values, lists and objects of them. A part is made when it is asked for. */
export type LayerMetrics = Readonly<Record<string, () => unknown>>;

/** A flow that an IPCP uses itself: one of a layer below, or a direct one to another process of the node. */
export interface LowerFlow extends LayerFlow {
  /** Longest message it carries now, in bytes. */
  readonly maxMessageBytes: number;
}

/** How an IPCP gets flows of layers below. */
export interface LowerFlows {
  /**
   * Requests a flow to a name; packets may come for `user` before `done` is called, once, with the flow or with what
   * became of it.
   */
  allocate(name: string, qos: QosSpec, user: FlowUser, done: (result: LowerFlow | O7sError) => void): void;
}

/** Where an IPCP tells people what it does. */
export interface IpcpLog {
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  /** The same under the name of a component. */
  child(component: string): IpcpLog;
}

/** What an IPCP over others is given. */
export interface StackedSurroundings {
  readonly lower: LowerFlows;
  /** Where packets for its own messages come from. */
  readonly packets: PacketPool;
  readonly clock: () => Millis;
  /** ns since 1970. */
  readonly wallClock: () => bigint;
  readonly randomBytes: (count: number) => Buffer;
  /** Hears of requests for flows. */
  readonly events: LayerEvents;
  readonly log: IpcpLog;
  /** To be told when something wants to be called sooner than it said before. */
  deadlineChanged(): void;
  /** To be told when its facts may be others than before. */
  factsChanged?(): void;
}

/** What an IPCP is once it is in a layer. */
export interface Joined {
  readonly layer: Layer;
  readonly name: string;
}

/** What such an IPCP knows of its layer. */
export interface StackedFacts {
  /** The own address; null where there are none. */
  readonly address: string | null;
  readonly adjacencies: readonly Adjacency[];
  readonly routes: readonly Route[];
}

/**
 * An IPCP whose layer lies over flows of others. It is there before it is in a layer: that begins by its bootstrap or
 * enrolment.
 */
export interface StackedIpcp extends Deadlines {
  /** Of what it does beside its layer. */
  readonly counters: LayerCounters;
  /** Makes it the first member of a layer. Throws an O7sError for a configuration it cannot have. */
  bootstrap(layer: string, config: BootstrapConfig, now: Millis): Joined;
  /** Joins the layer of whoever serves a name in a layer below. */
  enroll(
    destination: string,
    wanted: string | undefined,
    now: Millis,
    done: (result: Joined | O7sError) => void,
  ): void;
  /** Connects a component to that of another member. */
  connect(
    destination: string,
    component: ComponentName,
    qos: QosSpec,
    now: Millis,
    done: (fault: O7sError | undefined) => void,
  ): void;
  /** Ends the connections of a component that `connect` made to a destination. */
  disconnect(destination: string, component: ComponentName, now: Millis): void;
  /** A flow came in to one of the names it is bound to; gets its packets from here on. */
  acceptFlow(flow: LowerFlow, now: Millis): FlowUser;
  metrics(now: Millis): LayerMetrics;
  facts(now: Millis): StackedFacts;
  /** How much it holds, by name. */
  readonly gauges: Readonly<Record<string, number>>;
  /** Ends everything it holds open, with its layer. */
  close(): void;
}
