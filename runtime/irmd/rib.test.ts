import { expect, test } from 'vitest';
import type { IpcpInfo } from '../lib/rpc/api.ts';
import { ribBelow, ribFiles, type RibMetrics } from './rib.ts';

const at = Date.UTC(2026, 10, 21, 23, 13, 43);

function info(name: string): IpcpInfo {
  return {
    pid: 7,
    hostPid: 1,
    name,
    type: 'unicast',
    layer: 'net',
    state: 'operational',
    address: '36.2c.b7.89',
    device: null,
    joined: null,
  };
}

function textOf(metrics: RibMetrics, path: string): string | undefined {
  const files = ribFiles({ at, ipcps: [{ info: info('a'), metrics }], processes: [] });
  return files.find((file) => file.path === path)?.text;
}

// Each of these is of a live run of the prototype (unicast-layer.md 11).
test('a flow of the flow allocator', () => {
  const flow = {
    eid: '17434367320800624706',
    peerEid: '3747068943798370370',
    remote: '5b.d0.54.69',
    ageMs: 0,
    sentPackets: 8,
    sentBytes: 512,
    receivedPackets: 8,
    receivedBytes: 512,
    congestion: {
      upstreamLevel: 0,
      upstreamPackets: 8,
      downstreamLevel: 0,
      downstreamPackets: 0,
      windowNs: 2_147_483_648,
      windowPackets: 3,
      windowBytes: 192,
      windowBytesMax: 8_388_608,
      regime: 'Slow start',
    },
  };
  const text = textOf({ settings: { congestion: 'mb-ecn' }, flows: [flow] }, 'a/flow-allocator/66');
  expect(text?.replaceAll(/ +/g, ' ')).toBe(
    `Flow established at: 2026-11-21 23:13:43 (UTC)
Remote address: 1767166043
Local endpoint ID: 17434367320800624706
Remote endpoint ID: 3747068943798370370
Sent (packets): 8
Sent (bytes): 512
Send failed (packets): 0
Send failed (bytes): 0
Received (packets): 8
Received (bytes): 512
Receive failed (packets): 0
Receive failed (bytes): 0
Sent flow updates (packets): 0
Received flow updates (packets): 0
Congestion avoidance algorithm: Multi-bit ECN
Upstream congestion level: 0
Upstream packet counter: 8
Downstream congestion level: 0
Downstream packet counter: 0
Congestion window size (ns): 2147483648
Packets in this window: 3
Bytes in this window: 192
Max bytes in this window: 8388608
Current congestion regime: Slow start
`,
  );
});

test('a link, with its time whole', () => {
  const link = { source: '26.5d.f8.0d', destination: '36.2c.b7.89', seqno: 1, ageMs: 6000 };
  expect(textOf({ lsdb: [link] }, 'a/lsdb/26.5d.f8.0d--36.2c.b7.89')).toBe(
    `src:          26.5d.f8.0d
dst:          36.2c.b7.89
seqno:                  1
upd: 2026-11-21 23:13:37 (UTC)
`,
  );
});

test('the directory, with own and foreign values under their right names', () => {
  const directory = {
    id: '6a979b3b3a240f93ff',
    address: '36.2c.b7.89',
    created: at / 1000,
    alpha: 3,
    k: 8,
    tExpire: 86_400,
    tRefresh: 900,
    tReplicate: 900,
    keys: 1,
    ownValues: 0,
    foreignValues: 1,
    database: [
      {
        key: '1259ece3abe1db2000',
        own: null,
        foreign: [{ address: '5b.d0.54.69', expires: at / 1000 + 60 }],
      },
    ],
  };
  expect(textOf({ directory }, 'a/dht/stats')).toContain(
    `DHT: 6a979b3b3a240f93
  Created: 2026-11-21 23:13:43 (UTC)
  Address: 36.2c.b7.89
  Kademlia parameters:
`,
  );
  expect(textOf({ directory }, 'a/dht/database')?.split('\n').slice(6)).toEqual([
    'Key: K<1259ece3abe1db20>',
    '  Local entries:',
    '',
    '  Non-local entries:',
    '    V<000000006954d05b>, t_replicated=1970-01-01 00:00:00 (UTC), t_exp=2026-11-21 23:14:43 (UTC)',
    '',
    '',
  ]);
  expect(textOf({ directory: { ...directory, database: [] } }, 'a/dht/database')).toBe('  No entries.\n');
});

test('names are no paths', () => {
  const names = ['a/b', '..', '.', 'proc.1', '100%'];
  const files = ribFiles({
    at,
    ipcps: names.map((name) => ({ info: info(name), metrics: {} })),
    processes: [],
  });
  const folders = new Set(files.map(({ path }) => path.replace(/\/.*/, '')));
  expect([...folders].toSorted()).toEqual(['%2E', '%2E.', '%70roc.1', '100%25', 'a%2Fb']);
});

test('what lies below a path', () => {
  const ipcps = ['a', 'ab'].map((name) => ({ info: info(name), metrics: {} }));
  const files = ribFiles({ at, ipcps, processes: [] });
  const below = (path: string): string[] => ribBelow(files, path).map((file) => file.path);
  expect(below('')).toHaveLength(6);
  expect(below('/a/')).toEqual(['a/info/_layer', 'a/info/_state', 'a/info/_type']);
  expect(below('./ab/info/_type')).toEqual(['ab/info/_type']);
  expect(below('a/inf')).toEqual([]);
});
