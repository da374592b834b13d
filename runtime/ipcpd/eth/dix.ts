/**
 * The eth-dix layer: flows between stations of one Ethernet segment. A core: frames and `now` in, frames out
 * through the device it was given. Source: link-ipcps.md 1, 2, 9.
 */
import { errnoOf } from '../../lib/errors.ts';
import { hashBytes, type HashAlgorithm } from '../../lib/names.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import type { EthernetDevice } from '../links/device.ts';
import { EndpointIds } from '../shell/endpoint-ids.ts';
import type { FlowOutcome, FlowUser, Layer, LayerEvents, LayerFlow } from '../shell/layer.ts';
import {
  decodeMessage,
  type DixMessage,
  encodeMessage,
  frameHeaderBytes,
  frameOffset,
  frameOverheadBytes,
  messageBytes,
  messageCode,
} from './dix-codec.ts';

export const defaultEthertype = 0xa000;

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export interface DixLimits {
  /** A query is repeated until it is answered or this has passed. */
  readonly queryMs: Millis;
  readonly queryRepeatMs: Millis;
  /** How long a reply to a flow request is waited for; the request itself is never repeated. */
  readonly replyMs: Millis;
  /** How long an answer to a query is believed. */
  readonly cacheMs: Millis;
  /** How long an endpoint id rests after use. */
  readonly eidRestMs: Millis;
  /** Answers remembered. */
  readonly cacheEntriesMax: number;
  /** Requests that came in and are not answered yet: in all, and from one station. */
  readonly requestsMax: number;
  readonly requestsOfStationMax: number;
}

export const dixLimits: DixLimits = {
  queryMs: 1000,
  queryRepeatMs: 200,
  replyMs: 3000,
  cacheMs: 60_000,
  eidRestMs: 1000,
  cacheEntriesMax: 4096,
  requestsMax: 1024,
  requestsOfStationMax: 64,
};

/** The ids the prototype stays within too: it crashes on data for one from 10240 up (link-ipcps.md 9.8). */
const eidMin = 64;
const eidMax = 4095;
/** The receiver a prototype names when it lost the requester's address (link-ipcps.md 9.1). */
const lostEid = 0xffff;
const handshakeIdBytes = 16;

/** Ids that name no flow: data sent to 0 would be a management message. */
function isReserved(eid: number): boolean {
  return eid === 0 || eid === lostEid;
}

/** A MAC address as two numbers, to write and compare without touching bytes. */
interface Station {
  readonly high: number;
  readonly low: number;
}

function stationOf(mac: Buffer): Station {
  return { high: mac.readUInt16BE(0), low: mac.readUInt32BE(2) };
}

function isSame(a: Station, high: number, low: number): boolean {
  return a.low === low && a.high === high;
}

const broadcast: Station = { high: 0xffff, low: 0xffff_ffff };
const nowhere: Station = { high: 0, low: 0 };

const counterNames = [
  'framesIn',
  'framesOut',
  'keepalivesIn',
  'droppedShort',
  'droppedForeignDestination',
  'droppedForeignSource',
  'droppedUnknownEid',
  'droppedReservedEid',
  'droppedUnknownCode',
  'droppedTooLong',
  'droppedNotOpen',
  'droppedUnknownName',
  'droppedTooManyRequests',
  'droppedUnexpectedReply',
  'droppedUnexpectedAnswer',
  'repliesMisdirected',
] as const;
type Counter = (typeof counterNames)[number];

interface Query {
  readonly waiting: ((known: boolean) => void)[];
  readonly deadline: Millis;
  repeatAt: Millis;
}

interface Answer {
  readonly station: Station;
  readonly expires: Millis;
}

interface Request {
  readonly station: Station;
  readonly seid: number;
}

interface Allocation {
  readonly flow: DixFlow;
  readonly handshakeId: Buffer;
  readonly deadline: Millis;
  readonly done: (outcome: FlowOutcome) => void;
}

class DixFlow implements LayerFlow {
  readonly eid: number;
  readonly user: FlowUser;
  readonly station: Station;
  /** The peer's endpoint id; -1 until the peer has answered. */
  peerEid: number;
  readonly #layer: DixLayer;

  constructor(layer: DixLayer, eid: number, station: Station, peerEid: number, user: FlowUser) {
    this.#layer = layer;
    this.eid = eid;
    this.station = station;
    this.peerEid = peerEid;
    this.user = user;
  }

  write(packet: Packet): void {
    this.#layer.sendData(this, packet);
  }

