/** Makes `runtime/lib/pb/gen` from the `.proto` files beside it: `npm run generate`. The result is checked in. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}runtime/lib/pb`;
const left = ['create', 'verify', 'convert', 'delimited', 'typeurl', 'service'];

for (const file of readdirSync(folder).filter((each) => each.endsWith('.proto'))) {
  const name = basename(file, '.proto');
  const options = ['-t', 'static-module', '-w', 'esm', '--root', `o7s-${name}`, '--dts'];
  const without = left.map((each) => `--no-${each}`);
  const files = ['-o', `${folder}/gen/${name}.js`, `${folder}/${file}`];
  execFileSync(`${root}node_modules/.bin/pbjs`, [...options, ...without, ...files], { stdio: 'inherit' });
}
