/** A connection between the same component of two IPCPs of a layer, over a flow of a layer below. */
import type { Millis } from '../../lib/time/clock.ts';
import { never } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import type { FlowUser, LowerFlow } from '../shell/layer.ts';
import type { ConnectionRecord } from './message.ts';

/** What a component does with a connection. */
export interface ConnectionUser {
  /** Takes a packet, never an empty one; it is valid only until the turn ends. */
  deliver(packet: Packet): void;
  /** The connection no longer carries packets, or does again: the device below, or signs of life of the peer. */
  setUp(up: boolean): void;
  /** The longest message of the flow below has changed. */
  limitChanged?(): void;
  /** The connection has ended. */
  closed(): void;
}

/** How signs of life are given and looked for; times in ms. */
export interface LivenessRule {
  /** Whether empty packets are sent where nothing else was. */
  readonly gives: boolean;
  readonly intervalMs: Millis;
  /** Silence after which the peer counts as down. */
  readonly downMs: Millis;
  /** Silence after which the connection is given up. */
  readonly lostMs: Millis;
}

/** What the manager does for its connections. */
export interface ConnectionOwner {
  readonly packets: PacketPool;
  handshake(connection: Connection, packet: Packet): void;
  released(connection: Connection): void;
  close(connection: Connection): void;
  /** A connection went up or down. */
  stateChanged(): void;
}

/** Packets kept for a user that is not there yet. */
const earlyMax = 16;

export class Connection implements FlowUser {
  /** Whether this side asked for it. */
  readonly initiated: boolean;
  /** The name it was asked for by; undefined on the side that was asked. */
  readonly destination: string | undefined;
  readonly #owner: ConnectionOwner;
  #flow: LowerFlow | undefined;
  #fd = 0;
  #user: ConnectionUser | undefined;
  #peer: ConnectionRecord | undefined;
  #rule: LivenessRule | undefined;
  #isOpen = false;
  #id = 0;
  /** What came before there was a user for it: it overtook the peer's record, or was caused by our own. */
  readonly #early: Packet[] = [];
  #deviceUp = true;
  #peerUp = true;
  #heard = false;
  #sent = false;
  #lastHeard: Millis = 0;
  #checkAt: Millis = never;
  /** Nothing may be sent before: a prototype arms its reader late (unicast-layer.md 2.4). */
  readyAt: Millis = 0;

  constructor(owner: ConnectionOwner, destination: string | undefined) {
    this.#owner = owner;
    this.destination = destination;
    this.initiated = destination !== undefined;
  }

  /** Its number among those that were open; 0 before it is. */
  get id(): number {
    return this.#id;
  }

  /** What the log calls its flow; 0 before it has one. */
  get fd(): number {
    return this.#fd;
  }

  /** The flow it runs over. */
  get flow(): LowerFlow {
    if (this.#flow === undefined) throw new Error('the connection has no flow yet');
    return this.#flow;
  }

  /** What the other side said of itself. */
  get peer(): ConnectionRecord {
    if (this.#peer === undefined) throw new Error('the connection is not open yet');
    return this.#peer;
  }

  /** Whether the other side speaks our extensions. */
  get extended(): boolean {
    return this.peer.extensions !== 0;
  }

  /** Whether it is open and carries packets, as far as is known. */
  get up(): boolean {
    return this.#isOpen && this.#deviceUp && this.#peerUp;
  }

  /** Whether something waits for the user. */
  get hasEarly(): boolean {
    return this.#early.length > 0;
  }

  /** Gives it its flow. Called by the manager. */
  attach(flow: LowerFlow, fd: number): void {
    this.#flow = flow;
    this.#fd = fd;
  }

  /** Opens it: from here on packets are for the component. Called by the manager. */
  open(id: number, peer: ConnectionRecord, rule: LivenessRule, readyAt: Millis, now: Millis): void {
    this.#isOpen = true;
    this.#id = id;
    this.#peer = peer;
    this.#rule = rule;
    this.readyAt = readyAt;
    this.#lastHeard = now;
    this.#heard = false;
    this.#sent = false;
    this.#checkAt = now + rule.intervalMs;
  }

  /** Gives it its user, once it is open. Called by the manager. */
  use(user: ConnectionUser): void {
    this.#user = user;
    for (const { memory, start, end } of this.#early.splice(0)) {
      const packet = this.#owner.packets.take(end - start);
      packet.append(memory, start, end);
      this.#user?.deliver(packet);
    }
  }

  /** Keeps a packet for the user; false when too many are kept already. Called by the manager. */
  keep(packet: Packet): boolean {
    if (this.#early.length >= earlyMax) return false;
    this.#early.push(packet.copy());
    return true;
  }

  /** Sends a packet. The packet is used up. */
  write(packet: Packet): void {
    this.#sent = true;
    this.flow.write(packet);
  }

  /** Ends it. */
  close(): void {
    this.#owner.close(this);
  }

  /** It has ended: nothing goes to its component any more. Called by the manager. */
  end(): void {
    const user = this.#user;
    this.#user = undefined;
    this.#isOpen = false;
    this.#early.length = 0;
    this.#checkAt = never;
    user?.closed();
    // The number may be another's from here on.
    this.#fd = 0;
  }

  deliver(packet: Packet): void {
    this.#heard = true;
    if (!this.#peerUp) this.#setPeerUp(true);
    if (packet.end === packet.start) return;
    if (this.#user === undefined) this.#owner.handshake(this, packet);
    else this.#user.deliver(packet);
  }

  setUp(up: boolean): void {
    const before = this.up;
    this.#deviceUp = up;
    if (this.up !== before) this.#changed(up);
  }

  limitChanged(): void {
    this.#user?.limitChanged?.();
  }

  released(): void {
    this.#owner.released(this);
  }

  nextDeadline(): Millis {
    return this.#checkAt;
  }

  /** Gives a sign of life where it is due, and looks for those of the peer. True when the peer is lost. */
  advance(now: Millis): boolean {
    const rule = this.#rule;
    if (rule === undefined || now < this.#checkAt) return false;
    this.#checkAt = now + rule.intervalMs;
    if (this.#heard) this.#lastHeard = now;
    this.#heard = false;
    const silence = now - this.#lastHeard;
    if (silence >= rule.downMs && this.#peerUp) this.#setPeerUp(false);
    if (silence >= rule.lostMs) return true;
    if (rule.gives && !this.#sent && now >= this.readyAt) this.flow.write(this.#owner.packets.take(0));
    this.#sent = false;
    return false;
  }

  #setPeerUp(up: boolean): void {
    const before = this.up;
    this.#peerUp = up;
    if (this.up !== before) this.#changed(up);
  }

  #changed(up: boolean): void {
    this.#user?.setUp(up);
    this.#owner.stateChanged();
  }
}
