/** How an error is shown, and which exit code it gives. The one place that decides either. */
import { O7sError } from '../../runtime/lib/index.ts';
import { isDiskFull, TestbedError, type TestbedErrorCode } from '../errors.ts';
import { Interrupted } from './interrupt.ts';

const exitCodes: Record<TestbedErrorCode, number> = {
  EFAILED: 1,
  EUSAGE: 2,
  ETOPOLOGY: 2,
  EENVIRONMENT: 3,
  ETIMEDOUT: 5,
};

/** A message of yargs as an error of ours: one line, where it wrote a heading and a line for each fault. */
export function usageError(message: string): TestbedError {
  const text = message
    .trim()
    .replaceAll(/:\s*\n\s*/g, ': ')
    .replaceAll(/\s*\n\s*/g, '; ');
  return new TestbedError('EUSAGE', text.charAt(0).toLowerCase() + text.slice(1), {
    hint: 'see: o7s-testbed --help',
  });
}

/** One line for an error that a user can meet, with what shows more of it; the whole stack for one that is a fault of ours. */
export function failure(error: unknown): { text: string; details: readonly string[]; exitCode: number } {
  if (error instanceof SuppressedError) {
    const [first, second] = [failure(error.suppressed), failure(error.error)];
    return { ...first, details: [...first.details, `and then: ${second.text}`, ...second.details] };
  }
  if (error instanceof Interrupted) return { text: error.message, details: [], exitCode: error.exitCode };
  if (error instanceof TestbedError || error instanceof O7sError) {
    const text = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
    const isOwn = error instanceof TestbedError;
    return { text, details: isOwn ? error.details : [], exitCode: isOwn ? exitCodes[error.code] : 1 };
  }
  const full = fullDisk(error);
  if (full !== undefined) return { ...full, details: [], exitCode: 3 };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `a fault of o7s-testbed itself, please report it: ${stack}`, details: [], exitCode: 1 };
}

function fullDisk(error: unknown): { text: string } | undefined {
  if (!isDiskFull(error)) return undefined;
  const { path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : ` at ${path}`;
  return { text: `the disk is full${where}; free some space and try again: df -h shows where` };
}
