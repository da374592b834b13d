/** The errors of the orchestrator. Those of the runtime are `O7sError`, from `o7s-testbed/lib`. */

/**
 * What went wrong, by who can mend it: EUSAGE and ETOPOLOGY the caller, EENVIRONMENT whoever set up the
 * machine, EFAILED and ETIMEDOUT nobody yet known.
 */
export type TestbedErrorCode = 'EUSAGE' | 'ETOPOLOGY' | 'EENVIRONMENT' | 'EFAILED' | 'ETIMEDOUT';

/** True for what the kernel says when a file system, or a user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * Undoes what was done before an error. Gives what to throw: that error, or, where undoing fails too, a SuppressedError
 * whose `suppressed` it is.
 */
export async function undone(error: unknown, undo: () => Promise<unknown>): Promise<unknown> {
  try {
    await undo();
    return error;
  } catch (second) {
    const message = [error, second].map((each) => (each instanceof Error ? each.message : String(each)));
    return new SuppressedError(second, error, message.join('; and then: '));
  }
}

export interface TestbedErrorOptions {
  /** What the reader can do about it, without a full stop. */
  hint?: string;
  cause?: unknown;
  /** Lines that show more, such as the last ones of a log. */
  details?: readonly string[];
}

/** An error of the orchestrator: a code, one line of text, and the way out where there is one. */
export class TestbedError extends Error {
  override readonly name = 'TestbedError';
  readonly code: TestbedErrorCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];

  constructor(code: TestbedErrorCode, message: string, options: TestbedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? [];
  }
}
