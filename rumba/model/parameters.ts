/** Parameters of a topology file: what `--set n=50` sets. */
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';

export type ParameterValue = number | string | boolean;

export interface ParameterOptions {
  /** Its value where none is set; the type of a parameter is that of its default. */
  readonly default: ParameterValue;
  /** What it is, in a few words. */
  readonly describe?: string;
  /** Bounds of a number. */
  readonly min?: number;
  readonly max?: number;
  /** Whether a number has to be whole; it has, by default, where its default is. */
  readonly integer?: boolean;
  /** The values it may have: any, by default. */
  readonly choices?: readonly ParameterValue[];
}

/** A parameter as it was declared, and the value it has. */
export interface Parameter extends ParameterOptions {
  readonly name: string;
  readonly value: ParameterValue;
}

type Declared = Readonly<Record<string, ParameterValue | ParameterOptions>>;

type Widened<T> = T extends number ? number : T extends string ? string : T extends boolean ? boolean : T;

/** The values of declared parameters. */
export type Parameters<D extends Declared> = {
  readonly [Name in keyof D]: D[Name] extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : D[Name] extends { readonly default: infer Value }
      ? Widened<Value>
      : Widened<D[Name]>;
};

/** What is set, and what a file that is being loaded has declared so far. */
interface Setting {
  readonly given: ReadonlyMap<string, string>;
  readonly declared: Map<string, Parameter>;
}

// A file may import another copy of this package than the one that loads it; both know this symbol.
const place = Symbol.for('o7s-testbed.parameters');
const store = globalThis as { [place]?: Setting | undefined };

const optionKeys = {
  default: true,
  describe: true,
  min: true,
  max: true,
  integer: true,
  choices: true,
} as const;

/**
 * Declares what can be set from outside and gives the values: `const { n } = parameters({ n: { default: 3, min: 2 } })`,
 * or shorter `parameters({ n: 3 })`. Throws ETOPOLOGY for a value that is not of the parameter's type or bounds.
 */
export function parameters<const D extends Declared>(declared: D): Parameters<D> {
  const { given, declared: known } = store[place] ?? {
    given: new Map<string, string>(),
    declared: new Map(),
  };
  const entries = Object.entries(declared as Declared).map(([name, definition]) => {
    if (!/^[A-Za-z][\w-]*$/.test(name)) {
      throw new TestbedError('ETOPOLOGY', `the parameter name ${JSON.stringify(name)} is none`, {
        hint: 'begin it with a letter; letters, digits, "_" and "-" may follow',
      });
    }
    const options = typeof definition === 'object' ? definition : { default: definition };
    checkKeys<object>(options, optionKeys, `parameter ${name}`);
    checkValue(name, options, options.default);
    const text = given.get(name);
    const value = text === undefined ? options.default : parse(name, options, text);
    const parameter = { name, value, ...options };
    const other = known.get(name);
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(parameter)) {
      throw new TestbedError('ETOPOLOGY', `two parameters are named ${name}`, {
        hint: 'give each its own name',
      });
    }
    known.set(name, parameter);
    return [name, value];
  });
  return Object.fromEntries(entries) as Parameters<D>;
}

/**
 * Does something, such as loading a topology file, with parameters set; gives its result and all that were declared.
 * Throws EUSAGE where one was set that nothing declared.
 */
export async function withParameters<T>(
  given: ReadonlyMap<string, string>,
  use: () => Promise<T>,
): Promise<{ result: T; parameters: readonly Parameter[] }> {
  const setting: Setting = { given, declared: new Map() };
  const outer = store[place];
  store[place] = setting;
  try {
    const result = await use();
    const names = [...setting.declared.keys()];
    const unknown = [...given.keys()].find((name) => !setting.declared.has(name));
    if (unknown !== undefined) {
      throw new TestbedError('EUSAGE', `the topology has no parameter ${JSON.stringify(unknown)}`, {
        hint: names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`,
      });
    }
    return { result, parameters: [...setting.declared.values()] };
  } finally {
    store[place] = outer;
  }
}

function parse(name: string, options: ParameterOptions, text: string): ParameterValue {
  const refuse = (expected: string): TestbedError =>
    new TestbedError('EUSAGE', `parameter ${name} is set to ${JSON.stringify(text)}`, {
      hint: `use ${expected}`,
    });
  let value: ParameterValue = text;
  if (typeof options.default === 'number') {
    if (!/^-?(\d+(\.\d*)?|\.\d+|0x[\da-f]+)(e[+-]?\d+)?$/i.test(text.trim())) throw refuse('a number');
    value = Number(text);
  } else if (typeof options.default === 'boolean') {
    if (text !== 'true' && text !== 'false') throw refuse('true or false');
    value = text === 'true';
  }
  checkValue(name, options, value);
  return value;
}

function checkValue(name: string, options: ParameterOptions, value: ParameterValue): void {
  const { min = -Infinity, max = Infinity, choices } = options;
  const refuse = (hint: string): TestbedError =>
    new TestbedError('EUSAGE', `parameter ${name} is ${JSON.stringify(value)}`, { hint });
  if (typeof value !== typeof options.default || !['number', 'string', 'boolean'].includes(typeof value)) {
    throw refuse('a default is a number, a text, true or false');
  }
  if (choices !== undefined && !choices.includes(value)) throw refuse(`use one of ${choices.join(', ')}`);
  if (typeof value !== 'number') return;
  const integer = options.integer ?? Number.isInteger(options.default);
  if (!Number.isFinite(value) || (integer && !Number.isInteger(value))) throw refuse('use a whole number');
  if (value < min) throw refuse(`${min} is the least`);
  if (value > max) throw refuse(`${max} is the most`);
}
