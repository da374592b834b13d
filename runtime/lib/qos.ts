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

/** As raw, with a CRC: a message that was altered on its way is dropped. */
export const rawNoErrorsQos: QosSpec = Object.freeze({ ...rawQos, ber: 0 });

/** Messages in order; those that are lost are skipped. No CRC, as in the prototype's default build (2.2); nor have those below. */
export const bestEffortQos: QosSpec = Object.freeze({ ...rawQos, inOrder: 1 });

/** As best effort, for moving pictures. */
export const videoQos: QosSpec = Object.freeze({
  ...bestEffortQos,
  delay: 100,
  bandwidth: 2n ** 64n - 1n,
  availability: 3,
  maxGap: 100,
});

/** As best effort, for speech. */
export const voiceQos: QosSpec = Object.freeze({
  ...bestEffortQos,
  delay: 50,
  bandwidth: 100_000n,
  availability: 5,
  maxGap: 50,
});

/** All messages, in order. */
export const dataQos: QosSpec = Object.freeze({ ...bestEffortQos, delay: 1000, loss: 0, maxGap: 2000 });

/** The services by the names that tools take. */
export const qosByName = {
  raw: rawQos,
  best: bestEffortQos,
  video: videoQos,
  voice: voiceQos,
  data: dataQos,
} as const satisfies Record<string, QosSpec>;
export type QosName = keyof typeof qosByName;

/** What flows into a broadcast layer have: nothing is added at their ends, not even signs of life. */
export const npQos: QosSpec = Object.freeze({ ...rawQos, loss: anyMs, ber: anyMs, timeout: 0 });

/** A QosSpec as JSON carries it: the 64-bit bandwidth as a decimal string. */
export type QosJson = Omit<QosSpec, 'bandwidth'> & { readonly bandwidth: string };

export function qosToJson(qos: QosSpec): QosJson {
  return { ...qos, bandwidth: qos.bandwidth.toString() };
}

/** The QoS that a message of the control protocol tells. */
export function qosFromJson(json: QosJson): QosSpec {
  return { ...json, bandwidth: BigInt(json.bandwidth) };
}

/** Whether messages come in order, and FRCT is in force. */
export function isOrdered(qos: QosSpec): boolean {
  return qos.inOrder !== 0;
}

/** Whether all messages come: what is lost is sent again. Without order there is no FRCT, and nothing is (2.1). */
export function isReliable(qos: QosSpec): boolean {
  return isOrdered(qos) && qos.loss === 0;
}
