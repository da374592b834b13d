/** What a flow asks of its layer and of its end points. Source: end-to-end.md 2. */
export interface QosSpec {
  /** Upper bound in ms; 0xffffffff does not care. */
  readonly delay: number;
  /** Bits a second; 0 does not care. */
  readonly bandwidth: bigint;
  /** Number of nines. */
  readonly availability: number;
  /** 0: no loss allowed; anything else: loss accepted. */
  readonly loss: number;
  /** Bit errors per 10^9 bits; 0 asks for a CRC on every packet. */
  readonly ber: number;
  /** Non-zero asks for ordered delivery. */
  readonly inOrder: number;
  /** ms; 0xffffffff does not care. */
  readonly maxGap: number;
  /** ms of silence after which the peer counts as dead; 0 is never. */
  readonly timeout: number;
}

const anyMs = 0xffff_ffff;

/** The QoS of a flow that asks for nothing: messages may be lost and reordered. */
export const rawQos: QosSpec = Object.freeze({
  delay: anyMs,
  bandwidth: 0n,
  availability: 0,
  loss: 1,
  ber: 1,
  inOrder: 0,
  maxGap: anyMs,
  timeout: 120_000,
});

/** A QosSpec as JSON carries it: the 64-bit bandwidth as a decimal string. */
export type QosJson = Omit<QosSpec, 'bandwidth'> & { readonly bandwidth: string };

export function qosToJson(qos: QosSpec): QosJson {
  return { ...qos, bandwidth: qos.bandwidth.toString() };
}

export function qosFromJson(json: QosJson): QosSpec {
  return { ...json, bandwidth: BigInt(json.bandwidth) };
}

/** What a flow cannot be given because these end points lack it; undefined when they have all it asks for. */
export function missingFor(qos: QosSpec): string | undefined {
  if (qos.inOrder !== 0) return 'ordered delivery';
  return undefined;
}
