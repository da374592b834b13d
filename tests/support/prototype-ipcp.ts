/**
 * A unicast IPCP of the prototype as unicast-layer.md describes it, defects included, in as few words as possible. It
 * shares nothing with runtime/ipcpd but the generated messages, and keeps what a peer must not do and did.
 */
import { Connection } from '../../runtime/lib/pb/gen/connection.js';
import {
  EnrollmentAck,
  EnrollmentRequest,
  EnrollmentResponse,
  type IpcpConfig,
} from '../../runtime/lib/pb/gen/enrollment.js';
import { O7sError } from '../../runtime/lib/errors.ts';
import { type QosSpec, rawQos } from '../../runtime/lib/qos.ts';
import type { BootstrapConfig, ComponentName } from '../../runtime/lib/rpc/api.ts';
import { type Deadlines, type Millis, never } from '../../runtime/lib/time/clock.ts';
import type { Packet } from '../../runtime/lib/wire/packet.ts';
import type {
  FlowOutcome,
  FlowUser,
  Joined,
  Layer,
  LayerFlow,
  LayerMetrics,
  LowerFlow,
  StackedFacts,
  StackedIpcp,
  StackedSurroundings,
} from '../../runtime/ipcpd/shell/layer.ts';
import { PrototypeDirectory } from './prototype-directory.ts';
import { type PrototypeFlow, PrototypeRouting } from './prototype-routing.ts';

const hashBytes = 32;
/** Receive timeout of a connection that is being made (3.3, 3.4). */
const answerMs = 1000;
/** After the connection is made, until the reader sees packets (2.4). */
const armMs = 1;
const keepaliveMs = 30_000;
const deadMs = 120_000;
/** How long the IRMd waits for the reply to a flow request (8.2). */
const replyMs = 20_000;

type ComponentKind = 'Enrollment' | 'Management' | 'Data Transfer';
const records = {
  Enrollment: { protocol: 'OEP', syntax: 0 },
  Management: { protocol: 'LSP', syntax: 0 },
  'Data Transfer': { protocol: 'dtp', syntax: 2 },
} as const;

interface Settings {
  readonly maxTtl: number;
  readonly recalc: number;
  readonly update: number;
  readonly timeout: number;
  readonly alpha: number;
  readonly k: number;
  readonly expire: number;
  readonly refresh: number;
  readonly replicate: number;
  readonly congestion: number;
  readonly policy: number;
}

/** A flow of the layer below, read one packet an event, and no event for each of those that wait when it is armed. */
class Flow implements FlowUser {
  readonly ipcp: PrototypeIpcp;
  readonly isInitiator: boolean;
  lower: LowerFlow | undefined;
  kind: ComponentKind | undefined;
  peer = 0;
  /** Whether the peer is of our kind, as an extension field that the prototype does not look at tells. */
  isOurs = false;
  isArmed = false;
  readonly waiting: Buffer[] = [];
  sentAt: Millis;
  readAt: Millis;
  isDead = false;
  onPacket: (bytes: Buffer) => void = () => {};

  constructor(ipcp: PrototypeIpcp, isInitiator: boolean) {
    this.ipcp = ipcp;
    this.isInitiator = isInitiator;
    this.sentAt = ipcp.now;
    this.readAt = ipcp.now;
  }

  deliver(packet: Packet): void {
    this.waiting.push(Buffer.from(packet.bytes()));
    if (this.isArmed) this.ipcp.readOne(this);
    else this.ipcp.arrived(this);
  }

  setUp(): void {
    // Only a forwarding policy with alternates takes note of its device.
  }

  released(): void {
    // There is no message for the end of a flow (2.3).
  }

  write(bytes: Buffer): void {
    this.sentAt = this.ipcp.now;
    this.ipcp.writeTo(this, bytes);
  }
}

interface UserFlow {
  readonly low: number;
  readonly high: number;
  remote: number;
  peerLow: number;
  peerHigh: number;
  isOpen: boolean;
  readonly user: FlowUser;
  done: ((outcome: FlowOutcome) => void) | undefined;
  readonly deadline: Millis;
}

interface Request {
  readonly from: number;
  readonly low: number;
  readonly high: number;
}

interface Task {
  readonly at: Millis;
  readonly run: () => void;
}

