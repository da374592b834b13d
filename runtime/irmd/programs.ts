/** The programs that irmd starts itself. Edge: they are its children. Source: irmd-and-irm.md 6. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ProgramStarter } from './flows.ts';

/** How long a program may take to end after it was told to, in ms. */
const endMs = 5000;
/** What is passed on: where programs and this irmd are found. */
const variables = ['PATH', 'O7S_RUN_DIR', 'O7S_CONFIG_DIR'] as const;

export class Programs implements ProgramStarter {
  readonly uid: number;
  readonly #output: number;
  readonly #running = new Set<ChildProcess>();

  /** @param output the descriptor that takes what programs print. */
  constructor(uid: number, output: number) {
    this.uid = uid;
    this.#output = output;
  }

  start(path: string, args: readonly string[], onEnd: () => void): number | undefined {
    const env = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
    const child = spawn(path, args, { env, stdio: ['ignore', this.#output, 2] });
    const { pid } = child;
    // The caller learns of it from the missing pid.
    child.once('error', () => {});
    if (pid === undefined) return undefined;
    this.#running.add(child);
    child.once('exit', () => {
      this.#running.delete(child);
      onEnd();
    });
    return pid;
  }

  /** Ends all that run and waits until they are gone. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async (child) => {
        const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
        child.kill('SIGTERM');
        await once(child, 'exit');
        clearTimeout(timer);
      }),
    );
  }
}
