/**
 * The connections of an IPCP: made over flows of layers below, opened by one message in each direction, watched, and
 * made anew when the peer was silent for long. A core: packets and `now` in, packets out over the flows it was given.
 * Source: unicast-layer.md 2, 3.
 */
import { errnoOf, O7sError } from '../../lib/errors.ts';
import { flowDescriptorMin } from '../../lib/limits.ts';
import { LowestFree } from '../../lib/lowest-free.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { componentNames, componentTitles } from '../../lib/rpc/api.ts';
import type { Adjacency } from '../../lib/rpc/events.ts';
import { type Deadlines, type Millis, never } from '../../lib/time/clock.ts';
import { type Packet, packetHeadroom, type PacketPool } from '../../lib/wire/packet.ts';
import { zeroCounts } from '../shell/counts.ts';
import type { FlowUser, IpcpLog, LowerFlow, LowerFlows, StackedSurroundings } from '../shell/layer.ts';
import { Connection, type ConnectionOwner, type ConnectionUser, type LivenessRule } from './connection.ts';
import { type ConnectionRecord, decodeRecord, encodeRecord, noComponent } from './message.ts';

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export interface ConnectionLimits {
  /** How long the other side may take to answer, and to say what it wants. */
  readonly answerMs: Millis;
  /** How often the other side is asked, each time over a flow of its own: the answer may be lost. */
  readonly attempts: number;
  /** How long a prototype needs before it reads what is sent after its answer. */
  readonly settleMs: Millis;
  /** Signs of life among ourselves: how often, after what silence a peer counts as down, and as lost. */
  readonly helloMs: Millis;
  readonly downMs: Millis;
  readonly lostMs: Millis;
  /** How often a connection whose peer was lost is tried again. */
  readonly retryMs: Millis;
  /** Connections that have not said yet what they want. */
  readonly strangersMax: number;
}

export const connectionLimits: ConnectionLimits = {
  answerMs: 1000,
  attempts: 3,
  settleMs: 300,
  helloMs: 1000,
  downMs: 4000,
  lostMs: 120_000,
  retryMs: 5000,
  strangersMax: 256,
};

/** Our extensions, as bits: one so far, for all of them. */
export const ownExtensions = 1;

/** When empty packets are sent on a connection to a prototype: a reader of its own may be harmed by them. */
export type KeepaliveRule = 'always' | 'never' | 'where it initiated';

/** What connections are made for. */
export interface Component {
  /** What it is called on the wire. */
  readonly name: string;
  readonly protocol: string;
  readonly version: number;
  readonly syntax: number;
  /** The own address in the layer; 0 where there are none. */
  readonly address: number;
  /** Whether a prototype wants a pause after its answer. */
  readonly settles: boolean;
  readonly keepalive: KeepaliveRule;
  /** A reason not to have a connection to this peer. */
  refuses?(peer: ConnectionRecord): O7sError | undefined;
  /** A connection is open. */
  connected(connection: Connection, now: Millis): ConnectionUser;
}

type Surroundings = Pick<
  StackedSurroundings,
  'lower' | 'packets' | 'clock' | 'log' | 'deadlineChanged' | 'factsChanged'
>;

/** Of the layers below, so that there is room for those above in front of a packet. */
const headerBytesMax = packetHeadroom - 24;

type OnConnected = (result: Connection | O7sError) => void;

/** A connection as people see it. */
export interface ConnectionFacts {
  /** Its number among those that were open. */
  readonly id: number;
  /** `Data Transfer` or `Management`. */
  readonly component: string;
  /** The name it was asked for by; null on the side that was asked. */
  readonly destination: string | null;
  readonly initiated: boolean;
  /** Whether packets can go over it: a prototype has to settle first. */
  readonly up: boolean;
  readonly prototype: boolean;
  /** The other side's address; 0 where there are none. */
  readonly peer: number;
}

/** What a connection that is not open yet waits for. */
interface Opening {
  readonly deadline: Millis;
  /** On the side that asked. */
  readonly request: { readonly component: Component; readonly done: OnConnected } | undefined;
}

/** A connection that is to be made anew when its peer is lost. */
interface Intent {
  readonly component: Component;
  readonly destination: string;
  readonly qos: QosSpec;
  retryAt: Millis;
}

const counterNames = [
  'connectionsOpened',
  'connectionsLost',
  'droppedHandshake',
  'droppedStranger',
  'droppedEarly',
] as const;
type Counter = (typeof counterNames)[number];