  deallocate(now: Millis): void {
    this.#layer.releaseFlow(this, now);
  }
}

export interface DixOptions {
  readonly hash: HashAlgorithm;
  readonly ethertype: number;
  readonly device: EthernetDevice;
  /** Where packets for messages of the layer itself come from. */
  readonly packets: PacketPool;
  readonly events: LayerEvents;
  readonly limits?: DixLimits;
}

export class DixLayer implements Layer {
  readonly hash: HashAlgorithm;
  readonly maxMessageBytes: number;
  readonly counters: Record<Counter, number> = Object.fromEntries(
    counterNames.map((name) => [name, 0]),
  ) as Record<Counter, number>;

  readonly #device: EthernetDevice;
  readonly #packets: PacketPool;
  readonly #events: LayerEvents;
  readonly #limits: DixLimits;
  readonly #ethertype: number;
  readonly #hashBytes: number;
  readonly #own: Station;
  readonly #names = new Set<string>();
  readonly #answers = new Map<string, Answer>();
  readonly #queries = new Map<string, Query>();
  readonly #flows = new Map<number, DixFlow>();
  readonly #allocations = new Map<number, Allocation>();
  readonly #requests = new Map<number, Request>();
  readonly #eids: EndpointIds;
  #nextHandle = 1;

  constructor(options: DixOptions) {
    this.hash = options.hash;
    this.#hashBytes = hashBytes(options.hash);
    this.#ethertype = options.ethertype;
    this.#device = options.device;
    this.#packets = options.packets;
    this.#events = options.events;
    this.#limits = options.limits ?? dixLimits;
    this.#own = stationOf(options.device.mac);
    this.maxMessageBytes = options.device.mtu - frameOverheadBytes;
    this.#eids = new EndpointIds(eidMin, eidMax, this.#limits.eidRestMs);
  }

  register(hash: Buffer): void {
    this.#names.add(hash.toString('hex'));
  }

  unregister(hash: Buffer): void {
    this.#names.delete(hash.toString('hex'));
  }

