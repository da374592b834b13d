/**
 * The flows of a link layer, whatever the link: endpoint ids, requests under way in both directions, and which flow
 * a packet belongs to. How an address looks and how messages are written is the layer's.
 * Source: link-ipcps.md 1.5, 1.8, 1.10.
 */
import { errnoOf } from '../../lib/errors.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import { EndpointIds } from './endpoint-ids.ts';
import type { FlowOutcome, FlowUser, LayerEvents, LayerFlow } from './layer.ts';

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export interface LinkFlowLimits {
  /** How long a reply to a flow request is waited for; the request itself is never repeated. */
  readonly replyMs: Millis;
  /** How long an endpoint id rests after use, while its other end may go on sending: nothing told that it will not. */
  readonly eidRestMs: Millis;
  /** How long it rests when the other end has said that it sends no more. */
  readonly eidRestReleasedMs: Millis;
  /** Requests that came in and are not answered yet: in all, and from one station. */
  readonly requestsMax: number;
  readonly requestsOfStationMax: number;
}

export const linkFlowLimits: Omit<LinkFlowLimits, 'eidRestMs' | 'eidRestReleasedMs'> = {
  replyMs: 3000,
  requestsMax: 1024,
  requestsOfStationMax: 64,
};

/** What is dropped, by reason, and the few events worth a count. */
export const linkFlowCounters = [
  'keepalivesIn',
  'droppedUnknownEid',
  'droppedReservedEid',
  'droppedForeignSource',
  'droppedTooLong',
  'droppedNotOpen',
  'droppedHeldBack',
  'droppedTooManyRequests',
  'droppedRepeatedRequest',
  'droppedUnexpectedReply',
  'droppedUnexpectedRelease',
  'releasedByPeer',
  'supersededByPeer',
  'repliesMisdirected',
] as const;
export type LinkFlowCounter = (typeof linkFlowCounters)[number];

/** What a layer does for its flows. */
export interface LinkPort<Address> {
  /** Bytes a data packet of the layer has in front of its payload. */
  readonly headerBytes: number;
  /** Packets that wait at the device. */
  readonly backlog: number;
  readonly maxMessageBytes: number;
  count(reason: LinkFlowCounter): void;
  isSame(a: Address, b: Address): boolean;
  /** Ids that no flow may have, of the peer's as of the own. */
  isReserved(eid: number): boolean;
  sendRequest(to: Address, seid: number, qos: QosSpec, hash: Buffer, piggyback: Buffer): void;
  /** Answers a request; `eid` is the own one, 0 in a refusal. */
  sendReply(to: Address, requesterEid: number, eid: number, response: number, piggyback: Buffer): void;
  /** Tells the other end that a flow is released. A prototype ignores it. */
  sendRelease(to: Address, eid: number, peerEid: number): void;
  sendData(flow: LinkFlow<Address>, packet: Packet): void;
}

/** A request that came in, waits for an answer or got a flow. */
interface Request<Address> {
  readonly from: Address;
  /** The requester's. */
  readonly eid: number;
  /** Which handshake it carries, in hexadecimal digits; undefined when it carries none. */
  readonly handshake: string | undefined;
  /** Whether the requester is one of ours. */
  readonly ours: boolean;
}

/** The other end of a flow that was given up here. */
interface OtherEnd<Address> {
  readonly address: Address;
  readonly eid: number;
  /** It was told of the release. */
  toldAt: Millis;
}

/** How often one is told of a release that goes on sending, ms. */
const retellMs = 50;

export interface LinkFlowOptions<Address> {
  readonly port: LinkPort<Address>;
  readonly events: LayerEvents;
  readonly limits: LinkFlowLimits;
  /** The endpoint ids to give out. */
  readonly eids: { readonly min: number; readonly max: number };
  /** Where packets come from that are sent later than they were written. */
  readonly packets: PacketPool;
  /**
   * How long the first data of an accepted flow is held back, because a prototype drops what comes before it has dealt
   * with the reply; 0 where it does not.
   */
  readonly firstDataHoldMs?: Millis;
}

