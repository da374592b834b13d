/** The application's end of a flow in the data plane: its socket on one side, the layer on the other. */
import { FrameReader, FrameWriter, frameKind, streamEnded } from '../../lib/flow/framing.ts';
import type { StreamOwner } from '../../lib/flow/rendezvous.ts';
import { flowReceiveBytesMax } from '../../lib/limits.ts';
import type { UnixStream } from '../../lib/os/unix-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { FlowUser, LayerFlow } from './layer.ts';
import type { Flushable, Turn } from './turn.ts';

/** Reads of the socket a wake-up takes before others have their turn. */
const readsMax = 4;

export interface PortCounters {
  packetsIn: number;
  packetsOut: number;
  /** Packets the application was too slow for. */
  droppedSlowReader: number;
}

export class ApplicationPort implements FlowUser, StreamOwner, Flushable {
  readonly counters: PortCounters = { packetsIn: 0, packetsOut: 0, droppedSlowReader: 0 };
  readonly #turn: Turn;
  readonly #onGone: () => void;
  readonly #reader: FrameReader;
  readonly #writer = new FrameWriter(flowReceiveBytesMax);
  #stream: UnixStream | undefined;
  /** The layer's end; none before the allocation is complete. */
  flow: LayerFlow | undefined;
  #released = false;

  /** @param onGone the application closed its end, or died. */
  constructor(turn: Turn, maxMessageBytes: number, onGone: () => void) {
    this.#turn = turn;
    this.#onGone = onGone;
    this.#reader = new FrameReader(maxMessageBytes, false);
  }

  /** Takes over the application's socket. What came before it waits in the writer and goes out now. */
  attach(stream: UnixStream): this {
    this.#stream = stream;
    this.#turn.flushLater(this);
    return this;
  }

  deliver(packet: Packet): void {
    if (!this.#writer.pushPacket(packet)) {
      this.counters.droppedSlowReader += 1;
      return;
    }
    this.counters.packetsOut += 1;
    this.#turn.flushLater(this);
  }

  setUp(up: boolean): void {
    this.#writer.push(frameKind.state, Buffer.of(up ? 1 : 0), 0, 1);
    this.#turn.flushLater(this);
  }

  released(): void {
    // What came before is the application's still: its end closes when that has left.
    this.#released = true;
    this.#turn.flushLater(this);
  }

  flush(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    // A socket that is gone is noticed, and told, where it is read.
    this.#writer.flush(stream);
    if (this.#released && this.#writer.pending === 0) return this.#onGone();
    stream.watch(true, this.#writer.pending > 0);
  }

  onReadable(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    for (let reads = 0; reads < readsMax; reads += 1) {
      const count = this.#reader.fill(stream, this.#onFrame);
      this.#turn.end();
      if (count === streamEnded) return this.#onGone();
      if (!this.#reader.full) return;
    }
  }

  onWritable(): void {
    this.flush();
  }

  close(): void {
    this.#stream?.[Symbol.dispose]();
  }

  readonly #onFrame = (kind: number, memory: Buffer, start: number, end: number): void => {
    if (kind !== frameKind.packet || this.flow === undefined) return;
    const packet = this.#turn.packets.take(end - start);
    packet.append(memory, start, end);
    this.counters.packetsIn += 1;
    this.flow.write(packet);
    if (this.#turn.full) this.#turn.end();
  };
}
