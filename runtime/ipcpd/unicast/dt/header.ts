/** The header of every packet between members of a unicast layer. Source: unicast-layer.md 5.1. */
import type { FieldTable } from '../../../lib/wire/fields.ts';

/** Unlike all others this header is little-endian. */
export const dtFields: FieldTable = [
  { name: 'destination', kind: 'u32', offset: 0, width: 4, meaning: 'address, little-endian' },
  {
    name: 'cube',
    kind: 'u8',
    offset: 4,
    width: 1,
    meaning: 'QoS cube: 0 best effort, 1 video, 2 voice; 0 in practice',
  },
  { name: 'ttl', kind: 'u8', offset: 5, width: 1, unit: 'links', meaning: 'time to live' },
  { name: 'ecn', kind: 'u8', offset: 6, width: 1, meaning: 'congestion level' },
  { name: 'eid', kind: 'u64', offset: 7, width: 8, meaning: 'endpoint id at the destination, little-endian' },
];

export const dtHeaderBytes = 15;

/** Where the fields lie, for the data path. */
export const dtOffset = { destination: 0, cube: 4, ttl: 5, ecn: 6, eidLow: 7, eidHigh: 11 } as const;

/** Endpoint ids of components; users have those from 64 up. */
export const componentEid = { flowAllocator: 0, directory: 1 } as const;
export const userEidMin = 64;

/** An endpoint id: two halves, because a number does not hold 64 bits. */
export interface Eid {
  readonly high: number;
  readonly low: number;
}
