/** What a lab's wire can be asked for, over its socket: JSON-RPC 2.0, one object a line. */
import type { Impairments } from '../model/impairment.ts';
import type { WayCounts } from './way.ts';

/** Where frames of one direction come in, and where they go out: interfaces in the network of the lab. */
export interface WayEnds {
  readonly from: string;
  readonly to: string;
  /** The other end of `from`, into which the kernel leads frames. */
  readonly funnel: string;
}

/** What became of the frames of one direction, those included that the way did not see. */
export interface DirectionCounts extends WayCounts {
  /** Frames that came faster than the wire took them. */
  readonly missed: number;
  /** Frames that were longer than the link allows. */
  readonly tooLong: number;
  /** Frames that the kernel would not take at the other end: the link is down there, or its node is gone. */
  readonly notSent: number;
}

/** How a splice is to be: one link, or one node's end of a LAN, that frames pass by way of the wire. */
export interface SpliceSetting {
  readonly splice: string;
  readonly ends: readonly [WayEnds, WayEnds];
  readonly impairments: Impairments;
  readonly seed: number;
}

export interface SpliceState extends Omit<SpliceSetting, 'ends'> {
  readonly counts: readonly [DirectionCounts, DirectionCounts];
  /** Frames under way. */
  readonly queued: readonly [number, number];
  /** How often the wire ended, and was started again: what was under way was lost then, and counts began anew. */
  readonly restarts: number;
}

// A type and not an interface, so that it has an index.
export type WireApi = {
  /**
   * Opens a splice, or changes the impairments of one that is open, whose seed stays. Interfaces that were made anew in
   * the meantime are opened anew.
   */
  set: { params: SpliceSetting; result: null };
  /** Answers once nothing is under way any more, `ms` later at most; false then. */
  drain: { params: { readonly splice: string; readonly ms: number }; result: boolean };
  /** Closes a splice; what is under way is lost. Does nothing where there is none. */
  close: { params: { readonly splice: string }; result: null };
  show: { params: object; result: readonly SpliceState[] };
};
