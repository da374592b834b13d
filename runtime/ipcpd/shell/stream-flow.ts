/** A flow that an IPCP has from outside its process, over a socket, as applications have theirs. */
import { FrameReader, FrameWriter, frameKind, limitBytes, streamEnded } from '../../lib/flow/framing.ts';
import type { StreamOwner } from '../../lib/flow/rendezvous.ts';
import { flowReceiveBytesMax, messageBytesMax } from '../../lib/limits.ts';
import type { StreamBuffer, UnixStream } from '../../lib/os/unix-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { FlowUser, LowerFlow } from './layer.ts';
import type { Flushable, Turn } from './turn.ts';

/** Reads of the socket a wake-up takes before others have their turn. */
const readsMax = 4;
/** What a packet that waits counts as in the backlog, in bytes. */
const bytesAPacket = 1024;

export interface StreamCounters {
  /** Packets the other side of a socket was too slow for. */
  droppedFullSocket: number;
}

export class StreamFlow implements LowerFlow, StreamOwner, Flushable {
  maxMessageBytes: number;
  // Packets are copied into the socket: they need no room in front.
  readonly headerBytes = 0;
  readonly #counters: StreamCounters;
  readonly #turn: Turn;
  // What the layer below lets through may be longer than what it takes.
  readonly #reader = new FrameReader(messageBytesMax, false);
  readonly #writer = new FrameWriter(flowReceiveBytesMax);
  readonly #onGone: () => void;
  #stream: UnixStream | undefined;
  #dirty = false;
  #closed = false;
  /** The IPCP's end. */
  user: FlowUser | undefined;

  /** @param onGone this end is closed, from either side. Runs once. */
  constructor(turn: Turn, maxMessageBytes: number, counters: StreamCounters, onGone: () => void) {
    this.#turn = turn;
    this.#counters = counters;
    this.maxMessageBytes = maxMessageBytes;
    this.#onGone = onGone;
  }

  get backlog(): number {
    return Math.floor(this.#writer.pending / bytesAPacket);
  }

  /** Takes over a connected socket. */
  attach(stream: UnixStream): this {
    this.#stream = stream;
    stream.watch(true, false);
    this.#flushLater();
    return this;
  }

  write(packet: Packet): void {
    if (this.#closed) return;
    if (!this.#writer.push(frameKind.roomyPacket, packet.bytes())) {
      this.#counters.droppedFullSocket += 1;
      return;
    }
    this.#flushLater();
  }

  deallocate(): void {
    this.user = undefined;
    this.flush();
    this.#end();
  }

  flush(): void {
    this.#dirty = false;
    const stream = this.#stream;
    if (stream === undefined || this.#closed) return;
    this.#writer.flush(stream);
    stream.watch(true, this.#writer.pending > 0);
  }

  onReadable(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#closed) return;
    for (let reads = 0; reads < readsMax && !this.#closed; reads += 1) {
      const count = this.#reader.fill(stream, this.#onFrame);
      this.#turn.end();
      if (count === streamEnded) return this.#released();
      if (!this.#reader.full) return;
    }
  }

  onWritable(): void {
    this.flush();
  }

  readonly #onFrame = (kind: number, buffer: StreamBuffer, start: number, end: number): void => {
    const { user } = this;
    if (user === undefined) return;
    if (kind === frameKind.state) return user.setUp(buffer.memory[start] === 1);
    if (kind === frameKind.limit && end - start === limitBytes) {
      this.maxMessageBytes = buffer.memory.readUInt32BE(start);
      return user.limitChanged?.();
    }
    if (kind !== frameKind.packet) return;
    // What goes on from here may need more room in front than the frame has.
    const packet = this.#turn.packets.take(end - start);
    packet.append(buffer.memory, start, end);
    user.deliver(packet);
    if (this.#turn.full) this.#turn.end();
  };

  #flushLater(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#turn.flushLater(this);
  }

  #released(): void {
    const { user } = this;
    this.user = undefined;
    user?.released();
    this.#end();
    this.#turn.end();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream?.[Symbol.dispose]();
    this.#onGone();
  }
}
