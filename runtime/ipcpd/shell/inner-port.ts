/** A flow of one IPCP that another of the same process uses: packets cross by a function call. */
import type { Packet } from '../../lib/wire/packet.ts';
import { type PortCounters, portCounters } from './application-port.ts';
import { zeroCounts } from './counts.ts';
import type { FlowUser, Layer, LayerFlow, LowerFlow } from './layer.ts';

export class InnerPort implements FlowUser, LowerFlow {
  readonly counters: PortCounters = zeroCounts(portCounters);
  /** The layer's end; none before the allocation is complete. */
  flow: LayerFlow | undefined;
  /** The IPCP above, once it has the flow. */
  user: FlowUser | undefined;
  readonly #layer: Layer;
  readonly #onGone: () => void;
  readonly #onState: (up: boolean) => void;

  /**
   * @param onGone the IPCP above released its end.
   * @param onState the flow went down or came up again.
   */
  constructor(layer: Layer, onGone: () => void, onState: (up: boolean) => void) {
    this.#layer = layer;
    this.#onGone = onGone;
    this.#onState = onState;
  }

  get maxMessageBytes(): number {
    return this.#layer.maxMessageBytes;
  }

  get headerBytes(): number {
    return this.flow?.headerBytes ?? 0;
  }

  get backlog(): number {
    return this.flow?.backlog ?? 0;
  }

  write(packet: Packet): void {
    if (this.flow === undefined) {
      this.counters.droppedNotOpen += 1;
      return;
    }
    this.counters.packetsIn += 1;
    this.counters.bytesIn += packet.end - packet.start;
    this.flow.write(packet);
  }

  deliver(packet: Packet): void {
    if (this.user === undefined) {
      this.counters.droppedNotOpen += 1;
      return;
    }
    this.counters.packetsOut += 1;
    this.counters.bytesOut += packet.end - packet.start;
    this.user.deliver(packet);
  }

  setUp(up: boolean): void {
    this.user?.setUp(up);
    this.#onState(up);
  }

  setPaused(paused: boolean): void {
    this.user?.setPaused?.(paused);
  }

  limitChanged(): void {
    this.user?.limitChanged?.();
  }

  released(): void {
    const { user } = this;
    this.user = undefined;
    user?.released();
    this.#onGone();
  }

  deallocate(): void {
    this.user = undefined;
    this.#onGone();
  }

  close(): void {
    const { user } = this;
    this.user = undefined;
    user?.released();
  }
}
