/** Constants of FRCT. Times in ms. Source: end-to-end.md 7.3; those of `ours` are of ADR 0020. */
import type { IpcpType } from '../rpc/api.ts';
import type { Millis } from '../time/clock.ts';
import type { RoundTripLimits } from './rtt.ts';

/** A parameter each, so that a test need not wait, nor fill a window, for what it wants to see. */
export interface FrctLimits extends RoundTripLimits {
  /** Packets that may be sent before the peer has told its window. */
  readonly windowInitial: number;
  /** Receive window, and with it the packets that may be outstanding towards a peer that is not known yet. */
  readonly window: number;
  /**
   * Packets that may be outstanding towards a prototype. It is its own initial window; the socket of its IPCP holds about 90
   * frames of 1500 bytes, and what overflows is found by timeout alone, one packet at a time.
   */
  readonly prototypeWindow: number;
  /** A: longest time a peer holds an acknowledgement back. */
  readonly ackMaxMs: Millis;
  /** R: longest time a packet is sent again. */
  readonly retransmitMs: Millis;
  /** How long an acknowledgement waits for data to travel with. */
  readonly ackDelayMs: Millis;
  /** Packets that are acknowledged at the end of the turn they came in. */
  readonly ackEvery: number;
  /**
   * What a timeout leaves for the peer's acknowledgement besides the round trip. The prototype's comes 10 to 16 ms late;
   * with less, each packet that is not answered would be sent twice.
   */
  readonly ackAllowanceMs: Millis;
  /** From one request for a window update to the next; it doubles up to `rendezvousMaxMs`. */
  readonly rendezvousMs: Millis;
  readonly rendezvousMaxMs: Millis;
  /** Best effort: by how much the window moves before the peer is told. */
  readonly windowStep: number;
  /**
   * How often a window update is repeated, from `rendezvousMs` on and ever more rarely, to a prototype: one that waits
   * for a window does not ask for it.
   */
  readonly windowRepeats: number;
  /** Bytes of messages that were sent and not acknowledged. One message always fits. */
  readonly sendBytesMax: number;
  /** Bytes of messages that were received and not read. */
  readonly receiveBytesMax: number;

  readonly ours: {
    /**
     * Receive and send window towards a peer that speaks the extensions. 1 Gbit/s over a round trip of 50 ms has 4500
     * packets of 1400 bytes under way.
     */
    readonly window: number;
    /** Bytes that may be sent before the peer has told how many it takes: both ends count on it. The longest message fits. */
    readonly bytesInitial: number;
    readonly ackDelayMs: Millis;
    readonly congestionWindowMin: number;
  };
}

export const frctLimits: FrctLimits = {
  windowInitial: 64,
  window: 256,
  prototypeWindow: 64,
  ackMaxMs: 10_000,
  retransmitMs: 120_000,
  ackDelayMs: 10,
  ackEvery: 2,
  ackAllowanceMs: 20,
  rendezvousMs: 100,
  rendezvousMaxMs: 1000,
  windowStep: 32,
  windowRepeats: 8,
  rtoInitialMs: 1000,
  rtoMinMs: 0.25,
  // The prototype's grows up to 2^36 ns. Its readers that miss a wake-up, and the losses of its own, wait for ours.
  rtoMaxMs: 4000,
  sendBytesMax: 16 * 1024 * 1024,
  receiveBytesMax: 16 * 1024 * 1024,
  ours: {
    window: 16_384,
    bytesInitial: 1024 * 1024,
    ackDelayMs: 5,
    congestionWindowMin: 4,
  },
};

/** Packets that the flows of a process have under way together when they begin at once, and what one begins with at least. */
const startPacketsTogether = 512;
const startPacketsMin = 10;

/**
 * What a flow begins with that is one of so many of its process. A path that takes what one flow begins with is overflowed
 * by a hundred that begin alike, and the round trips that these measure then are of their own queue.
 */
export function startPacketsAmong(flows: number): number {
  const share = Math.floor(startPacketsTogether / Math.max(1, flows));
  return Math.min(frctLimits.windowInitial, Math.max(startPacketsMin, share));
}

/** MPL: how long a packet lives in the layer below, by its type; a direct flow has none below. */
export const maxPacketLifetimeMs = {
  'eth-dix': 100,
  'eth-llc': 100,
  unicast: 100,
  local: 100,
  broadcast: 100,
  udp: 5000,
  udp4: 5000,
  udp6: 5000,
  direct: 1,
} as const satisfies Record<IpcpType | 'direct', Millis>;

/** After which silence an end counts as idle, in whole seconds as the prototype reckons. */
export function inactivityMs(
  side: 'sender' | 'receiver',
  mplMs: Millis,
  { ackMaxMs, retransmitMs }: FrctLimits,
): Millis {
  const lifetimes = side === 'sender' ? 3 : 2;
  return (Math.floor((lifetimes * mplMs + ackMaxMs + retransmitMs) / 1000) + 1) * 1000;
}
