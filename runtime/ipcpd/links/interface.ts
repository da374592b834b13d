/** A network interface of the node as an Ethernet device. */
import { O7sError } from '../../lib/errors.ts';
import { PacketSocket } from '../../lib/os/packet-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { Turn } from '../shell/turn.ts';
import type { EthernetDevice, OnFrame } from './device.ts';

/** What this process listens to: two layers on one medium would answer each other's requests. */
const inUse = new Set<string>();

/** Batches a wake-up takes before others have their turn. */
const batchesMax = 4;

export class InterfaceDevice implements EthernetDevice {
  readonly #socket: PacketSocket;
  readonly #turn: Turn;
  readonly #medium: string;

  /** @throws KernelError naming the call and the interface; O7sError EEXIST when the medium is in use here. */
  constructor(name: string, ethertype: number, turn: Turn, onFrame: OnFrame) {
    this.#turn = turn;
    this.#medium = `${name} with ethertype 0x${ethertype.toString(16)}`;
    if (inUse.has(this.#medium)) {
      throw new O7sError('EEXIST', `${this.#medium} is another layer's already`, {
        hint: 'choose another ethertype or device',
      });
    }
    this.#socket = new PacketSocket(name, ethertype, () => {
      for (let batch = 0; batch < batchesMax; batch += 1) {
        const count = this.#socket.receive(onFrame);
        // Frames are valid until the next are received, so what they caused has to leave first.
        turn.end();
        if (count < PacketSocket.batch) return;
      }
    });
    inUse.add(this.#medium);
  }

  get mac(): Buffer {
    return this.#socket.interface.mac;
  }

  get mtu(): number {
    return this.#socket.interface.mtu;
  }

  send(frame: Packet): void {
    if (this.#socket.queued === 0) this.#turn.flushLater(this);
    this.#socket.send(frame);
  }

  flush(): void {
    this.#socket.flush();
  }

  [Symbol.dispose](): void {
    inUse.delete(this.#medium);
    this.#socket[Symbol.dispose]();
  }
}
