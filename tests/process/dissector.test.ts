/** The dissector for Wireshark, on frames that the prototype sent, and that our nodes sent. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../support/command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lua = `${root}rumba/capture/ouroboros.lua`;
const missing = spawnSync('tshark', ['--version']).error !== undefined;

async function tshark(capture: string, ...words: string[]): Promise<string[]> {
  const file = `${root}tests/fixtures/${capture}`;
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
  const lines = await tshark(
    'captures/eth-dix-oping.pcap',
    '-o',
    'o7s.dix.above:oping',
    '-T',
    'fields',
    ...words,
  );
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
  expect(await codes('captures/eth-llc-oping.pcap', 'o7s.llc_message.code')).toEqual(['2', '3', '0', '1']);
  expect(await codes('captures/udp4-oping.pcap', 'o7s.udp_message.code')).toEqual(['1', '2']);
  const dt = await tshark(
    'captures/unicast-ecn-ab.pcap',
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

test.skipIf(missing)('shows what our own unicast layer over eth-dix sends for three pings', async () => {
  const fields = ['o7s.dt.destination', 'o7s.dt.ttl', 'o7s.dt.eid'].flatMap((field) => ['-e', field]);
  const words = ['-o', 'o7s.dix.above:a unicast layer', '-Y', 'o7s.dt', '-T', 'fields'];
  const packets = (await tshark('own-captures/unicast-oping.pcap', ...words, ...fields)).map((line) =>
    line.split('\t'),
  );
  // The request for a flow and its reply to EID 0, pings both ways, and the release; to two members.
  expect(new Set(packets.map(([destination]) => destination)).size).toBe(2);
  expect(new Set(packets.map(([, ttl]) => ttl))).toEqual(new Set(['60']));
  const eids = packets.map(([, , eid]) => eid);
  expect(eids.at(0)).toBe('0');
  expect(new Set(eids).size).toBe(3);
  expect(eids.filter((eid) => eid !== '0')).toHaveLength(6);
});