interface Allocation<Address> {
  readonly flow: LinkFlow<Address>;
  readonly handshakeId: Buffer;
  readonly deadline: Millis;
  readonly done: (outcome: FlowOutcome) => void;
}

/** The first bytes of a piggyback name the handshake (end-to-end.md 3.1). */
const handshakeIdBytes = 16;
const notOpen = -1;
/** Packets of a flow that are held back at most. */
const heldMax = 64;

export class LinkFlow<Address> implements LayerFlow {
  readonly eid: number;
  readonly address: Address;
  readonly user: FlowUser;
  /** The peer's endpoint id; negative until the peer has answered, and when the flow is over. */
  peerEid: number;
  /** The request that it answers; a flow that was asked for here has none. */
  readonly request: Request<Address> | undefined;
  readonly #flows: LinkFlows<Address>;

  constructor(
    flows: LinkFlows<Address>,
    eid: number,
    address: Address,
    user: FlowUser,
    request?: Request<Address>,
  ) {
    this.#flows = flows;
    this.eid = eid;
    this.address = address;
    this.peerEid = request?.eid ?? notOpen;
    this.user = user;
    this.request = request;
  }

  get headerBytes(): number {
    return this.#flows.headerBytes;
  }

  get backlog(): number {
    return this.#flows.backlog;
  }

  write(packet: Packet): void {
    this.#flows.send(this, packet);
  }

  deallocate(now: Millis): void {
    this.#flows.deallocate(this, now);
  }
}

/** What an accepted flow wrote too early for its peer. */
interface HeldBack {
  readonly until: Millis;
  readonly packets: Buffer[];
  /** Its user has released it: it ends when the packets have left. */
  isReleased: boolean;
}

