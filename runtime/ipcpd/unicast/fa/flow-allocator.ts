/**
 * The flow allocator: flows between applications over the members of a unicast layer. A core: messages, packets and
 * `now` in, the same out through data transfer. Source: unicast-layer.md 8, 9.
 */
import { errnoOf } from '../../../lib/errors.ts';
import type { QosSpec } from '../../../lib/qos.ts';
import { type Deadlines, type Millis, never } from '../../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../../lib/wire/packet.ts';
import { zeroCounts } from '../../shell/counts.ts';
import type { FlowOutcome, FlowUser, LayerEvents, LayerFlow } from '../../shell/layer.ts';
import type { Address, Reachability } from '../address.ts';
import { EcnReceiver, EcnSender } from '../ca/mb-ecn.ts';
import { componentEid, type Eid, userEidMin } from '../dt/header.ts';
import {
  decodeFlowMessage,
  encodeFlowMessage,
  flowCode,
  type FlowMessage,
  flowMessageBytesMax,
  flowMessageLength,
} from './message.ts';

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export interface FlowAllocatorLimits {
  /** How long a reply is waited for; a request is never repeated. */
  readonly replyMs: Millis;
  readonly flowsMax: number;
  /** Requests that came in and are not answered yet: in all, and from one member. */
  readonly requestsMax: number;
  readonly requestsOfMemberMax: number;
  /** Requests that came in and are remembered, so that a copy of one is known as such. */
  readonly requestsRememberedMax: number;
  /** Flows that were released here and are remembered, and how often who still sends on one is told so, ms. */
  readonly releasedRememberedMax: number;
  readonly retellMs: Millis;
  /** Bytes of packets that congestion avoidance holds for a flow; what comes beyond is dropped. */
  readonly heldBytesMax: number;
}

const flowAllocatorLimits: FlowAllocatorLimits = {
  replyMs: 2000,
  flowsMax: 4032,
  requestsMax: 1024,
  requestsOfMemberMax: 64,
  requestsRememberedMax: 1024,
  releasedRememberedMax: 1024,
  retellMs: 50,
  heldBytesMax: 256 * 1024,
};

/** What carries packets to other members. */
export interface PacketCarrier {
  readonly headerBytes: number;
  send(destination: Address, eidLow: number, eidHigh: number, packet: Packet): boolean;
}

export interface FlowAllocatorOptions {
  readonly address: Address;
  readonly hashBytes: number;
  /** Whether flows keep to what their receivers tell of congestion. */
  readonly avoidsCongestion: boolean;
  readonly carrier: PacketCarrier;
  readonly packets: PacketPool;
  readonly events: LayerEvents;
  readonly clock: () => Millis;
  readonly randomBytes: (count: number) => Buffer;
  /** Longest message a flow carries now, in bytes. */
  readonly maxMessageBytes: () => number;
  /** To be told when something wants to be called sooner than it said before. */
  readonly deadlineChanged: () => void;
  readonly limits?: FlowAllocatorLimits;
}

const counterNames = [
  'flowRequestsIn',
  'flowRequestsOut',
  'flowRepliesIn',
  'flowUpdatesIn',
  'flowUpdatesOut',
  'releasedByPeer',
  'requestsGivenUp',
  'packetsHeld',
  'droppedFlowMessage',
  'droppedUnknownEid',
  'droppedUnexpectedReply',
  'droppedUnexpectedRelease',
  'droppedUnexpectedUpdate',
  'droppedTooManyRequests',
  'droppedRepeatedRequest',
  'droppedTooLong',
  'droppedNotOpen',
  'droppedHeld',
] as const;
type Counter = (typeof counterNames)[number];

interface Request {
  readonly from: Address;
  readonly eid: Eid;
}

/** The other end of a flow that was released here. */
interface OtherEnd {
  readonly remote: Address;
  readonly peerEid: Eid;
  /** It was told of the release. */
  toldAt: Millis;
}

