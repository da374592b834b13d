/**
 * The scenarios of one host, S01 to S24 of acceptance-scenarios.md. Where ours does better than the prototype,
 * docs/differences.md has a row, and the test asserts ours.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { asUser } from '../support/as-user.ts';
import { program, run, type Running } from '../support/command.ts';
import { SyslogReader } from '../support/syslog-reader.ts';
import { Namespace, namespacesMissing } from '../support/namespaces.ts';
import { type Launcher, TestNode } from '../support/node.ts';
import { OwnDevices, OwnGroup } from '../support/private-files.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

let host: Namespace;
let node: TestNode;
beforeAll(async () => {
  if (missing !== undefined) return;
  host = await Namespace.make();
  node = await TestNode.start(host.launch);
});
afterAll(async () => {
  if (missing !== undefined) return;
  const { status } = await node.stop();
  const left = [node.files(), node.processes()];
  await node[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  expect([status, ...left]).toEqual([0, [], []]);
});

/** A node of its own, in the same network. */
async function fresh(launch: Launcher = host.launch): Promise<TestNode> {
  const one = TestNode.empty(launch);
  onTestFinished(() => one[Symbol.asyncDispose]());
  return one;
}

/** A server bound to a name, for the length of a test. */
async function serve(name: string, ...args: string[]): Promise<Running> {
  const server = await node.serve(name, ...args);
  onTestFinished(async () => void (await server.kill('SIGTERM')));
  return server;
}

/** One ping; whether a reply came, with all that was printed. */
async function ping(name: string, on = node): Promise<string> {
  const { status, stdout } = await on.oping('-n', name, '-c', '1', '-i', '1', '-Q');
  return status === 0 && stdout.includes(' 1 received') ? 'received' : stdout.trim();
}

const silent = { status: 0, stdout: '', stderr: '' };
const refused = { status: 1, stdout: '' };

/** What was logged since a moment. */
function since(on: TestNode): () => string {
  const from = on.log.length;
  return () => on.log.slice(from);
}

describe('the daemon', () => {
  test('S01 version, usage, rights, single instance', async () => {
    expect(await node.run(program('irmd'), ['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Ouroboros version 0\.23\.0\n/),
    });
    expect(await node.run(program('irmd'), ['--foo'])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^Usage: irmd/),
    });
    const second = await node.run(program('irmd'), ['--stdout']);
    expect(second).toMatchObject({ status: 1, stderr: '' });
    expect(second.stdout).toMatch(
      new RegExp(`^==\\d+== irmd\\(WW\\): IRMd already running \\(${node.irmd.pid}\\), exiting\\.\\n$`),
    );
  });

  test('S01 a user may run one, where no raw socket is needed', async () => {
    const own = await fresh(asUser(1001, 1001, host.launch));
    chmodSync(own.directory, 0o777);
    await own.startIrmd();
    await own.manage('i b t local n l1 l ll');
    const server = await own.serve('x', '-Q');
    await own.manage('n r x l ll');
    expect(await ping('x', own)).toBe('received');
    const ethernet = await own.irm('i b t eth-dix n e l lan dev lo');
    expect(ethernet).toMatchObject(refused);
    expect(ethernet.stderr).toMatch(/EPERM/);
    await server.kill('SIGTERM');
  });

  test('S02 orderly stop', async () => {
    const own = await fresh();
    await own.startIrmd();
    await own.manage('i b t local n l1 l ll');
    const servers = [await own.startTool('oping', '-l'), await own.startTool('oecho', '-l')];
    const { status, stdout } = await own.irmd.kill('SIGHUP');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /irmd\(II\): IRMd shutting down\.\.\.\n[^]*ipcpd\/ipcp\(II\): IPCP (\d+) shutting down\.\n[^]*IPCP \1 out\.\n[^]*irmd\(II\): Ouroboros IPC Resource Manager daemon exited\. Bye\.\n$/,
    );
    for (const server of servers) await server.finished;
    expect([own.files(), own.processes()]).toEqual([[], []]);
  });

  test('S03 crash and restart', async () => {
    const own = await fresh();
    await own.startIrmd();
    await own.manage('i b t local n l1 l ll');
    await own.irmd.kill('SIGKILL');
    await own.startIrmd();
    expect(own.log).toMatch(
      /irmd\(WW\): IRMd didn't properly shut down last time\.\n.*irmd\(WW\): Stale resources cleaned\.\n/,
    );
    expect(await own.manage('ipcp list')).toBe('No IPCPs in system.\n\n');
  });

  test('S04 no daemon', async () => {
    const own = await fresh();
    const noDaemon = 'Failed to communicate with the Ouroboros IPC Resource Manager daemon.\n';
    for (const [words, stdout] of [
      ['ipcp list', noDaemon],
      ['name create x', noDaemon],
      ['ipcp create name x type local', ''],
      ['name register x layer y', 'Failed to list IPCPs.\n'],
    ] as const) {
      expect(await own.irm(words), words).toMatchObject({ status: 1, stdout });
    }
    const client = await own.oping('-n', 'x');
    expect(client).toMatchObject({ status: 1, stdout: '' });
    expect(client.stderr).toMatch(/^FATAL: Could not announce to IRMd\.\n/);
  });

  test('S05 syslog', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'a /dev of its own needs root');
    using devices = new OwnDevices();
    using syslog = new SyslogReader(devices.socket);
    const own = await fresh(devices.around(host.launch));
    const irmd = own.spawn(program('irmd'), []);
    const said = (text: RegExp): Promise<true> =>
      until(`syslog to say ${text}`, () => syslog.read().some((line) => text.test(line)));
    const when = String.raw`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d`;
    await said(
      new RegExp(
        `^<30>${when} irmd\\[${irmd.pid}\\]: Ouroboros IPC Resource Manager daemon started\\.\\.\\.$`,
      ),
    );
    await own.manage('i c t local n l1');
    await said(new RegExp(`^<30>${when} ipcpd-local\\[(\\d+)\\]: IPCP local \\1 initialized\\.$`));
    await said(new RegExp(`^<30>${when} irmd\\[${irmd.pid}\\]: Created IPCP \\d+\\.$`));
    await own.oping('-n', 'bar');
    await said(new RegExp(`^<27>${when} irmd\\[${irmd.pid}\\]: Name bar does not exist\\.$`));
    expect(await irmd.kill('SIGTERM')).toMatchObject(silent);
  });
});