export class ConnectionManager implements ConnectionOwner, Deadlines {
  readonly packets: PacketPool;
  readonly counters: Record<Counter, number> = zeroCounts(counterNames);
  readonly #lower: LowerFlows;
  readonly #clock: () => Millis;
  readonly #log: IpcpLog;
  readonly #deadlineChanged: () => void;
  readonly #factsChanged: () => void;
  readonly #limits: ConnectionLimits;
  readonly #components = new Map<string, Component>();
  readonly #descriptors = new LowestFree(flowDescriptorMin, Number.POSITIVE_INFINITY);
  readonly #opening = new Map<Connection, Opening>();
  /** Open ones, with their component. */
  readonly #open = new Map<Connection, Component>();
  readonly #intents = new Map<Connection, Intent>();
  /** Intents whose connection was lost. */
  readonly #lost = new Set<Intent>();
  #isClosed = false;

  constructor(
    { lower, packets, clock, log, deadlineChanged, factsChanged = () => {} }: Surroundings,
    limits: ConnectionLimits = connectionLimits,
  ) {
    this.#lower = lower;
    this.#log = log.child('connection-manager');
    this.#deadlineChanged = deadlineChanged;
    this.#factsChanged = factsChanged;
    this.packets = packets;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** From here on connections to this component are accepted. */
  serve(component: Component): void {
    this.#components.set(component.name, component);
  }

  /** No more connections to a component. */
  withdraw(component: Component): void {
    this.#components.delete(component.name);
  }

  /** The open connections of a component. */
  connectionsOf(component: Component): Connection[] {
    return [...this.#open].flatMap(([connection, its]) => (its === component ? [connection] : []));
  }

  /** The open connections, for metrics. */
  facts(): readonly ConnectionFacts[] {
    const now = this.#clock();
    return [...this.#open].map(([{ id, peer, destination, initiated, up, readyAt, extended }, { name }]) => ({
      id,
      component: name,
      destination: destination ?? null,
      initiated,
      up: up && now >= readyAt,
      prototype: !extended,
      peer: peer.address,
    }));
  }

  /** Those that make two members neighbours. `addressOf` writes an address, or gives null where there are none. */
  adjacencies(addressOf: (address: number) => string | null): Adjacency[] {
    return this.facts().flatMap(({ id, component: name, destination, up, prototype, peer }) => {
      const component = componentNames.find((each) => componentTitles[each] === name);
      if (component === undefined) return [];
      return [{ id, component, peer: addressOf(peer), destination, up, prototype }];
    });
  }

  get gauges(): Readonly<Record<string, number>> {
    const open = this.adjacencies(() => null);
    return { adjacencies: open.length, adjacenciesUp: open.filter(({ up }) => up).length };
  }

  /**
   * Connects a component to that of whoever serves a name in a layer below. With `lasting` the connection is made anew
   * when the peer has been silent for long.
   */
  connect(
    component: Component,
    destination: string,
    qos: QosSpec,
    options: { readonly lasting: boolean },
    done: OnConnected,
  ): void {
    const whenDone: OnConnected = (outcome) => {
      if (options.lasting && outcome instanceof Connection) {
        this.#giveUp(component, destination);
        this.#intents.set(outcome, { component, destination, qos, retryAt: never });
      }
      done(outcome);
    };
    this.#ask(component, destination, qos, this.#limits.attempts, whenDone);
  }

