/** A network interface of the node as an Ethernet device. */
import { O7sError } from '../../lib/errors.ts';
import { LinkWatch } from '../../lib/os/link-watch.ts';
import { PacketSocket } from '../../lib/os/packet-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { Turn } from '../shell/turn.ts';
import type { DeviceCounters, EthernetDevice, OnFrame } from './device.ts';

/** What this process listens to: two layers on one medium would answer each other's requests. */
const inUse = new Set<string>();

/** Batches a wake-up takes before others have their turn. */
const batchesMax = 4;

/** Bytes of a frame that the prototype takes from an interface: a loopback's MTU is more than that (link-ipcps.md 2.2). */
export function usableMtu(name: string, mtu: number): number {
  return Math.min(mtu, name.startsWith('lo') ? loopbackMtuMax : mtuMax);
}

const mtuMax = 0xffff;
const loopbackMtuMax = 9000;

export interface InterfaceHooks {
  /** A frame came; it is valid until the turn ends. */
  readonly onFrame: OnFrame;
  /** The interface was set up or down. */
  readonly onChange: (up: boolean) => void;
}

export class InterfaceDevice implements EthernetDevice {
  readonly #socket: PacketSocket;
  readonly #opened: DisposableStack;
  readonly #turn: Turn;
  readonly #medium: string;

  /** @throws KernelError naming the call and the interface; O7sError EEXIST when the medium is in use here. */
  constructor(name: string, protocol: number, turn: Turn, hooks: InterfaceHooks) {
    this.#turn = turn;
    this.#medium = `${name} with protocol 0x${protocol.toString(16)}`;
    if (inUse.has(this.#medium)) {
      throw new O7sError('EEXIST', `${this.#medium} is another layer's already`, {
        hint: 'choose another device, or another ethertype where there is one',
      });
    }
    using opened = new DisposableStack();
    this.#socket = new PacketSocket(name, protocol, () => {
      for (let batch = 0; batch < batchesMax; batch += 1) {
        const count = this.#socket.receive(hooks.onFrame);
        // Frames are valid until the next are received, so what they caused has to leave first.
        turn.end();
        this.#socket.release();
        if (count < PacketSocket.batch) return;
      }
    });
    opened.use(this.#socket);
    const { index } = this.#socket.interface;
    opened.use(
      new LinkWatch(index, (nowUp) => {
        hooks.onChange(nowUp);
        turn.end();
      }),
    );
    inUse.add(this.#medium);
    opened.defer(() => inUse.delete(this.#medium));
    this.#opened = opened.move();
  }

  get mac(): Buffer {
    return this.#socket.interface.mac;
  }

  get counters(): DeviceCounters {
    return this.#socket.losses;
  }

  get mtu(): number {
    const { name, mtu } = this.#socket.interface;
    return usableMtu(name, mtu);
  }

  get backlog(): number {
    return this.#socket.backlog;
  }

  send(frame: Packet): void {
    if (this.#socket.queued === 0) this.#turn.flushLater(this);
    this.#socket.send(frame);
  }

  flush(): void {
    this.#socket.flush();
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
