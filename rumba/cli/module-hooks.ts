/** Lets files of users import this installation by its name, wherever they lie. */
import { readFileSync } from 'node:fs';
import { type ModuleHooks, registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { entryPoints, packageRoot } from '../installation.ts';

/** Folders of this package that hold no files of users. */
export const ownFolders: readonly string[] = ['bin', 'dist', 'node_modules', 'rumba', 'runtime'].map(
  (name) => `${packageRoot}${name}/`,
);

/** `main` is the URL of a file that is TypeScript whatever its ending. */
export function registerModuleHooks(main?: string): ModuleHooks {
  return registerHooks({
    resolve(specifier, context, next) {
      const own = entryPoints.get(specifier);
      if (own !== undefined) return { url: own, shortCircuit: true };
      const found = next(specifier, context);
      return isTypeScript(found.url) || found.url === main
        ? { ...found, format: 'module-typescript' }
        : found;
    },
    load(module, context, next) {
      // Node itself declines to strip types below node_modules, where our examples lie when installed.
      if (!isTypeScript(module) || !module.includes('/node_modules/')) return next(module, context);
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(module), 'utf8'));
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

// The user's own files; those of this package load as they always do.
function isTypeScript(url: string): boolean {
  if (!/^file:.*\.m?ts$/.test(url)) return false;
  const path = fileURLToPath(url);
  return (
    path.startsWith(`${packageRoot}topologies/`) || !ownFolders.some((folder) => path.startsWith(folder))
  );
}
