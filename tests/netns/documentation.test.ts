/**
 * The documentation, done as it says: every command of README.md and of the pages of docs, from the first of a page to
 * its last, in an empty folder. docs/testing.md tells what the words of a fence mean.
 */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type Block, blocksOf, isFollowed, needsOf, pages } from '../support/documentation.ts';
import { Reader } from '../support/documentation-reader.ts';
import { vpnMissing } from '../support/vpn-missing.ts';

const lacks = (command: string, ...words: readonly string[]): string | undefined =>
  spawnSync(command, words).error === undefined ? undefined : `there is no ${command}`;

/** Why a block that needs this cannot run here; undefined where it can. */
const missing: Readonly<Record<string, () => string | undefined>> = {
  vpn: vpnMissing,
  openssl: () => lacks('openssl', 'version'),
  tshark: () => lacks('tshark', '--version'),
};

const followed = pages.filter(isFollowed);

test.for(followed)('%s does what it says', { timeout: 600_000 }, async (page, { skip }) => {
  for (const needs of needsOf(page)) {
    const why = missing[needs]?.();
    skip(why !== undefined, why);
  }
  await using reader = await Reader.begin();
  for (const block of blocksOf(page)) await reader.follow(block);
});

test('a page whose command fails is noticed', async () => {
  await using reader = await Reader.begin();
  const block = (text: string): Block => ({
    page: 'page.md',
    line: 1,
    language: 'sh',
    words: new Map(),
    before: '',
    text,
  });
  await reader.follow(block('npx o7s-testbed validate two-nodes.ts\n'));
  await expect(reader.follow(block('npx o7s-testbed validate none.ts\ntrue\n'))).rejects.toThrow('none.ts');
});
