/** The programs of the documentation that need nothing but an irmd: docs/api, README.md and flow_alloc(3). */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { blocksOf, root } from '../support/documentation.ts';
import { TestNode } from '../support/node.ts';

const pages = ['flow-allocation', 'byte-stream', 'flow-management', 'synchronous', 'asynchronous'];
const condition = '--conditions=@o7s/source';

/** The first block of a language. */
function shown(page: string, language: string): string {
  const found = blocksOf(page).find((block) => block.language === language)?.text;
  if (found === undefined) throw new Error(`${page} has no block of ${language}`);
  return found;
}

test('each page of the library shows its example, which prints what the page says', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  for (const name of pages) {
    const page = `docs/api/${name}.md`;
    const file = `${root}docs/api/examples/${name}.ts`;
    expect(shown(page, 'ts'), name).toBe(readFileSync(file, 'utf8'));
    const { status, stdout, stderr } = await node.run(process.execPath, [condition, file]);
    expect({ status, stderr, stdout }, name).toEqual({ status: 0, stderr: '', stdout: shown(page, 'text') });
  }
});

test.for(['README.md', 'docs/man/flow_alloc.3.md'])('the server and the client of %s', async (page) => {
  const programs = blocksOf(page).filter(
    ({ language, text }) => language === 'ts' && /'o7s-testbed\/lib'/.test(text),
  );
  const [server, client, ...others] = programs.map(({ text }) => text);
  expect([server?.includes('acceptFlow'), client?.includes("allocFlow('echo'"), others]).toEqual([
    true,
    true,
    [],
  ]);
  // Below the package, whose name they import.
  const folder = await mkdtemp(join(root, 'tests', 'shown-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [served, asked] = [join(folder, 'server.ts'), join(folder, 'client.ts')];
  await Promise.all([writeFile(served, server ?? ''), writeFile(asked, client ?? '')]);
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  const serving = node.spawn(process.execPath, [condition, served]);
  await node.logged(`Process added: ${serving.pid} `);
  await node.manage(`bind process ${serving.pid} name echo`);
  // The second is served too: the server goes on after its first client.
  for (let run = 0; run < 2; run += 1) {
    const { status, stdout, stderr } = await node.run(process.execPath, [condition, asked]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
  }
  await serving.kill();
});
