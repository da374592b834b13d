/** The application's end of a flow in the data plane: its socket on one side, the layer on the other. */
import {
  droppedBytes,
  frameHeaderBytes,
  frameKind,
  FrameReader,
  FrameWriter,
  lastWordHeaderBytes,
  limitBytes,
  streamEnded,
  streamWouldBlock,
} from '../../lib/flow/framing.ts';
import type { StreamOwner } from '../../lib/flow/rendezvous.ts';
import { flowReceiveBytesMax, messageBytesMax } from '../../lib/limits.ts';
import { IoVector } from '../../lib/os/io-vector.ts';
import type { StreamBuffer, UnixStream } from '../../lib/os/unix-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { zeroCounts } from './counts.ts';
import type { FlowUser, Layer, LayerFlow } from './layer.ts';
import type { Flushable, Turn } from './turn.ts';

/** Reads of the socket a wake-up takes before others have their turn. */
const readsMax = 4;
/** Packets that leave to the application with one system call. */
const gatheredMax = 64;

export interface PortCounters {
  /** From the application. */
  packetsIn: number;
  bytesIn: number;
  /** To the application. */
  packetsOut: number;
  bytesOut: number;
  /** Packets the application was too slow for. */
  droppedSlowReader: number;
  /** Packets for a flow that is not there yet, or no more. */
  droppedNotOpen: number;
  /** Packets of the application that were longer than its layer takes. */
  droppedTooLong: number;
}

export const portCounters = [
  'packetsIn',
  'bytesIn',
  'packetsOut',
  'bytesOut',
  'droppedSlowReader',
  'droppedNotOpen',
  'droppedTooLong',
] as const satisfies readonly (keyof PortCounters)[];

/** What answers for an application that has closed its end, and for how long. */
export interface LastWord {
  readonly ms: number;
  readonly packet: Buffer;
}

export interface PortSetup {
  readonly turn: Turn;
  readonly layer: Pick<Layer, 'maxMessageBytes'>;
  /** The longest message, as the application was told with its flow, in bytes. */
  readonly maxMessageBytes: number;
  /** The application closed its end, or died. */
  readonly onGone: () => void;
  /** The application wrote a packet longer than its layer takes. */
  readonly onTooLong: (bytes: number) => void;
  /** The flow went down or came up again. */
  readonly onState: (up: boolean) => void;
}

export class ApplicationPort implements FlowUser, StreamOwner, Flushable {
  readonly counters: PortCounters = zeroCounts(portCounters);
  readonly #turn: Turn;
  readonly #setup: PortSetup;
  // What is longer than the layer takes, but was allowed when it was written, must not end the flow.
  readonly #reader = new FrameReader(messageBytesMax, false);
  /** What the socket would not take at once. */
  readonly #writer = new FrameWriter(flowReceiveBytesMax);
  /** Packets of this turn, where they lie, with the frame's header in front of each. */
  readonly #gathered: (Packet | undefined)[] = [];
  #gatheredCount = 0;
  readonly #vector = new IoVector(gatheredMax);
  #stream: UnixStream | undefined;
  /** The layer's end; none before the allocation is complete. */
  flow: LayerFlow | undefined;
  /** What the application left before it closed its end. */
  lastWord: LastWord | undefined;
  /** Who uses the flow when the application is gone. */
  heir: FlowUser | undefined;
  /** Packets that were dropped because the application did not read, and that it does not know of yet. */
  #untold = 0;
  #released = false;
  #paused = false;
  #dirty = false;
  /** The longest message, as the application knows it. */
  #told: number;

  constructor(setup: PortSetup) {
    this.#setup = setup;
    this.#turn = setup.turn;
    this.#told = setup.maxMessageBytes;
  }

  /** Takes over the application's socket. What came before it waits in the writer and goes out now. */
  attach(stream: UnixStream): this {
    this.#stream = stream;
    this.limitChanged();
    this.#flushLater();
    return this;
  }