interface Allocation {
  readonly deadline: Millis;
  readonly done: (outcome: FlowOutcome) => void;
}

/** What a flow has carried, with the words of the prototype's metrics (unicast-layer.md 11). */
export interface FlowCounts {
  sentPackets: number;
  sentBytes: number;
  sendFailedPackets: number;
  sendFailedBytes: number;
  receivedPackets: number;
  receivedBytes: number;
  sentUpdates: number;
  receivedUpdates: number;
}

const nsPerMs = 1_000_000;
const nsPerUs = 1000;
const usPerMs = 1000;

export class UnicastFlow implements LayerFlow {
  readonly eid: Eid;
  readonly remote: Address;
  readonly user: FlowUser;
  readonly since: Millis;
  readonly counts: FlowCounts = {
    sentPackets: 0,
    sentBytes: 0,
    sendFailedPackets: 0,
    sendFailedBytes: 0,
    receivedPackets: 0,
    receivedBytes: 0,
    sentUpdates: 0,
    receivedUpdates: 0,
  };
  readonly sender: EcnSender | undefined;
  readonly receiver: EcnReceiver | undefined;
  /** The peer's endpoint id; undefined until it has answered, and when the flow is over. */
  peerEid: Eid | undefined;
  /** The packet that waits until the window opens, and those behind it. */
  next: Buffer | undefined;
  readonly held: Buffer[] = [];
  heldBytes = 0;
  /** When the window opens. */
  heldUntil: Millis = never;
  readonly #allocator: FlowAllocator;

  constructor(
    allocator: FlowAllocator,
    at: { readonly eid: Eid; readonly remote: Address; readonly peerEid: Eid | undefined },
    user: FlowUser,
    now: Millis,
    avoidsCongestion: boolean,
  ) {
    this.#allocator = allocator;
    this.eid = at.eid;
    this.remote = at.remote;
    this.peerEid = at.peerEid;
    this.user = user;
    this.since = now;
    this.sender = avoidsCongestion ? new EcnSender(now * nsPerMs) : undefined;
    this.receiver = avoidsCongestion ? new EcnReceiver() : undefined;
  }

  get headerBytes(): number {
    return this.#allocator.headerBytes;
  }

  get backlog(): number {
    return this.held.length + (this.next === undefined ? 0 : 1);
  }

  write(packet: Packet): void {
    this.#allocator.write(this, packet);
  }

  deallocate(): void {
    this.#allocator.deallocate(this);
  }
}

/** Keeps a value, in the place of the oldest where there are too many. */
function remember<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  const oldest = map.keys().next();
  if (map.size >= max && oldest.done !== true) map.delete(oldest.value);
  map.set(key, value);
}

export class FlowAllocator implements Deadlines {
  readonly counters: Record<Counter, number> = zeroCounts(counterNames);
  readonly #options: FlowAllocatorOptions;
  readonly #limits: FlowAllocatorLimits;
  /** By the lower half of the endpoint id. */
  readonly #flows: (UnicastFlow | undefined)[] = [];
  readonly #free: number[] = [];
  #used = userEidMin;
  readonly #allocations = new Map<UnicastFlow, Allocation>();
  readonly #requests = new Map<number, Request>();
  /** Requests that came in before, by who asked and the endpoint id it gave. */
  readonly #asked = new Set<string>();
  readonly #holding = new Set<UnicastFlow>();
  /** Who was asked for flows that nobody waits for any more, by the endpoint id the request gave. */
  readonly #given = new Map<string, Address>();
  /** Flows that were released here, by their endpoint ids, oldest first. */
  readonly #released = new Map<string, OtherEnd>();
  #nextHandle = 1;

  constructor(options: FlowAllocatorOptions) {
    this.#options = options;
    this.#limits = options.limits ?? flowAllocatorLimits;
  }

  get headerBytes(): number {
    return this.#options.carrier.headerBytes;
  }

