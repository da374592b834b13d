/** The QoS of a request in a message of a link layer: the same fields in all, each layer in its order. Source: link-ipcps.md 1.3. */
import type { QosSpec } from '../../lib/qos.ts';
import type { FieldRow } from '../../lib/wire/fields.ts';

/** Where the fields lie, from the start of a message. */
export type QosLayout = { readonly [F in keyof QosSpec]: number };

/** The rows of a table of fields. */
export const qosRows = {
  delay: ['delay', 'u32', '2^32-1 does not care', 'ms'],
  bandwidth: ['bandwidth', 'u64', '0 does not care', 'bit/s'],
  availability: ['availability', 'u8', 'number of nines'],
  loss: ['loss', 'u32', '0 no loss wanted, 1 loss accepted'],
  ber: ['ber', 'u32', 'bit errors per 10^9; 0 asks for a CRC'],
  inOrder: ['inOrder', 'u8', 'non-zero asks for ordered delivery'],
  maxGap: ['maxGap', 'u32', '2^32-1 does not care', 'ms'],
  timeout: ['timeout', 'u32', 'silence after which the flow is dead, 0 never', 'ms'],
} as const satisfies Record<keyof QosSpec, FieldRow>;

/** Writes the fields of the message at `start`. */
export function writeQos(qos: QosSpec, layout: QosLayout, memory: Buffer, start: number): void {
  memory.writeUInt32BE(qos.delay, start + layout.delay);
  memory.writeBigUInt64BE(qos.bandwidth, start + layout.bandwidth);
  memory.writeUInt8(qos.availability, start + layout.availability);
  memory.writeUInt32BE(qos.loss, start + layout.loss);
  memory.writeUInt32BE(qos.ber, start + layout.ber);
  memory.writeUInt8(qos.inOrder, start + layout.inOrder);
  memory.writeUInt32BE(qos.maxGap, start + layout.maxGap);
  memory.writeUInt32BE(qos.timeout, start + layout.timeout);
}

/** Reads the fields of the message at `start`. */
export function readQos(layout: QosLayout, memory: Buffer, start: number): QosSpec {
  return {
    delay: memory.readUInt32BE(start + layout.delay),
    bandwidth: memory.readBigUInt64BE(start + layout.bandwidth),
    availability: memory.readUInt8(start + layout.availability),
    loss: memory.readUInt32BE(start + layout.loss),
    ber: memory.readUInt32BE(start + layout.ber),
    inOrder: memory.readUInt8(start + layout.inOrder),
    maxGap: memory.readUInt32BE(start + layout.maxGap),
    timeout: memory.readUInt32BE(start + layout.timeout),
  };
}
