import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandPages } from '../../scripts/command-pages.ts';

test('docs/commands is what the commands say of themselves: npm run generate', async () => {
  const folder = new URL('../../docs/commands/', import.meta.url);
  const written = readdirSync(folder).map(
    (file) => [file, readFileSync(new URL(file, folder), 'utf8')] as const,
  );
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(await commandPages()));
});
