/** A UDP socket of the node as a datagram device. */
import { AddressWatch } from '../../lib/os/link-watch.ts';
import { UdpAddress, UdpSocket } from '../../lib/os/udp-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { Turn } from '../shell/turn.ts';
import type { DeviceCounters } from './device.ts';
import type { DatagramDevice, DatagramSource, HostAddress, OnDatagram } from './datagram.ts';

/** Batches a wake-up takes before others have their turn. */
const batchesMax = 4;
/** What a prototype sends may be so much longer than what it can receive (link-ipcps.md 4.4). */
const windowBytes = 4;

/** Where the datagram at hand came from, as the kernel wrote it; one object, written over for each. */
class SocketSource implements DatagramSource {
  names: Buffer = Buffer.alloc(0);
  offset = 0;

  isFrom(address: HostAddress): boolean {
    return (address as UdpAddress).sent(this.names, this.offset);
  }

  address(): HostAddress {
    return UdpAddress.from(this.names, this.offset);
  }
}

export interface UdpHooks {
  /** A datagram came; it is valid until the turn ends. */
  readonly onDatagram: OnDatagram;
  /** The interface that has the address was set up or down, or the address went or came back. */
  readonly onChange: (up: boolean) => void;
}

export class UdpDevice implements DatagramDevice {
  readonly datagramBytesMax: number;
  readonly #socket: UdpSocket;
  readonly #opened: DisposableStack;
  readonly #turn: Turn;

  /** @throws KernelError EADDRINUSE, EADDRNOTAVAIL with the address. */
  constructor(local: UdpAddress, text: string, datagramBytesMax: number, turn: Turn, hooks: UdpHooks) {
    this.datagramBytesMax = datagramBytesMax;
    this.#turn = turn;
    const source = new SocketSource();
    using opened = new DisposableStack();
    this.#socket = new UdpSocket(local, text, datagramBytesMax + windowBytes, () => {
      for (let batch = 0; batch < batchesMax; batch += 1) {
        const count = this.#socket.receive((datagram, names, offset) => {
          source.names = names;
          source.offset = offset;
          hooks.onDatagram(datagram, source);
        });
        // Datagrams are valid until the next are received, so what they caused has to leave first.
        turn.end();
        if (count < UdpSocket.batch) return;
      }
    });
    opened.use(this.#socket);
    opened.use(
      new AddressWatch(local.host, (up) => {
        hooks.onChange(up);
        turn.end();
      }),
    );
    this.#opened = opened.move();
  }

  get counters(): DeviceCounters {
    return this.#socket.losses;
  }

  get backlog(): number {
    return this.#socket.backlog;
  }

  send(datagram: Packet, to: HostAddress): void {
    if (this.#socket.queued === 0) this.#turn.flushLater(this);
    this.#socket.send(datagram, to as UdpAddress);
  }

  flush(): void {
    this.#socket.flush();
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
