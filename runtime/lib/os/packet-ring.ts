/**
 * A receive ring of a packet socket (packet_mmap, TPACKET_V2): the kernel puts frames where this process reads them,
 * without a system call a frame or a batch, and with room in front of each.
 */
import { check, libc, linux, mapMemory, type Mapping } from './libc.ts';
import { Packet, packetHeadroom } from '../wire/packet.ts';

/** struct tpacket2_hdr: what a slot begins with. */
const offset = {
  status: 0,
  bytes: 4,
  captured: 8,
  frame: 12,
  seconds: 16,
  nanoseconds: 20,
  tagControl: 24,
  tagProtocol: 26,
} as const;
const statusUser = 1;
const statusCopy = 2;
/** Frames were lost before this one, for want of room. */
const statusLosing = 4;
/** The frame had an 802.1Q tag, which the kernel holds beside it; and that says which type of tag it was. */
const statusTag = 0x10;
const statusTagProtocol = 0x40;
/** 802.1Q. */
const tagType = 0x8100;
const addressesBytes = 12;
const tagBytes = 4;
/** Of the header and what the kernel aligns it and the frame to. */
const overheadBytes = 96;
const alignment = 16;
const blockBytes = 64 * 1024;

export class PacketRing {
  readonly #packets: readonly Packet[];
  readonly #mapping: Mapping;
  readonly #memory: Buffer;
  readonly #view: DataView;
  readonly #slots: readonly number[];
  #next = 0;
  #taken = 0;
  #wasFull = false;

  /** Gives a socket that is not bound yet a ring of `slots` frames of up to `frameBytes`. */
  constructor(fd: number, slots: number, frameBytes: number, subject: string) {
    const slotBytes = Math.ceil((overheadBytes + packetHeadroom + frameBytes) / alignment) * alignment;
    const blockSize = Math.max(blockBytes, 2 ** Math.ceil(Math.log2(slotBytes)));
    const slotsABlock = Math.floor(blockSize / slotBytes);
    const blocks = Math.ceil(slots / slotsABlock);
    const set = (option: number, values: readonly number[]): void => {
      const memory = Buffer.alloc(values.length * 4);
      for (const [index, value] of values.entries()) memory.writeUInt32LE(value, index * 4);
      const result = libc.setsockopt(fd, linux.SOL_PACKET, option, memory, memory.length) as number;
      check(result, 'setsockopt of the receive ring', subject);
    };
    set(linux.PACKET_VERSION, [1]);
    set(linux.PACKET_RESERVE, [packetHeadroom]);
    set(linux.PACKET_RX_RING, [blockSize, blocks, slotBytes, blocks * slotsABlock]);
    this.#mapping = mapMemory(fd, blockSize * blocks, subject);
    const { memory, address } = this.#mapping;
    const view = new DataView(memory.buffer);
    this.#memory = memory;
    this.#view = view;
    this.#slots = Array.from(
      { length: blocks * slotsABlock },
      (_, slot) => Math.floor(slot / slotsABlock) * blockSize + (slot % slotsABlock) * slotBytes,
    );
    this.#packets = this.#slots.map(() => new Packet(memory, address, view));
  }

  #isUsed(slot: number): boolean {
    const at = this.#slots.at(slot) ?? 0;
    return (this.#view.getUint32(at + offset.status, true) & statusUser) !== 0;
  }

  /** Whether it was full since this was last asked, so that frames may have been lost. */
  takeFull(): boolean {
    const wasFull = this.#wasFull;
    this.#wasFull = false;
    return wasFull;
  }

  /** Frames there is room for. */
  get frames(): number {
    return this.#slots.length;
  }

  /** Memory it takes. */
  get bytes(): number {
    return this.#memory.length;
  }

  /**
   * Hands on up to `max` frames with the slots they are in; they are valid until `release`. How many they were.
   *
   * @param successor the ring that takes over from this one, and has some frames of this one's end as well: those are left to it.
   */
  receive(
    max: number,
    onFrame: (frame: Packet, slot: number) => void,
    onTruncated: () => void,
    successor?: PacketRing,
  ): number {
    let count = 0;
    // The frames that find it full are told of by the next that does not.
    if (this.#taken === 0 && this.#isUsed(this.#next - 1)) this.#wasFull = true;
    while (count < max) {
      const at = this.#slots[this.#next] ?? 0;
      const status = this.#view.getUint32(at + offset.status, true);
      if ((status & statusUser) === 0) break;
      if ((status & statusLosing) !== 0) this.#wasFull = true;
      if (successor?.hasSince(this.timeAt(at)) === true) break;
      const packet = this.#packets[this.#next];
      this.#next = this.#next + 1 === this.#slots.length ? 0 : this.#next + 1;
      count += 1;
      if (packet === undefined) break;
      if ((status & statusCopy) !== 0) {
        onTruncated();
        continue;
      }
      packet.start = at + this.#view.getUint16(at + offset.frame, true);
      packet.end = packet.start + this.#view.getUint32(at + offset.captured, true);
      if ((status & statusTag) !== 0) this.#putTagBack(packet, at, status);
      onFrame(packet, at);
    }
    this.#taken += count;
    return count;
  }

  /** Behind the addresses, as it was on the cable: there is room in front of the frame. */
  #putTagBack(packet: Packet, at: number, status: number): void {
    const { start } = packet;
    this.#memory.copyWithin(start - tagBytes, start, start + addressesBytes);
    const isTold = (status & statusTagProtocol) !== 0;
    const type = isTold ? this.#view.getUint16(at + offset.tagProtocol, true) : tagType;
    this.#view.setUint16(start + addressesBytes - tagBytes, type);
    this.#view.setUint16(start + addressesBytes - 2, this.#view.getUint16(at + offset.tagControl, true));
    packet.start = start - tagBytes;
  }

  /** When the frame in a slot passed, since 1970. */
  timeAt(slot: number): { seconds: number; nanoseconds: number } {
    return {
      seconds: this.#view.getUint32(slot + offset.seconds, true),
      nanoseconds: this.#view.getUint32(slot + offset.nanoseconds, true),
    };
  }

  /**
   * Whether the first frame that waits came by that time. Of sockets at an interface the youngest gets a frame first: what another one gets
   * later than this one its first, this one has too.
   */
  hasSince({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): boolean {
    if (!this.#isUsed(this.#next)) return false;
    const first = this.timeAt(this.#slots[this.#next] ?? 0);
    return first.seconds < seconds || (first.seconds === seconds && first.nanoseconds <= nanoseconds);
  }

  /** Gives the kernel back what was received. */
  release(): void {
    let slot = this.#next - this.#taken;
    if (slot < 0) slot += this.#slots.length;
    for (; this.#taken > 0; this.#taken -= 1) {
      this.#view.setUint32((this.#slots[slot] ?? 0) + offset.status, 0, true);
      slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
    }
  }

  /** Gives its memory back at once, with the frames that were handed on, instead of when nobody knows it any more. */
  unmap(): void {
    this.#mapping.unmap();
  }
}