  /** Ends the connections of a component that `connect` made to a destination, and gives those up that were lost. */
  disconnect(component: Component, destination: string): void {
    this.#giveUp(component, destination);
    for (const connection of this.#connectionsTo(component, destination)) this.close(connection);
  }

  /** Takes a flow that came in. */
  accept(flow: LowerFlow): FlowUser {
    const connection = new Connection(this, undefined);
    this.#attach(connection, flow);
    this.#log.info(`Handling incoming flow ${connection.fd}.`);
    const strangers = [...this.#opening].filter(([, { request }]) => request === undefined);
    const [oldest] = strangers;
    if (strangers.length >= this.#limits.strangersMax && oldest !== undefined) {
      this.counters.droppedStranger += 1;
      this.close(oldest[0]);
    }
    const deadline = this.#clock() + this.#limits.answerMs;
    this.#opening.set(connection, { deadline, request: undefined });
    this.#deadlineChanged();
    return connection;
  }

  /** A packet came that no component hears yet. Called by the connection. */
  handshake(connection: Connection, packet: Packet): void {
    const opening = this.#opening.get(connection);
    if (opening !== undefined) {
      const peer = decodeRecord(packet.bytes());
      if (opening.request === undefined) return this.#answer(connection, peer);
      if (peer !== undefined) return this.#judge(connection, peer, opening.request);
    }
    if (!connection.keep(packet)) this.counters.droppedEarly += 1;
  }

  /** The flow below was released. Called by the connection. */
  released(connection: Connection): void {
    this.#fail(connection, new O7sError('EFLOWDOWN', 'the flow below was released'));
    this.#end(connection);
  }

  /** Ends a connection; a lasting one is not made anew. */
  close(connection: Connection): void {
    this.#fail(connection, new O7sError('ECANCELED'));
    this.#end(connection);
  }

  /** A connection went up or down. Called by the connection. */
  stateChanged(): void {
    this.#factsChanged();
  }

  /** Ends all connections. */
  closeAll(): void {
    this.#isClosed = true;
    this.#lost.clear();
    for (const connection of [...this.#opening.keys(), ...this.#open.keys()]) this.close(connection);
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline } of this.#opening.values()) earliest = Math.min(earliest, deadline);
    for (const connection of this.#open.keys()) earliest = Math.min(earliest, connection.nextDeadline());
    for (const { retryAt } of this.#lost) earliest = Math.min(earliest, retryAt);
    return earliest;
  }

  advance(now: Millis): void {
    for (const [connection, { deadline, request }] of this.#opening) {
      if (deadline > now) continue;
      if (request === undefined) {
        this.counters.droppedStranger += 1;
        this.#log.error(`Error receiving OCEP info: ${-errnoOf('ETIMEDOUT')}.`);
      }
      const who = connection.destination ?? 'the peer';
      this.#fail(
        connection,
        connection.hasEarly
          ? new O7sError('EINVAL', `${who} sent no connection record`)
          : new O7sError('ETIMEDOUT', `${who} did not answer`),
      );
      this.#end(connection);
    }
    for (const connection of this.#open.keys()) {
      if (!connection.advance(now)) continue;
      this.counters.connectionsLost += 1;
      const intent = this.#intents.get(connection);
      this.#log.warn(
        `Lost a ${this.#open.get(connection)?.name} connection${intent === undefined ? '' : ` with ${intent.destination}`}.`,
      );
      this.#end(connection);
      if (intent === undefined) continue;
      // Somebody may have connected to it anew meanwhile.
      const { component, destination } = intent;
      if (this.#connectionsTo(component, destination).length === 0) this.#tryAgain(intent, now);
    }
    for (const intent of this.#lost) {
      if (intent.retryAt > now) continue;
      intent.retryAt = never;
      const { component, destination, qos } = intent;
      this.#ask(component, destination, qos, this.#limits.attempts, (result) => {
        if (!this.#lost.delete(intent)) {
          // Nobody wants it any more.
          if (result instanceof Connection) this.close(result);
        } else if (result instanceof Connection) this.#intents.set(result, intent);
        else this.#tryAgain(intent, this.#clock());
      });
    }
  }

  #connectionsTo(component: Component, destination: string): Connection[] {
    return this.connectionsOf(component).filter((each) => each.destination === destination);
  }

  /** Connections to a destination that were lost are not tried again. */
  #giveUp(component: Component, destination: string): void {
    for (const intent of this.#lost) {
      if (intent.component === component && intent.destination === destination) this.#lost.delete(intent);
    }
  }

