/** Carries packets between a TUN device and a flow: each packet is a message, with nothing added. Source: tools.md 6. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Flow, FlowSet, O7sError, TunDevice, type TunSetup } from '../../lib/index.ts';

export class Tunnel implements Disposable {
  /** Packets that the flow did not take: it was down, or they were too long for it. */
  lost = 0;
  readonly device: TunDevice;
  readonly #flow: Flow;

  /** Makes the device, which carries nothing before `run`. Throws as `TunDevice` does. */
  constructor(flow: Flow, setup: TunSetup) {
    this.#flow = flow;
    this.device = new TunDevice(setup, this.#readable);
  }

  /** Carries packets until the other end or the layer releases the flow. `silent` hears that the peer gives no sign. */
  async run(silent: () => void): Promise<void> {
    const flow = this.#flow;
    using flows = new FlowSet();
    flows.add(flow);
    this.device.watch(true);
    for (;;) {
      for (const { type } of await flows.wait()) {
        if (type === 'peer') silent();
        if (type === 'dealloc') return;
      }
      // A device that is down, and a peer that is silent, may come back: the flow stays.
      for (let count = 0; flow.waiting > 0 && count < TunDevice.batch; count += 1) {
        const message = flow.tryRead();
        if (message !== undefined) this.device.write(message);
      }
      await nextTurn();
    }
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }

  readonly #readable = (): void => {
    for (let count = 0; count < TunDevice.batch; count += 1) {
      const packet = this.device.read();
      if (packet === undefined) return;
      if (!this.#send(packet)) return void this.#sendLater(Buffer.from(packet));
    }
  };

  /** Sends a packet; false when so much waits that it would have to wait too. */
  #send(packet: Buffer): boolean {
    try {
      return this.#flow.tryWrite(packet);
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      this.lost += 1;
      return true;
    }
  }

  /** Leaves the next packets to the kernel until this one is sent. */
  async #sendLater(packet: Buffer): Promise<void> {
    this.device.watch(false);
    try {
      await this.#flow.write(packet);
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      this.lost += 1;
    }
    this.device.watch(true);
  }
}
