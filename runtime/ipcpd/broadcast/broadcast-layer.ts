/**
 * A broadcast layer at one member: what comes from a neighbour, or from an application that joined, goes to all others,
 * unchanged. A core. Source: broadcast-layer.md 4, 5.
 */
import { O7sError } from '../../lib/errors.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { Packet, PacketPool } from '../../lib/wire/packet.ts';
import { zeroCounts } from '../shell/counts.ts';
import type { FlowOutcome, FlowUser, Layer, LayerFlow } from '../shell/layer.ts';
import { RepeatGuard, type RepeatLimits } from './repeats.ts';

/** Longest message: a prototype copies through a buffer that one more byte would fill (broadcast-layer.md 4.1). */
const messageBytesMax = 1399;

/** A neighbour, or an application that joined. */
export interface Attachment {
  /** Takes a packet, which it may change in front of and behind its bytes. */
  write(packet: Packet): void;
}

const counterNames = ['messagesIn', 'messagesOut', 'droppedEmpty', 'droppedLoop', 'droppedTooLong'] as const;
type Counter = (typeof counterNames)[number];

/** An application that joined. */
class JoinedApplication implements Attachment {
  readonly user: FlowUser;

  constructor(user: FlowUser) {
    this.user = user;
  }

  write(packet: Packet): void {
    this.user.deliver(packet);
  }
}

export class BroadcastLayer implements Layer {
  readonly hash = 'SHA3_256';
  readonly maxMessageBytes = messageBytesMax;
  readonly counters: Record<Counter, number> = zeroCounts(counterNames);
  readonly #packets: PacketPool;
  readonly #clock: () => Millis;
  readonly #repeats: RepeatGuard;
  readonly #attachments = new Set<Attachment>();
  readonly #joined = new Set<JoinedApplication>();

  constructor(packets: PacketPool, clock: () => Millis, limits?: RepeatLimits) {
    this.#packets = packets;
    this.#clock = clock;
    this.#repeats = new RepeatGuard(limits);
  }

  /** Applications that have joined here. */
  get joinedCount(): number {
    return this.#joined.size;
  }

  attach(attachment: Attachment): void {
    this.#attachments.add(attachment);
  }

  detach(attachment: Attachment): void {
    this.#attachments.delete(attachment);
  }

  /** Hands a packet from one attachment to all others. */
  spread(packet: Packet, from: Attachment): void {
    if (packet.length === 0) {
      this.counters.droppedEmpty += 1;
      return;
    }
    this.counters.messagesIn += 1;
    if (this.#repeats.isLooping(packet, from, this.#clock())) {
      this.counters.droppedLoop += 1;
      return;
    }
    for (const attachment of this.#attachments) {
      if (attachment === from) continue;
      // Each way writes headers of its own in front.
      const copy = this.#packets.take(packet.length);
      copy.append(packet.memory, packet.start, packet.end);
      this.counters.messagesOut += 1;
      attachment.write(copy);
    }
  }

  /** An application joins: it hears all others, and they hear it. */
  join(user: FlowUser): LayerFlow {
    const joined = new JoinedApplication(user);
    this.#joined.add(joined);
    this.attach(joined);
    return {
      headerBytes: 0,
      backlog: 0,
      write: (packet) => {
        if (packet.length > messageBytesMax) this.counters.droppedTooLong += 1;
        else this.spread(packet, joined);
      },
      deallocate: () => {
        this.#joined.delete(joined);
        this.detach(joined);
      },
    };
  }

  register(): void {
    throw new O7sError('ENOTSUP', 'no names are registered in a broadcast layer', {
      hint: 'applications join it by its own name',
    });
  }

  unregister(): void {
    throw new O7sError('ENOTSUP', 'no names are registered in a broadcast layer');
  }

  query(_hash: Buffer, _now: Millis, done: (known: boolean) => void): void {
    done(false);
  }

  allocate(
    _hash: Buffer,
    _qos: QosSpec,
    _piggyback: Buffer,
    _user: FlowUser,
    _now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    done({ kind: 'refused', response: -new O7sError('ENOTSUP').errno });
    return { headerBytes: 0, backlog: 0, write: () => {}, deallocate: () => {} };
  }

  accept(): undefined {
    return undefined;
  }

  refuse(): void {
    // Nobody can ask for a flow.
  }

  close(): void {
    for (const { user } of this.#joined) user.released();
    this.#joined.clear();
    this.#attachments.clear();
  }

  nextDeadline(): Millis {
    return never;
  }

  advance(): void {
    // Nothing here waits.
  }
}
