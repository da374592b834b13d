/**
 * The Ethernet layers: flows between stations of one segment, whose names are found by asking everybody. A core:
 * frames and `now` in, frames out through the device it was given. Source: link-ipcps.md 1, 2, 3, 9.
 */
import { errnoOf } from '../../lib/errors.ts';
import { hashBytes, type HashAlgorithm } from '../../lib/names.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import type { DeviceCounters, EthernetDevice } from '../links/device.ts';
import { zeroCounts } from '../shell/counts.ts';
import { FoundAddresses, foundAddressLimits, type FoundAddressLimits } from '../shell/found-addresses.ts';
import type { FlowOutcome, FlowUser, Layer, LayerEvents, LayerFlow } from '../shell/layer.ts';
import {
  type LinkFlow,
  linkFlowCounters,
  linkFlowLimits,
  type LinkFlowLimits,
  LinkFlows,
  type LinkPort,
} from '../shell/link-flows.ts';
import type { EthernetFraming, FrameHeader } from './framing.ts';
import { decodeMessage, encodeMessage, type EthernetMessage, messageBytes, messageCode } from './message.ts';
import { broadcast, isGroup, isStation, nowhere, type Station, stationOf } from './station.ts';

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export type EthernetLimits = LinkFlowLimits & FoundAddressLimits;

export const ethernetLimits: EthernetLimits = {
  ...linkFlowLimits,
  ...foundAddressLimits,
  eidRestMs: 1000,
  // A segment keeps the order of what a station sends another: behind a release there is nothing.
  eidRestReleasedMs: 0,
  queryMs: 1000,
  queryRepeatMs: 200,
};

const counterNames = [
  'framesIn',
  'framesOut',
  'droppedShort',
  'droppedForeignDestination',
  'droppedUnknownCode',
  'droppedUnknownName',
  'queriesForOthers',
  'droppedUnexpectedAnswer',
  ...linkFlowCounters,
] as const;
type Counter = (typeof counterNames)[number];

export interface EthernetOptions {
  readonly hash: HashAlgorithm;
  readonly framing: EthernetFraming;
  readonly device: EthernetDevice;
  /** Where packets for messages of the layer itself come from. */
  readonly packets: PacketPool;
  readonly events: LayerEvents;
  readonly limits?: EthernetLimits;
}

export class EthernetLayer implements Layer, LinkPort<Station> {
  readonly hash: HashAlgorithm;
  readonly maxMessageBytes: number;
  readonly headerBytes: number;
  readonly #counts: Record<Counter, number> = zeroCounts(counterNames);
  readonly #device: EthernetDevice;
  readonly #framing: EthernetFraming;
  readonly #packets: PacketPool;
  readonly #limits: EthernetLimits;
  readonly #hashBytes: number;
  readonly #own: Station;
  readonly #flows: LinkFlows<Station>;
  readonly #names = new Set<string>();
  readonly #found: FoundAddresses<Station>;
  readonly #header: FrameHeader = { toHigh: 0, toLow: 0, fromHigh: 0, fromLow: 0, eid: 0, peerEid: 0 };

