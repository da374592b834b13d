/** Links in memory: what one end flushes the others get, in order. For tests and simulation. */
import { Packet, packetHeadroom } from '../../lib/wire/packet.ts';
import type { DatagramDevice, DatagramSource, HostAddress, OnDatagram } from './datagram.ts';
import type { DeviceCounters, EthernetDevice, OnFrame } from './device.ts';

/** Of a device that loses nothing. */
export const noDeviceCounters: DeviceCounters = { sendFailed: 0, droppedTruncated: 0, droppedQueueFull: 0 };

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
  readonly counters: DeviceCounters = noDeviceCounters;
  readonly backlog = 0;
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
    this.#onFrame(packetWith(frame));
  }

  [Symbol.dispose](): void {
    this.#segment.detach(this);
  }
}

/** A host and port of a network in memory. */
export class MemoryAddress implements HostAddress, DatagramSource {
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  equals(other: HostAddress): boolean {
    return other instanceof MemoryAddress && other.host === this.host && other.port === this.port;
  }

  isFrom(address: HostAddress): boolean {
    return this.equals(address);
  }

  address(): HostAddress {
    return this;
  }
}

/** Hosts in memory that send each other datagrams. */
export class MemoryNetwork {
  readonly #devices = new Set<MemoryDatagramDevice>();

  attach(local: MemoryAddress, datagramBytesMax: number, onDatagram: OnDatagram): MemoryDatagramDevice {
    const device = new MemoryDatagramDevice(local, datagramBytesMax, onDatagram, this);
    this.#devices.add(device);
    return device;
  }

  /** Brings a datagram to whoever has the address; to nobody when there is none. */
  carry(from: MemoryAddress, to: HostAddress, datagram: Buffer): void {
    for (const device of this.#devices) if (device.local.equals(to)) device.bring(datagram, from);
  }

  detach(device: MemoryDatagramDevice): void {
    this.#devices.delete(device);
  }
}

export class MemoryDatagramDevice implements DatagramDevice {
  readonly local: MemoryAddress;
  readonly datagramBytesMax: number;
  readonly counters: DeviceCounters = noDeviceCounters;
  readonly backlog = 0;
  readonly #onDatagram: OnDatagram;
  readonly #network: MemoryNetwork;
  #queued: { readonly bytes: Buffer; readonly to: HostAddress }[] = [];

  constructor(
    local: MemoryAddress,
    datagramBytesMax: number,
    onDatagram: OnDatagram,
    network: MemoryNetwork,
  ) {
    this.local = local;
    this.datagramBytesMax = datagramBytesMax;
    this.#onDatagram = onDatagram;
    this.#network = network;
  }

  send(datagram: Packet, to: HostAddress): void {
    this.#queued.push({ bytes: Buffer.from(datagram.bytes()), to });
  }

  flush(): void {
    for (const { bytes, to } of this.#queued.splice(0)) this.#network.carry(this.local, to, bytes);
  }

  bring(datagram: Buffer, from: MemoryAddress): void {
    this.#onDatagram(packetWith(datagram), from);
  }

  [Symbol.dispose](): void {
    this.#network.detach(this);
  }
}

function packetWith(bytes: Buffer): Packet {
  const packet = new Packet(Buffer.alloc(packetHeadroom + bytes.length), 0);
  packet.reset(packetHeadroom);
  packet.append(bytes, 0, bytes.length);
  return packet;
}