export class PrototypeIpcp implements StackedIpcp {
  /** What a peer must not do, and did. */
  readonly complaints: string[] = [];
  readonly counters = {};
  readonly around: StackedSurroundings;
  routing: PrototypeRouting | undefined;
  directory: PrototypeDirectory | undefined;
  layer: PrototypeLayer | undefined;
  address = 0;
  /** Share of replies to flow requests that its race loses (8.7). */
  lostReplies = 0;
  #settings: Settings | undefined;
  #name = '';
  /** Flows that came in and wait for the one task that answers them. */
  readonly #incoming: Flow[] = [];
  #answering: { readonly flow: Flow; readonly until: Millis } | undefined;
  /** Enrolments that wait for the one task that serves them. */
  readonly #enrollees: { readonly flow: Flow; id: Buffer | undefined }[] = [];
  readonly #flows = new Set<Flow>();
  /** The latest flow to each neighbour, and those in the forwarding tables. */
  readonly #latest = new Map<number, Flow>();
  #table = new Map<number, Flow>();
  /** Management reads of a flow that had a keepalive wait for its next packet; all others wait with them (6.10). */
  #blocked: { readonly flow: Flow; readonly until: Millis } | undefined;
  #tasks: Task[] = [];

  constructor(around: StackedSurroundings) {
    this.around = around;
  }

  get now(): Millis {
    return this.around.clock();
  }

  after(ms: Millis, run: () => void): void {
    this.#tasks.push({ at: this.now + ms, run });
    this.around.deadlineChanged();
  }