  query(hash: Buffer, now: Millis, done: (known: boolean) => void): void {
    const key = hash.toString('hex');
    if (this.#answer(key, now) !== undefined) return done(true);
    const running = this.#queries.get(key);
    if (running !== undefined) {
      running.waiting.push(done);
      return;
    }
    this.#queries.set(key, {
      waiting: [done],
      deadline: now + this.#limits.queryMs,
      repeatAt: now + this.#limits.queryRepeatMs,
    });
    this.#sendMessage(broadcast, { code: messageCode.nameQuery, hash });
  }

  allocate(
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const answer = this.#answer(hash.toString('hex'), now);
    const eid = answer === undefined ? undefined : this.#eids.take(now);
    const flow = new DixFlow(this, eid ?? -1, answer?.station ?? nowhere, -1, user);
    if (eid === undefined || answer === undefined) {
      done({ kind: 'unanswered' });
      return flow;
    }
    this.#flows.set(eid, flow);
    this.#allocations.set(eid, {
      flow,
      handshakeId: piggyback.subarray(0, handshakeIdBytes),
      deadline: now + this.#limits.replyMs,
      done: (outcome) => {
        // Who does not answer may have moved: the next attempt asks again.
        if (outcome.kind === 'unanswered') this.#answers.delete(hash.toString('hex'));
        done(outcome);
      },
    });
    this.#sendMessage(answer.station, { code: messageCode.flowRequest, seid: eid, qos, hash, piggyback });
    return flow;
  }

  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined {
    const request = this.#takeRequest(handle);
    const eid = request === undefined ? undefined : this.#eids.take(now);
    if (request === undefined || eid === undefined) return undefined;
    const flow = new DixFlow(this, eid, request.station, request.seid, user);
    this.#flows.set(eid, flow);
    this.#sendMessage(request.station, {
      code: messageCode.flowReply,
      seid: eid,
      deid: request.seid,
      response: 0,
      piggyback,
    });
    return flow;
  }

  refuse(handle: number, response: number): void {
    const request = this.#takeRequest(handle);
    if (request !== undefined) this.#sendRefusal(request, response);
  }

  close(): void {
    for (const { done } of this.#allocations.values()) done({ kind: 'unanswered' });
    for (const { waiting } of this.#queries.values()) for (const done of waiting) done(false);
    this.#allocations.clear();
    this.#queries.clear();
    this.#flows.clear();
    this.#requests.clear();
    this.#device[Symbol.dispose]();
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline, repeatAt } of this.#queries.values()) {
      earliest = Math.min(earliest, deadline, repeatAt);
    }
    for (const { deadline } of this.#allocations.values()) earliest = Math.min(earliest, deadline);
    return earliest;
  }

  advance(now: Millis): void {
    for (const [key, query] of this.#queries) {
      if (query.deadline <= now) {
        this.#queries.delete(key);
        for (const done of query.waiting) done(false);
      } else if (query.repeatAt <= now) {
        query.repeatAt = now + this.#limits.queryRepeatMs;
        this.#sendMessage(broadcast, { code: messageCode.nameQuery, hash: Buffer.from(key, 'hex') });
      }
    }
    for (const [eid, allocation] of this.#allocations) {
      if (allocation.deadline <= now) this.#settle(eid, { kind: 'unanswered' });
    }
  }

  /** Takes a frame from the device; it is valid until the turn ends. */
  receive(frame: Packet, now: Millis): void {
    this.counters.framesIn += 1;
    const { view, start } = frame;
    const payload = start + frameHeaderBytes;
    if (payload > frame.end) return this.#drop('droppedShort');
    const length = view.getUint16(start + frameOffset.length);
    // What lies behind the length is padding of the link.
    if (payload + length > frame.end) return this.#drop('droppedShort');
    const eid = view.getUint16(start + frameOffset.eid);
    const toHigh = view.getUint16(start + frameOffset.destination);
    const toLow = view.getUint32(start + frameOffset.destination + 2);
    frame.start = payload;
    frame.end = payload + length;
    if (eid === 0) return this.#receiveMessage(frame, toHigh, toLow, now);

    if (!isSame(this.#own, toHigh, toLow)) return this.#drop('droppedForeignDestination');
    const flow = this.#flows.get(eid);
    if (flow === undefined) return this.#drop('droppedUnknownEid');
    const fromHigh = view.getUint16(start + frameOffset.source);
    const fromLow = view.getUint32(start + frameOffset.source + 2);
    if (!isSame(flow.station, fromHigh, fromLow)) return this.#drop('droppedForeignSource');
    if (length === 0) this.counters.keepalivesIn += 1;
    flow.user.deliver(frame);
  }

  /** Sends a packet of a flow. Called by the flow. */
  sendData(flow: DixFlow, packet: Packet): void {
    if (packet.length > this.maxMessageBytes) return this.#drop('droppedTooLong');
    if (flow.peerEid < 0) return this.#drop('droppedNotOpen');
    this.#sendFrame(flow.station, flow.peerEid, packet);
  }

  /** Forgets a flow. Called by the flow. */
  releaseFlow(flow: DixFlow, now: Millis): void {
    if (this.#flows.get(flow.eid) !== flow) return;
    this.#flows.delete(flow.eid);
    this.#allocations.delete(flow.eid);
    this.#eids.release(flow.eid, now);
  }

  #drop(reason: Counter): void {
    this.counters[reason] += 1;
  }

  #receiveMessage(payload: Packet, toHigh: number, toLow: number, now: Millis): void {
    const frameStart = payload.start - frameHeaderBytes;
    const from: Station = {
      high: payload.view.getUint16(frameStart + frameOffset.source),
      low: payload.view.getUint32(frameStart + frameOffset.source + 2),
    };
    const message = decodeMessage(payload.memory, payload.start, payload.end, this.#hashBytes);
    if (message === 'short') return this.#drop('droppedShort');
    if (message === 'unknown code') return this.#drop('droppedUnknownCode');
    const mine = isSame(this.#own, toHigh, toLow);
    const lost = isSame(nowhere, toHigh, toLow) && message.code === messageCode.flowReply;
    if (!mine && !lost && !isSame(broadcast, toHigh, toLow)) return this.#drop('droppedForeignDestination');
    switch (message.code) {
      case messageCode.nameQuery:
        if (!this.#names.has(message.hash.toString('hex'))) return;
        return this.#sendMessage(from, { code: messageCode.nameReply, hash: message.hash });
      case messageCode.nameReply:
        return this.#receiveAnswer(message.hash.toString('hex'), from, now);
      case messageCode.flowRequest:
        return this.#receiveRequest(message, from);
      case messageCode.flowReply:
        return this.#receiveReply(message, from, now);
    }
  }

  #receiveAnswer(key: string, station: Station, now: Millis): void {
    const query = this.#queries.get(key);
    // Only what was asked for is believed, and news about it: nobody can fill the table with other names.
    if (query === undefined && !this.#answers.has(key)) return this.#drop('droppedUnexpectedAnswer');
    if (this.#answers.size >= this.#limits.cacheEntriesMax && !this.#answers.has(key)) {
      const oldest = this.#answers.keys().next();
      if (oldest.done !== true) this.#answers.delete(oldest.value);
    }
    this.#answers.set(key, { station, expires: now + this.#limits.cacheMs });
    this.#queries.delete(key);
    for (const done of query?.waiting ?? []) done(true);
  }

  #receiveRequest(message: DixMessage & { code: typeof messageCode.flowRequest }, from: Station): void {
    if (isReserved(message.seid)) return this.#drop('droppedReservedEid');
    if (!this.#names.has(message.hash.toString('hex'))) {
      this.#drop('droppedUnknownName');
      return this.#sendRefusal({ station: from, seid: message.seid }, -errnoOf('ENAME'));
    }
    let ofStation = 0;
    for (const { station } of this.#requests.values()) {
      if (isSame(station, from.high, from.low)) ofStation += 1;
    }
    if (this.#requests.size >= this.#limits.requestsMax || ofStation >= this.#limits.requestsOfStationMax) {
      return this.#drop('droppedTooManyRequests');
    }
    const handle = this.#nextHandle++;
    this.#requests.set(handle, { station: from, seid: message.seid });
    const { hash, qos, piggyback } = message;
    this.#events.flowRequested({ handle, hash, qos, piggyback });
  }

  #receiveReply(
    message: DixMessage & { code: typeof messageCode.flowReply },
    from: Station,
    now: Millis,
  ): void {
    const { response, piggyback } = message;
    let eid = message.deid;
    if (eid === lostEid) {
      eid = this.#findAllocation(piggyback.subarray(0, handshakeIdBytes));
      if (eid !== lostEid) this.counters.repliesMisdirected += 1;
    }
    const allocation = this.#allocations.get(eid);
    if (allocation === undefined || response > 0) return this.#drop('droppedUnexpectedReply');
    const { flow } = allocation;
    if (!isSame(flow.station, from.high, from.low)) return this.#drop('droppedForeignSource');
    if (response === 0 && isReserved(message.seid)) return this.#drop('droppedReservedEid');
    if (response < 0) {
      this.#settle(eid, { kind: 'refused', response });
      return this.releaseFlow(flow, now);
    }
    flow.peerEid = message.seid;
    this.#settle(eid, { kind: 'accepted', piggyback });
  }

  /** The endpoint id of the allocation whose handshake has this id. */
  #findAllocation(handshakeId: Buffer): number {
    for (const [eid, allocation] of this.#allocations) {
      if (handshakeId.length === handshakeIdBytes && allocation.handshakeId.equals(handshakeId)) return eid;
    }
    return lostEid;
  }

  #settle(eid: number, outcome: FlowOutcome): void {
    const allocation = this.#allocations.get(eid);
    this.#allocations.delete(eid);
    allocation?.done(outcome);
  }

  #answer(key: string, now: Millis): Answer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined || answer.expires > now) return answer;
    this.#answers.delete(key);
    return undefined;
  }

  #takeRequest(handle: number): Request | undefined {
    const request = this.#requests.get(handle);
    this.#requests.delete(handle);
    return request;
  }

  #sendRefusal(request: Request, response: number): void {
    const message = {
      code: messageCode.flowReply,
      seid: 0,
      deid: request.seid,
      response,
      piggyback: Buffer.alloc(0),
    };
    this.#sendMessage(request.station, message);
  }

  #sendMessage(to: Station, message: DixMessage): void {
    const packet = this.#packets.take(messageBytes(message));
    packet.end = encodeMessage(message, packet.memory, packet.start);
    if (packet.length > this.maxMessageBytes) return this.#drop('droppedTooLong');
    this.#sendFrame(to, 0, packet);
  }

  #sendFrame(to: Station, eid: number, packet: Packet): void {
    const { view } = packet;
    const length = packet.end - packet.start;
    const start = packet.start - frameHeaderBytes;
    packet.start = start;
    view.setUint16(start + frameOffset.destination, to.high);
    view.setUint32(start + frameOffset.destination + 2, to.low);
    view.setUint16(start + frameOffset.source, this.#own.high);
    view.setUint32(start + frameOffset.source + 2, this.#own.low);
    view.setUint16(start + frameOffset.ethertype, this.#ethertype);
    view.setUint16(start + frameOffset.eid, eid);
    view.setUint16(start + frameOffset.length, length);
    this.counters.framesOut += 1;
    this.#device.send(packet);
  }
}
