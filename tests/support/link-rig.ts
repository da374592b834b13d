/**
 * A layer of each kind alone on a link that the test holds: it plays all other stations, byte by byte, in virtual time.
 * Station `a` is the layer; `b`, `c` and `d` are others, and `b2` is `b` with another port where there are ports.
 */
import { dixFraming } from '../../runtime/ipcpd/eth/dix.ts';
import {
  EthernetLayer,
  type EthernetLimits,
  ethernetLimits,
} from '../../runtime/ipcpd/eth/ethernet-layer.ts';
import type { EthernetFraming, FrameHeader } from '../../runtime/ipcpd/eth/framing.ts';
import { llcFraming } from '../../runtime/ipcpd/eth/llc.ts';
import * as eth from '../../runtime/ipcpd/eth/message.ts';
import { type Station, stationOf } from '../../runtime/ipcpd/eth/station.ts';
import { MemoryAddress, MemoryNetwork, MemorySegment } from '../../runtime/ipcpd/links/memory.ts';
import type { FlowOutcome, FlowRequest, Layer, LayerFlow } from '../../runtime/ipcpd/shell/layer.ts';
import * as udp from '../../runtime/ipcpd/udp/codec.ts';
import { type Directory, UdpLayer, type UdpLimits, udpLimits } from '../../runtime/ipcpd/udp/udp-layer.ts';
import { hashName } from '../../runtime/lib/names.ts';
import { rawQos } from '../../runtime/lib/qos.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';
import { FlowInbox, packetOf } from './flow-inbox.ts';

export const linkKinds = ['eth-dix', 'eth-llc', 'udp4', 'udp6'] as const;
export type LinkKind = (typeof linkKinds)[number];
export type StationName = 'a' | 'b' | 'b2' | 'c' | 'd' | 'all' | 'nowhere';
export type RigLimits = Partial<EthernetLimits & UdpLimits>;

export const handshake: Buffer = Buffer.alloc(36, 0x11);
export const answer: Buffer = Buffer.alloc(84, 0x11);
const nothing = Buffer.alloc(0);

/** What the layer sent, without its form on the wire. Ids are the sender's and the receiver's. */
export interface Sent {
  readonly to: StationName;
  readonly kind: 'query' | 'answer' | 'request' | 'reply' | 'release' | 'data';
  readonly eid?: number;
  readonly peerEid?: number;
  readonly response?: number;
  readonly payload?: string;
}

export interface Attempt {
  readonly flow: LayerFlow;
  readonly inbox: FlowInbox;
  readonly outcomes: FlowOutcome[];
  /** The layer's own id. */
  readonly eid: number;
}

export abstract class LinkRig {
  readonly kind: LinkKind;
  readonly hash: Buffer;
  readonly requests: FlowRequest[] = [];
  readonly raw: { readonly to: StationName; readonly bytes: Buffer }[] = [];
  now = 1000;
  /** Whether the other stations are of this runtime, where requests say so. */
  ours = true;
  #handshakes = 0;
  protected readonly packets: PacketPool = new PacketPool();
  abstract readonly layer: Layer & { deviceChanged(up: boolean): void };
  /** First of the layer's own ids, and how many it has. */
  abstract readonly eids: { readonly min: number; readonly count: number };

  constructor(kind: LinkKind) {
    this.kind = kind;
    this.hash = hashName('oping.test', kind.startsWith('udp') ? 'MD5' : 'SHA3_256');
  }

  static make(kind: LinkKind, limits: RigLimits = {}, mtu = 1500): LinkRig {
    return kind === 'eth-dix' || kind === 'eth-llc'
      ? new EthernetRig(kind, limits, mtu)
      : new UdpRig(kind, limits);
  }

  /** Any bytes reach the layer from a station. */
  abstract bring(bytes: Buffer, from?: StationName): void;
  abstract flush(): void;
  abstract requestBytes(eid: number, piggyback?: Buffer, hash?: Buffer, from?: StationName): Buffer;
  /** A reply to the layer's id `peerEid` from the station's `eid`. */
  abstract replyBytes(
    eid: number,
    peerEid: number,
    response?: number,
    piggyback?: Buffer,
    from?: StationName,
  ): Buffer;
  abstract releaseBytes(eid: number, peerEid: number, from?: StationName): Buffer;
  abstract dataBytes(eid: number, peerEid: number, payload: Buffer, from?: StationName): Buffer;
  protected abstract read(bytes: Buffer, to: StationName): Sent;
  /** Makes the layer know that `b` serves a name. */
  abstract learn(hash?: Buffer): void;

