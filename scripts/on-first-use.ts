/**
 * Node's own modules as the parts of a bundle import them: loaded when something of them is first used. A program needs few of what
 * its parts import, and cryptography or sockets alone take a tenth of Node's own start.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/** Those which Node loads for itself, and the clock, which the data path reads too often for a detour. */
const atStart = /^node:(buffer|events|fs|module|path|perf_hooks|process|timers|url|util)$/;
const namespace = 'on-first-use';

/** The names a source file imports of a module by `import { a, b as c } from`; undefined when it imports it as a whole. */
function namesImported(source: string, module: string): string[] | undefined {
  const [, names] = new RegExp(String.raw`^import \{([^}]*)\} from '${module}'`, 'm').exec(source) ?? [];
  return names
    ?.split(',')
    .map((name) => name.trim().split(' as ')[0] ?? '')
    .filter((name) => name !== '' && !name.startsWith('type '));
}

export const onFirstUse: Plugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, importer, namespace: within }) => {
      const names =
        atStart.test(path) || within !== 'file'
          ? undefined
          : namesImported(readFileSync(importer, 'utf8'), path);
      if (names === undefined) return undefined;
      return { path: `${path}:${names.join()}`, namespace, pluginData: { module: path, names } };
    });
    build.onLoad({ filter: /./, namespace }, ({ pluginData }) => {
      const { module, names } = pluginData as { module: string; names: string[] };
      const properties = names.map((name) => `get ${name}() { return load().${name}; }`);
      return {
        contents: `let loaded;
const load = () => (loaded ??= require('${module}'));
module.exports = { ${properties.join(', ')} };`,
      };
    });
  },
};
