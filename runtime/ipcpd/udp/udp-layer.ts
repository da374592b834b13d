/**
 * The udp layer, over IPv4 or IPv6: flows between hosts, whose names are looked up outside. A core: datagrams and
 * `now` in, datagrams out through the device it was given. Source: link-ipcps.md 1, 4, 9.
 */
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import type { DeviceCounters } from '../links/device.ts';
import type { DatagramDevice, DatagramSource, HostAddress } from '../links/datagram.ts';
import { zeroCounts } from '../shell/counts.ts';
import {
  FoundAddresses,
  foundAddressLimits,
  type FoundAddressLimits,
  type OnFound,
} from '../shell/found-addresses.ts';
import type { FlowOutcome, FlowUser, Layer, LayerEvents, LayerFlow, OnQueried } from '../shell/layer.ts';
import {
  type LinkFlow,
  linkFlowCounters,
  linkFlowLimits,
  type LinkFlowLimits,
  LinkFlows,
  type LinkPort,
} from '../shell/link-flows.ts';
import {
  dataHeaderBytes,
  decodeMessage,
  encodeMessage,
  messageBytes,
  messageCode,
  messageHeaderBytes,
  type UdpMessage,
} from './codec.ts';

/** Finds the host that serves a name; the edge's business, because it takes DNS or the hosts file. */
export interface Directory {
  /** Addresses, or why there are none; `done` is called once. */
  resolve(hash: Buffer, done: (hosts: readonly HostAddress[], reason?: string) => void): void;
  register(hash: Buffer): void;
  unregister(hash: Buffer): void;
  close(): void;
}

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export type UdpLimits = LinkFlowLimits & FoundAddressLimits;

export const udpLimits: UdpLimits = {
  ...linkFlowLimits,
  ...foundAddressLimits,
  queryMs: 3000,
  // The directory asks again by itself.
  queryRepeatMs: never,
  eidRestMs: 10_000,
  // Datagrams overtake each other: one that was sent before the release may come after it.
  eidRestReleasedMs: 1000,
};

/** Always MD5 here: the prototype takes no other (link-ipcps.md 1.2). */
const hashBytes = 16;
/** The ids the prototype stays within too. */
const eids = { min: 64, max: 4095 } as const;
/** What a prototype can receive of a message; a longer one overruns it (link-ipcps.md 9.8). */
const messageBytesMax = 2048;

const counterNames = [
  'datagramsIn',
  'datagramsOut',
  'droppedShort',
  'droppedUnknownCode',
  'droppedMessageTooLong',
  ...linkFlowCounters,
] as const;
type Counter = (typeof counterNames)[number];

export interface UdpOptions {
  readonly device: DatagramDevice;
  readonly directory: Directory;
  readonly packets: PacketPool;
  readonly events: LayerEvents;
  /** ms on the clock of `now`; answers of the directory come without one. */
  readonly clock: () => Millis;
  readonly limits?: UdpLimits;
}

export class UdpLayer implements Layer, LinkPort<HostAddress> {
  readonly hash = 'MD5';
  readonly maxMessageBytes: number;
  readonly headerBytes: number = dataHeaderBytes;
  readonly #counts: Record<Counter, number> = zeroCounts(counterNames);
  readonly #device: DatagramDevice;
  readonly #directory: Directory;
  readonly #packets: PacketPool;
  readonly #clock: () => Millis;
  readonly #limits: UdpLimits;
  readonly #flows: LinkFlows<HostAddress>;
  readonly #found: FoundAddresses<HostAddress>;