describe('irm', () => {
  test('S06 abbreviations and the table of IPCPs', async () => {
    for (const words of ['i b t l n x l y', 'i c n ed t eth-dix', 'i c n u1 t unicast']) {
      expect(await node.irm(words)).toMatchObject(silent);
    }
    const line = '+---------+----------------------+------------+----------------------+\n';
    const row = (name: string, type: string, layer: string): string =>
      `\\| *\\d+ \\| ${name.padStart(20)} \\| ${type.padStart(10)} \\| ${layer.padStart(20)} \\|\n`;
    const table = [
      line.replaceAll('+', '\\+'),
      '\\|     pid \\|                 name \\|       type \\|                layer \\|\n',
      line.replaceAll('+', '\\+'),
      row('x', 'local', 'y'),
      row('u1', 'unicast', 'Not enrolled.'),
      row('ed', 'eth-dix', 'Not enrolled.'),
      line.replaceAll('+', '\\+'),
      '\n$',
    ];
    expect(await node.manage('i l')).toMatch(new RegExp(`^${table.join('')}`));
    await node.manage('i d n *');
  });

  test('S07 errors of bootstrap', async () => {
    const logged = since(node);
    await node.manage('i b t l n x l y');
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ['i b n nope l x', 1, /^No IPCPs matching nope found\.\n\n$/],
      ['i b t l n x l z', 1, /^$/],
      ['i b t u n x l z', 1, /^Types do not match\.\n\n$/],
      ['i b t l n x l y hash MD5', 1, /^Unknown parameter for hash: "MD5"\.\n$/],
      [
        'i b t eth-dix n e l y dev lo ethertype 1',
        1,
        /^Invalid Ethertype: "1"\.\nRecommended range: 0xA000-0xEFFF\.\n$/,
      ],
      ['i b t udp4 n u l y ip 0.0.0.0', 1, /^Cannot use IPv4 address: "0\.0\.0\.0"\.\nUsage: /],
      ['i b foo bar', 1, /^Unknown option: "foo"\.\n$/],
      ['i b t l n l3 l l3l autobind', 0, /^Can not bind this IPCP type,autobind disabled\.\n\n$/],
      ['i b t eth-dix n e l y dev nope', 1, /^$/],
      ['i b t udp4 n u l y ip 192.0.2.77', 1, /^$/],
    ];
    for (const [words, status, stdout] of cases) {
      expect(await node.irm(words), words).toMatchObject({ status, stdout: expect.stringMatching(stdout) });
    }
    expect(logged()).toMatch(
      /ipcpd\/ipcp\(EE\): Failed to bootstrap: IPCP in state <operational>, need <boot>\.\n.*irmd\(EE\): Could not bootstrap IPCP\.\n/,
    );
    for (const text of [
      ...['get MTU', 'get interface MTU', 'set MTU'].map((what) => `ipcpd/eth-dix(EE): Failed to ${what}.`),
      "ipcpd/udp4(EE): Couldn't bind to 192.0.2.77:3435. Cannot assign requested address.",
    ]) {
      await until(text, () => new RegExp(`==\\d+== ${RegExp.escape(text)}\n`).test(logged()), 30_000);
    }
    expect(await node.manage('i l n e')).toContain('Not enrolled.');
    await node.manage('i d n *');
  });

  test('S08 names', async () => {
    const own = await fresh();
    await own.startIrmd();
    expect(await own.irm('n l')).toMatchObject({ ...silent, stdout: 'No names in system.\n\n' });
    const logged = since(own);
    for (const words of ['n c foo', 'n c foo', 'n c bar lb spillover']) {
      expect(await own.irm(words)).toMatchObject(silent);
    }
    expect(logged()).toContain('irmd(II): Name foo already exists.\n');
    expect(await own.irm('n c baz lb foo')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^Usage: /),
    });
    expect(await own.irm('n c baz foo bar')).toMatchObject({
      status: 1,
      stdout: '"foo" is unknown, try "irm name create".\n',
    });
    const table = await own.manage('n l');
    expect(table).toMatch(/\| +bar \| +spillover \|\n\| +foo \| +round-robin \|\n\+-+\+-+\+\n$/);
    expect(await own.irm('n d nope')).toMatchObject(refused);
    expect(await own.irm('n d foo')).toMatchObject(silent);
    expect((await own.irm(`n c ${'x'.repeat(300)}`)).stdout).toMatch(/^Name too long\.\nUsage: /);
  });

  test('S09 registration', async () => {
    await node.manage('i b t local n l1 l ll');
    await node.manage('i b t local n l2 l ll');
    const logged = since(node);
    const registered = (name: string, hash: string): number =>
      logged().match(new RegExp(`irmd\\(II\\): Registered ${name} with IPCP \\d+ as ${hash}\\.`, 'g'))
        ?.length ?? 0;
    expect(await node.irm('n r foo ipcp nope')).toMatchObject(silent);
    expect(await node.manage('n l foo')).toMatch(/foo \| +spillover \|/);
    expect(registered('foo', '76d3bc41')).toBe(0);
    expect(await node.irm('n r foo ipcp l1')).toMatchObject(silent);
    expect(registered('foo', '76d3bc41')).toBe(1);
    expect(await node.irm('n r foo layer ll')).toMatchObject(silent);
    expect(registered('foo', '76d3bc41')).toBe(3);
    expect(await node.irm('n r foo3 ipcp l*')).toMatchObject(silent);
    expect(registered('foo3', '\\w{8}')).toBe(2);
    for (let times = 0; times < 2; times += 1) {
      expect(await node.irm('n u foo ipcp l1')).toMatchObject(silent);
    }
    expect(logged()).toMatch(/Unregistered foo from \d+\.\n/);
    expect(await node.irm('n u nope layer ll')).toMatchObject(refused);
    expect(logged()).toContain('irmd(EE): Failed to get name nope.\n');
    for (const words of ['i d n l*', 'n d foo', 'n d foo3']) await node.manage(words);
  });

  test('S10 binding', async () => {
    const oping = program('oping');
    const folder = join(oping, '..');
    const logged = since(node);
    const inPath = { env: { PATH: `${folder}:${process.env['PATH']}` } };
    expect(await node.irm('bind program oping name o1', inPath)).toMatchObject(silent);
    expect(logged()).toContain(`Bound program ${oping} to name o1.\n`);
    expect(await node.irm('bind program oping name o1', inPath)).toMatchObject({
      status: 1,
      stdout: 'Cannot execute oping, please check permissions.\n',
    });
    expect(await node.irm('bind program nosuch name x')).toMatchObject({
      status: 1,
      stdout: 'nosuch does not exist.\n',
    });
    for (const pid of [999_999_999, 4_194_304]) {
      expect(await node.irm(`bind process ${pid} name x`)).toMatchObject({
        status: 1,
        stdout: `"${pid}" is not a valid process id.\n`,
      });
    }
    expect(await node.irm(`bind process ${process.pid} name x`)).toMatchObject(refused);
    expect(logged()).toContain(`Process ${process.pid} does not respond.\n`);
    expect(await node.irm('bind ipcp nope name x')).toMatchObject(silent);
    expect(await node.irm('unbind program oping name o1')).toMatchObject(silent);
    expect(await node.irm('unbind program oping name o1')).toMatchObject(refused);
    await node.manage(`bind program ${oping} name o3`);
    expect(await node.irm('unbind program oping name o1')).toMatchObject(refused);
    await node.manage('unbind program oping');
    const server = await node.serve('o2', '-Q');
    const { pid } = server;
    expect(await node.irm(`bind process ${pid} name o2`)).toMatchObject(refused);
    for (const words of [`${pid} name o1`, `${pid} name nosuch`, '4194304 name o2']) {
      expect(await node.irm(`unbind process ${words}`)).toMatchObject(refused);
    }
    expect(await node.irm(`unbind process ${pid}`)).toMatchObject(silent);
    for (const text of [
      `reg(EE): Name o1 already bound to program ${oping}.`,
      `irmd(EE): Failed to bind program ${oping} to name o1`,
      'irmd(II): Name o1 unbound for oping.',
      'reg(EE): Could not find program oping.',
      'irmd(EE): Failed to unbind oping from o1',
      'reg(EE): Name o1 not bound to program oping.',
      'irmd(II): Program oping unbound.',
      `reg(EE): Process ${pid} already bound to name o2.`,
      `reg(EE): Process ${pid} not bound to name o1.`,
      `irmd(EE): Failed to unbind ${pid} from o1`,
      'reg(EE): Could not find name nosuch.',
      'reg(EE): Could not find process 4194304.',
      `irmd(II): Process ${pid} unbound.`,
    ]) {
      await until(text, () => logged().includes(`== ${text}\n`), 30_000);
    }
    await server.kill('SIGTERM');
  });
});

