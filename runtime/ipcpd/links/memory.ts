/** A cable in memory: what one end flushes the others get, in order. For tests and simulation. */
import { Packet, packetHeadroom } from '../../lib/wire/packet.ts';
import type { EthernetDevice, OnFrame } from './device.ts';

/** One segment of Ethernet in memory with any number of devices on it. */
export class MemorySegment {
  readonly #devices = new Set<MemoryDevice>();

  /** A device with an address of its own. `onFrame` gets a copy of each frame the others send. */
  attach(mac: Buffer, mtu: number, onFrame: OnFrame): MemoryDevice {
    const device = new MemoryDevice(mac, mtu, onFrame, this);
    this.#devices.add(device);
    return device;
  }

  /** Brings a frame to every device but its sender. */
  carry(sender: MemoryDevice, frame: Buffer): void {
    for (const device of this.#devices) {
      if (device !== sender) device.bring(frame);
    }
  }

  detach(device: MemoryDevice): void {
    this.#devices.delete(device);
  }
}

export class MemoryDevice implements EthernetDevice {
  readonly mac: Buffer;
  readonly mtu: number;
  readonly sendFailed = 0;
  readonly #onFrame: OnFrame;
  readonly #segment: MemorySegment;
  #queued: Buffer[] = [];

  constructor(mac: Buffer, mtu: number, onFrame: OnFrame, segment: MemorySegment) {
    this.mac = mac;
    this.mtu = mtu;
    this.#onFrame = onFrame;
    this.#segment = segment;
  }

  send(frame: Packet): void {
    this.#queued.push(Buffer.from(frame.bytes()));
  }

  flush(): void {
    for (const frame of this.#queued.splice(0)) this.#segment.carry(this, frame);
  }

  bring(frame: Buffer): void {
    const packet = new Packet(Buffer.alloc(packetHeadroom + frame.length), 0);
    packet.reset(packetHeadroom);
    packet.append(frame, 0, frame.length);
    this.#onFrame(packet);
  }

  [Symbol.dispose](): void {
    this.#segment.detach(this);
  }
}
