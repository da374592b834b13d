/** Runs the commands of iproute2 and util-linux. */
import { execFile } from 'node:child_process';

/** Runs a command to its end; gives its exit code and what it complained of. */
export function run(
  words: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number; stderr: string }> {
  const [file = '', ...rest] = words;
  return new Promise((resolve, reject) => {
    execFile(file, rest, { signal }, (error, _stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stderr });
      else reject(error ?? new Error(`${file} was ended by a signal`));
    });
  });
}
