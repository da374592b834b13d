/**
 * What a packet gets between its flow and the layer: sealed if the flow is encrypted, and behind that a CRC if its QoS
 * allows no bit errors. FRCT, where there is any, works on the packet inside: its header is sealed with the payload.
 * Source: end-to-end.md 1, 5, 6.
 */
import { byName, ciphers } from '../crypto/algorithms.ts';
import { type FillRandom, PacketCipher } from '../crypto/packet-cipher.ts';
import { O7sError } from '../errors.ts';
import type { QosSpec } from '../qos.ts';
import type { FlowEncryption } from '../rpc/api.ts';
import { appendCrc, checkCrc, crcBytes } from '../wire/crc.ts';

/** Why a packet was not opened: its CRC is wrong, or it is not sealed, or not with the key of the flow. */
export type OpenFault = 'crc' | 'cipher';

export class PacketProtection {
  /** Bytes a packet is longer by on its way. */
  readonly overhead: number;
  readonly #cipher: PacketCipher | undefined;
  readonly #crc: boolean;

  constructor(cipher: PacketCipher | undefined, crc: boolean) {
    this.#cipher = cipher;
    this.#crc = crc;
    this.overhead = (cipher?.overhead ?? 0) + (crc ? crcBytes : 0);
  }

  /**
   * Writes what goes to the layer to `target` from `at`, where there must be room for `overhead` bytes more than the
   * packet has. A packet that is sent again is sealed again; an empty one, a sign of life, is sent as it is and not
   * given to this.
   */
  sealInto(target: Buffer, at: number, packet: Uint8Array, start: number, end: number): void {
    if (this.#cipher === undefined) target.set(packet.subarray(start, end), at);
    else this.#cipher.sealInto(target, at, packet, start, end);
    if (this.#crc) appendCrc(target, at, at + end - start + this.overhead - crcBytes);
  }

  /** The packet in what came from the layer, or why there is none. */
  open(memory: Buffer, start: number, end: number): Buffer | OpenFault {
    if (!this.#crc) return this.openWithoutCrc(memory, start, end);
    return checkCrc(memory, start, end) ? this.openWithoutCrc(memory, start, end - crcBytes) : 'crc';
  }

  /**
   * The packet in what came without a CRC. The prototype forgets it behind bare FRCT packets and retransmissions, so that
   * FRCT may look at what `open` called 'crc' in this way, and believe it if it is one of those (end-to-end.md 6).
   */
  openWithoutCrc(memory: Buffer, start: number, end: number): Buffer | OpenFault {
    if (this.#cipher === undefined) return memory.subarray(start, end);
    return this.#cipher.open(memory, start, end) ?? 'cipher';
  }
}

/** What a flow's packets need; undefined when they travel as they are. */
export function protectionFor(
  qos: QosSpec,
  encryption: FlowEncryption | undefined,
  fillRandom: FillRandom,
): PacketProtection | undefined {
  const crc = qos.ber === 0;
  if (encryption === undefined) return crc ? new PacketProtection(undefined, true) : undefined;
  const cipher = byName(ciphers, encryption.cipher);
  if (cipher === undefined) throw new O7sError('ECRYPT', `there is no cipher ${String(encryption.cipher)}`);
  const key = Buffer.from(encryption.key, 'hex');
  return new PacketProtection(new PacketCipher(cipher, key, fillRandom), crc);
}
