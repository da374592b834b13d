/** The examples of docs/api: each page shows the program that is run here, and what it prints. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { TestNode } from '../support/node.ts';

const folder = fileURLToPath(new URL('../../docs/api/', import.meta.url));
const pages = ['flow-allocation', 'byte-stream', 'flow-management', 'synchronous', 'asynchronous'];

function block(page: string, language: string): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no block of ${language}`);
  return found;
}

test('each page shows its example, which prints what the page says', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  for (const name of pages) {
    const page = readFileSync(`${folder}${name}.md`, 'utf8');
    const file = `${folder}examples/${name}.ts`;
    expect(block(page, 'ts'), name).toBe(readFileSync(file, 'utf8'));
    const { status, stdout, stderr } = await node.run(process.execPath, ['--conditions=@o7s/source', file]);
    expect({ status, stderr, stdout }, name).toEqual({ status: 0, stderr: '', stdout: block(page, 'text') });
  }
});