  bootstrap(name: string, config: BootstrapConfig): Joined {
    return this.#enter(
      name,
      {
        maxTtl: config.ttl ?? 60,
        recalc: config.ls_t_recalc ?? 4,
        update: config.ls_t_update ?? 15,
        timeout: config.ls_t_timeo ?? 60,
        alpha: config.dht_alpha ?? 3,
        k: config.dht_k ?? 8,
        expire: config.dht_t_expire ?? 86_400,
        refresh: config.dht_t_refresh ?? 900,
        replicate: config.dht_t_replicate ?? 900,
        congestion: config.congestion === 'none' ? 0 : 1,
        policy: ['link_state', 'lfa', 'ecmp'].indexOf(config.routing ?? 'link_state'),
      },
      0,
    );
  }

  /** 4.4. */
  enroll(
    destination: string,
    wanted: string | undefined,
    _now: Millis,
    done: (result: Joined | O7sError) => void,
  ): void {
    this.#connect('Enrollment', destination, (flow) => {
      if (flow instanceof O7sError) return done(flow);
      let isDone = false;
      const end = (result: Joined | O7sError): void => {
        if (isDone) return;
        isDone = true;
        this.#release(flow);
        done(result);
      };
      const id = this.around.randomBytes(8);
      flow.onPacket = (bytes) => {
        const { id: theirs, response, conf } = EnrollmentResponse.decode(bytes);
        const isValid = Buffer.from(theirs).equals(id) && response >= 0 && conf?.ipcpType === 1;
        if (!isValid || (wanted !== undefined && conf.layerInfo.name !== wanted)) {
          return end(new O7sError('EIPCP', 'enrolment failed'));
        }
        const joined = this.#enter(conf.layerInfo.name, settingsOf(conf), addressOf(conf));
        flow.write(Buffer.from(EnrollmentAck.encode({ id, result: 0 }).finish()));
        end(joined);
      };
      flow.write(Buffer.from(EnrollmentRequest.encode({ id }).finish()));
      this.after(answerMs, () => end(new O7sError('ETIMEDOUT')));
    });
  }

  connect(
    destination: string,
    component: ComponentName,
    _qos: QosSpec,
    _now: Millis,
    done: (fault: O7sError | undefined) => void,
  ): void {
    const kind = component === 'dt' ? 'Data Transfer' : 'Management';
    this.#connect(kind, destination, (flow) => {
      if (flow instanceof O7sError) return done(flow);
      this.#use(flow);
      done(undefined);
    });
  }

  /** 6.9: nothing is sent. */
  disconnect(): void {
    throw new Error('not in this model');
  }

  acceptFlow(lower: LowerFlow): FlowUser {
    const flow = new Flow(this, false);
    flow.lower = lower;
    this.#incoming.push(flow);
    this.#serveNext();
    return flow;
  }

  facts(): StackedFacts {
    return { address: null, adjacencies: [], routes: [] };
  }

  readonly gauges = {};

  metrics(): LayerMetrics {
    return {};
  }

  close(): void {
    this.#flows.clear();
  }

  nextDeadline(): Millis {
    let earliest = this.#answering?.until ?? never;
    for (const { at } of this.#tasks) earliest = Math.min(earliest, at);
    for (const flow of this.#flows)
      if (!flow.isDead) earliest = Math.min(earliest, flow.sentAt + keepaliveMs);
    const parts = [this.routing, this.directory, this.layer];
    for (const part of parts) earliest = Math.min(earliest, part?.nextDeadline() ?? never);
    return Math.min(earliest, this.#blocked?.until ?? never);
  }

  advance(now: Millis): void {
    const due = this.#tasks.filter(({ at }) => at <= now);
    this.#tasks = this.#tasks.filter(({ at }) => at > now);
    for (const { run } of due) run();
    if (this.#answering !== undefined && this.#answering.until <= now) {
      this.#release(this.#answering.flow);
      this.#answering = undefined;
      this.#serveNext();
    }
    for (const flow of this.#flows) {
      if (flow.isDead || flow.sentAt + keepaliveMs > now) continue;
      flow.isDead = now - flow.readAt >= deadMs;
      if (!flow.isDead) flow.write(Buffer.alloc(0));
    }
    if (this.#blocked !== undefined && this.#blocked.until <= now) this.#unblock();
    for (const part of [this.routing, this.directory, this.layer]) {
      if ((part?.nextDeadline() ?? never) <= now) part?.advance(now);
    }
  }

  /** A packet came that the reader does not see yet. Called by the flow. */
  arrived(flow: Flow): void {
    if (this.#answering?.flow === flow) this.#answer(flow);
    else if (flow.kind === undefined && flow.isInitiator) flow.onPacket(flow.waiting.shift()!);
    else if (flow.kind !== undefined && flow.isOurs && flow.kind !== 'Enrollment') {
      this.complaints.push(`${flow.kind}: ${flow.peer} sent before the reader was armed`);
    }
  }

  /** The reader reads one packet. Called by the flow. */
  readOne(flow: Flow): void {
    if (flow.kind === 'Management' && this.#blocked !== undefined && this.#blocked.flow !== flow) return;
    const bytes = flow.waiting.shift();
    if (bytes === undefined) return;
    flow.readAt = this.now;
    if (bytes.length > 0) {
      if (flow.kind === 'Management') this.#blocked = undefined;
      return flow.onPacket(bytes);
    }
    if (flow.kind !== 'Management') return;
    if (flow.isOurs) this.complaints.push(`Management: ${flow.peer} sent a keepalive`);
    this.#blocked = { flow, until: flow.isInitiator ? this.now + answerMs : never };
  }

  writeTo({ lower }: Flow, bytes: Buffer): void {
    const packet = this.around.packets.take(bytes.length);
    packet.append(bytes, 0, bytes.length);
    lower?.write(packet);
  }

  /** 5.3; false without a route. */
  send(destination: number, low: number, high: number, payload: Buffer): boolean {
    const next = this.#nextFlow(destination);
    if (next === undefined) return false;
    const packet = Buffer.alloc(15 + payload.length);
    packet.writeUInt32LE(destination, 0);
    packet.writeUInt8(this.#settings?.maxTtl ?? 60, 5);
    packet.writeUInt32LE(low, 7);
    packet.writeUInt32LE(high, 11);
    payload.copy(packet, 15);
    next.write(packet);
    return true;
  }

  #nextFlow(destination: number): Flow | undefined {
    const hop = this.routing?.nextHop(destination);
    return hop === undefined ? undefined : this.#table.get(hop);
  }

  #unblock(): void {
    this.#blocked = undefined;
    for (const flow of this.#flows) if (flow.kind === 'Management') this.readOne(flow);
  }

  /** 3.4: one sequential task. */
  #serveNext(): void {
    if (this.#answering !== undefined) return;
    const flow = this.#incoming.shift();
    if (flow === undefined) return;
    this.#answering = { flow, until: this.now + answerMs };
    this.around.deadlineChanged();
    if (flow.waiting.length > 0) this.#answer(flow);
  }

  #answer(flow: Flow): void {
    this.#answering = undefined;
    const bytes = flow.waiting.shift()!;
    if (bytes.length >= 128) this.complaints.push(`a record of ${bytes.length} bytes`);
    const record = Connection.decode(bytes);
    flow.isOurs = (record.extensions ?? 0) !== 0;
    const kind = record.compName as ComponentKind;
    if (records[kind] === undefined || this.layer === undefined) {
      flow.write(recordOf(undefined, 0));
      this.#release(flow);
    } else {
      flow.peer = Number(record.address);
      flow.kind = kind;
      flow.write(recordOf(kind, this.address));
      if (kind === 'Enrollment') this.#serveEnrollee(flow);
      else this.#use(flow);
    }
    this.#serveNext();
  }

  /** 4.5: one at a time, without a limit of time. */
  #serveEnrollee(flow: Flow): void {
    this.#enrollees.push({ flow, id: undefined });
    flow.onPacket = (bytes) => this.#enrolling(flow, bytes);
    flow.isArmed = true;
  }

  #enrolling(flow: Flow, bytes: Buffer): void {
    const [first] = this.#enrollees;
    if (first?.flow !== flow) {
      flow.waiting.push(bytes);
      return;
    }
    if (first.id === undefined) {
      const request = EnrollmentRequest.decode(bytes);
      if (request.id.length !== 8) return this.#enrolled();
      first.id = Buffer.from(request.id);
      const time = this.around.wallClock();
      const response = {
        id: first.id,
        tSec: Number(time / 1_000_000_000n),
        tNsec: Number(time % 1_000_000_000n),
        response: 0,
        conf: this.#conf(),
      };
      flow.write(Buffer.from(EnrollmentResponse.encode(response).finish()));
      return;
    }
    const ack = EnrollmentAck.decode(bytes);
    if (ack.result !== 0) this.complaints.push(`an enrolment ended with ${ack.result}`);
    this.#enrolled();
  }

  #enrolled(): void {
    const done = this.#enrollees.shift();
    if (done !== undefined) this.#release(done.flow);
    const [next] = this.#enrollees;
    const bytes = next?.flow.waiting.shift();
    if (next !== undefined && bytes !== undefined) this.#enrolling(next.flow, bytes);
  }

  /** 3.3. */
  #connect(kind: ComponentKind, destination: string, done: (flow: Flow | O7sError) => void): void {
    const flow = new Flow(this, true);
    this.around.lower.allocate(destination, rawQos, flow, (lower) => {
      if (lower instanceof O7sError) return done(lower);
      flow.lower = lower;
      let isDone = false;
      flow.onPacket = (bytes) => {
        isDone = true;
        const record = Connection.decode(bytes);
        const { protocol, syntax } = records[kind];
        if (record.protocol !== protocol || record.prefSyntax !== syntax) {
          this.#release(flow);
          return done(new O7sError('ENOTSUP'));
        }
        flow.peer = Number(record.address);
        flow.isOurs = (record.extensions ?? 0) !== 0;
        flow.kind = kind;
        if (kind === 'Enrollment') flow.isArmed = true;
        done(flow);
      };
      flow.write(recordOf(kind, this.address));
      this.after(answerMs, () => {
        if (isDone) return;
        this.#release(flow);
        done(new O7sError('ETIMEDOUT'));
      });
    });
  }

  /** The component takes the flow: its reader is armed a moment later. */
  #use(flow: Flow): void {
    this.#flows.add(flow);
    const arm = (): void => {
      flow.isArmed = true;
      // All that wait by now make one event together.
      this.readOne(flow);
    };
    this.after(armMs, arm);
    if (flow.kind === 'Management') {
      const { peer, isOurs } = flow;
      const management: PrototypeFlow = { peer, isOurs, isUp: true };
      this.#management.set(management, flow);
      flow.onPacket = (bytes) => this.routing?.receive(management, bytes, this.now);
      this.routing?.managementUp(management, this.now);
    } else {
      flow.onPacket = (bytes) => this.#received(flow, bytes);
      this.#latest.set(flow.peer, flow);
      if (!this.#table.has(flow.peer)) this.#table.set(flow.peer, flow);
      this.routing?.linkUp(flow.peer, this.now);
    }
    this.around.deadlineChanged();
  }

  readonly #management = new Map<PrototypeFlow, Flow>();

  /** 5.4. */
  #received(flow: Flow, bytes: Buffer): void {
    if (bytes.length < 15) {
      this.complaints.push(`Data Transfer: ${flow.peer} sent ${bytes.length} bytes`);
      return;
    }
    const destination = bytes.readUInt32LE(0);
    const ttl = (bytes.readUInt8(5) - 1) & 0xff;
    if (destination !== this.address) {
      const next = ttl === 0 ? undefined : this.#nextFlow(destination);
      bytes.writeUInt8(ttl, 5);
      return next?.write(bytes);
    }
    const [low, high] = [bytes.readUInt32LE(7), bytes.readUInt32LE(11)];
    const payload = bytes.subarray(15);
    if (high === 0 && low === 0) this.layer?.receive(payload);
    else if (high === 0 && low === 1) this.directory?.receive(payload, this.now);
    else if (high !== 0 || low >= 64) this.layer?.deliver(low, high, payload);
    this.around.deadlineChanged();
  }

  #release(flow: Flow): void {
    flow.lower?.deallocate(this.now);
    this.#flows.delete(flow);
  }

  #enter(name: string, settings: Settings, peer: number): Joined {
    const { randomBytes, wallClock } = this.around;
    this.#name = name;
    this.#settings = settings;
    this.address = randomBytes(4).readUInt32BE(0) || 1;
    const { recalc: tRecalc, update: tUpdate, timeout: tTimeo } = settings;
    const send = (to: PrototypeFlow, message: Buffer): void => this.#management.get(to)?.write(message);
    this.routing = new PrototypeRouting(this.address, { tRecalc, tUpdate, tTimeo }, send, this.now);
    // 6.9: a second flow to a neighbour is used from the next calculation on.
    this.routing.onCalculated = () => (this.#table = new Map(this.#latest));
    this.directory = new PrototypeDirectory(
      {
        address: this.address,
        id: randomBytes(hashBytes),
        peer,
        config: {
          alpha: settings.alpha,
          k: settings.k,
          tExpire: settings.expire,
          tRefresh: settings.refresh,
          tReplicate: settings.replicate,
        },
        send: (to, message) => this.send(to, 1, 0, message),
        random: randomBytes,
        wallClock: () => Number(wallClock() / 1_000_000_000n),
      },
      this.now,
    );
    this.layer = new PrototypeLayer(this);
    return { layer: this.layer, name };
  }

  /** 4.2: every member names itself as the first contact. */
  #conf(): IpcpConfig.$Properties {
    const s = this.#settings!;
    return {
      layerInfo: { name: this.#name, dirHashAlgo: 1 },
      ipcpType: 1,
      unicast: {
        dt: {
          addrSize: 4,
          eidSize: 8,
          maxTtl: s.maxTtl,
          routing: { pol: 0, ls: { pol: s.policy, tRecalc: s.recalc, tUpdate: s.update, tTimeo: s.timeout } },
        },
        dir: {
          pol: 0,
          dht: {
            alpha: s.alpha,
            k: s.k,
            tExpire: s.expire,
            tRefresh: s.refresh,
            tReplicate: s.replicate,
            peer: this.address,
          },
        },
        addrAuthType: 0,
        congAvoid: s.congestion,
      },
    };
  }
}