  deviceChanged(up: boolean): void {
    this.layer.deviceChanged(up);
  }

  counter(name: string): number {
    const value = this.layer.counters[name];
    if (value === undefined) throw new Error(`${this.kind} has no counter ${name}`);
    return value;
  }

  /** What the layer sent since the last call. */
  sent(): Sent[] {
    this.flush();
    return this.raw.splice(0).map(({ bytes, to }) => this.read(bytes, to));
  }

  known(hash: Buffer = this.hash): boolean[] {
    const known: boolean[] = [];
    this.layer.query(hash, this.now, (value) => known.push(value));
    this.flush();
    return known;
  }

  /** Asks for a flow to the name at `b`; its request must leave. */
  allocate(piggyback: Buffer = handshake): Attempt {
    if (this.known()[0] !== true) this.learn();
    this.sent();
    const attempt = this.tryAllocate(piggyback);
    if (attempt.eid < 0) throw new Error('no request left');
    return attempt;
  }

  /** Asks for a flow; `eid` is negative when no request leaves. */
  tryAllocate(piggyback: Buffer = handshake): Attempt {
    const inbox = new FlowInbox();
    const outcomes: FlowOutcome[] = [];
    const flow = this.layer.allocate(this.hash, rawQos, piggyback, inbox, this.now, (outcome) =>
      outcomes.push(outcome),
    );
    const [request] = this.sent();
    return { flow, inbox, outcomes, eid: request?.kind === 'request' ? (request.eid ?? -1) : -1 };
  }

  /** A flow that the layer asked for, open to the id `peerEid` of `b`. */
  connect(peerEid = 7): Attempt {
    const attempt = this.allocate();
    this.bring(this.replyBytes(peerEid, attempt.eid));
    if (attempt.outcomes[0]?.kind !== 'accepted') throw new Error('the flow did not open');
    return attempt;
  }

