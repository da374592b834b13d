/** `o7s-testbed test`: runs test files that bring labs up. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { constants } from 'node:os';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { forwardSignals } from '../interrupt.ts';

interface TestArguments {
  files: string[];
  '--'?: string[];
}

// Beside this file, compiled or not.
const register = new URL(`../register${import.meta.url.endsWith('.js') ? '.js' : '.ts'}`, import.meta.url)
  .href;

export const test: CommandModule<object, TestArguments> = {
  command: 'test [files..]',
  describe: "Run test files that bring labs up, with Node's test runner",
  builder: (yargs) =>
    yargs
      .positional('files', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Test files; else every *.test.ts of this folder',
      })
      .example('$0 test', 'all tests of this folder')
      .example('$0 test topology.test.ts -- --test-reporter=junit', 'options after -- are for Node'),
  handler: async ({ files, '--': options = [] }) => {
    const found = files.length > 0 ? files : globSync('*.test.{ts,mts,js,mjs}');
    if (found.length === 0) {
      throw new TestbedError('EUSAGE', 'there are no test files in this folder', {
        hint: 'name them, or make one: o7s-testbed init',
      });
    }
    const words = ['--import', register, '--test', ...options, ...found];
    const child = spawn(process.execPath, words, { stdio: 'inherit' });
    using _forwarding = forwardSignals((signal) => void child.kill(signal));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    process.exitCode = await promise;
  },
};
