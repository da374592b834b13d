/** The flags of a flow and of its FRCT, as `fccntl` of the prototype has them. Source: application-api.md 4. */

export const flowFlag = {
  /** Writes reject with EPERM. */
  readOnly: 0,
  /** What comes is thrown away and counted; reads reject with EPERM. */
  writeOnly: 1,
  readWrite: 2,
  /** Mask of the three above. */
  accessMode: 3,
  /** The flow is taken for down: reads and writes reject with EFLOWDOWN, here and at the other end of a direct flow. */
  down: 4,
  /** A read that would wait rejects with EAGAIN. */
  readNonBlocking: 0o1000,
  /** A write that would wait rejects with EAGAIN. */
  writeNonBlocking: 0o2000,
  /** Both. */
  nonBlocking: 0o3000,
  /** `readInto` gives no part of a message: one that is longer than the memory is thrown away with EMSGSIZE. */
  readNoPartial: 0o10000,
  /** There are no partial writes: without effect. */
  writeNoPartial: 0o20000,
  /** What a flow begins with: `readWrite` and `writeNoPartial`. */
  default: 0o20002,
} as const;

/** All that a flow's flags may have. */
export const flowFlagMask: number =
  flowFlag.accessMode |
  flowFlag.down |
  flowFlag.nonBlocking |
  flowFlag.readNoPartial |
  flowFlag.writeNoPartial;

/** What a flow does for its data, bits of `flow.frctFlags`. Source: application-api.md 4. */
export const frctFlag = {
  /** What is lost is sent again. Follows from the QoS and cannot be changed. */
  retransmit: 1,
  /** Writes wait for the window of the other end. */
  resourceControl: 2,
  /** `close` waits until all that was written is acknowledged. */
  linger: 4,
} as const;