  /** The flows there are. */
  get flows(): UnicastFlow[] {
    return this.#flows.filter((flow) => flow !== undefined);
  }

  /** Requests a flow to a name at the member that serves it. */
  allocate(
    to: Address,
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const flow = this.#make(to, undefined, user, now);
    if (flow === undefined) {
      done({ kind: 'refused', response: -errnoOf('EBADF') });
      return closedFlow;
    }
    const { address } = this.#options;
    const message = { code: flowCode.request, source: address, senderEid: flow.eid, qos, hash, piggyback };
    if (!this.#fits(message)) {
      this.#forget(flow);
      done({ kind: 'refused', response: -errnoOf('EMSGSIZE') });
      return closedFlow;
    }
    this.#allocations.set(flow, { deadline: now + this.#limits.replyMs, done });
    this.#options.deadlineChanged();
    this.counters.flowRequestsOut += 1;
    this.#send(to, message);
    return flow;
  }

  /** Accepts a request that came in; undefined when there can be no more flows. */
  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined {
    const request = this.#takeRequest(handle);
    if (request === undefined) return undefined;
    const flow = this.#make(request.from, request.eid, user, now);
    if (flow === undefined) {
      this.#refuse(request, -errnoOf('EIPCP'));
      return undefined;
    }
    const message = this.#replyTo(request, flow.eid, 0, piggyback);
    const fits = this.#fits(message);
    if (fits && this.#send(request.from, message)) return flow;
    // Nobody would know of the flow but this end.
    this.#forget(flow);
    if (!fits) this.#refuse(request, -errnoOf('EMSGSIZE'));
    return undefined;
  }

  refuse(handle: number, response: number): void {
    const request = this.#takeRequest(handle);
    if (request !== undefined) this.#refuse(request, response);
  }

  /** The longest message of the layer has changed. */
  limitChanged(): void {
    for (const { user } of this.flows) user.limitChanged?.();
  }

  /** Routing has found members, or lost them: flows to those are up, or down. */
  reachable(changes: readonly Reachability[]): void {
    if (changes.length === 0) return;
    const last = new Map(changes.map(({ address, isReachable }) => [address, isReachable]));
    for (const { remote, peerEid, user } of this.flows) {
      const isUp = last.get(remote);
      if (isUp !== undefined && peerEid !== undefined) user.setUp(isUp);
    }
  }

  /** A message came for the flow allocator. */
  receive(packet: Packet): void {
    const { memory, start, end } = packet;
    const message = decodeFlowMessage(memory, start, end, this.#options.hashBytes);
    if (typeof message === 'string') {
      this.counters.droppedFlowMessage += 1;
      return;
    }
    switch (message.code) {
      case flowCode.request:
        return this.#requestReceived(message);
      case flowCode.reply:
        return this.#replyReceived(message);
      case flowCode.update: {
        const flow = this.#find(message.receiverEid);
        if (flow === undefined) {
          this.counters.droppedUnexpectedUpdate += 1;
          return;
        }
        this.counters.flowUpdatesIn += 1;
        flow.counts.receivedUpdates += 1;
        flow.sender?.updated(message.ece);
        return;
      }
      case flowCode.release:
        return this.#releaseReceived(message);
    }
  }

  /** A packet came for an endpoint. */
  deliver(eidLow: number, eidHigh: number, ecn: number, packet: Packet): void {
    const flow = this.#flows[eidLow];
    if (flow === undefined || flow.eid.high !== eidHigh) {
      return this.#strayReceived({ low: eidLow, high: eidHigh });
    }
    flow.counts.receivedPackets += 1;
    flow.counts.receivedBytes += packet.end - packet.start;
    const { receiver, peerEid } = flow;
    if (receiver !== undefined && peerEid !== undefined) {
      const ece = receiver.incoming(ecn);
      if (ece >= 0) {
        flow.counts.sentUpdates += 1;
        this.counters.flowUpdatesOut += 1;
        this.#send(flow.remote, { code: flowCode.update, receiverEid: peerEid, ece });
      }
    }
    flow.user.deliver(packet);
  }

  /** Sends a packet of a flow, or holds it. Called by the flow. */
  write(flow: UnicastFlow, packet: Packet): void {
    const bytes = packet.end - packet.start;
    if (flow.peerEid === undefined) {
      this.counters.droppedNotOpen += 1;
      return;
    }
    if (bytes > this.#options.maxMessageBytes()) {
      this.counters.droppedTooLong += 1;
      return;
    }
    const { sender } = flow;
    if (sender === undefined) return this.#carry(flow, packet, bytes);
    if (flow.next !== undefined) return this.#queue(flow, packet, bytes);
    const now = this.#options.clock();
    const hold = sender.outgoing(bytes, now * nsPerMs);
    if (hold === 0) return this.#carry(flow, packet, bytes);
    this.counters.packetsHeld += 1;
    this.#hold(flow, Buffer.from(packet.bytes()), hold, now);
    flow.user.setPaused?.(true);
  }

  /** Gives a flow up. Called by the flow. */
  deallocate(flow: UnicastFlow): void {
    if (this.#flows[flow.eid.low] !== flow) return;
    // What was written before is the peer's still.
    if (flow.next !== undefined) this.#carryCopy(flow, flow.next);
    for (let copy = flow.held.shift(); copy !== undefined; copy = flow.held.shift()) {
      this.#carryCopy(flow, copy);
    }
    const { peerEid, remote, eid } = flow;
    // Whose answer was lost, or is to come, learns that nobody waits for it by the only endpoint id there is.
    this.#send(remote, { code: flowCode.release, receiverEid: peerEid ?? noEid, senderEid: eid });
    const allocation = this.#allocations.get(flow);
    const { requestsMax, releasedRememberedMax } = this.#limits;
    const key = eidKey(eid);
    if (peerEid === undefined) remember(this.#given, key, remote, requestsMax);
    else {
      const other = { remote, peerEid, toldAt: this.#options.clock() };
      remember(this.#released, key, other, releasedRememberedMax);
    }
    this.#forget(flow);
    allocation?.done({ kind: 'unanswered' });
  }

  close(): void {
    for (const flow of this.flows) this.deallocate(flow);
    this.#requests.clear();
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline } of this.#allocations.values()) earliest = Math.min(earliest, deadline);
    for (const { heldUntil } of this.#holding) earliest = Math.min(earliest, heldUntil);
    return earliest;
  }

  advance(now: Millis): void {
    for (const [flow, { deadline }] of this.#allocations) if (deadline <= now) this.deallocate(flow);
    for (const flow of this.#holding) if (flow.heldUntil <= now) this.#letGo(flow, now);
  }

  #releaseReceived({
    receiverEid,
    senderEid,
  }: Extract<FlowMessage, { code: typeof flowCode.release }>): void {
    const isGivenUp = sameEid(receiverEid, noEid);
    const flow = isGivenUp
      ? this.#flows.find((each) => each?.peerEid !== undefined && sameEid(each.peerEid, senderEid))
      : this.#find(receiverEid);
    if (flow?.peerEid !== undefined && sameEid(flow.peerEid, senderEid)) {
      this.counters.releasedByPeer += 1;
      this.#forget(flow);
      return flow.user.released();
    }
    for (const [handle, { eid }] of this.#requests) {
      if (!isGivenUp || !sameEid(eid, senderEid)) continue;
      this.#requests.delete(handle);
      this.counters.requestsGivenUp += 1;
      return;
    }
    this.counters.droppedUnexpectedRelease += 1;
  }

  #requestReceived(message: Extract<FlowMessage, { code: typeof flowCode.request }>): void {
    const { source, senderEid, hash, qos, piggyback } = message;
    this.counters.flowRequestsIn += 1;
    if (source === 0) {
      this.counters.droppedFlowMessage += 1;
      return;
    }
    const key = `${source} ${eidKey(senderEid)}`;
    // To refuse the copy, as its handshake asks for, would kill the flow at a prototype (unicast-layer.md 8.7).
    if (this.#asked.has(key)) {
      this.counters.droppedRepeatedRequest += 1;
      return;
    }
    let ofMember = 0;
    for (const { from } of this.#requests.values()) if (from === source) ofMember += 1;
    const { requestsMax, requestsOfMemberMax, requestsRememberedMax } = this.#limits;
    if (this.#requests.size >= requestsMax || ofMember >= requestsOfMemberMax) {
      this.counters.droppedTooManyRequests += 1;
      return;
    }
    const oldest = this.#asked.values().next();
    if (this.#asked.size >= requestsRememberedMax && oldest.done !== true) this.#asked.delete(oldest.value);
    this.#asked.add(key);
    const handle = this.#nextHandle++;
    this.#requests.set(handle, { from: source, eid: senderEid });
    this.#options.events.flowRequested({ handle, hash, qos, piggyback });
  }

  #replyReceived(message: Extract<FlowMessage, { code: typeof flowCode.reply }>): void {
    this.counters.flowRepliesIn += 1;
    const { receiverEid, senderEid, response, piggyback } = message;
    const flow = this.#find(receiverEid);
    const allocation = flow === undefined ? undefined : this.#allocations.get(flow);
    // A second reply must not change a flow that is open.
    if (flow === undefined || allocation === undefined) {
      this.counters.droppedUnexpectedReply += 1;
      const asked = this.#given.get(eidKey(receiverEid));
      // The peer holds a flow that nobody here waits for any more.
      if (asked !== undefined && response === 0) {
        this.#given.delete(eidKey(receiverEid));
        this.#send(asked, { code: flowCode.release, receiverEid: senderEid, senderEid: receiverEid });
      }
      return;
    }
    this.#allocations.delete(flow);
    if (response !== 0) {
      this.#forget(flow);
      return allocation.done({ kind: 'refused', response: response < 0 ? response : -errnoOf('EIPCP') });
    }
    flow.peerEid = senderEid;
    allocation.done({ kind: 'accepted', piggyback });
  }

  #make(remote: Address, peerEid: Eid | undefined, user: FlowUser, now: Millis): UnicastFlow | undefined {
    const free = this.#free.shift();
    if (free === undefined && this.#used >= userEidMin + this.#limits.flowsMax) return undefined;
    const low = free ?? this.#used++;
    // The only thing that keeps strangers' packets out of a flow.
    const high = this.#options.randomBytes(4).readUInt32BE(0);
    const { avoidsCongestion } = this.#options;
    const flow = new UnicastFlow(this, { eid: { high, low }, remote, peerEid }, user, now, avoidsCongestion);
    this.#flows[low] = flow;
    return flow;
  }

  #find({ high, low }: Eid): UnicastFlow | undefined {
    const flow = this.#flows[low];
    return flow?.eid.high === high ? flow : undefined;
  }

  #forget(flow: UnicastFlow): void {
    this.#allocations.delete(flow);
    this.#holding.delete(flow);
    flow.peerEid = undefined;
    flow.next = undefined;
    flow.held.length = 0;
    flow.heldBytes = 0;
    this.#flows[flow.eid.low] = undefined;
    this.#free.push(flow.eid.low);
  }

  /**
   * A packet came for an endpoint that there is none of. Who sends on a flow that was released has not heard of it: the
   * message was lost, or is still under way.
   */
  #strayReceived(eid: Eid): void {
    this.counters.droppedUnknownEid += 1;
    const other = this.#released.get(eidKey(eid));
    const now = this.#options.clock();
    if (other === undefined || now - other.toldAt < this.#limits.retellMs) return;
    other.toldAt = now;
    this.#send(other.remote, { code: flowCode.release, receiverEid: other.peerEid, senderEid: eid });
  }

  #takeRequest(handle: number): Request | undefined {
    const request = this.#requests.get(handle);
    this.#requests.delete(handle);
    return request;
  }

  #refuse(request: Request, response: number): void {
    this.#send(request.from, this.#replyTo(request, noEid, response, nothing));
  }

  #replyTo({ eid }: Request, senderEid: Eid, response: number, piggyback: Buffer): FlowMessage {
    return { code: flowCode.reply, receiverEid: eid, senderEid, response, piggyback };
  }

  /** Whether a message reaches every member whole. */
  #fits(message: FlowMessage): boolean {
    const fits = flowMessageLength(message) <= Math.min(flowMessageBytesMax, this.#options.maxMessageBytes());
    if (!fits) this.counters.droppedTooLong += 1;
    return fits;
  }

  /** Sends a message; false when there is no way to the member. */
  #send(to: Address, message: FlowMessage): boolean {
    const packet = this.#options.packets.take(flowMessageLength(message));
    packet.end = encodeFlowMessage(message, packet.memory, packet.start);
    return this.#options.carrier.send(to, componentEid.flowAllocator, 0, packet);
  }

