/** Options that several commands have, and where else their values come from. */
import type { Argv, CommandModule, Options } from 'yargs';
import { TestbedError } from '../errors.ts';

export const labOption = {
  type: 'string',
  requiresArg: true,
  describe: 'Which lab; else the only one',
} as const satisfies Options;

/** The nodes a command is about; none stands for all. */
export const nodesPositional = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'Only these nodes',
} as const satisfies Options;

export const testbedOption = {
  type: 'string',
  requiresArg: true,
  describe: 'What to build on: docker or netns; else O7S_TESTBED, else the first there is',
} as const satisfies Options;

export const setOption = {
  type: 'string',
  array: true,
  default: [] as string[],
  requiresArg: true,
  describe: 'Parameter of the topology, NAME=VALUE, of those that validate lists; more than once for several',
} as const satisfies Options;

export const yesOption = {
  alias: 'y',
  type: 'boolean',
  default: false,
  describe: 'Do not ask',
} as const satisfies Options;

export const verboseOption = {
  alias: 'v',
  type: 'boolean',
  default: false,
  describe: 'Show every step with its command',
} as const satisfies Options;

/** `-f table` and `-f json`. */
export const formatOption = {
  alias: 'f',
  choices: ['table', 'json'] as const,
  default: 'table' as const,
  describe: 'Form of the output',
} as const satisfies Options;

export const jobsOption = {
  alias: 'j',
  type: 'number',
  requiresArg: true,
  describe: 'Steps at a time that take a processor; else as many as there are',
} as const satisfies Options;

/** Parameters by name, of texts like `n=50`. */
export function parseSet(texts: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = text.slice(0, at);
    if (at < 1) {
      throw new TestbedError('EUSAGE', `--set ${JSON.stringify(text)} sets nothing`, {
        hint: 'write it like --set n=50',
      });
    }
    if (given.has(name)) throw new TestbedError('EUSAGE', `parameter ${name} is set twice`);
    given.set(name, text.slice(at + 1));
  }
  return given;
}

export function checkJobs(jobs: number | undefined): number | undefined {
  if (jobs === undefined || (Number.isInteger(jobs) && jobs >= 1 && jobs <= 1024)) return jobs;
  throw new TestbedError('EUSAGE', `--jobs ${jobs} is out of range`, { hint: 'use 1 to 1024' });
}

/** Options that no variable may set. */
const neverVariable = new Set(['help', 'version', 'all']);

/** A command whose options may come from variables too: `--lab x` as `O7S_TESTBED_LAB=x`. */
export function withVariables<T, U>(command: CommandModule<T, U>): CommandModule<T, U> {
  const { builder } = command;
  if (typeof builder !== 'function') return command;
  return {
    ...command,
    builder: (yargs: Argv<T>) => {
      const built = builder(yargs) as Argv<U>;
      const { boolean, number, array, key } = (built as unknown as WithOptions).getOptions();
      for (const name of Object.keys(key)) {
        const value = process.env[`O7S_TESTBED_${name.replaceAll('-', '_').toUpperCase()}`];
        if (value === undefined || value === '' || name.length === 1 || neverVariable.has(name)) continue;
        if (boolean.includes(name)) built.default(name, value !== '0' && value !== 'false');
        else if (number.includes(name)) built.default(name, Number(value));
        else if (array.includes(name)) built.default(name, value.split(/\s+/));
        else built.default(name, value);
      }
      return built;
    },
  };
}

interface WithOptions {
  getOptions(): {
    readonly key: Readonly<Record<string, unknown>>;
    readonly boolean: readonly string[];
    readonly number: readonly string[];
    readonly array: readonly string[];
  };
}

/** Refuses an option that was given twice and takes one value. */
export function refuseTwice(given: Readonly<Record<string, unknown>>, arrays: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Array.isArray(value) || arrays.has(name) || name === '_' || name === '--') continue;
    throw new TestbedError('EUSAGE', `--${name} is given more than once`, { hint: 'give it once' });
  }
}