  constructor(options: UdpOptions) {
    this.#device = options.device;
    this.#directory = options.directory;
    this.#packets = options.packets;
    this.#clock = options.clock;
    this.#limits = options.limits ?? udpLimits;
    this.maxMessageBytes = options.device.datagramBytesMax - dataHeaderBytes;
    this.#found = new FoundAddresses(this.#limits);
    this.#flows = new LinkFlows<HostAddress>({
      port: this,
      events: options.events,
      limits: this.#limits,
      eids,
      packets: options.packets,
    });
  }

  get counters(): Readonly<Record<Counter | keyof DeviceCounters, number>> {
    return { ...this.#counts, ...this.#device.counters };
  }

  get backlog(): number {
    return this.#device.backlog;
  }

  register(hash: Buffer): void {
    this.#directory.register(hash);
  }

  unregister(hash: Buffer): void {
    this.#directory.unregister(hash);
  }

  query(hash: Buffer, now: Millis, done: OnQueried): void {
    const key = hash.toString('hex');
    const found: OnFound = (known, reason) =>
      known ? done(true) : done(false, `Could not resolve ${key}: ${reason ?? 'Unknown error'}.`);
    if (!this.#found.ask(key, now, found)) return;
    // What comes too late for this question is still worth knowing.
    this.#directory.resolve(hash, ([host], reason) => this.#found.answered(key, host, this.#clock(), reason));
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

  /** The address went down with its device, or came up. */
  deviceChanged(up: boolean): void {
    this.#flows.setUp(up);
  }

  close(): void {
    this.#flows.close();
    this.#found.close();
    this.#directory.close();
    this.#device[Symbol.dispose]();
  }

  nextDeadline(): Millis {
    return Math.min(this.#flows.nextDeadline(), this.#found.nextDeadline());
  }

  advance(now: Millis): void {
    this.#found.advance(now);
    this.#flows.advance(now);
  }

  /** Takes a datagram from the device; it is valid until the turn ends. */
  receive(datagram: Packet, source: DatagramSource, now: Millis): void {
    this.#counts.datagramsIn += 1;
    if (datagram.length < dataHeaderBytes) return this.count('droppedShort');
    const eid = datagram.view.getUint32(datagram.start);
    if (eid === 0) return this.#receiveMessage(datagram, source, now);
    const flow = this.#flows.find(eid);
    if (flow === undefined) return this.#flows.strayReceived(source.address(), eid, now);
    if (!source.isFrom(flow.address)) return this.count('droppedForeignSource');
    datagram.start += dataHeaderBytes;
    // A prototype sends up to a header more than it carries whole (link-ipcps.md 4.4).
    if (datagram.length > this.#device.datagramBytesMax) return this.count('droppedTooLong');
    this.#flows.deliver(flow, datagram, now);
  }

  count(reason: Counter): void {
    this.#counts[reason] += 1;
  }

  isSame(a: HostAddress, b: HostAddress): boolean {
    return a.equals(b);
  }

  isReserved(eid: number): boolean {
    return eid === 0 || eid >= 0x8000_0000;
  }

  sendRequest(to: HostAddress, eid: number, qos: QosSpec, hash: Buffer, piggyback: Buffer): void {
    this.#sendMessage(to, { code: messageCode.flowRequest, requesterEid: eid, qos, hash, piggyback });
  }

  sendReply(to: HostAddress, requesterEid: number, eid: number, response: number, piggyback: Buffer): void {
    const code = messageCode.flowReply;
    this.#sendMessage(to, { code, requesterEid, responderEid: eid, response, piggyback });
  }

  sendRelease(to: HostAddress, eid: number, peerEid: number): void {
    this.#sendMessage(to, { code: messageCode.flowRelease, requesterEid: eid, responderEid: peerEid });
  }

  sendData(flow: LinkFlow<HostAddress>, packet: Packet): void {
    packet.start -= dataHeaderBytes;
    packet.view.setUint32(packet.start, flow.peerEid);
    this.#counts.datagramsOut += 1;
    this.#device.send(packet, flow.address);
  }

  #receiveMessage(datagram: Packet, source: DatagramSource, now: Millis): void {
    const message = decodeMessage(datagram.memory, datagram.start, datagram.end, hashBytes);
    if (message === 'short') return this.count('droppedShort');
    if (message === 'unknown code') return this.count('droppedUnknownCode');
    const from = source.address();
    switch (message.code) {
      case messageCode.flowRequest: {
        const { requesterEid, hash, qos, piggyback } = message;
        // Whether the host knows the name is irmd's to say: here nothing has to be registered.
        return this.#flows.requestReceived(from, requesterEid, hash, qos, piggyback);
      }
      case messageCode.flowReply: {
        const { requesterEid, responderEid, response, piggyback } = message;
        return this.#flows.replyReceived(from, requesterEid, responderEid, response, piggyback, now);
      }
      case messageCode.flowRelease:
        return this.#flows.releaseReceived(from, message.responderEid, message.requesterEid, now);
    }
  }

  #sendMessage(to: HostAddress, message: UdpMessage): void {
    const bytes = messageBytes(message);
    if (bytes > messageBytesMax) return this.count('droppedMessageTooLong');
    const packet = this.#packets.take(Math.max(bytes, messageHeaderBytes));
    packet.end = encodeMessage(message, packet.memory, packet.start);
    this.#counts.datagramsOut += 1;
    this.#device.send(packet, to);
  }
}
