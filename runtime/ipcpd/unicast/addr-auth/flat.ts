/** Flat addresses: each member draws its own at random. Source: unicast-layer.md 4.7. */
import { type Address, noAddress } from '../address.ts';

/** Draws an address that is not taken, as far as is known. */
export function drawAddress(
  randomBytes: (count: number) => Buffer,
  isTaken: (address: Address) => boolean = () => false,
): Address {
  for (;;) {
    const address = randomBytes(4).readUInt32BE(0);
    if (address !== noAddress && !isTaken(address)) return address;
  }
}