  /** Keeps a packet that has its place in the window that opens after `hold` ns. */
  #hold(flow: UnicastFlow, packet: Buffer, hold: number, now: Millis): void {
    flow.next = packet;
    // Rounded up to a µs, so that the window is open then.
    flow.heldUntil = now + Math.ceil(hold / nsPerUs) / usPerMs;
    this.#holding.add(flow);
    this.#options.deadlineChanged();
  }

  /** Keeps a packet behind those that wait for the window. */
  #queue(flow: UnicastFlow, packet: Packet, bytes: number): void {
    if (flow.heldBytes + bytes > this.#limits.heldBytesMax) {
      this.counters.droppedHeld += 1;
      flow.counts.sendFailedPackets += 1;
      flow.counts.sendFailedBytes += bytes;
      return;
    }
    this.counters.packetsHeld += 1;
    flow.held.push(Buffer.from(packet.bytes()));
    flow.heldBytes += bytes;
  }

  /** The window has opened: sends what has room in it. */
  #letGo(flow: UnicastFlow, now: Millis): void {
    const { sender, next } = flow;
    if (!this.#holding.delete(flow) || sender === undefined || next === undefined) return;
    flow.next = undefined;
    flow.heldUntil = never;
    this.#carryCopy(flow, next);
    for (let copy = flow.held.shift(); copy !== undefined; copy = flow.held.shift()) {
      flow.heldBytes -= copy.length;
      const hold = sender.outgoing(copy.length, now * nsPerMs);
      if (hold > 0) return this.#hold(flow, copy, hold, now);
      this.#carryCopy(flow, copy);
    }
    flow.user.setPaused?.(false);
  }

  #carryCopy(flow: UnicastFlow, copy: Buffer): void {
    const packet = this.#options.packets.take(copy.length);
    packet.append(copy, 0, copy.length);
    this.#carry(flow, packet, copy.length);
  }

  #carry(flow: UnicastFlow, packet: Packet, bytes: number): void {
    const { counts, peerEid } = flow;
    if (peerEid === undefined) return;
    if (this.#options.carrier.send(flow.remote, peerEid.low, peerEid.high, packet)) {
      counts.sentPackets += 1;
      counts.sentBytes += bytes;
    } else {
      counts.sendFailedPackets += 1;
      counts.sendFailedBytes += bytes;
    }
  }
}

const nothing = Buffer.alloc(0);
const noEid: Eid = { high: 0, low: 0 };

/** What stands for a flow that could not be made. */
const closedFlow: LayerFlow = {
  headerBytes: 0,
  backlog: 0,
  write: () => {},
  deallocate: () => {},
};

function eidKey({ high, low }: Eid): string {
  return `${high}:${low}`;
}

function sameEid(a: Eid, b: Eid): boolean {
  return a.low === b.low && a.high === b.high;
}