  deliver(packet: Packet): void {
    if (this.heir !== undefined) return this.heir.deliver(packet);
    if (this.#untold > 0) this.#tellDropped();
    if (this.#stream !== undefined && this.#writer.pending === 0) this.#gather(packet);
    else if (!this.#writer.pushPacket(packet)) return this.#drop();
    this.counters.packetsOut += 1;
    this.counters.bytesOut += packet.end - packet.start;
    this.#flushLater();
  }

  setUp(up: boolean): void {
    if (this.heir !== undefined) return;
    this.#tell(frameKind.state, Buffer.of(up ? 1 : 0));
    this.#setup.onState(up);
  }

  limitChanged(): void {
    const { maxMessageBytes } = this.#setup.layer;
    if (this.#stream === undefined || maxMessageBytes === this.#told) return;
    this.#told = maxMessageBytes;
    const memory = Buffer.alloc(limitBytes);
    memory.writeUInt32BE(maxMessageBytes);
    this.#tell(frameKind.limit, memory);
  }

  released(): void {
    if (this.heir !== undefined) return this.heir.released();
    this.lastWord = undefined;
    // What came before is the application's still: its end closes when that has left.
    this.#released = true;
    this.#flushLater();
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    // What the application writes waits in its socket meanwhile, and then with the application.
    this.#flushLater();
  }

  flush(): void {
    this.#dirty = false;
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    if (this.#untold > 0) this.#tellDropped();
    // A socket that is gone is noticed, and told, where it is read.
    if (this.#gatheredCount > 0) this.#sendGathered(stream);
    else this.#writer.flush(stream);
    if (this.#released && this.#writer.pending === 0) return this.#setup.onGone();
    stream.watch(!this.#paused, this.#writer.pending > 0);
  }

  onReadable(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.closed) return;
    for (let reads = 0; reads < readsMax; reads += 1) {
      const count = this.#reader.fill(stream, this.#onFrame);
      this.#turn.end();
      if (count === streamEnded) return this.#setup.onGone();
      if (!this.#reader.full || this.#paused) return;
    }
  }

  onWritable(): void {
    this.flush();
  }

  close(): void {
    this.#stream?.[Symbol.dispose]();
  }

  /** Tells the application something, behind the packets that came before it and however many wait. */
  #tell(kind: number, payload: Buffer): void {
    this.#spill(0);
    const header = Buffer.alloc(frameHeaderBytes);
    header.writeUInt32BE((kind << 24) | payload.length);
    this.#writer.pushRest(header);
    this.#writer.pushRest(payload);
    this.#flushLater();
  }

  #flushLater(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#turn.flushLater(this);
  }

  /** Takes a packet as it lies: it stays there until the turn ends, and so long its header has room in front. */
  #gather(packet: Packet): void {
    if (this.#gatheredCount === gatheredMax) this.flush();
    const { start, end } = packet;
    packet.view.setUint32(start - frameHeaderBytes, (frameKind.packet << 24) | (end - start));
    this.#vector.add(packet.address + start - frameHeaderBytes, end - start + frameHeaderBytes);
    this.#gathered[this.#gatheredCount++] = packet;
  }

  #sendGathered(stream: UnixStream): void {
    const count = stream.writeVector(this.#vector);
    if (count === this.#vector.bytes || count === streamEnded) this.#forgetGathered();
    else this.#spill(count === streamWouldBlock ? 0 : count);
  }

  /** Keeps what is left of the gathered packets behind the first `sent` bytes, as far as the application may lag. */
  #spill(sent: number): void {
    let left = sent;
    for (let index = 0; index < this.#gatheredCount; index += 1) {
      const packet = this.#gathered[index];
      if (packet === undefined) continue;
      const bytes = packet.end - packet.start + frameHeaderBytes;
      if (left >= bytes) {
        left -= bytes;
      } else if (left > 0) {
        this.#writer.pushRest(packet.memory.subarray(packet.start - frameHeaderBytes + left, packet.end));
        left = 0;
      } else if (!this.#writer.pushPacket(packet)) {
        this.counters.packetsOut -= 1;
        this.counters.bytesOut -= packet.end - packet.start;
        this.#drop();
      }
    }
    this.#forgetGathered();
  }

  #drop(): void {
    this.counters.droppedSlowReader += 1;
    this.#untold += 1;
  }

  /** Tells the application what it has lost, before anything that comes later. */
  #tellDropped(): void {
    const memory = Buffer.alloc(droppedBytes);
    memory.writeUInt32BE(this.#untold);
    if (this.#gatheredCount === 0 && this.#writer.push(frameKind.dropped, memory)) this.#untold = 0;
  }

  #forgetGathered(): void {
    this.#gatheredCount = 0;
    this.#vector.clear();
  }

  readonly #onFrame = (
    kind: number,
    buffer: StreamBuffer,
    start: number,
    end: number,
    room: number,
  ): void => {
    const { flow } = this;
    if (kind === frameKind.lastWord) return this.#keepLastWord(buffer.memory, start, end);
    if (kind !== frameKind.packet) return;
    if (flow === undefined) {
      this.counters.droppedNotOpen += 1;
      return;
    }
    if (end - start > this.#setup.layer.maxMessageBytes) {
      this.counters.droppedTooLong += 1;
      return this.#setup.onTooLong(end - start);
    }
    const { packets } = this.#turn;
    let packet: Packet;
    if (room >= flow.headerBytes) packet = packets.wrap(buffer, start, end);
    else {
      packet = packets.take(end - start);
      packet.append(buffer.memory, start, end);
    }
    this.counters.packetsIn += 1;
    this.counters.bytesIn += end - start;
    flow.write(packet);
    if (this.#turn.full) this.#turn.end();
  };

  #keepLastWord(memory: Buffer, start: number, end: number): void {
    const packetStart = start + lastWordHeaderBytes;
    const bytes = end - packetStart;
    if (this.#released || bytes <= 0) return;
    if (bytes > this.#setup.layer.maxMessageBytes) {
      this.counters.droppedTooLong += 1;
      return this.#setup.onTooLong(bytes);
    }
    const packet = Buffer.from(memory.subarray(packetStart, end));
    this.lastWord = { ms: memory.readUInt32BE(start), packet };
  }
}
