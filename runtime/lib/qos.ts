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

/** The services by the names of the manual, as the prototype's default build asks for them: without a CRC (2.2). */
export const qosByName = {
  raw: rawQos,
  best: Object.freeze({ ...rawQos, inOrder: 1 }),
  video: Object.freeze({
    ...rawQos,
    delay: 100,
    bandwidth: 2n ** 64n - 1n,
    availability: 3,
    inOrder: 1,
    maxGap: 100,
  }),
  voice: Object.freeze({
    ...rawQos,
    delay: 50,
    bandwidth: 100_000n,
    availability: 5,
    inOrder: 1,
    maxGap: 50,
  }),
  data: Object.freeze({ ...rawQos, delay: 1000, loss: 0, inOrder: 1, maxGap: 2000 }),
} as const satisfies Record<string, QosSpec>;
export type QosName = keyof typeof qosByName;

/** What flows into a broadcast layer have: nothing is added at their ends, not even signs of life. */
export const npQos: QosSpec = Object.freeze({ ...rawQos, loss: anyMs, ber: anyMs, timeout: 0 });

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
