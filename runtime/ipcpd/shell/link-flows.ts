/**
 * The flows of a link layer, whatever the link: endpoint ids, requests under way in both directions, and which flow
 * a packet belongs to. How an address looks and how messages are written is the layer's.
 * Source: link-ipcps.md 1.5, 1.8, 1.10.
 */
import { errnoOf } from '../../lib/errors.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { EndpointIds } from './endpoint-ids.ts';
import type { FlowOutcome, FlowUser, LayerEvents, LayerFlow } from './layer.ts';

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export interface LinkFlowLimits {
  /** How long a reply to a flow request is waited for; the request itself is never repeated. */
  readonly replyMs: Millis;
  /** How long an endpoint id rests after use. */
  readonly eidRestMs: Millis;
  /** Requests that came in and are not answered yet: in all, and from one station. */
  readonly requestsMax: number;
  readonly requestsOfStationMax: number;
}

export const linkFlowLimits: Omit<LinkFlowLimits, 'eidRestMs'> = {
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
  'droppedTooManyRequests',
  'droppedUnexpectedReply',
  'droppedUnexpectedRelease',
  'releasedByPeer',
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

interface Request<Address> {
  readonly from: Address;
  readonly eid: number;
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

export class LinkFlow<Address> implements LayerFlow {
  readonly eid: number;
  readonly address: Address;
  readonly user: FlowUser;
  /** The peer's endpoint id; negative until the peer has answered. */
  peerEid: number;
  readonly #flows: LinkFlows<Address>;

  constructor(flows: LinkFlows<Address>, eid: number, address: Address, peerEid: number, user: FlowUser) {
    this.#flows = flows;
    this.eid = eid;
    this.address = address;
    this.peerEid = peerEid;
    this.user = user;
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

export class LinkFlows<Address> {
  readonly #port: LinkPort<Address>;
  readonly #events: LayerEvents;
  readonly #limits: LinkFlowLimits;
  readonly #eids: EndpointIds;
  readonly #flows = new Map<number, LinkFlow<Address>>();
  readonly #allocations = new Map<number, Allocation<Address>>();
  readonly #requests = new Map<number, Request<Address>>();
  #nextHandle = 1;
  readonly #closedFlow: LayerFlow = {
    headerBytes: 0,
    backlog: 0,
    write: () => this.#port.count('droppedNotOpen'),
    deallocate: () => {},
  };

  readonly headerBytes: number;

  constructor(
    port: LinkPort<Address>,
    events: LayerEvents,
    limits: LinkFlowLimits,
    eids: { readonly min: number; readonly max: number },
  ) {
    this.#port = port;
    this.headerBytes = port.headerBytes;
    this.#events = events;
    this.#limits = limits;
    this.#eids = new EndpointIds(eids.min, eids.max, limits.eidRestMs);
  }

  /** Packets that wait at the device. */
  get backlog(): number {
    return this.#port.backlog;
  }

  /** The flow with an own endpoint id; an unknown one is counted. */
  find(eid: number): LinkFlow<Address> | undefined {
    const flow = this.#flows.get(eid);
    if (flow === undefined) this.#port.count('droppedUnknownEid');
    return flow;
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
    const eid = this.#eids.take(now);
    if (eid === undefined) {
      // Nobody was asked, and nobody will be before another flow ends.
      done({ kind: 'refused', response: -errnoOf('EBADF') });
      return this.#closedFlow;
    }
    const flow = new LinkFlow(this, eid, to, notOpen, user);
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
    const eid = this.#eids.take(now);
    if (eid === undefined) {
      this.#port.sendReply(request.from, request.eid, 0, -errnoOf('EIPCP'), nothing);
      return undefined;
    }
    const flow = new LinkFlow(this, eid, request.from, request.eid, user);
    this.#flows.set(eid, flow);
    this.#port.sendReply(request.from, request.eid, eid, 0, piggyback);
    return flow;
  }

  refuse(handle: number, response: number): void {
    const request = this.#takeRequest(handle);
    if (request !== undefined) this.#port.sendReply(request.from, request.eid, 0, response, nothing);
  }

  /** A request for a flow came in. */
  requestReceived(from: Address, eid: number, hash: Buffer, qos: QosSpec, piggyback: Buffer): void {
    if (this.#port.isReserved(eid)) return this.#port.count('droppedReservedEid');
    let ofStation = 0;
    for (const request of this.#requests.values()) if (this.#port.isSame(request.from, from)) ofStation += 1;
    const { requestsMax, requestsOfStationMax } = this.#limits;
    if (this.#requests.size >= requestsMax || ofStation >= requestsOfStationMax) {
      return this.#port.count('droppedTooManyRequests');
    }
    const handle = this.#nextHandle++;
    this.#requests.set(handle, { from, eid });
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
      return late ? this.#port.sendRelease(from, eid, peerEid) : undefined;
    }
    const { flow } = allocation;
    if (!this.#port.isSame(flow.address, from)) return this.#port.count('droppedForeignSource');
    if (response < 0) {
      this.#forget(flow, now);
      return allocation.done({ kind: 'refused', response });
    }
    if (this.#port.isReserved(peerEid)) return this.#port.count('droppedReservedEid');
    flow.peerEid = peerEid;
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

  /** The peer says that it released a flow. */
  releaseReceived(from: Address, eid: number, peerEid: number, now: Millis): void {
    const flow = this.#flows.get(eid);
    if (flow === undefined || flow.peerEid !== peerEid || !this.#port.isSame(flow.address, from)) {
      return this.#port.count('droppedUnexpectedRelease');
    }
    this.#port.count('releasedByPeer');
    this.#forget(flow, now);
    flow.user.released();
  }

  /** Hands a packet on to the user of its flow. */
  deliver(flow: LinkFlow<Address>, packet: Packet): void {
    if (packet.length === 0) this.#port.count('keepalivesIn');
    flow.user.deliver(packet);
  }

  /** Sends a packet of a flow. Called by the flow. */
  send(flow: LinkFlow<Address>, packet: Packet): void {
    if (packet.length > this.#port.maxMessageBytes) return this.#port.count('droppedTooLong');
    if (flow.peerEid < 0) return this.#port.count('droppedNotOpen');
    this.#port.sendData(flow, packet);
  }

  /** Gives a flow up. Called by the flow. */
  deallocate(flow: LinkFlow<Address>, now: Millis): void {
    if (this.#flows.get(flow.eid) !== flow) return;
    if (flow.peerEid >= 0) this.#port.sendRelease(flow.address, flow.eid, flow.peerEid);
    const allocation = this.#allocations.get(flow.eid);
    this.#forget(flow, now);
    allocation?.done({ kind: 'unanswered' });
  }

  /** Marks all flows up or down, as their device is. */
  setUp(up: boolean): void {
    for (const flow of this.#flows.values()) flow.user.setUp(up);
  }

  close(): void {
    for (const { done } of this.#allocations.values()) done({ kind: 'unanswered' });
    this.#allocations.clear();
    this.#flows.clear();
    this.#requests.clear();
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline } of this.#allocations.values()) earliest = Math.min(earliest, deadline);
    return earliest;
  }

  advance(now: Millis): void {
    for (const [eid, { deadline }] of this.#allocations) {
      if (deadline <= now) this.#settle(eid, { kind: 'unanswered' });
    }
  }

  #forget(flow: LinkFlow<Address>, now: Millis): void {
    this.#flows.delete(flow.eid);
    this.#allocations.delete(flow.eid);
    this.#eids.release(flow.eid, now);
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
}

const nothing = Buffer.alloc(0);
