/** Runtimes of others: any that has an `irmd` and an `irm`, such as the C prototype. */
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';
import { checkName } from './names.ts';

/** A value that comes from a variable of the environment, with the variable's name for whoever has to set it. */
export interface FromEnvironment {
  readonly variable: string;
  readonly value: string | undefined;
}

/** Another implementation of Ouroboros, which nodes run in place of ours. */
export interface Runtime {
  readonly kind: 'runtime';
  readonly name: string;
  /** The folder it was installed to, that of its `bin`, `sbin` and `lib`; for nodes of the netns testbed. */
  readonly prefix: string | undefined;
  /** The image that has it; for nodes of the docker testbed. */
  readonly image: string | undefined;
  /** The folder in which its irmd looks for its configuration. */
  readonly config: string;
  /** What to set where prefix or image is missing. */
  readonly variables: { readonly prefix?: string; readonly image?: string };
}

export interface RuntimeOptions {
  prefix?: string | FromEnvironment;
  image?: string | FromEnvironment;
  /** The folder in which its irmd looks for its configuration, below /etc; `/etc/ouroboros` by default. */
  config?: string;
}

/**
 * A runtime for `node('c', { runtime: ... })`. Its nodes are managed with its own `irm`. On the netns testbed it needs
 * a prefix, on docker an image; what comes from the environment is named when it is missing.
 */
export function runtime(name: string, options: RuntimeOptions): Runtime {
  checkName('runtime', name);
  checkKeys(options, { prefix: true, image: true, config: true }, `runtime ${name}`);
  const prefix = given(options.prefix);
  const image = given(options.image);
  const variables = {
    ...(typeof options.prefix === 'object' ? { prefix: options.prefix.variable } : {}),
    ...(typeof options.image === 'object' ? { image: options.image.variable } : {}),
  };
  if (prefix === undefined && image === undefined) {
    const hints = [
      `${variables.prefix ?? 'prefix'} to the folder it was installed to`,
      `${variables.image ?? 'image'} to an image that has it`,
    ];
    throw new TestbedError('ETOPOLOGY', `runtime ${name} has neither a prefix nor an image`, {
      hint: `set ${hints.join(', or ')}`,
    });
  }
  if (prefix !== undefined && !prefix.startsWith('/')) {
    throw new TestbedError(
      'ETOPOLOGY',
      `the prefix ${JSON.stringify(prefix)} of runtime ${name} is relative`,
      {
        hint: 'write it as an absolute path',
      },
    );
  }
  // What a node has to itself would hide it there.
  const hidden = ['/run', '/tmp', '/dev', '/proc', '/sys'].find((place) => isBelow(prefix, place));
  if (hidden !== undefined) {
    throw new TestbedError('ETOPOLOGY', `the prefix ${prefix} of runtime ${name} lies below ${hidden}`, {
      hint: 'install it elsewhere: each node has that folder to itself',
    });
  }
  const { config = '/etc/ouroboros' } = options;
  if (typeof config !== 'string' || !/^\/etc(\/[\w.-]+)+$/.test(config) || config.includes('..')) {
    throw new TestbedError('ETOPOLOGY', `config of runtime ${name} is ${JSON.stringify(config)}`, {
      hint: 'write the absolute path of a folder below /etc',
    });
  }
  return { kind: 'runtime', name, prefix: prefix?.replace(/\/+$/, ''), image, config, variables };
}

function given(value: string | FromEnvironment | undefined): string | undefined {
  return (typeof value === 'object' ? value.value : value) || undefined;
}

function isBelow(path: string | undefined, folder: string): boolean {
  return path !== undefined && (path === folder || path.startsWith(`${folder}/`));
}