describe('one host', () => {
  test('S11 direct ping, no layer', async () => {
    const server = await serve('x11');
    const logged = since(node);
    const client = node.spawn(program('oping'), ['-n', 'x11', '-c', '3', '-i', '10']);
    expect((await client.finished).stdout).toMatch(
      /^Pinging x11 with 64 bytes of data \(3 packets\):\n\n(64 bytes from x11: seq=\d time=\d+\.\d{3} ms\n){3}\n--- x11 ping statistics ---\n3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss, time: \d+\.\d{3} ms\nrtt min\/avg\/max\/mdev = [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms\n$/,
    );
    expect(server.stdout).toMatch(
      /^Ouroboros ping server started\.\nNew flow 64\.\n(Received 64 bytes on fd 64\.\n){3}/,
    );
    for (const text of [
      `Allocating flow for ${client.pid} to x11 (uid 0).`,
      `Flow 1 accepted (direct) by ${server.pid} for x11.`,
      `Flow 1 allocated (direct) for ${client.pid} to x11.`,
      `Deallocating flow 1 for process ${client.pid} (timeout: 0 s).`,
    ]) {
      expect(logged()).toContain(text);
    }
  });

  test('S12 the tutorial: an Ethernet layer on the loopback device', async () => {
    const logged = since(node);
    await node.manage('ipcp bootstrap type eth-llc name llc layer llc dev lo');
    await node.manage('name register my.oping.server layer llc');
    expect(logged()).toMatch(/Finished bootstrapping in llc\.\n[^]*Bootstrapped IPCP \d+\.\n/);
    expect(logged()).toMatch(/Registered my\.oping\.server with IPCP \d+ as d0b5d7eb\.\n/);
    await serve('my.oping.server', '-Q');
    const { stdout } = await node.oping('-n', 'my.oping.server', '-c', '3', '-i', '10');
    expect(stdout).toContain('3 received, 0 out-of-order, 0% packet loss');
    await node.manage('i d n llc');
  });

  test('S13 allocation failures', async () => {
    const failure = async (name: string): Promise<string> => (await node.oping('-n', name, '-c', '1')).stdout;
    expect(await failure('x13')).toBe('Failed to allocate flow: -1007.\n');
    await node.manage('n c x13');
    expect(await failure('x13')).toBe('Failed to allocate flow: -1003.\n');
    await node.manage('i b t local n l l ll');
    await node.manage('n r x13 l ll');
    expect(await failure('x13')).toBe('Failed to allocate flow: -1003.\n');
    await node.manage('i d n l');
    const echo = await node.tool('oecho');
    expect(echo).toMatchObject({ status: 255, stdout: 'Failed to allocate flow.\n' });
  });

  test('S14 load balancing', async () => {
    await node.manage('n c rr lb round-robin');
    await node.manage('n c sp lb spillover');
    const servers: Running[] = [];
    for (let index = 0; index < 3; index += 1) servers.push(await serve('rr', '-Q'));
    for (const { pid } of servers) await node.manage(`b proc ${pid} n sp`);
    const served = async (name: string, rounds: number): Promise<string> => {
      let order = '';
      for (let round = 0; round < rounds; round += 1) {
        const logged = since(node);
        expect(await ping(name)).toBe('received');
        const by = /accepted \(direct\) by (\d+) for/.exec(logged())?.[1];
        order += 'ABC'[servers.findIndex(({ pid }) => String(pid) === by)] ?? '?';
        // It accepts again before the next comes.
        await until('the flow to end', () => (logged().match(/Deallocating flow/g)?.length ?? 0) >= 2);
      }
      return order;
    };
    // Only one who was bound last is known to be first; from there it is the last who came back.
    expect(await served('sp', 4)).toMatch(/^([ABC])\1{3}$/);
    expect(await served('rr', 7)).toMatch(/^(ABCABCA|BCABCAB|CABCABC|ACBACBA|BACBACB|CBACBAC)$/);
  });

  test('S15 auto-start, and using again what was started', async () => {
    await node.manage(`bind program ${program('oping')} name auto1 auto -- -l -Q`);
    const logged = since(node);
    expect(await ping('auto1')).toBe('received');
    const [, pid] = /Instantiated \S+\/oping as process (\d+)\.\n/.exec(logged()) ?? [];
    expect(logged()).toContain(`Starting ${program('oping')} for auto1.\n`);
    expect(logged()).toContain(`Process added: ${pid} (oping).\n`);
    const later = since(node);
    expect(await ping('auto1')).toBe('received');
    expect(later()).toContain(`accepted (direct) by ${pid} for auto1.`);
    expect(later()).not.toContain('Instantiated');
    await node.manage('bind program /bin/false name auto3 auto');
    expect(await ping('auto3')).toBe('Failed to allocate flow: -1003.');
    // One that was killed is reaped, and another is started for the next.
    process.kill(Number(pid), 'SIGKILL');
    await node.processGone(Number(pid));
    const again = since(node);
    expect(await ping('auto1')).toBe('received');
    expect(again()).toContain('Instantiated');
    // Unbound, it is started no more; bound again, with other arguments.
    await node.manage('unbind program oping name auto1');
    await node.manage(`bind program ${program('oping')} name auto1 auto -- -l`);
    await node.manage('unbind program oping');
    for (const { pid: left } of node.processes().filter(({ command }) => command.includes('oping'))) {
      process.kill(left, 'SIGTERM');
      await node.processGone(left);
    }
    expect(await ping('auto1')).toBe('Failed to allocate flow: -1003.');
  });

  test('S16 program binding acts on later processes only', async () => {
    const first = await node.startServer('-Q');
    await node.manage('n c x16');
    await node.manage(`b prog ${program('oping')} n x16`);
    expect(await ping('x16')).toBe('Failed to allocate flow: -1003.');
    const second = await node.startServer();
    expect(await ping('x16')).toBe('received');
    expect(second.stdout).toContain('New flow 64.');
    await node.manage('u prog oping n x16');
    expect(await ping('x16')).toBe('received');
    await node.manage('n d x16');
    await node.manage('n c x16');
    expect(await ping('x16')).toBe('Failed to allocate flow: -1003.');
    for (const server of [first, second]) await server.kill('SIGTERM');
  });

  test('S17 users', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'other users need root');
    using group = new OwnGroup('ouroboros');
    const own = await fresh(group.around(host.launch));
    chmodSync(own.directory, 0o755);
    await own.startIrmd();
    const as = (uid: number, tool: string, args: readonly string[], gid = uid): Running => {
      const [file, words] = asUser(uid, gid, host.launch)(program(tool as 'oping'), args);
      return own.spawn(file, words);
    };
    const pings = async (uid: number, gid = uid): Promise<string> => {
      const { status, stdout } = await as(uid, 'oping', ['-n', 'foo', '-c', '1', '-i', '1', '-Q'], gid)
        .finished;
      return status === 0 ? 'received' : stdout.trim();
    };
    const server = as(1001, 'oping', ['-l', '-Q']);
    await own.logged(`Process added: ${server.pid} (oping).`);
    await own.manage(`bind process ${server.pid} name foo`);
    const logged = since(own);
    expect(await pings(1001)).toBe('received');
    expect(logged()).toMatch(/Allocating flow for \d+ to foo \(uid 1001\)\.\n[^]*accepted \(direct\)/);
    expect(await ping('foo', own)).toBe('Failed to allocate flow: -1003.');
    await own.manage('i b t local n l1 l ll');
    await own.manage('n r foo l ll');
    const later = since(own);
    expect(await pings(1002)).toBe('received');
    expect(later()).toContain('Flow request arrived for foo.\n');
    await until('both ends to go', () => later().includes('Flow with fd 65 deallocated.'), 30_000);
    expect(later()).toMatch(
      /ipcpd-local\(II\): Pending local allocation request on fd 64\.\n[^]*ipcpd-local\(II\): Flow allocation completed, fds \(64, 65\)\.\n[^]*ipcpd-local\(II\): Flow with fd 64 deallocated\.\n/,
    );
    await until('irmd to be told', () =>
      /Completed deallocation of flow_id \d+ by process \d+\.\n/.test(later()),
    );
    expect(later()).toMatch(new RegExp(`Flow \\d+ accepted by ${server.pid} for foo \\(uid 1001\\)\\.`));
    // Management is for root and the group ouroboros.
    const stranger = await as(1001, 'irm', ['ipcp', 'create', 'name', 'x', 'type', 'local']).finished;
    expect(stranger).toMatchObject(refused);
    expect(stranger.stderr).toContain('run as root or as a member of the group ouroboros');
    const member = await as(1003, 'irm', ['ipcp', 'create', 'name', 'x', 'type', 'local'], group.gid)
      .finished;
    expect(member).toMatchObject(silent);
    expect(
      await as(1003, 'irm', ['b', 'proc', String(own.irmd.pid), 'n', 'y'], group.gid).finished,
    ).toMatchObject({
      status: 1,
      stdout: `"${own.irmd.pid}" is not a valid process id.\n`,
    });
    // Members of the group and root count as one user.
    const privileged = await own.serve('bar', '-Q');
    const { status } = await as(1003, 'oping', ['-n', 'bar', '-c', '1', '-i', '1', '-Q'], group.gid).finished;
    expect(status).toBe(0);
    for (const each of [server, privileged]) await each.kill('SIGTERM');
  });

  describe.each(['shared', 'process'] as const)('S18 deaths, ipcpd %s', (mode) => {
    test('of a client, of a server, of an IPCP', async () => {
      const own = await fresh();
      await own.startIrmd('--ipcpd', mode);
      const server = await own.serve('x');
      const flood = ['-n', 'x', '-c', '100000', '-i', '20'];
      const client = own.spawn(program('oping'), flood);
      await until('a reply', () => client.stdout.includes('seq=2'));
      await client.kill('SIGKILL');
      await own.logged(`Process ${client.pid} died.`);
      // Its server need not wait for a time to pass.
      await own.logged(`for process ${server.pid} (timeout`);
      expect(await ping('x', own)).toBe('received');

      const second = own.spawn(program('oping'), flood);
      await until('a reply', () => second.stdout.includes('seq=2'));
      expect((await server.kill('SIGTERM')).status).toBe(0);
      const told = await second.finished;
      expect(told.status).toBe(0);
      expect(told.stdout).toMatch(/\n--- x ping statistics ---\n\d+ packets transmitted, \d+ received, /);

      await own.manage('i b t local n l1 l ll');
      // Of another user, so that the flow goes over the layer.
      const other = own.spawn(...asUser(1001, 1001, host.launch)(program('oping'), ['-l', '-Q']));
      chmodSync(own.directory, 0o755);
      onTestFinished(async () => void (await other.kill()));
      await own.logged(`Process added: ${other.pid} (oping).`);
      await own.manage(`b proc ${other.pid} n y`);
      await own.manage('n r y l ll');
      const third = own.spawn(program('oping'), ['-n', 'y', '-c', '100000', '-i', '20']);
      await until('a reply', () => third.stdout.includes('seq=2'));
      await own.killIpcp('l1', mode);
      await own.logged('(l1) crashed.');
      const after = await third.finished;
      expect(after.stdout).toMatch(/\n--- y ping statistics ---\n/);
      // It is gone from the list at once, and can be made again.
      expect(await own.manage('i l')).toBe('No IPCPs in system.\n\n');
      await until(
        'the IPCP to be made again',
        async () => (await own.irm('i b t local n l1 l ll')).status === 0,
      );
      await own.manage('n r y l ll');
      expect(await ping('y', own)).toBe('received');
    });
  });

  test('S19 oecho', async () => {
    const server = await node.serveTool('oecho', 'oecho');
    expect(await node.tool('oecho')).toMatchObject({
      status: 0,
      stdout: 'Server replied with Client says hi!\n',
    });
    expect(server.stdout).toBe('Starting the server.\nNew flow.\nMessage from client is Client says hi!.\n');
    await server.kill('SIGTERM');
  });

  test('S20 ocbr', async () => {
    const server = await node.serveTool('cbr', 'ocbr');
    const { stdout } = await node.tool('ocbr', '-n', 'cbr', '-d', '1', '-s', '1000', '-r', '1M');
    expect(stdout).toMatch(/^Client started, duration 1, rate 1000000 b\/s, size 1000 B\.\n/);
    expect(stdout).toMatch(/sent statistics: +\d+ packets, +\d+ bytes in +\d+ ms, [\d.]+ Mb\/s\n$/);
    // The server is told of the end of the flow, and does not wait for its time to pass.
    await until('the server to report', () => server.stdout.includes('Flow '));
    expect(server.stdout).toMatch(
      /^Server started, interval is 1 s, timeout is 1 s\.\nNew flow\.\nFlow +64: +[1-9]\d* packets \( +\d+ bytes\) in +\d+ ms => +[\d.]+ pps, +[\d.]+ Mbps\n/,
    );
    await server.kill('SIGTERM');
  });

  test('S21 operf', async () => {
    const server = await node.serveTool('perf', 'operf');
    const { status, stdout } = await node.tool('operf', '-n', 'perf', '-d', '300');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Doing a unidirectional test\.\nSending \d+ byte packets for [\d.]+ s to perf at 1\.000 Mb\/s\.\n/,
    );
    expect(stdout).toMatch(/\nTest finished\.\n$/);
    await until('all packets', () => server.stdout.includes('Seqno 24 '));
    const seen = [...server.stdout.matchAll(/Seqno (\d+) from fd 64/g)].map(([, seqno]) => Number(seqno));
    expect(seen).toEqual(seen.map((_, index) => index));
    await server.kill('SIGTERM');
  });

  test('S22 QoS and the metrics tree', async () => {
    const own = await fresh();
    const folder = join(own.directory, 'rib');
    await own.startIrmd('--rib', folder);
    await own.manage('i b t local n l1 l ll');
    const server = await own.serve('x', '-Q');
    const client = own.spawn(program('oping'), ['-n', 'x', '-c', '100000', '-i', '20', '-q', 'data']);
    const frct = join(folder, `proc.${client.pid}`, '64', 'frct');
    await until('the tree', () => existsSync(frct) && readFileSync(frct, 'utf8').includes('out of rqueue'));
    const lines = readFileSync(frct, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(22);
    expect(lines[0]).toMatch(/^Maximum packet lifetime \(ns\): /);
    expect(lines.at(-1)).toMatch(/^Number of packets out of rqueue: /);
    const told = ['_state', '_type', '_layer'].map((file) => own.manage(`rib l1/info/${file}`));
    expect(await Promise.all(told)).toEqual(['operational\n', 'local\n', 'll\n']);
    expect(readFileSync(join(folder, 'l1', 'info', '_state'), 'utf8')).toBe('operational\n');
    // The last reply may still be under way.
    expect((await client.kill('SIGTERM')).stdout).toMatch(
      / packets transmitted, [1-9]\d* received, 0 out-of-order, /,
    );
    await server.kill('SIGTERM');
  });

  test('S23 configuration file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'o7s-conf-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'irmd.conf');
    writeFileSync(
      file,
      [
        `[name.oping]\nprog=["${program('oping')}"]\nargs=["--listen -Q"]\nlb="round-robin"`,
        '[local.local1]\nbootstrap="local1"\nreg=["lan1","oping"]',
        '[unicast.lan1]\nbootstrap="LAN"\nautobind=true\nreg=["oping"]',
        '[unicast.lan2]\nenrol="LAN"\nconn=["lan1"]\nautobind=true',
      ].join('\n'),
    );
    const own = await fresh();
    await own.startIrmd('--config', file);
    await own.logged('Established Data Transfer connection between IPCP');
    expect(own.log).toContain(`irmd/configuration(II): Reading configuration from file ${file}\n`);
    expect(own.log).toMatch(
      /irmd\/configuration\(II\): Using DHT directory policy\.\n.*irmd\/configuration\(II\): Using Link State routing policy\.\n/,
    );
    expect(own.log).toMatch(/Established Management connection between IPCP \d+ and lan1\.\n/);
    expect(await own.manage('i l')).toMatch(
      /local1 \| +local \| +local1 \|\n.* lan1 \| +unicast \| +LAN \|\n.* lan2 \| +unicast \| +LAN \|\n/,
    );
    const names = await own.manage('n l');
    for (const name of ['lan1', 'lan2', 'LAN'])
      expect(names).toMatch(new RegExp(` ${name} \\| +spillover \\|`));
    expect(names).toMatch(/ oping \| +round-robin \|/);
    expect(await ping('oping', own)).toBe('received');
    await own.stop();
    for (const [text, faults] of [
      [
        '[foo.u1]',
        ['Unkown toplevel key: foo.', 'Failed to load configuration.', 'Failed to load config file.'],
      ],
      ['[name.n]\nlb="nonsense"', ['Invalid load-balancing policy for n.', 'Failed to load configuration.']],
      [
        '[unicast.u]\nbootstrap="n"\ndht_k=21',
        ['Invalid replication factor: 21\n', 'Invalid directory configuration.\n'],
      ],
      ['[', ['Failed to parse config file: line 1: ', 'Failed to load config file.']],
      [undefined, [`Failed to check path for ${file}: No such file or directory.`]],
    ] as const) {
      if (text === undefined) rmSync(file);
      else writeFileSync(file, text);
      const faulty = await fresh();
      const { status, stdout } = await faulty.run(program('irmd'), ['--stdout', '--config', file]);
      expect(status).toBe(1);
      for (const fault of faults) expect(stdout).toContain(`irmd/configuration(EE): ${fault}`);
      expect(faulty.files()).toEqual([]);
    }
  });

  test('S24 encryption switched on by files', async () => {
    const conf = 'kex=prime256v1\ncipher=aes-256-gcm\nkdf=sha256\n';
    for (const side of ['server', 'client']) node.writeSecurity(`${side}/sec/enc.conf`, conf);
    await serve('sec', '-Q');
    const logged = since(node);
    const { stdout } = await node.oping('-n', 'sec', '-c', '2', '-i', '10');
    expect(stdout).toContain('2 received');
    expect(logged()).toContain('irmd/oap(II): Encryption enabled for sec.\n');
    expect(logged()).toMatch(/irmd\/oap\(II\): \[[0-9a-f]{16}\] Negotiated prime256v1 \+ aes-256-gcm\.\n/);
    // Files anywhere, told when the name is created.
    const folder = mkdtempSync(join(tmpdir(), 'o7s-enc-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'c'), conf.replace('aes-256-gcm', 'chacha20-poly1305'));
    await node.manage(`n c sec2 sencpath ${folder}/c cencpath ${folder}/c`);
    await serve('sec2', '-Q');
    expect(await ping('sec2')).toBe('received');
    expect(logged()).toContain('Negotiated prime256v1 + chacha20-poly1305.\n');
  });

  test('the level of the log is changed while it runs', async () => {
    const logged = since(node);
    expect(await node.manage('log-level')).toBe('II\n');
    await node.manage('log-level EE');
    await node.manage('n c unseen');
    await node.manage('log-level DB');
    await node.manage('n c seen');
    await node.manage('log-level II');
    expect(logged()).not.toContain('unseen');
    expect(logged()).toContain('irmd(DB): Management asks for name.create.\n');
    expect(logged()).toContain('Created new name: seen.\n');
  });

  test('completion in bash', async () => {
    const script = [
      'source <(irm completion bash)',
      'COMP_WORDS=(irm ipcp destroy name "") COMP_CWORD=4; _irm; echo "${COMPREPLY[*]}"',
      'COMP_WORDS=(irm i bo) COMP_CWORD=2; _irm; echo "${COMPREPLY[*]}"',
    ].join('\n');
    await node.manage('i c n c1 t local');
    const env = { PATH: `${join(program('irm'), '..')}:${process.env['PATH']}` };
    expect(await node.run('bash', ['-c', script], { env })).toMatchObject({
      ...silent,
      stdout: 'c1\nbootstrap\n',
    });
    await node.manage('i d n c1');
  });

  test('the unit is one that systemd takes', async ({ skip }) => {
    const unit = await run(program('irmd'), ['--unit']);
    expect(unit).toMatchObject({ status: 0, stderr: '' });
    expect(unit.stdout).toContain(`ExecStart=${program('irmd')}`);
    const folder = mkdtempSync(join(tmpdir(), 'o7s-unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'ouroboros.service'), unit.stdout);
    const verified = await run('systemd-analyze', ['verify', join(folder, 'ouroboros.service')]).catch(
      () => undefined,
    );
    skip(verified === undefined, 'systemd-analyze is not installed');
    expect(verified).toMatchObject({ status: 0, stderr: '' });
  });
});
