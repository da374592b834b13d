/** What a look at this machine finds. */

export interface Check {
  /** What was looked at, in a word or two. */
  readonly what: string;
  /** `fail`: labs of the testbed cannot be made. `warn`: something that some labs need is missing. */
  readonly state: 'ok' | 'warn' | 'fail';
  /** What was found. */
  readonly found: string;
  /** The command that mends it; there for all but `ok`. */
  readonly mend?: string;
}

export function ok(what: string, found: string): Check {
  return { what, state: 'ok', found };
}

export function warn(what: string, found: string, mend: string): Check {
  return { what, state: 'warn', found, mend };
}

export function fail(what: string, found: string, mend: string): Check {
  return { what, state: 'fail', found, mend };
}