export class LinkFlows<Address> {
  readonly #port: LinkPort<Address>;
  readonly #events: LayerEvents;
  readonly #limits: LinkFlowLimits;
  readonly #eids: EndpointIds;
  readonly #packets: PacketPool;
  readonly #firstDataHoldMs: Millis;
  readonly #flows = new Map<number, LinkFlow<Address>>();
  readonly #allocations = new Map<number, Allocation<Address>>();
  readonly #requests = new Map<number, Request<Address>>();
  /** Requests that wait or have a flow, by their handshake. */
  readonly #handshakes = new Map<string, Request<Address>>();
  readonly #heldBack = new Map<LinkFlow<Address>, HeldBack>();
  /** Other ends that have not said yet that they send no more, by the own endpoint id, which rests. */
  readonly #unconfirmed = new Map<number, OtherEnd<Address>>();
  #nextHandle = 1;
  readonly #closedFlow: LayerFlow = {
    headerBytes: 0,
    backlog: 0,
    write: () => this.#port.count('droppedNotOpen'),
    deallocate: () => {},
  };

  readonly headerBytes: number;

  constructor(options: LinkFlowOptions<Address>) {
    const { port, events, limits, eids, packets, firstDataHoldMs = 0 } = options;
    this.#port = port;
    this.headerBytes = port.headerBytes;
    this.#events = events;
    this.#limits = limits;
    this.#eids = new EndpointIds(eids.min, eids.max);
    this.#packets = packets;
    this.#firstDataHoldMs = firstDataHoldMs;
  }

  /** Packets that wait at the device. */
  get backlog(): number {
    return this.#port.backlog;
  }

  /** The flow with an own endpoint id. */
  find(eid: number): LinkFlow<Address> | undefined {
    return this.#flows.get(eid);
  }

  /**
   * A packet came in for an endpoint id that no flow has. Who sends to a flow that was released has not heard of it: the
   * message was lost, or is still under way.
   */
  strayReceived(from: Address, eid: number, now: Millis): void {
    this.#port.count('droppedUnknownEid');
    const other = this.#unconfirmed.get(eid);
    if (other === undefined || now - other.toldAt < retellMs || !this.#port.isSame(other.address, from))
      return;
    other.toldAt = now;
    this.#port.sendRelease(from, eid, other.eid);
  }

  /** Requests a flow from a station. */
  allocate(
    to: Address,
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const eid = this.#takeEid(now);
    if (eid === undefined) {
      // Nobody was asked, and nobody will be before another flow ends.
      done({ kind: 'refused', response: -errnoOf('EBADF') });
      return this.#closedFlow;
    }
    const flow = new LinkFlow(this, eid, to, user);
    this.#flows.set(eid, flow);
    const handshakeId = piggyback.subarray(0, handshakeIdBytes);
    this.#allocations.set(eid, { flow, handshakeId, deadline: now + this.#limits.replyMs, done });
    this.#port.sendRequest(to, eid, qos, hash, piggyback);
    return flow;
  }

  /** A flow that nobody can be asked for. */
  unanswered(done: (outcome: FlowOutcome) => void): LayerFlow {
    done({ kind: 'unanswered' });
    return this.#closedFlow;
  }

  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined {
    const request = this.#takeRequest(handle);
    if (request === undefined) return undefined;
    const eid = this.#takeEid(now);
    if (eid === undefined) {
      this.#answered(request);
      this.#port.sendReply(request.from, request.eid, 0, -errnoOf('EIPCP'), nothing);
      return undefined;
    }
    const flow = new LinkFlow(this, eid, request.from, user, request);
    this.#flows.set(eid, flow);
    if (this.#firstDataHoldMs > 0 && !request.ours) {
      const until = now + this.#firstDataHoldMs;
      this.#heldBack.set(flow, { until, packets: [], isReleased: false });
    }
    this.#supersede(flow, now);
    this.#port.sendReply(request.from, request.eid, eid, 0, piggyback);
    return flow;
  }

  refuse(handle: number, response: number): void {
    const request = this.#takeRequest(handle);
    if (request === undefined) return;
    this.#answered(request);
    this.#port.sendReply(request.from, request.eid, 0, response, nothing);
  }

  /**
   * A request for a flow came in.
   *
   * @param ours whether it says that the requester is one of ours.
   */
  requestReceived(
    from: Address,
    eid: number,
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    ours = false,
  ): void {
    if (this.#port.isReserved(eid)) return this.#port.count('droppedReservedEid');
    const handshake =
      piggyback.length < handshakeIdBytes ? undefined : piggyback.toString('hex', 0, handshakeIdBytes);
    // The link made two of one: an answer to the second, a refusal, would be taken for that to the first.
    const first = handshake === undefined ? undefined : this.#handshakes.get(handshake);
    if (first !== undefined && first.eid === eid && this.#port.isSame(first.from, from)) {
      return this.#port.count('droppedRepeatedRequest');
    }
    let ofStation = 0;
    for (const request of this.#requests.values()) if (this.#port.isSame(request.from, from)) ofStation += 1;
    const { requestsMax, requestsOfStationMax } = this.#limits;
    // Without an answer: who asked for so many at once asks again in a while.
    if (this.#requests.size >= requestsMax || ofStation >= requestsOfStationMax) {
      return this.#port.count('droppedTooManyRequests');
    }
    const handle = this.#nextHandle++;
    const request: Request<Address> = { from, eid, handshake, ours };
    this.#requests.set(handle, request);
    if (handshake !== undefined && first === undefined) this.#handshakes.set(handshake, request);
    this.#events.flowRequested({ handle, hash, qos, piggyback });
  }

  /** A reply came in to the request with the own endpoint id `eid`. */
  replyReceived(
    from: Address,
    eid: number,
    peerEid: number,
    response: number,
    piggyback: Buffer,
    now: Millis,
  ): void {
    const allocation = this.#allocations.get(eid);
    if (allocation === undefined || response > 0) {
      this.#port.count('droppedUnexpectedReply');
      // The peer holds a flow that nobody here waits for any more.
      const late = response === 0 && !this.#flows.has(eid) && !this.#port.isReserved(peerEid);
      if (!late) return;
      if (this.#eids.rests(eid)) this.#unconfirmed.set(eid, { address: from, eid: peerEid, toldAt: now });
      return this.#port.sendRelease(from, eid, peerEid);
    }
    const { flow } = allocation;
    if (!this.#port.isSame(flow.address, from)) return this.#port.count('droppedForeignSource');
    if (response < 0) {
      // Who refuses has no flow to send on.
      this.#forget(flow, now + this.#limits.eidRestReleasedMs);
      return allocation.done({ kind: 'refused', response });
    }
    if (this.#port.isReserved(peerEid)) return this.#port.count('droppedReservedEid');
    flow.peerEid = peerEid;
    this.#supersede(flow, now);
    this.#settle(eid, { kind: 'accepted', piggyback });
  }

  /** A reply came in that lost its addressee: whose request it answers shows in its handshake (link-ipcps.md 9.1). */
  lostReplyReceived(from: Address, peerEid: number, response: number, piggyback: Buffer, now: Millis): void {
    const handshakeId = piggyback.subarray(0, handshakeIdBytes);
    for (const [eid, allocation] of this.#allocations) {
      if (handshakeId.length < handshakeIdBytes || !allocation.handshakeId.equals(handshakeId)) continue;
      this.#port.count('repliesMisdirected');
      return this.replyReceived(from, eid, peerEid, response, piggyback, now);
    }
    this.#port.count('droppedUnexpectedReply');
  }

  /**
   * The peer says that it released a flow, and sends no more. It is told the same: its endpoint id may be used again as
   * soon as it knows that nothing else is under way.
   */
  releaseReceived(from: Address, eid: number, peerEid: number, now: Millis): void {
    const rested = now + this.#limits.eidRestReleasedMs;
    const flow = this.#flows.get(eid);
    if (flow !== undefined && flow.peerEid === peerEid && this.#port.isSame(flow.address, from)) {
      this.#port.count('releasedByPeer');
      this.#port.sendRelease(from, eid, peerEid);
      return this.#endedByPeer(flow, rested);
    }
    const other = this.#unconfirmed.get(eid);
    if (other === undefined || other.eid !== peerEid || !this.#port.isSame(other.address, from)) {
      return this.#port.count('droppedUnexpectedRelease');
    }
    this.#unconfirmed.delete(eid);
    this.#eids.shorten(eid, rested);
  }

  /** Hands a packet on to the user of its flow. */
  deliver(flow: LinkFlow<Address>, packet: Packet, now: Millis): void {
    if (packet.length === 0) this.#port.count('keepalivesIn');
    const held = this.#heldBack.get(flow);
    // Who sends has dealt with the reply.
    if (held !== undefined) this.#letGo(flow, held, now);
    if (held?.isReleased !== true) flow.user.deliver(packet);
  }

  /** Sends a packet of a flow. Called by the flow. */
  send(flow: LinkFlow<Address>, packet: Packet): void {
    if (packet.length > this.#port.maxMessageBytes) return this.#port.count('droppedTooLong');
    if (flow.peerEid < 0) return this.#port.count('droppedNotOpen');
    const held = this.#heldBack.get(flow);
    if (held === undefined) return this.#port.sendData(flow, packet);
    if (held.packets.length >= heldMax) return this.#port.count('droppedHeldBack');
    held.packets.push(Buffer.from(packet.bytes()));
  }

  /** Gives a flow up. Called by the flow. */
  deallocate(flow: LinkFlow<Address>, now: Millis): void {
    if (this.#flows.get(flow.eid) !== flow) return;
    const held = this.#heldBack.get(flow);
    if (held !== undefined && held.packets.length > 0) held.isReleased = true;
    else this.#release(flow, now);
  }

  /** Marks all flows up or down, as their device is. */
  setUp(up: boolean): void {
    for (const flow of this.#flows.values()) {
      if (this.#heldBack.get(flow)?.isReleased !== true) flow.user.setUp(up);
    }
  }

  close(): void {
    for (const { done } of this.#allocations.values()) done({ kind: 'unanswered' });
    this.#allocations.clear();
    this.#flows.clear();
    this.#requests.clear();
    this.#handshakes.clear();
    this.#heldBack.clear();
    this.#unconfirmed.clear();
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline } of this.#allocations.values()) earliest = Math.min(earliest, deadline);
    for (const { until } of this.#heldBack.values()) earliest = Math.min(earliest, until);
    return earliest;
  }

  advance(now: Millis): void {
    for (const [eid, { deadline }] of this.#allocations) {
      if (deadline <= now) this.#settle(eid, { kind: 'unanswered' });
    }
    for (const [flow, held] of this.#heldBack) if (held.until <= now) this.#letGo(flow, held, now);
  }

  /** Sends what was held back, and ends a flow that waited only for that. */
  #letGo(flow: LinkFlow<Address>, held: HeldBack, now: Millis): void {
    this.#heldBack.delete(flow);
    for (const bytes of held.packets) {
      const packet = this.#packets.take(bytes.length);
      packet.append(bytes, 0, bytes.length);
      this.#port.sendData(flow, packet);
    }
    if (held.isReleased) this.#release(flow, now);
  }

  /**
   * Ends a flow whose other end has given its id to this one: a prototype that closed it, or its whole node that started
   * anew, said nothing. What was written to it would reach this flow's user (link-ipcps.md 9.7).
   */
  #supersede(flow: LinkFlow<Address>, now: Millis): void {
    for (const other of this.#flows.values()) {
      const isStale = other !== flow && other.peerEid === flow.peerEid;
      if (!isStale || !this.#port.isSame(other.address, flow.address)) continue;
      this.#port.count('supersededByPeer');
      return this.#endedByPeer(other, now + this.#limits.eidRestMs);
    }
  }

  /** Forgets a flow that is over at its other end, and tells its user. */
  #endedByPeer(flow: LinkFlow<Address>, rested: Millis): void {
    const isReleased = this.#heldBack.get(flow)?.isReleased === true;
    this.#forget(flow, rested);
    if (!isReleased) flow.user.released();
  }

  #release(flow: LinkFlow<Address>, now: Millis): void {
    const { eid, address, peerEid } = flow;
    const allocation = this.#allocations.get(eid);
    this.#forget(flow, now + this.#limits.eidRestMs);
    if (peerEid >= 0) {
      this.#unconfirmed.set(eid, { address, eid: peerEid, toldAt: now });
      this.#port.sendRelease(address, eid, peerEid);
    }
    allocation?.done({ kind: 'unanswered' });
  }

  /** @param rested when its endpoint id may be used again. */
  #forget(flow: LinkFlow<Address>, rested: Millis): void {
    this.#flows.delete(flow.eid);
    this.#allocations.delete(flow.eid);
    this.#heldBack.delete(flow);
    if (flow.request !== undefined) this.#answered(flow.request);
    // What is written from now on must not reach the next flow that the peer gives the id to.
    flow.peerEid = notOpen;
    this.#eids.release(flow.eid, rested);
  }

  #takeEid(now: Millis): number | undefined {
    const eid = this.#eids.take(now);
    if (eid !== undefined) this.#unconfirmed.delete(eid);
    return eid;
  }

  #settle(eid: number, outcome: FlowOutcome): void {
    const allocation = this.#allocations.get(eid);
    this.#allocations.delete(eid);
    allocation?.done(outcome);
  }

  #takeRequest(handle: number): Request<Address> | undefined {
    const request = this.#requests.get(handle);
    this.#requests.delete(handle);
    return request;
  }

  /** A request neither waits any more nor has a flow. */
  #answered(request: Request<Address>): void {
    const { handshake } = request;
    if (handshake === undefined || this.#handshakes.get(handshake) !== request) return;
    this.#handshakes.delete(handshake);
  }
}

const nothing = Buffer.alloc(0);