  /** A flow that `b` asked for with its id `peerEid`, open. */
  serve(peerEid = 7): Attempt {
    this.layer.register(this.hash);
    const fresh = Buffer.alloc(36);
    fresh.writeUInt32BE((this.#handshakes += 1));
    this.bring(this.requestBytes(peerEid, fresh));
    const request = this.requests.shift();
    if (request === undefined) throw new Error('no request came in');
    const inbox = new FlowInbox();
    const flow = this.layer.accept(request.handle, answer, inbox, this.now);
    const reply = this.sent().find(({ kind }) => kind === 'reply');
    if (flow === undefined || reply?.eid === undefined) throw new Error('not accepted');
    return { flow, inbox, outcomes: [], eid: reply.eid };
  }

  write(flow: LayerFlow, payload: Buffer | string): void {
    flow.write(packetOf(Buffer.from(payload)));
    this.flush();
  }
}

const macs = {
  a: Buffer.from('02000000000a', 'hex'),
  b: Buffer.from('02000000000b', 'hex'),
  b2: Buffer.from('02000000001b', 'hex'),
  c: Buffer.from('02000000000c', 'hex'),
  d: Buffer.from('02000000000d', 'hex'),
  all: Buffer.alloc(6, 0xff),
  nowhere: Buffer.alloc(6),
} as const satisfies Record<StationName, Buffer>;

export class EthernetRig extends LinkRig {
  readonly layer: EthernetLayer;
  readonly eids: { readonly min: number; readonly count: number };
  readonly framing: EthernetFraming;
  readonly #flush: () => void;
  readonly #bring: (bytes: Buffer) => void;

  constructor(kind: 'eth-dix' | 'eth-llc', limits: RigLimits, mtu: number) {
    super(kind);
    this.framing = kind === 'eth-dix' ? dixFraming() : llcFraming;
    const { min, max } = this.framing.eids;
    this.eids = { min, count: max - min + 1 };
    const segment = new MemorySegment();
    const device = segment.attach(macs.a, mtu, (frame) => {
      this.layer.receive(frame, this.now);
      this.flush();
    });
    segment.attach(macs.b, mtu, (frame) => {
      const bytes = Buffer.from(frame.bytes());
      const to = (Object.keys(macs) as StationName[]).find((one) => macs[one].equals(bytes.subarray(0, 6)));
      this.raw.push({ to: to ?? 'nowhere', bytes });
    });
    this.#flush = () => device.flush();
    this.#bring = (bytes) => device.bring(bytes);
    this.layer = new EthernetLayer({
      hash: 'SHA3_256',
      framing: this.framing,
      device,
      packets: this.packets,
      events: { flowRequested: (request) => this.requests.push(request) },
      limits: { ...ethernetLimits, ...limits },
    });
  }

  bring(bytes: Buffer): void {
    this.#bring(bytes);
  }

  /** Ends a turn. */
  flush(): void {
    this.#flush();
    this.packets.reset();
  }

  learn(hash: Buffer = this.hash): void {
    this.bring(this.messageBytes({ code: eth.messageCode.nameReply, hash }));
  }

  requestBytes(eid: number, piggyback = handshake, hash = this.hash, from: StationName = 'b'): Buffer {
    const code = eth.messageCode.flowRequest;
    return this.messageBytes({ code, seid: eid, qos: rawQos, ours: this.ours, hash, piggyback }, from);
  }

  replyBytes(
    eid: number,
    peerEid: number,
    response = 0,
    piggyback = answer,
    from: StationName = 'b',
  ): Buffer {
    const code = eth.messageCode.flowReply;
    const body = response === 0 ? piggyback : nothing;
    return this.messageBytes({ code, seid: eid, deid: peerEid, response, piggyback: body }, from);
  }

  releaseBytes(eid: number, peerEid: number, from: StationName = 'b'): Buffer {
    return this.messageBytes({ code: eth.messageCode.flowRelease, seid: eid, deid: peerEid }, from);
  }

  dataBytes(
    eid: number,
    peerEid: number,
    payload: Buffer,
    from: StationName = 'b',
    to: StationName = 'a',
  ): Buffer {
    const packet = packetOf(payload);
    this.framing.write(packet, station(to), station(from), peerEid, eid);
    return Buffer.from(packet.bytes());
  }

  messageBytes(message: eth.EthernetMessage, from: StationName = 'b', to: StationName = 'a'): Buffer {
    const packet = new PacketPool().take(eth.messageBytes(message, this.framing.layout));
    packet.end = eth.encodeMessage(message, this.framing.layout, packet.memory, packet.start);
    this.framing.write(packet, station(to), station(from), 0, 0);
    return Buffer.from(packet.bytes());
  }

  protected read(bytes: Buffer, to: StationName): Sent {
    const packet = packetOf(bytes);
    const header: FrameHeader = { toHigh: 0, toLow: 0, fromHigh: 0, fromLow: 0, eid: 0, peerEid: 0 };
    if (!this.framing.read(packet, header)) throw new Error('the layer sent no frame of its own');
    if (header.eid !== 0) {
      return { to, kind: 'data', peerEid: header.eid, payload: packet.bytes().toString('latin1') };
    }
    const message = eth.decodeMessage(this.framing.layout, packet.memory, packet.start, packet.end, 32);
    if (typeof message === 'string') throw new Error(message);
    switch (message.code) {
      case eth.messageCode.flowRequest:
        return { to, kind: 'request', eid: message.seid };
      case eth.messageCode.flowReply:
        return { to, kind: 'reply', eid: message.seid, peerEid: message.deid, response: message.response };
      case eth.messageCode.flowRelease:
        return { to, kind: 'release', eid: message.seid, peerEid: message.deid };
      case eth.messageCode.nameQuery:
        return { to, kind: 'query' };
      case eth.messageCode.nameReply:
        return { to, kind: 'answer' };
    }
  }
}

function station(name: StationName): Station {
  return stationOf(macs[name]);
}

const hosts = {
  a: new MemoryAddress('a', 3435),
  b: new MemoryAddress('b', 3435),
  b2: new MemoryAddress('b', 3436),
  c: new MemoryAddress('c', 3435),
  d: new MemoryAddress('d', 3435),
  all: new MemoryAddress('all', 3435),
  nowhere: new MemoryAddress('nowhere', 3435),
} as const satisfies Record<StationName, MemoryAddress>;

/** A directory that answers when the test says so. */
export class RigDirectory implements Directory {
  readonly registered: string[] = [];
  readonly asked: { readonly hash: string; readonly done: (known: readonly MemoryAddress[]) => void }[] = [];
  closed = false;
  /** Answers at once with these, if there are any. */
  always: readonly StationName[] | undefined;

  resolve(hash: Buffer, done: (known: readonly MemoryAddress[]) => void): void {
    if (this.always === undefined) this.asked.push({ hash: hash.toString('hex'), done });
    else done(this.always.map((name) => hosts[name]));
  }

  answer(...names: StationName[]): void {
    this.asked.shift()?.done(names.map((name) => hosts[name]));
  }

  register(hash: Buffer): void {
    this.registered.push(hash.toString('hex'));
  }

  unregister(hash: Buffer): void {
    this.registered.splice(this.registered.indexOf(hash.toString('hex')), 1);
  }

  close(): void {
    this.closed = true;
  }
}

export class UdpRig extends LinkRig {
  readonly layer: UdpLayer;
  readonly directory: RigDirectory = new RigDirectory();
  readonly eids = { min: 64, count: 4032 } as const;
  readonly #flush: () => void;
  readonly #bring: (bytes: Buffer, from: MemoryAddress) => void;

  constructor(kind: 'udp4' | 'udp6', limits: RigLimits) {
    super(kind);
    const network = new MemoryNetwork();
    const most = kind === 'udp4' ? 8980 : 8952;
    const device = network.attach(hosts.a, most, (datagram, source) => {
      this.layer.receive(datagram, source, this.now);
      this.flush();
    });
    for (const name of ['b', 'b2', 'c', 'd'] as const) {
      network.attach(hosts[name], most, (datagram) =>
        this.raw.push({ to: name, bytes: Buffer.from(datagram.bytes()) }),
      );
    }
    this.#flush = () => device.flush();
    this.#bring = (bytes, from) => device.bring(bytes, from);
    this.layer = new UdpLayer({
      device,
      directory: this.directory,
      packets: this.packets,
      events: { flowRequested: (request) => this.requests.push(request) },
      clock: () => this.now,
      limits: { ...udpLimits, ...limits },
    });
  }

  bring(bytes: Buffer, from: StationName = 'b'): void {
    this.#bring(bytes, hosts[from]);
  }

  /** Ends a turn. */
  flush(): void {
    this.#flush();
    this.packets.reset();
  }

  learn(): void {
    if (this.directory.asked.length === 0) this.known();
    this.directory.answer('b');
  }

  requestBytes(eid: number, piggyback = handshake, hash = this.hash): Buffer {
    return encodeUdp({ code: udp.messageCode.flowRequest, requesterEid: eid, qos: rawQos, hash, piggyback });
  }

  replyBytes(eid: number, peerEid: number, response = 0, piggyback = answer): Buffer {
    const code = udp.messageCode.flowReply;
    const body = response === 0 ? piggyback : nothing;
    return encodeUdp({ code, requesterEid: peerEid, responderEid: eid, response, piggyback: body });
  }

  releaseBytes(eid: number, peerEid: number): Buffer {
    return encodeUdp({ code: udp.messageCode.flowRelease, requesterEid: eid, responderEid: peerEid });
  }

  dataBytes(_eid: number, peerEid: number, payload: Buffer): Buffer {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(peerEid);
    return Buffer.concat([head, payload]);
  }

  protected read(bytes: Buffer, to: StationName): Sent {
    const eid = bytes.readUInt32BE(0);
    if (eid !== 0) return { to, kind: 'data', peerEid: eid, payload: bytes.toString('latin1', 4) };
    const message = udp.decodeMessage(bytes, 0, bytes.length, 16);
    if (typeof message === 'string') throw new Error(message);
    switch (message.code) {
      case udp.messageCode.flowRequest:
        return { to, kind: 'request', eid: message.requesterEid };
      case udp.messageCode.flowReply:
        return {
          to,
          kind: 'reply',
          eid: message.responderEid,
          peerEid: message.requesterEid,
          response: message.response,
        };
      case udp.messageCode.flowRelease:
        return { to, kind: 'release', eid: message.requesterEid, peerEid: message.responderEid };
    }
  }
}

function encodeUdp(message: udp.UdpMessage): Buffer {
  const memory = Buffer.alloc(udp.messageBytes(message));
  udp.encodeMessage(message, memory, 0);
  return memory;
}
