/** Runs the commands of iproute2 and util-linux. */
import { execFile } from 'node:child_process';

/** Runs a command to its end; gives its exit code and what it wrote. */
export function run(
  words: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [file = '', ...rest] = words;
  return new Promise((resolve, reject) => {
    execFile(file, rest, { signal }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error ?? new Error(`${file} was ended by a signal`));
    });
  });
}
