/** The texts and exit statuses of irmd-and-irm.md 11 that need no irmd: usage, and what is refused before one is asked. */
import { describe, expect, test } from 'vitest';
import { O7sError } from '../../lib/index.ts';
import { candidates } from './completion.ts';
import { alone, groups, run, takeJson } from './irm.ts';

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line where no irmd answers. */
async function irm(line: string | readonly string[]): Promise<Outcome> {
  const { json, words } = takeJson(typeof line === 'string' ? line.split(' ').filter(Boolean) : line);
  let [stdout, stderr] = ['', ''];
  const complain = (text: string): void => void (stderr += text);
  const status = await run(
    words,
    {
      json,
      out: (text) => (stdout += text),
      explain: (error) => complain(`irm: ${error.message}\n`),
      note: (text) => complain(`irm: ${text}\n`),
      result: (value) => (stdout += JSON.stringify(value)),
      irmd: () => Promise.reject(new O7sError('EIRMD', 'no irmd answers')),
    },
    complain,
  );
  return { status, stdout, stderr };
}

const usage = /^Usage: irm /;

test.each([
  ['', /^Usage: irm \[/, 255],
  ['help', usage, 0],
  ['h', usage, 0],
  ['ipcp', /^Usage: irm ipcp \[/, 1],
  ['bind', /^Usage: irm bind \[/, 1],
  ['unbind', /^Usage: irm unbind \[/, 1],
  ['name', /^Usage: irm name \[/, 1],
  ['i h', /^Usage: irm ipcp \[/, 0],
  ['b h', /^Usage: irm bind \[/, 0],
  ['u h', /^Usage: irm unbind \[/, 0],
  ['n h', /^Usage: irm name \[/, 0],
  ['help ipcp', /^Usage: irm ipcp \[/, 0],
  ['h i b', /^Usage: irm ipcp bootstrap/, 0],
  ['help name create', /^Usage: irm name create/, 0],
  ['help bootstrap', /^Usage: irm ipcp bootstrap/, 0],
  ['help log-level', /^Usage: irm log-level/, 0],
  ['log-level help', /^Usage: irm log-level/, 0],
  ['completion', /^Usage: irm completion/, 1],
  ['completion help', /^Usage: irm completion/, 0],
] as const)('irm %s: usage', async (words, text, status) => {
  const result = await irm(words);
  expect(result).toMatchObject({ status, stderr: '' });
  expect(result.stdout).toMatch(text);
});

test('help behind each command whose first word is a keyword, and before every one', async () => {
  for (const [group, { commands }] of Object.entries(groups)) {
    for (const [word, command] of Object.entries(commands)) {
      const told = { status: 0, stdout: command.usage, stderr: '' };
      expect(command.usage).toMatch(new RegExp(`^Usage: irm ${group} ${word}\n`));
      expect(await irm(`help ${group} ${word}`)).toEqual(told);
      if (command.first === undefined) expect(await irm(`${group} ${word} help`)).toEqual(told);
    }
  }
});

test.each([
  ['foo', '"foo" is unknown, try "irm help".\n'],
  ['--help', '"--help" is unknown, try "irm help".\n'],
  ['help foo', '"foo" is unknown, try "irm help".\n'],
  ['ipcp foo', '"foo" is unknown, try "irm ipcp help".\n'],
  ['bind foo', '"foo" is unknown, try "irm bind help".\n'],
  ['unbind foo', '"foo" is unknown, try "irm unbind help".\n'],
  ['name foo', '"foo" is unknown, try "irm ipcp help".\n'],
  // Only a whole word may stand without its group.
  ['boot n x l y', '"boot" is unknown, try "irm help".\n'],
  ['log EE', '"log" is unknown, try "irm help".\n'],
])('irm %s: unknown', async (words, stderr) => {
  expect(await irm(words)).toEqual({ status: 1, stdout: '', stderr });
});

const noDaemon = 'Failed to communicate with the Ouroboros IPC Resource Manager daemon.\n';
test.each([
  ['ipcp list', noDaemon],
  ['list', noDaemon],
  ['name create x', noDaemon],
  ['name destroy x', noDaemon],
  ['name list', noDaemon],
  ['bind program sh name x', noDaemon],
  [`bind process ${process.pid} name x`, noDaemon],
  ['unbind program sh name x', noDaemon],
  [`unbind process ${process.pid} name x`, noDaemon],
  ['log-level', noDaemon],
  ['name register x layer y', 'Failed to list IPCPs.\n'],
  ['reg name x layer y', 'Failed to list IPCPs.\n'],
  ['reg x layer y', 'Failed to list IPCPs.\n'],
  ['ipcp create name x type local', ''],
  ['create name x type local', ''],
  ['ipcp destroy name x', ''],
  ['ipcp bootstrap name x layer y type local', ''],
  ['bootstrap type eth-llc name x layer y if lo', ''],
  ['ipcp enroll name x layer y', ''],
  ['ipcp connect name x dst y', ''],
  ['ipcp disconnect name x dst y', ''],
  ['name unregister x layer y', ''],
  ['ipcp bootstrap name x layer y', 'No IPCPs matching x found.\n\n'],
])('irm %s without an irmd', async (words, stdout) => {
  expect(await irm(words)).toMatchObject({ status: 1, stdout });
});

test.each(['bind ipcp x name y', 'unbind ipcp x name y'])('irm %s is fine without an irmd', async (words) => {
  expect(await irm(words)).toMatchObject({ status: 0, stdout: '' });
});

const x256 = 'x'.repeat(256);
test.each([
  ['i c name x', usage],
  ['i c type local', usage],
  ['i c name x type', usage],
  ['i c name x type foo', /^IPCP type "foo" is unknown\.\nUsage: /],
  ['i c name x type loc', /^IPCP type "loc" is unknown\.\nUsage: /],
  ['i c foo x', /^"foo" is unknown, try "irm ipcp create"\.\n$/],
  ['i d', usage],
  ['i d foo x', /^"foo" is unknown, try "irm ipcp destroy"\.\n$/],
  ['i l type foo', usage],
  ['i l foo x', /^"foo" is unknown, try "irm ipcp list"\.\n$/],
  ['i e n x', usage],
  ['i e n x foo y', /^"foo" is unknown, try "irm enroll_ipcp"\.\n$/],
  ['i co n x', usage],
  ['i co n x foo y', /^"foo" is unknown, try "irm ipcp connect"\.\n$/],
  ['i di n x', usage],
  ['i di n x foo y', /^"foo" is unknown, try "irm ipcp connect"\.\n$/],
  ['i co n x d y q fast', /^Unknown QoS cube, defaulting to raw\.\n$/],
  ['i b n x', usage],
  ['i b l x', usage],
  ['i b n x l y t foo', usage],
  ['i b n x l y foo z', /^Unknown option: "foo"\.\n$/],
  ['i b foo bar', /^Unknown option: "foo"\.\n$/],
  ['i b n x l y t local hash MD5', /^Unknown parameter for hash: "MD5"\.\n$/],
  ['i b n x l y t local h MD5', /^Unknown parameter for h: "MD5"\.\n$/],
  ['i b n x l y t unicast routing rip', /^Unknown parameter for routing: "rip"\.\n$/],
  ['i b n x l y t unicast cong tcp', /^Unknown parameter for cong: "tcp"\.\n$/],
  ['i b n x l y t unicast addr_auth round', /^Unknown parameter for addr_auth: "round"\.\n$/],
  ['i b n x l y t unicast directory DNS', /^Unknown parameter for directory: "DNS"\.\n$/],
  ['i b n x l y t unicast fd 3', /^Unknown parameter for fd: "3"\.\n$/],
  ['i b n x l y t unicast addr 8', /^Cannot use 8 byte addresses: the flat policy mandates 4 bytes\.\n$/],
  [
    'i b n x l y t eth-dix dev lo eth 05ff',
    /^Invalid Ethertype: "05ff"\.\nRecommended range: 0xA000-0xEFFF\.\n$/,
  ],
  ['i b n x l y t eth-dix dev lo eth ffff', /^Invalid Ethertype: "ffff"\./],
  ['i b n x l y t eth-dix dev lo eth zz', /^Invalid Ethertype: "zz"\./],
  ['i b n x l y t eth-dix dev lo eth a0000', /^Invalid Ethertype: "a0000"\./],
  ['i b n x l y t eth-llc dev', usage],
  ['i b n x l y t local hash', usage],
  ['i b n x l y t eth-dix dev lo hash SHA3_257', /^Unknown parameter for hash: "SHA3_257"\.\n$/],
  ['i b n x l y t eth-llc dev lo hash sha3_256', /^Unknown parameter for hash: "sha3_256"\.\n$/],
  ['i b n x l y t eth-dix dev lo eth', usage],
  ['i b n x l y t udp4 ip', usage],
  ['i b n x l y t udp4 ip fd00::1', /^Invalid IPv4 address: "fd00::1"\.\nUsage: /],
  ['i b n x l y t udp4 ip 10.0.0.256', /^Invalid IPv4 address: "10\.0\.0\.256"\.\nUsage: /],
  ['i b n x l y t udp4 ip 0.0.0.0', /^Cannot use IPv4 address: "0\.0\.0\.0"\.\nUsage: /],
  ['i b n x l y t udp4 ip 10.0.0.1 d fd00::53', /^Invalid DNS IPv4 address: "fd00::53"\.\nUsage: /],
  ['i b n x l y t udp6 ip 10.0.0.1', /^Invalid IPv6 address: "10\.0\.0\.1"\.\nUsage: /],
  ['i b n x l y t udp6 ip ::', /^Cannot use IPv6 address: "::"\.\nUsage: /],
  ['i b n x l y t udp6 ip fd00::1 dns ns', /^Invalid DNS IPv6 address: "ns"\.\nUsage: /],
  ['i b n x l y t udp ip foo', /^Invalid IPv4 address: "foo"\.\nUsage: /],
  ['i b n x l y t ud ip 0.0.0.0', /^Cannot use IPv4 address: "0\.0\.0\.0"\.\nUsage: /],
  ['i b n x l y t udp ip ::', /^Cannot use IPv6 address: "::"\.\nUsage: /],
  ['i b n x l y t udp ip fd00::1 dns 10.0.0.1', /^Invalid DNS IPv6 address: "10\.0\.0\.1"\.\nUsage: /],
  ['i b n x l y t udp4 ip 10.0.0.1 port 0', /^Invalid port: "0"\.\n$/],
  ['i b n x l y t udp4 ip 10.0.0.1 p 65536', /^Invalid port: "65536"\.\n$/],
  ['i b n x l y t udp4 ip 10.0.0.1 port 1e3', /^Invalid port: "1e3"\.\n$/],
  ['i b n x l y t udp4 ip 10.0.0.1 port', usage],
  [`i b n x t local l ${x256}`, /^Layer name too long\.\n\nUsage: /],
  ['n c', usage],
  ['n c x lb foo', usage],
  ['n c x lb', usage],
  ['n c x foo y', /^"foo" is unknown, try "irm name create"\.\n$/],
  ['n c x scrtpath /nosuch', /^Failed to check path \/nosuch: No such file or directory\n\.Usage: /],
  [`n c x scrtpath /${'x'.repeat(600)}`, /^File path too long: /],
  ['n d', usage],
  ['n d x y', /^"y" is unknown, try "irm name destroy"\.\n$/],
  ['n r', usage],
  ['n r x', usage],
  ['n r x layer', usage],
  ['n r x foo y', /^"foo" is unknown, try "irm name register"\.\n$/],
  ['n u x', usage],
  ['n u x foo y', /^"foo" is unknown, try "irm unregister"\.\n$/],
  ['n l x y', /^"y" is unknown, try "irm name list"\.\n$/],
  [`n c ${x256}`, /^Name too long\.\nUsage: /],
  [`i b t eth-dix n x l y dev ${x256}`, /^Device name too long\.\n\nUsage: /],
  [`n r ${x256} layer y`, /^Name too long\.\nUsage: /],
  [`n r x ${'ipcp i '.repeat(129)}`, /^Too many IPCPs specified\.\n$/],
  [`n r x ${'layer l '.repeat(129)}`, /^Too many layers specified\.\n$/],
  ['b p sh', usage],
  ['b p', usage],
  ['b p sh auto -- -l', usage],
  ['b p sh foo x', /^"foo" is unknown, try "irm bind program"\.\n$/],
  ['b p package.json n x', /^Cannot execute \/.*\/package\.json, please check permissions\.\n$/],
  ['b p nosuchprogram n x', /^nosuchprogram does not exist\.\n$/],
  ['b p /dev/null n x', /^Cannot execute \/dev\/null, please check permissions\.\n$/],
  ['b p /tmp n x', /^Cannot execute \/tmp, please check permissions\.\n$/],
  ['b proc 1', usage],
  ['b proc abc n x', /^"abc" is not a valid process id\.\n$/],
  ['b proc 4194304 n x', /^"4194304" is not a valid process id\.\n$/],
  ['b proc 0 n x', /^"0" is not a valid process id\.\n$/],
  ['b proc 1 foo x', /^"foo" is unknown, try "irm bind process"\.\n$/],
  ['b i x', usage],
  ['b i x foo y', /^"foo" is unknown, try "irm bind ipcp"\.\n$/],
  ['u p', usage],
  ['u p sh foo x', /^"foo" is unknown, try "irm unbind program"\.\n$/],
  ['u proc abc n x', /^$/],
  ['u proc 1 foo x', /^"foo" is unknown, try "irm unbind process"\.\n$/],
  ['u i x foo y', /^"foo" is unknown, try "irm unbind ipcp"\.\n$/],
  ['log-level II EE', usage],
  ['log-level ii', usage],
  ['completion fish', usage],
] as const)('irm %s: refused', async (words, stdout) => {
  expect(await irm(words)).toMatchObject({ status: 1, stdout: expect.stringMatching(stdout) });
});

test('what is done otherwise than asked is said on standard error, and goes on', async () => {
  const noted = async (line: string): Promise<string> => (await irm(line)).stderr;
  for (const fd of [2, 4, 8]) {
    expect(await noted(`i b t unicast n u l net fd ${fd}`)).toContain('endpoint ids have 8 bytes here; fd');
  }
  expect(await noted('i b t unicast n u l net eid 4')).toContain('endpoint ids have 8 bytes here; eid');
  expect(await noted('i b t unicast n u l net eid 8')).toBe('irm: no irmd answers\n');
  expect(await noted('i b t udp4 n u l net ip 10.0.0.1 hash SHA3_512')).toContain('always uses MD5');
  expect(await noted('i b t broadcast n u l net hash SHA3_512')).toContain('always uses SHA3_256');
  expect(await noted('b p sh n x -- -l')).toContain('without auto the arguments behind -- are not used');
});

test('--json is taken from anywhere, but not from the arguments of a program', () => {
  expect(takeJson(['i', '--json', 'l'])).toEqual({ json: true, words: ['i', 'l'] });
  const bind = ['b', 'p', 'x', 'n', 'y', 'auto', '--', '--json'];
  expect(takeJson(bind)).toEqual({ json: false, words: bind });
});

describe('completion', () => {
  const irmd = {
    listIpcps: async () => [
      { name: 'l1', layer: 'lan' },
      { name: 'l2', layer: 'lan' },
      { name: 'u1', layer: null },
    ],
    listNames: async () => [{ name: 'ping.a' }, { name: 'ping.b' }],
  };
  const words = (line: string): Promise<string[]> =>
    candidates({ groups, alone }, line.split(' '), { irmd: async () => irmd as never });

  test.each([
    ['i', ['ipcp']],
    ['na', ['name']],
    ['ipcp ', ['create', 'destroy', 'bootstrap', 'enroll', 'connect', 'disconnect', 'list', 'help']],
    ['i b', ['bootstrap']],
    ['i c ty', ['type']],
    ['i c type eth-', ['eth-llc', 'eth-dix']],
    ['i c type local ', ['name']],
    ['i d name ', ['l1', 'l2', 'u1']],
    ['i l layer ', ['lan']],
    ['bootstrap type unicast ro', ['routing']],
    ['bootstrap routing ', ['link_state', 'lfa', 'ecmp']],
    ['bootstrap autobind au', []],
    ['n d ping.', ['ping.a', 'ping.b']],
    ['n r ping.a ', ['layer', 'ipcp']],
    ['n r ping.a layer l', ['lan']],
    ['n c x lb s', ['spillover']],
    ['b ipcp u', ['u1']],
    ['b program x name ping.b a', ['auto']],
    ['b program x name ping.b auto -- ', []],
    ['log-level ', ['EE', 'WW', 'II', 'DB']],
    ['help name c', ['create']],
    ['nothing ', []],
  ])('irm %s', async (line, expected) => {
    expect(await words(line)).toEqual(expected);
  });

  test('without an irmd words of the grammar are left', async () => {
    expect((await irm(['completion', 'words', '--', 'i', 'd', 'name', ''])).stdout).toBe('');
    expect((await irm(['completion', 'words', '--', 'i', 'di'])).stdout).toBe('disconnect\n');
  });
});

test.each([
  ['i c n x t foo --json', 'IPCP type "foo" is unknown.', undefined],
  ['i b n x l y hash foo --json', 'Unknown parameter for hash: "foo".', undefined],
  [
    'i b t eth-dix n x l y dev lo ethertype 1 --json',
    'Invalid Ethertype: "1". Recommended range: 0xA000-0xEFFF.',
    undefined,
  ],
  ['n c --json', 'a word is missing or wrong', 'irm help name create'],
  ['i --json', 'a word is missing or wrong', 'irm help ipcp'],
  ['foo --json', '"foo" is unknown, try "irm help".', undefined],
])('irm %s: a script is told what is wrong', async (words, message, hint) => {
  const { json, words: left } = takeJson(words.split(' '));
  const [told, printed]: [O7sError[], string[]] = [[], []];
  const context = {
    json,
    out: (text: string) => void printed.push(text),
    explain: (error: O7sError) => void told.push(error),
    note: () => {},
    result: () => {},
    irmd: () => Promise.reject(new Error('nobody is asked')),
  };
  expect(await run(left, context, () => {})).toBe(1);
  expect(told).toEqual([expect.objectContaining({ code: 'EINVAL', message, hint })]);
  expect(printed).toHaveLength(1);
});