function recordOf(kind: ComponentKind | undefined, address: number): Buffer {
  const { protocol, syntax } = kind === undefined ? { protocol: '', syntax: 0 } : records[kind];
  const record = {
    compName: kind ?? '',
    protocol,
    prefVersion: kind === undefined ? 0 : 1,
    prefSyntax: syntax,
    address: kind === undefined || kind === 'Enrollment' ? 0 : address,
  };
  return Buffer.from(Connection.encode(record).finish());
}

function settingsOf({ unicast }: IpcpConfig.$Properties): Settings {
  const { dt, dir, congAvoid } = unicast!;
  const [ls, dht] = [dt.routing.ls!, dir.dht!];
  return {
    maxTtl: dt.maxTtl,
    recalc: ls.tRecalc,
    update: ls.tUpdate,
    timeout: ls.tTimeo,
    policy: ls.pol,
    alpha: dht.alpha,
    k: dht.k,
    expire: dht.tExpire,
    refresh: dht.tRefresh,
    replicate: dht.tReplicate,
    congestion: congAvoid,
  };
}

const addressOf = ({ unicast }: IpcpConfig.$Properties): number => Number(unicast!.dir.dht!.peer);

const code = { request: 0, reply: 1, update: 2 } as const;
const headerBytes = 61;

