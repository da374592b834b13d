/** The tree of the RIB: over `irm rib`, and as files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { program } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

test('what irm shows, and what is in the files, which go with irmd', async () => {
  const node = TestNode.empty();
  onTestFinished(() => node[Symbol.asyncDispose]());
  const folder = `${node.directory}/rib`;
  await node.startIrmd('--rib', folder);
  await node.manage('ipcp bootstrap type unicast name a layer net autobind');
  await node.manage('ipcp enroll name b dst a');
  await node.manage('ipcp connect name b dst a');
  await node.serve('ping', '-Q');
  await node.manage('name register ping layer net');
  const client = node.spawn(program('oping'), ['-n', 'ping', '-q', 'data', '-i', '10', '-c', '100000', '-Q']);

  const list = (await node.manage('rib')).trim().split('\n');
  expect(list).toEqual(expect.arrayContaining(['a/info/_state', 'b/dht/stats', 'b/dht/database']));
  expect(await node.manage('rib a/info/_state')).toBe('operational\n');
  expect(await node.irm('rib a/nothing')).toMatchObject({ status: 1, stdout: '' });
  const rib = async (): Promise<Record<string, Record<string, unknown>>> =>
    JSON.parse(await node.manage('rib b --json')) as Record<string, Record<string, unknown>>;
  expect((await rib())['b/info/_type']).toEqual({ type: 'unicast' });
  await until('a word of the directory', async () => {
    const dt = Object.entries(await rib()).find(([path]) => /^b\/dt\..*\/64$/.test(path))?.[1];
    const { 'sent (packets)': sent = 0 } = (dt?.['Qos cube 0'] ?? {}) as Record<string, number>;
    return sent > 0;
  });

  const watch = node.spawn(program('irm'), ['rib', 'a/info/_type', 'watch']);
  await until('the second time', () => watch.stdout.startsWith('unicast\nunicast\n'));
  await watch.kill('SIGTERM');

  const frct = `${folder}/proc.${client.pid}/64/frct`;
  const estimates = (): number =>
    Number(/^Number of rtt estimates: +(\d+)$/m.exec(readFileSync(frct, 'utf8'))?.[1]);
  await until('the files', () => existsSync(frct) && estimates() > 0);
  const first = estimates();
  await until('newer ones', () => estimates() > first);
  expect(readdirSync(`${folder}/b/lsdb`)).toHaveLength(4);
  // Who cleans up takes a file that has not changed, a folder, all: they come again.
  const type = `${folder}/a/info/_type`;
  for (const gone of [type, `${folder}/a`, folder]) {
    // At once: irmd may write meanwhile.
    const taken = `${node.directory}/taken`;
    renameSync(gone, taken);
    rmSync(taken, { recursive: true });
    await until(
      `${gone} to come again`,
      () => existsSync(type) && existsSync(`${folder}/b/dht/stats`),
      30_000,
    );
  }
  await node.manage('ipcp destroy name b');
  await client.kill('SIGTERM');
  await until('what is gone to go', () => readdirSync(folder).toSorted().join(' ') === '.o7s-rib a', 30_000);
  await node.stop();
  expect(existsSync(folder)).toBe(false);
});

test('a folder with something else in it is left alone', async () => {
  const node = TestNode.empty();
  onTestFinished(() => node[Symbol.asyncDispose]());
  const folder = `${node.directory}/full`;
  mkdirSync(folder);
  writeFileSync(`${folder}/mine`, '');
  const { status, stdout } = await node.run(program('irmd'), ['--stdout', '--rib', folder]);
  expect([status, readdirSync(folder)]).toEqual([1, ['mine']]);
  expect(stdout).toContain(`Cannot write the RIB: ${folder} is not empty`);
  expect(node.files()).toEqual(['full']);
});