  #ask(component: Component, destination: string, qos: QosSpec, attempts: number, done: OnConnected): void {
    const connection = new Connection(this, destination);
    const answered: OnConnected = (outcome) => {
      const isSilence = outcome instanceof O7sError && ['ETIMEDOUT', 'EFLOWDOWN'].includes(outcome.code);
      if (isSilence && attempts > 1) this.#ask(component, destination, qos, attempts - 1, done);
      else done(outcome);
    };
    this.#lower.allocate(destination, qos, connection, (result) => {
      if (result instanceof O7sError) {
        this.#log.error(`Failed to allocate flow to ${destination}.`);
        return done(result);
      }
      const fault = this.#faultOfFlow(result);
      if (fault !== undefined) {
        result.deallocate(this.#clock());
        return done(fault);
      }
      this.#attach(connection, result);
      const deadline = this.#clock() + this.#limits.answerMs;
      this.#opening.set(connection, { deadline, request: { component, done: answered } });
      this.#deadlineChanged();
      this.#send(connection, this.#recordOf(component));
    });
  }

  #attach(connection: Connection, flow: LowerFlow): void {
    connection.attach(flow, this.#descriptors.take() ?? 0);
  }

  #faultOfFlow({ headerBytes }: LowerFlow): O7sError | undefined {
    if (this.#isClosed) return new O7sError('ECANCELED');
    if (headerBytes <= headerBytesMax) return undefined;
    return new O7sError('ENOTSUP', 'there are too many layers one over another below');
  }

  #tryAgain(intent: Intent, now: Millis): void {
    intent.retryAt = now + this.#limits.retryMs;
    this.#lost.add(intent);
    this.#deadlineChanged();
  }

  #answer(connection: Connection, peer: ConnectionRecord | undefined): void {
    const { fd } = connection;
    const component = peer === undefined ? undefined : this.#components.get(peer.component);
    if (peer === undefined || component === undefined) {
      this.counters.droppedHandshake += 1;
      this.#log.error(
        peer === undefined ? 'Handshake is no connection record.' : `No such component: ${peer.component}`,
      );
      // A prototype's answer to a component that does not exist; what is no record gets none.
      if (peer !== undefined) this.#send(connection, noComponent);
      return this.#end(connection);
    }
    this.#log.info(`Request to connect to ${component.name}.`);
    const refusal = component.refuses?.(peer);
    if (refusal !== undefined) {
      this.counters.droppedHandshake += 1;
      this.#log.error(`Refused to connect ${component.name}: ${refusal.message}.`);
      this.#send(connection, noComponent);
      return this.#end(connection);
    }
    this.#opened(connection, component, peer);
    // A layer below in the same process brings at once what the peer says to that.
    this.#send(connection, this.#recordOf(component));
    this.#use(connection, component);
    this.#log.info(`Finished handling incoming flow ${fd} for ${component.name}.`);
  }

  #judge(
    connection: Connection,
    peer: ConnectionRecord,
    { component, done }: { readonly component: Component; readonly done: OnConnected },
  ): void {
    const fault = faultOf(peer, component);
    if (fault !== undefined) {
      this.counters.droppedHandshake += 1;
      this.#fail(connection, fault);
      return this.#end(connection);
    }
    this.#opened(connection, component, peer);
    this.#use(connection, component);
    done(this.#open.has(connection) ? connection : new O7sError('EFLOWDOWN', 'the peer ended it at once'));
  }

  #opened(connection: Connection, component: Component, peer: ConnectionRecord): void {
    const now = this.#clock();
    const extended = peer.extensions !== 0;
    const settleMs = component.settles && !extended ? this.#limits.settleMs : 0;
    this.#opening.delete(connection);
    this.#open.set(connection, component);
    this.counters.connectionsOpened += 1;
    const rule = this.#livenessRule(component, extended, connection.initiated);
    connection.open(this.counters.connectionsOpened, peer, rule, now + settleMs, now);
    this.#deadlineChanged();
    this.#factsChanged();
  }

  #use(connection: Connection, component: Component): void {
    // It may have ended by what the record caused.
    if (this.#open.has(connection)) connection.use(component.connected(connection, this.#clock()));
  }

  #livenessRule(component: Component, extended: boolean, initiated: boolean): LivenessRule {
    const { helloMs, downMs, lostMs } = this.#limits;
    if (extended) return { gives: true, intervalMs: helloMs, downMs, lostMs };
    const { keepalive } = component;
    const gives = keepalive === 'always' || (keepalive === 'where it initiated' && !initiated);
    return { gives, intervalMs: lostMs / 4, downMs: lostMs, lostMs };
  }

  #recordOf({ name, protocol, version, syntax, address }: Component): ConnectionRecord {
    return { component: name, protocol, version, syntax, address, extensions: ownExtensions };
  }

  #send(connection: Connection, record: ConnectionRecord): void {
    const bytes = encodeRecord(record);
    const packet = this.packets.take(bytes.length);
    packet.append(bytes, 0, bytes.length);
    connection.flow.write(packet);
  }

  /** Tells who waits for a connection that there will be none. */
  #fail(connection: Connection, fault: O7sError): void {
    const opening = this.#opening.get(connection);
    this.#opening.delete(connection);
    opening?.request?.done(fault);
  }

  #end(connection: Connection): void {
    this.#opening.delete(connection);
    if (this.#open.delete(connection)) this.#factsChanged();
    this.#intents.delete(connection);
    connection.flow.deallocate(this.#clock());
    this.#descriptors.release(connection.fd);
    connection.end();
  }
}

/** What is wrong with an answer. */
function faultOf(peer: ConnectionRecord, component: Component): O7sError | undefined {
  const { name, protocol, version, syntax } = component;
  if (peer.component === '') {
    return new O7sError('ENOTSUP', `the peer has no component ${name}, or refuses this one`);
  }
  if (peer.protocol !== protocol || peer.version !== version || peer.syntax !== syntax) {
    const theirs = `${JSON.stringify(peer.protocol)} version ${peer.version} syntax ${peer.syntax}`;
    return new O7sError('ENOTSUP', `the peer speaks ${theirs} for ${name}`);
  }
  return component.refuses?.(peer);
}
