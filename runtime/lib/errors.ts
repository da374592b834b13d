/**
 * The errors of the runtime. Numbers below 1000 are the system's (Linux); those from 1000 on are
 * Ouroboros' own and travel, negated, in the `response` of a flow allocation.
 *
 * Source: application-api.md 1, irmd-and-irm.md 5.6.
 */

export const errorTable = {
  EPERM: [1, 'not permitted, or no answer in time'],
  ENOENT: [2, 'no such object'],
  EBADF: [9, 'no flow identifiers left'],
  EAGAIN: [11, 'nothing available now'],
  ENOMEM: [12, 'out of memory'],
  EEXIST: [17, 'exists already'],
  EINVAL: [22, 'invalid argument'],
  EPIPE: [32, 'the other end is gone'],
  EMSGSIZE: [90, 'message too long'],
  ENOTSUP: [95, 'not supported'],
  ECONNRESET: [104, 'connection reset'],
  ETIMEDOUT: [110, 'timed out'],
  ECANCELED: [125, 'cancelled by the caller'],
  ENOTALLOC: [1000, 'flow is not allocated'],
  EIPCPTYPE: [1001, 'unknown IPCP type'],
  EIRMD: [1002, 'no usable answer from irmd'],
  EIPCP: [1003, 'no IPCP can serve the request'],
  EIPCPSTATE: [1004, 'IPCP is in the wrong state'],
  EFLOWDOWN: [1005, 'flow is down'],
  EFLOWPEER: [1006, 'flow is down: the peer timed out'],
  ENAME: [1007, 'name is not known'],
  ECRYPT: [1008, 'encryption or key exchange failed'],
  EAUTH: [1009, 'authentication failed'],
} as const satisfies Record<string, readonly [number, string]>;

/** The name of an error, as the documents and the manual spell it. */
export type ErrorCode = keyof typeof errorTable;

const codeByErrno = new Map<number, ErrorCode>(
  (Object.keys(errorTable) as ErrorCode[]).map((code) => [errorTable[code][0], code]),
);

/** The positive number of an error. */
export function errnoOf(code: ErrorCode): number {
  return errorTable[code][0];
}

/** The name of an error number of either sign; numbers outside the table count as EIPCP. */
export function codeOf(errno: number): ErrorCode {
  return codeByErrno.get(Math.abs(errno)) ?? 'EIPCP';
}

export interface O7sErrorOptions {
  /** What the reader can do about it, one sentence. */
  hint?: string;
  cause?: unknown;
}

/** An error of the runtime: a code, one line of text, and where it helps the way out. */
export class O7sError extends Error {
  override readonly name = 'O7sError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string = errorTable[code][1], options: O7sErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** The positive error number, for example 1007. */
  get errno(): number {
    return errorTable[this.code][0];
  }

  /** An error from a number of either sign, such as the `response` of a flow allocation. */
  static fromErrno(errno: number, message?: string): O7sError {
    return new O7sError(codeOf(errno), message);
  }
}