/** The flow allocator (8), one message at a time. */
export class PrototypeLayer implements Layer, Deadlines {
  readonly hash = 'SHA3_256';
  readonly maxMessageBytes = 1481;
  readonly counters = {};
  readonly #ipcp: PrototypeIpcp;
  readonly #flows = new Map<number, UserFlow>();
  readonly #requests = new Map<number, Request>();
  /** Handshakes that were seen: a copy is refused (8.7). */
  readonly #handshakes = new Set<string>();
  #nextLow = 64;
  #nextHandle = 1;

  constructor(ipcp: PrototypeIpcp) {
    this.#ipcp = ipcp;
  }

  get address(): number {
    return this.#ipcp.address;
  }

  get destinations(): number {
    return this.#ipcp.routing?.destinations ?? 0;
  }

  nextHop(destination: number): number | undefined {
    return this.#ipcp.routing?.nextHop(destination);
  }

  register(key: Buffer): void {
    this.#ipcp.directory?.register(key, this.#ipcp.now);
  }

  unregister(key: Buffer): void {
    this.#ipcp.directory?.unregister(key);
  }

  find(key: Buffer, done: (addresses: readonly number[]) => void): void {
    this.#ipcp.directory?.query(key, this.#ipcp.now, done);
  }

  query(key: Buffer, _now: Millis, done: (known: boolean) => void): void {
    this.find(key, (addresses) => done(addresses.length > 0));
  }

