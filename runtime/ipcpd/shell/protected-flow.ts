/**
 * What an IPCP does to the packets of a flow that it uses itself, where the flow is encrypted or has a CRC: what the
 * library does for applications. It stands between the flow and the IPCP.
 */
import type { PacketProtection } from '../../lib/flow/protection.ts';
import type { Millis } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import type { FlowUser, LowerFlow } from './layer.ts';

/** Packets that came and were not for the IPCP. */
export interface ProtectionCounters {
  /** Their CRC was wrong. */
  droppedBadCrc: number;
  /** They were not sealed with the key of the flow. */
  droppedNotOpened: number;
}

export class ProtectedFlow implements FlowUser, LowerFlow {
  /** The IPCP, once it has the flow. */
  user: FlowUser | undefined;
  readonly #protection: PacketProtection;
  readonly #lower: LowerFlow;
  readonly #packets: PacketPool;
  readonly #counters: ProtectionCounters;

  constructor(
    protection: PacketProtection,
    lower: LowerFlow,
    packets: PacketPool,
    counters: ProtectionCounters,
  ) {
    this.#protection = protection;
    this.#lower = lower;
    this.#packets = packets;
    this.#counters = counters;
  }

  get maxMessageBytes(): number {
    return Math.max(0, this.#lower.maxMessageBytes - this.#protection.overhead);
  }

  get headerBytes(): number {
    return this.#lower.headerBytes;
  }

  get backlog(): number {
    return this.#lower.backlog;
  }

  write(packet: Packet): void {
    // A sign of life is neither sealed nor checked.
    if (packet.start === packet.end) return this.#lower.write(packet);
    const bytes = packet.end - packet.start + this.#protection.overhead;
    const sealed = this.#packets.take(bytes);
    this.#protection.sealInto(sealed.memory, sealed.start, packet.memory, packet.start, packet.end);
    sealed.end = sealed.start + bytes;
    this.#lower.write(sealed);
  }

  deallocate(now: Millis): void {
    this.user = undefined;
    this.#lower.deallocate(now);
  }

  deliver(packet: Packet): void {
    if (packet.start === packet.end) return this.user?.deliver(packet);
    const opened = this.#protection.open(packet.memory, packet.start, packet.end);
    if (opened === 'crc') {
      this.#counters.droppedBadCrc += 1;
    } else if (opened === 'cipher') {
      this.#counters.droppedNotOpened += 1;
    } else {
      // What goes on from here needs room in front.
      const plain = this.#packets.take(opened.length);
      plain.append(opened, 0, opened.length);
      this.user?.deliver(plain);
    }
  }

  setUp(up: boolean): void {
    this.user?.setUp(up);
  }

  limitChanged(): void {
    this.user?.limitChanged?.();
  }

  setPaused(paused: boolean): void {
    this.user?.setPaused?.(paused);
  }

  released(): void {
    const { user } = this;
    this.user = undefined;
    user?.released();
  }
}