  constructor(options: EthernetOptions) {
    this.hash = options.hash;
    this.#hashBytes = hashBytes(options.hash);
    this.#device = options.device;
    this.#framing = options.framing;
    this.#packets = options.packets;
    this.#limits = options.limits ?? ethernetLimits;
    this.headerBytes = options.framing.headerBytes;
    this.#own = stationOf(options.device.mac);
    this.maxMessageBytes = options.framing.maxPayload(options.device.mtu);
    this.#found = new FoundAddresses(this.#limits);
    this.#flows = new LinkFlows<Station>({
      port: this,
      events: options.events,
      limits: this.#limits,
      eids: options.framing.eids,
      packets: options.packets,
      firstDataHoldMs: options.framing.firstDataHoldMs,
    });
  }

  get counters(): Readonly<Record<Counter | keyof DeviceCounters, number>> {
    return { ...this.#counts, ...this.#device.counters };
  }

  get backlog(): number {
    return this.#device.backlog;
  }

  register(hash: Buffer): void {
    this.#names.add(hash.toString('hex'));
  }

  unregister(hash: Buffer): void {
    this.#names.delete(hash.toString('hex'));
  }

  query(hash: Buffer, now: Millis, done: (known: boolean) => void): void {
    const key = hash.toString('hex');
    // A name that nobody on the link has is nothing to complain of.
    const asks = this.#found.ask(key, now, (known) => done(known));
    if (asks) this.#sendMessage(broadcast, { code: messageCode.nameQuery, hash });
  }

  allocate(
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    return this.#found.allocate(this.#flows, hash, qos, piggyback, user, now, done);
  }

  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined {
    return this.#flows.accept(handle, piggyback, user, now);
  }

  refuse(handle: number, response: number): void {
    this.#flows.refuse(handle, response);
  }

  /** The device went down or came up. */
  deviceChanged(up: boolean): void {
    this.#flows.setUp(up);
  }

  close(): void {
    this.#flows.close();
    this.#found.close();
    this.#device[Symbol.dispose]();
  }

  nextDeadline(): Millis {
    return Math.min(this.#flows.nextDeadline(), this.#found.nextDeadline());
  }

  advance(now: Millis): void {
    for (const key of this.#found.advance(now)) {
      this.#sendMessage(broadcast, { code: messageCode.nameQuery, hash: Buffer.from(key, 'hex') });
    }
    this.#flows.advance(now);
  }

  /** Takes a frame from the device; it is valid until the turn ends. */
  receive(frame: Packet, now: Millis): void {
    this.#counts.framesIn += 1;
    const header = this.#header;
    if (!this.#framing.read(frame, header)) return this.count('droppedShort');
    if (isGroup(header.fromHigh)) return this.count('droppedForeignSource');
    if (header.eid === 0) return this.#receiveMessage(frame, header, now);
    if (!isStation(this.#own, header.toHigh, header.toLow)) return this.count('droppedForeignDestination');
    const flow = this.#flows.find(header.eid);
    if (flow === undefined) {
      const from: Station = { high: header.fromHigh, low: header.fromLow };
      return this.#flows.strayReceived(from, header.eid, now);
    }
    const known = isStation(flow.address, header.fromHigh, header.fromLow);
    // Where data names both ends, what comes before the reply may as well be of an earlier flow with the same id.
    if (known && header.peerEid >= 0 && flow.peerEid < 0) return this.count('droppedNotOpen');
    const right = header.peerEid < 0 || header.peerEid === flow.peerEid;
    if (!known || !right) return this.count('droppedForeignSource');
    // A length field may claim more than a flow carries.
    if (frame.length > this.maxMessageBytes) return this.count('droppedTooLong');
    this.#flows.deliver(flow, frame, now);
  }

  count(reason: Counter): void {
    this.#counts[reason] += 1;
  }

  isSame(a: Station, b: Station): boolean {
    return isStation(a, b.high, b.low);
  }

  isReserved(eid: number): boolean {
    return this.#framing.isReserved(eid);
  }

  sendRequest(to: Station, seid: number, qos: QosSpec, hash: Buffer, piggyback: Buffer): void {
    // Only who would hold data back has to know.
    const ours = this.#framing.firstDataHoldMs > 0;
    this.#sendMessage(to, { code: messageCode.flowRequest, seid, qos, ours, hash, piggyback });
  }

  sendReply(to: Station, requesterEid: number, eid: number, response: number, piggyback: Buffer): void {
    this.#sendMessage(to, {
      code: messageCode.flowReply,
      seid: eid,
      deid: requesterEid,
      response,
      piggyback,
    });
  }

  sendRelease(to: Station, eid: number, peerEid: number): void {
    this.#sendMessage(to, { code: messageCode.flowRelease, seid: eid, deid: peerEid });
  }

  sendData(flow: LinkFlow<Station>, packet: Packet): void {
    this.#framing.write(packet, flow.address, this.#own, flow.peerEid, flow.eid);
    this.#counts.framesOut += 1;
    this.#device.send(packet);
  }

  #receiveMessage(payload: Packet, header: FrameHeader, now: Millis): void {
    const from: Station = { high: header.fromHigh, low: header.fromLow };
    const { memory, start, end } = payload;
    const message = decodeMessage(this.#framing.layout, memory, start, end, this.#hashBytes);
    if (message === 'short') return this.count('droppedShort');
    if (message === 'unknown code') return this.count('droppedUnknownCode');
    const { toHigh, toLow } = header;
    const lost = isStation(nowhere, toHigh, toLow) && message.code === messageCode.flowReply;
    if (!lost && !isStation(this.#own, toHigh, toLow) && !isStation(broadcast, toHigh, toLow)) {
      return this.count('droppedForeignDestination');
    }
    switch (message.code) {
      case messageCode.nameQuery:
        if (!this.#names.has(message.hash.toString('hex'))) return this.count('queriesForOthers');
        return this.#sendMessage(from, { code: messageCode.nameReply, hash: message.hash });
      case messageCode.nameReply:
        return this.#receiveAnswer(message.hash.toString('hex'), from, now);
      case messageCode.flowRequest: {
        const { seid, hash, qos, ours, piggyback } = message;
        if (this.#names.has(hash.toString('hex'))) {
          return this.#flows.requestReceived(from, seid, hash, qos, piggyback, ours);
        }
        this.count('droppedUnknownName');
        if (!this.isReserved(seid)) this.sendReply(from, seid, 0, -errnoOf('ENAME'), nothing);
        return;
      }
      case messageCode.flowReply: {
        const { seid, deid, response, piggyback } = message;
        if (deid === this.#framing.lostEid) {
          return this.#flows.lostReplyReceived(from, seid, response, piggyback, now);
        }
        return this.#flows.replyReceived(from, deid, seid, response, piggyback, now);
      }
      case messageCode.flowRelease:
        return this.#flows.releaseReceived(from, message.deid, message.seid, now);
    }
  }

  #receiveAnswer(key: string, station: Station, now: Millis): void {
    // Only what was asked for is believed, and news about it: nobody can fill the table with other names.
    if (!this.#found.isAsked(key) && !this.#found.has(key, now)) return this.count('droppedUnexpectedAnswer');
    this.#found.answered(key, station, now);
  }

  #sendMessage(to: Station, message: EthernetMessage): void {
    const { layout } = this.#framing;
    const packet = this.#packets.take(messageBytes(message, layout));
    packet.end = encodeMessage(message, layout, packet.memory, packet.start);
    if (packet.length > this.maxMessageBytes) return this.count('droppedTooLong');
    this.#framing.write(packet, to, this.#own, 0, 0);
    this.#counts.framesOut += 1;
    this.#device.send(packet);
  }
}

const nothing = Buffer.alloc(0);
