/** A lab with nodes of ours and of the reference prototype, from one topology file. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cli, labInScope, type Outcome } from '../netns/cli.ts';
import { traceLab } from '../netns/traces.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import { peerPrefix } from '../support/peer.ts';
import { until } from '../support/until.ts';

const mixed = fileURLToPath(new URL('../../topologies/mixed.ts', import.meta.url));

const missing =
  peerPrefix === undefined
    ? 'O7S_PEER_PREFIX does not name an installed prototype'
    : process.getuid?.() === 0
      ? namespacesMissing()
      : 'the prototype runs as root only';

test('mixed: pings through both kinds, a killed daemon is shown and mended, down leaves nothing', async ({
  skip,
}) => {
  skip(missing !== undefined, missing);
  await using lab = labInScope();
  const run = (verb: string, ...words: string[]): Promise<Outcome> =>
    cli([verb, '--lab', lab.name, ...words]);
  // The prototype loses a few of its replies to flow requests (link-ipcps.md 9.1), so that a ping may take two tries.
  const pinged = async (from: string, name: string): Promise<void> => {
    await until(`${from} to reach ${name}`, async () => {
      const { stdout } = await run('exec', from, '--', 'oping', '-n', name, '-c', '2', '-i', '10');
      return stdout.includes('2 packets transmitted, 2 received');
    });
  };
  expect(await run('up', mixed)).toMatchObject({ code: 0 });
  await pinged('ts1', 'ping.c2');
  await pinged('c2', 'ping.ts1');

  expect(await run('exec', 'c1', '--', 'sh', '-c', 'kill -9 $(pgrep -x ipcpd-unicast)')).toMatchObject({
    code: 0,
  });
  expect((await run('inspect')).stdout).toMatch(/^c1 +running +prototype .* no IPCP net\.c1$/m);
  const mended = await run('up', mixed, '-y');
  expect(mended).toMatchObject({ code: 0 });
  expect(mended.stderr).toContain('! IPCP net.c1 on node c1 is gone; its irmd is to be started anew\n');
  await pinged('ts1', 'ping.c2');

  expect(await run('exec', 'c2', '--', 'sh', '-c', 'kill -9 $(pgrep -x irmd)')).toMatchObject({ code: 0 });
  expect((await run('inspect')).stdout).toMatch(/^c2 +lost +prototype /m);
  const left = traceLab(lab.name);
  expect(await run('down')).toMatchObject({ code: 0 });
  await expect.poll(left, { timeout: 10_000, interval: 10 }).toEqual([]);
});
