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

/** A splice: one link, or one node's end of a LAN, that frames pass by way of the wire. */
export interface SpliceState {
  readonly splice: string;
  readonly impairments: Impairments;
  readonly seed: number;
  readonly counts: readonly [WayCounts, WayCounts];
  /** Frames under way. */
  readonly queued: readonly [number, number];
  /** Frames the kernel could not hand over, or would not take; what a link that is down swallows is among them. */
  readonly kernelDrops: readonly [number, number];
}

// A type and not an interface, so that it has an index.
export type WireApi = {
  /** Opens a splice, or changes the impairments of one that is open, whose seed stays. */
  set: {
    params: {
      readonly splice: string;
      readonly ends: readonly [WayEnds, WayEnds];
      readonly impairments: Impairments;
      readonly seed: number;
    };
    result: null;
  };
  /** Answers once nothing is under way any more, `ms` later at most; false then. */
  drain: { params: { readonly splice: string; readonly ms: number }; result: boolean };
  /** Closes a splice; what is under way is lost. Does nothing where there is none. */
  close: { params: { readonly splice: string }; result: null };
  show: { params: object; result: readonly SpliceState[] };
};
