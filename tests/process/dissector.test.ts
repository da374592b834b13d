/** The dissector for Wireshark, on frames that the prototype sent. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../support/command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lua = `${root}rumba/capture/ouroboros.lua`;
const missing = spawnSync('tshark', ['--version']).error !== undefined;

async function tshark(capture: string, ...words: string[]): Promise<string[]> {
  const file = `${root}tests/fixtures/captures/${capture}`;
  const { status, stdout, stderr } = await run('tshark', ['-X', `lua_script:${lua}`, '-r', file, ...words]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Lua') as string });
  return stdout.trim().split('\n');
}

test('is what the field tables say', async () => {
  const command = ['--conditions=@o7s/source', `${root}scripts/generate-dissector.ts`, '--check'];
  expect(await run(process.execPath, command)).toMatchObject({ status: 0, stderr: '' });
});

test.skipIf(missing)('shows eth-dix: queries, a flow and pings', async () => {
  const fields = ['o7s.dix.eid', 'o7s.dix_message.code', 'o7s.dix_message.seid', 'o7s.ping.id'];
  const words = fields.flatMap((field) => ['-e', field]);
  const lines = await tshark('eth-dix-oping.pcap', '-o', 'o7s.dix.above:oping', '-T', 'fields', ...words);
  expect(lines.slice(0, 7)).toEqual([
    '0\t2\t0\t',
    '0\t3\t0\t',
    '0\t0\t64\t',
    '0\t1\t65\t',
    '65\t\t\t0',
    '64\t\t\t0',
    '65\t\t\t1',
  ]);
});

test.skipIf(missing)('shows eth-llc and udp, and unicast layers where it is told of them', async () => {
  const codes = async (capture: string, field: string): Promise<string[]> =>
    (await tshark(capture, '-T', 'fields', '-e', field)).filter((line) => line !== '').slice(0, 4);
  expect(await codes('eth-llc-oping.pcap', 'o7s.llc_message.code')).toEqual(['2', '3', '0', '1']);
  expect(await codes('udp4-oping.pcap', 'o7s.udp_message.code')).toEqual(['1', '2']);
  const dt = await tshark(
    'unicast-ecn-ab.pcap',
    '-o',
    'o7s.dix.above:a unicast layer',
    '-Y',
    'o7s.dt',
    '-T',
    'fields',
    '-e',
    'o7s.dt.ttl',
  );
  expect(dt.length).toBeGreaterThan(10);
});