  /** 8.2. */
  allocate(
    hash: Buffer,
    _qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const flow = this.#make(0, user, done, now + replyMs);
    this.find(hash, ([to]) => {
      if (to === undefined) return this.#end(flow, { kind: 'unanswered' });
      flow.remote = to;
      const message = Buffer.alloc(headerBytes + hashBytes + piggyback.length);
      message.writeBigUInt64BE(BigInt(this.address), 0);
      writeEid(message, 16, flow);
      message.writeUInt32BE(0xffff_ffff, 36);
      message.writeUInt32BE(1, 40);
      message.writeUInt32BE(1, 44);
      message.writeUInt32BE(0xffff_ffff, 48);
      message.writeUInt32BE(120_000, 52);
      message.writeUInt8(code.request, 58);
      hash.copy(message, headerBytes);
      piggyback.copy(message, headerBytes + hashBytes);
      this.#ipcp.send(to, 0, 0, message);
    });
    this.#ipcp.around.deadlineChanged();
    return this.#endOf(flow.low);
  }

  accept(handle: number, piggyback: Buffer, user: FlowUser): LayerFlow | undefined {
    const request = this.#requests.get(handle);
    this.#requests.delete(handle);
    if (request === undefined) return undefined;
    const flow = this.#make(request.from, user, undefined, never);
    Object.assign(flow, { peerLow: request.low, peerHigh: request.high, isOpen: true });
    const lost = this.#ipcp.around.randomBytes(4).readUInt32BE(0) / 2 ** 32 < this.#ipcp.lostReplies;
    if (!lost) this.#reply(request, flow, 0, piggyback);
    return this.#endOf(flow.low);
  }

  /** 8.3: whom nobody accepts is not answered; a handshake that is refused is. */
  refuse(handle: number, response: number): void {
    const request = this.#requests.get(handle);
    this.#requests.delete(handle);
    if (request !== undefined && response === -1009) this.#reply(request, nobody, response, Buffer.alloc(0));
  }

