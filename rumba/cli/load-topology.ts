/** Runs a topology file and takes what it exports. */
import { statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withFolders } from '../configuration.ts';
import { TestbedError } from '../errors.ts';
import { type Parameter, withParameters } from '../model/parameters.ts';
import { isTopology, type Topology } from '../model/topology.ts';
import { isStoryboard, type Storyboard } from '../storyboard/story.ts';
import { withOnly } from '../model/subset.ts';
import { failure } from './failure.ts';
import { ownFolders, registerModuleHooks } from './module-hooks.ts';

export interface LoadOptions {
  /** Parameters by name. */
  set?: ReadonlyMap<string, string>;
  /** The nodes that are wanted, by name; all when absent. */
  only?: readonly string[] | undefined;
}

export interface Loaded {
  readonly topology: Topology;
  /** The parameters the file declares, with their values. */
  readonly parameters: readonly Parameter[];
}

/**
 * The topology a file exports by default. Throws ETOPOLOGY with the place, for anything that is wrong
 * with the file.
 */
export async function loadTopology(
  file: string,
  { set = new Map(), only }: LoadOptions = {},
): Promise<Loaded> {
  const path = resolve(file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new TestbedError('ETOPOLOGY', `there is no file ${file}`, {
      hint: 'name the topology: o7s-testbed up FILE',
    });
  }
  const { result, parameters } = await withParameters(set, () => withOnly(only, () => load(file, path)));
  if (!isTopology(result)) {
    throw new TestbedError('ETOPOLOGY', `the default export of ${file} is not a topology`, {
      hint: isStoryboard(result)
        ? `it is a storyboard: o7s-testbed run ${file}`
        : "make it with topology({ ... }) from 'o7s-testbed'",
    });
  }
  try {
    return { topology: withFolders(result, dirname(path)), parameters };
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new TestbedError(error.code, `${file}: ${error.message}`, { cause: error, ...hint });
  }
}

/** The storyboard a file exports by default, with its parameters; as `loadTopology`. */
export async function loadStoryboard(
  file: string,
  { set = new Map() }: LoadOptions = {},
): Promise<{ board: Storyboard; parameters: readonly Parameter[] }> {
  const path = resolve(file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new TestbedError('ETOPOLOGY', `there is no file ${file}`, {
      hint: 'name the storyboard: o7s-testbed run FILE',
    });
  }
  const { result, parameters } = await withParameters(set, () => load(file, path));
  if (!isStoryboard(result)) {
    throw new TestbedError('ETOPOLOGY', `the default export of ${file} is not a storyboard`, {
      hint: "make it with storyboard({ topology, duration }, (story) => { ... }) from 'o7s-testbed'",
    });
  }
  return { board: { ...result, topology: withFolders(result.topology, dirname(path)) }, parameters };
}

async function load(file: string, path: string): Promise<unknown> {
  const url = pathToFileURL(path).href;
  const hooks = registerModuleHooks(url);
  let exported: { default?: unknown };
  try {
    using end = untimelyEnd(file, path);
    exported = (await Promise.race([import(url), end.stalled])) as typeof exported;
  } catch (error) {
    throw located(error, file, path);
  } finally {
    hooks.deregister();
  }
  if (!('default' in exported)) {
    throw new TestbedError('ETOPOLOGY', `${file} has no default export`, {
      hint: 'end it with: export default topology({ ... })',
    });
  }
  return exported.default;
}

/**
 * Watches for an end of the process while a file is loaded: `stalled` rejects when nothing is left that the
 * file could be waiting for, and a call of process.exit becomes an error too.
 */
function untimelyEnd(file: string, path: string): { stalled: Promise<never> } & Disposable {
  const { promise, reject } = Promise.withResolvers<never>();
  const onDrain = (): void => {
    reject(
      new TestbedError('ETOPOLOGY', 'a top-level await never ends: nothing is left that it could wait for'),
    );
  };
  // Nothing can stop it any more, but whoever called it is still on the stack.
  const onExit = (): void => {
    const error = new TestbedError('ETOPOLOGY', 'process.exit was called', {
      hint: 'a topology file ends by itself, with: export default topology({ ... })',
    });
    const { text, exitCode } = failure(located(error, file, path));
    process.stderr.write(`o7s-testbed: ${text}\n`);
    process.exitCode = exitCode;
  };
  process.once('beforeExit', onDrain);
  process.once('exit', onExit);
  return {
    stalled: promise,
    [Symbol.dispose]: () => {
      process.off('beforeExit', onDrain);
      process.off('exit', onExit);
    },
  };
}

/** The error with the place in front: the line of the topology, or of a file it imports, that caused it. */
function located(error: unknown, file: string, path: string): TestbedError {
  // What is set or asked for from outside has no place in the file.
  if (error instanceof TestbedError && (error.code === 'EUSAGE' || error.message.startsWith(file)))
    return error;
  const place = placeOf(error instanceof Error ? (error.stack ?? '') : '');
  const where = place === undefined || place.path === path ? file : relative(process.cwd(), place.path);
  const line = place === undefined ? '' : `:${place.line}`;
  const text = error instanceof Error ? firstLine(error.message) : String(error);
  if (error instanceof TestbedError) {
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return new TestbedError(error.code, `${where}${line}: ${text}`, { cause: error, ...hint });
  }
  const kind =
    error instanceof Error && !('code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
      ? `${error.name}: `
      : '';
  return new TestbedError('ETOPOLOGY', `${where}${line}: ${kind}${text}`, { cause: error });
}

/** The first place in a stack that is not in this package. A syntax error has it alone on the first line. */
function placeOf(stack: string): { path: string; line: number } | undefined {
  const head = /^(file:\/\/)?(\/.*):(\d+)$/.exec(stack.split('\n', 1)[0] ?? '');
  const frames = stack.matchAll(/(file:\/\/)(\/.*?):(\d+):\d+/g);
  for (const [, scheme, path = '', line] of head === null ? frames : [head, ...frames]) {
    const plain = scheme === undefined ? path : fileURLToPath(`file://${path}`);
    if (!ownFolders.some((folder) => plain.startsWith(folder))) return { path: plain, line: Number(line) };
  }
  return undefined;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
