/** Addresses of the members of a unicast layer. Source: unicast-layer.md 4.7. */

/** 32 bits, unsigned. */
export type Address = number;

/** What is no member's address. */
export const noAddress: Address = 0;

/** Whether there is a route to a member. */
export interface Reachability {
  readonly address: Address;
  readonly isReachable: boolean;
}

/** An address as the manual shows it: its four bytes, the lowest first. */
export function formatAddress(address: Address): string {
  const bytes = [0, 8, 16, 24].map((shift) => ((address >>> shift) & 0xff).toString(16).padStart(2, '0'));
  return bytes.join('.');
}