  receive(message: Buffer): void {
    if (message.length < headerBytes || message.length > 2048) {
      this.#ipcp.complaints.push(`flow allocator: a message of ${message.length} bytes`);
      return;
    }
    const receiver = { high: message.readUInt32BE(8), low: message.readUInt32BE(12) };
    const sender = { high: message.readUInt32BE(16), low: message.readUInt32BE(20) };
    switch (message.readUInt8(58)) {
      case code.request: {
        if (message.length < headerBytes + hashBytes) {
          this.#ipcp.complaints.push('flow allocator: a request without a name');
          return;
        }
        const hash = Buffer.from(message.subarray(headerBytes, headerBytes + hashBytes));
        const piggyback = Buffer.from(message.subarray(headerBytes + hashBytes));
        const request = { from: Number(message.readBigUInt64BE(0)), ...sender };
        const seen = piggyback.toString('hex');
        if (this.#handshakes.has(seen)) return this.#reply(request, nobody, -1009, Buffer.alloc(0));
        this.#handshakes.add(seen);
        const handle = this.#nextHandle++;
        this.#requests.set(handle, request);
        this.#ipcp.around.events.flowRequested({ handle, hash, qos: rawQos, piggyback });
        return;
      }
      case code.reply: {
        const flow = this.#find(receiver.low, receiver.high);
        if (flow === undefined) return;
        const response = message.readInt32BE(32);
        if (flow.isOpen) {
          this.#ipcp.complaints.push('flow allocator: a second reply');
          if (response < 0) this.#flows.delete(flow.low);
          return;
        }
        if (response < 0) return this.#end(flow, { kind: 'refused', response });
        Object.assign(flow, { peerLow: sender.low, peerHigh: sender.high, isOpen: true });
        const piggyback = Buffer.from(message.subarray(headerBytes));
        if (piggyback.length === 0) return this.#end(flow, { kind: 'refused', response: -1008 });
        const { done } = flow;
        flow.done = undefined;
        done?.({ kind: 'accepted', piggyback });
      }
    }
  }

  deliver(low: number, high: number, payload: Buffer): void {
    const flow = this.#find(low, high);
    if (flow === undefined || payload.length === 0) return;
    const packet = this.#ipcp.around.packets.take(payload.length);
    packet.append(payload, 0, payload.length);
    flow.user.deliver(packet);
  }

  close(): void {
    this.#flows.clear();
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline, done } of this.#flows.values()) {
      if (done !== undefined) earliest = Math.min(earliest, deadline);
    }
    return earliest;
  }

  advance(now: Millis): void {
    for (const flow of [...this.#flows.values()]) {
      if (flow.done !== undefined && flow.deadline <= now) this.#end(flow, { kind: 'unanswered' });
    }
  }

  #make(
    remote: number,
    user: FlowUser,
    done: ((outcome: FlowOutcome) => void) | undefined,
    deadline: Millis,
  ): UserFlow {
    const low = this.#nextLow++;
    const high = this.#ipcp.around.randomBytes(4).readUInt32BE(0);
    const flow = { low, high, remote, peerLow: 0, peerHigh: 0, isOpen: false, user, done, deadline };
    this.#flows.set(low, flow);
    return flow;
  }

  #find(low: number, high: number): UserFlow | undefined {
    const flow = this.#flows.get(low);
    return flow?.high === high ? flow : undefined;
  }

  #end({ low }: UserFlow, outcome: FlowOutcome): void {
    const flow = this.#flows.get(low);
    this.#flows.delete(low);
    flow?.done?.(outcome);
  }

  /** 8.6: an end that is given up says nothing. */
  #endOf(low: number): LayerFlow {
    return {
      headerBytes: 0,
      backlog: 0,
      write: (packet) => {
        const flow = this.#flows.get(low);
        if (flow?.isOpen === true) {
          this.#ipcp.send(flow.remote, flow.peerLow, flow.peerHigh, Buffer.from(packet.bytes()));
        }
      },
      deallocate: () => void this.#flows.delete(low),
    };
  }

  #reply(
    { from, low, high }: Request,
    own: { low: number; high: number },
    response: number,
    piggyback: Buffer,
  ): void {
    const message = Buffer.alloc(headerBytes + piggyback.length);
    writeEid(message, 8, { low, high });
    writeEid(message, 16, own);
    message.writeInt32BE(response, 32);
    message.writeUInt8(code.reply, 58);
    piggyback.copy(message, headerBytes);
    this.#ipcp.send(from, 0, 0, message);
  }
}

const nobody = { low: 0, high: 0 };

function writeEid(message: Buffer, at: number, { low, high }: { low: number; high: number }): void {
  message.writeUInt32BE(high, at);
  message.writeUInt32BE(low, at + 4);
}
