/** Where this installation keeps what it starts. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestbedError } from './errors.ts';

// Compiled, this file is dist/rumba/installation.js; in the checkout, rumba/installation.ts.
const compiled = import.meta.url.endsWith('.js');

/** Absolute path of the package, with a slash at the end. */
export const packageRoot = fileURLToPath(new URL(compiled ? '../../' : '../', import.meta.url));

const manifest = JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string };
export const packageVersion = manifest.version;

/** The folder of irmd, ipcpd, irm and the tools; first in the PATH of every node. */
export const binDirectory = `${packageRoot}dist/bin`;

/** Throws EENVIRONMENT where there is nothing that nodes could run. */
export function checkBuilt(): void {
  if (existsSync(`${binDirectory}/irmd`)) return;
  throw new TestbedError('EENVIRONMENT', `${binDirectory}/irmd is missing`, {
    hint: `run: npm --prefix ${packageRoot} run build`,
  });
}

/** What the live view runs from. */
export const viewBundle = `${packageRoot}dist/view/main.mjs`;

/** The program that carries frames of links that are impaired. */
export const wireBundle = `${packageRoot}dist/bundle/wire.cjs`;

/** The program that captures frames at an interface. */
export const captureBundle = `${packageRoot}dist/bundle/capture.cjs`;

/** The dissector for Wireshark. */
export const dissectorFile = `${packageRoot}rumba/capture/ouroboros.lua`;

/** What the imports `o7s-testbed` and `o7s-testbed/lib` of a topology file mean, as file URLs. */
export const entryPoints: ReadonlyMap<string, string> = new Map([
  ['o7s-testbed', new URL(compiled ? './index.js' : './index.ts', import.meta.url).href],
  [
    'o7s-testbed/lib',
    new URL(compiled ? '../runtime/lib/index.js' : '../runtime/lib/index.ts', import.meta.url).href,
  ],
]);
