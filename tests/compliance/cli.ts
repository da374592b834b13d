/** What the command line does on every testbed: a lab from its `up` to its `down`, and what comes in between. */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lockLab } from '../../rumba/lock.ts';
import { cli, folder, freshLab, type Outcome, startCli, type Started } from '../netns/cli.ts';

export const twoNodes: string = fileURLToPath(new URL('../../topologies/two-nodes.ts', import.meta.url));

/** Two nodes, and with a parameter a third. */
const growing = `
import { ethDix, ethLink, node, parameters, server, topology, unicast } from 'o7s-testbed';
const { third } = parameters({ third: false });
const [a, b, c] = [node('a'), node('b'), node('c', { cpus: 0.5, memory: '128MiB' })];
const nodes = third ? [a, b, c] : [a, b];
const links = third ? [ethLink(a, b), ethLink(b, c)] : [ethLink(a, b)];
const cables = links.map((link) => ethDix(link.name, link));
const net = unicast('net', cables, { bootstrap: a });
const servers = nodes.slice(1).map((each) => server(each, 'ping.' + each.name, ['oping', '-l'], { layers: [net] }));
export default topology({ nodes, links, layers: [...cables, net], servers });
`;

/** Two nodes of which one never joins: nothing passes the link. */
const unconnected = `
import { ethDix, ethLink, node, topology, unicast } from 'o7s-testbed';
const [a, b] = [node('a'), node('b')];
const cable = ethLink(a, b, { impair: { loss: '100%' } });
const lan = ethDix('lan', cable);
export default topology({ nodes: [a, b], links: [cable], layers: [lan, unicast('net', [lan], { bootstrap: a })] });
`;

/** Steps of `up` at which it may be ended, as `-v` writes them. */
const moments = ['node a', 'link a-b', 'irmd --stdout', 'irm ipcp bootstrap', 'irm bind process'] as const;

const forever = { signal: new AbortController().signal, onWait: () => {} };

export interface TestbedUnderTest {
  readonly name: 'docker' | 'netns';
  /** What there is of a lab. */
  left(lab: string): string[];
  /** Looks at a lab of two nodes that runs; what it gives names all of it that is still there. */
  trace(lab: string): () => string[];
  /** What no lab may change, where a trace does not tell. */
  surroundings?(): unknown;
  /** What has to be done about a lab whose `up` was killed at a moment; mostly nothing. */
  afterKill?(lab: string, moment: string): Promise<unknown>;
}

/** The command line of a testbed. */
export class TestbedCli {
  readonly #env: NodeJS.ProcessEnv;

  constructor(testbed: TestbedUnderTest['name']) {
    this.#env = { O7S_TESTBED: testbed };
  }

  run(...words: readonly string[]): Promise<Outcome> {
    return cli(words, { env: this.#env });
  }

  start(...words: readonly string[]): Started {
    return startCli(words, { env: this.#env });
  }

  /** A lab name that is taken down when it goes out of scope. */
  lab(): { name: string } & AsyncDisposable {
    const name = freshLab();
    return { name, [Symbol.asyncDispose]: async () => void (await this.run('down', '--lab', name)) };
  }

  /** A lab in the list of all. */
  async listed(lab: string): Promise<unknown> {
    const list = JSON.parse((await this.run('ls', '-f', 'json')).stdout) as { lab: string }[];
    return list.find((each) => each.lab === lab);
  }
}

export function cliSuite(testbed: TestbedUnderTest): void {
  const own = new TestbedCli(testbed.name);
  const gone = async (lab: string): Promise<void> => {
    await expect.poll(() => testbed.left(lab), { timeout: 30_000, interval: 20 }).toEqual([]);
  };

  test('up, ls, exec with 3 of 3 pings, down, and nothing is left', async () => {
    const before = testbed.surroundings?.();
    await using lab = own.lab();
    const up = await own.run('up', twoNodes, '--lab', lab.name);
    expect(up).toMatchObject({ code: 0 });
    expect(up.stdout).toBe(
      'NODE  INTERFACES  IPCPS  SERVERS\na     e1          lan.a  -\nb     e1          lan.b  ping.b\n',
    );
    expect(up.stderr).toMatch(/nodes 2\/2 +[\d.]+ (ms|s)\n/);
    expect(up.stderr).toContain(`lab ${lab.name} is up: 2 nodes, 1 link, 1 layer, 1 server in `);
    expect(await own.listed(lab.name)).toMatchObject({
      testbed: testbed.name,
      state: 'running',
      faults: [],
      file: twoNodes,
    });

    const ping = ['oping', '-n', 'ping.b', '-c', '3', '-i', '10ms'];
    const pinged = await own.run('exec', '--lab', lab.name, 'a', ...ping);
    expect(pinged.stdout).toContain('3 packets transmitted, 3 received');
    expect(pinged.code).toBe(0);

    const again = await own.run('up', twoNodes, '--lab', lab.name);
    expect(again.stderr).toContain('nothing to change');
    expect(again).toMatchObject({ code: 0, stdout: up.stdout });

    const left = testbed.trace(lab.name);
    expect(await own.run('down', '--lab', lab.name)).toEqual({
      code: 0,
      stdout: '',
      stderr: `lab ${lab.name} is down\n`,
    });
    await expect.poll(left, { timeout: 30_000, interval: 10 }).toEqual([]);
    expect(testbed.surroundings?.()).toEqual(before);
    expect(await own.run('down', '--lab', lab.name)).toEqual({
      code: 0,
      stdout: '',
      stderr: `no lab named ${lab.name} is running\n`,
    });
  });

  test('exec passes exit code, output, input words and signals', async () => {
    await using place = await folder({
      'one.ts': `import { node, topology } from 'o7s-testbed';\nexport default topology({ nodes: [node('only')] });\n`,
    });
    await using lab = own.lab();
    expect(await own.run('up', `${place.path}/one.ts`, '--lab', lab.name)).toMatchObject({ code: 0 });
    const exec = (...command: string[]): string[] => ['exec', '--lab', lab.name, 'only', '--', ...command];
    expect(await own.run(...exec('sh', '-c', 'hostname; echo oops >&2; exit 9'))).toEqual({
      code: 9,
      stdout: 'only\n',
      stderr: 'oops\n',
    });
    expect(await own.run(...exec('echo', '007', '1e3'))).toMatchObject({ code: 0, stdout: '007 1e3\n' });
    expect(await own.run(...exec('irm', 'ipcp', 'list'))).toMatchObject({ code: 0 });
    expect(await own.run(...exec('sh', '-c', 'kill -KILL $$'))).toEqual({
      code: 137,
      stdout: '',
      stderr: '',
    });
    expect(await own.run(...exec('no-such-command'))).toMatchObject({ code: 127 });
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const { child, outcome, written } = own.start(...exec('sh', '-c', 'echo ready >&2; exec sleep 1000'));
      await written('ready');
      child.kill(signal);
      expect((await outcome).code).toBe(code);
    }
    expect(await own.run('exec', '--lab', lab.name, 'other', '--', 'true')).toEqual({
      code: 2,
      stdout: '',
      stderr: `o7s-testbed: lab ${lab.name} has no node "other"; it has only\n`,
    });
    expect(await own.run('exec', '--lab', lab.name, 'only')).toMatchObject({ code: 2, stdout: '' });
  });

  test('a running lab is changed into another topology, and its nodes are stopped and started', async () => {
    await using place = await folder({ 't.ts': growing, 'note.txt': 'hello\n' });
    await using lab = own.lab();
    const named = ['--lab', lab.name];
    const run = async (...words: string[]): Promise<Outcome> => {
      const [verb = '', ...rest] = words;
      const outcome = await own.run(verb, ...named, ...rest);
      expect(outcome, words.join(' ')).toMatchObject({ code: 0 });
      return outcome;
    };
    const ping = async (name: string): Promise<Outcome> =>
      await own.run('exec', ...named, 'a', '--', 'oping', '-n', name, '-c', '1', '-i', '10ms');
    const ofA = async (): Promise<string> =>
      (await run('exec', 'a', '--', 'sh', '-c', 'ip -o link show e1; irm ipcp list')).stdout;

    await run('up', `${place.path}/t.ts`);
    const before = await ofA();
    const grown = await run('up', `${place.path}/t.ts`, '-y', '--set', 'third=true');
    for (const line of [
      '+ node c',
      '+ limits of c: 0.5 cpus, 134 MB',
      '+ link b-c: ',
      '+ server ping.c on c',
    ]) {
      expect(grown.stderr).toContain(`  ${line}`);
    }
    expect(grown.stderr).not.toContain('node a');
    expect(await ofA()).toBe(before);
    expect(await ping('ping.c')).toMatchObject({ code: 0 });
    // More than the node may take.
    const eat = 'process.stdout.write("began\\n"); Buffer.alloc(400e6, 1)';
    const eaten = await own.run('exec', ...named, 'c', '--', 'node', '-e', eat);
    expect(eaten).toMatchObject({ code: 137, stdout: 'began\n' });

    await run('stop', 'b');
    const states = async (): Promise<Record<string, string>> => {
      const { stdout } = await run('inspect', '-f', 'json');
      const { nodes } = JSON.parse(stdout) as { nodes: { node: string; condition: string }[] };
      return Object.fromEntries(nodes.map(({ node, condition }) => [node, condition]));
    };
    expect(await states()).toEqual({ a: 'running', b: 'stopped', c: 'running' });
    await run('start', 'b');
    expect(await states()).toEqual({ a: 'running', b: 'running', c: 'running' });
    expect(await ofA()).toBe(before);
    for (const name of ['ping.b', 'ping.c']) expect(await ping(name)).toMatchObject({ code: 0 });

    await run('cp', `${place.path}/note.txt`, 'a:/run/note.txt');
    await run('cp', 'a:/run/note.txt', 'b:/run/copied.txt');
    const many = await run('exec', 'b,c', '-f', 'json', '--', 'sh', '-c', 'cat /run/copied.txt 2>&1 || :');
    expect(JSON.parse(many.stdout)).toMatchObject([{ node: 'b', code: 0, stdout: 'hello\n' }, { node: 'c' }]);
    const lines = (await run('logs', '--log', 'irmd', '--tail', '50', '-f', 'json')).stdout
      .trim()
      .split('\n');
    const times = lines.map((line) => (JSON.parse(line) as { time: string }).time);
    expect(times).toEqual(times.toSorted());

    const shrunk = await run('up', `${place.path}/t.ts`, '-y', '--set', 'third=false');
    expect(shrunk.stderr).toContain('  - node c\n');
    expect(await states()).toEqual({ a: 'running', b: 'running' });
    expect(await ofA()).toBe(before);
  });

  test('two labs with nodes of the same names live side by side, and go without their file', async () => {
    await using place = await folder({ 't.ts': growing });
    await using one = own.lab();
    await using other = own.lab();
    const up = (lab: string): Promise<Outcome> => own.run('up', `${place.path}/t.ts`, '--lab', lab);
    expect((await Promise.all([one, other].map(({ name }) => up(name)))).map(({ code }) => code)).toEqual([
      0, 0,
    ]);
    await rm(`${place.path}/t.ts`);
    expect(await own.run('down', '--lab', one.name)).toMatchObject({ code: 0 });
    await gone(one.name);
    const ping = ['oping', '-n', 'ping.b', '-c', '1'];
    expect(await own.run('exec', '--lab', other.name, 'a', '--', ...ping)).toMatchObject({ code: 0 });
    expect(await own.run('restart', '--lab', other.name, 'b')).toMatchObject({ code: 0 });
    expect(await own.run('up', `${place.path}/t.ts`, '--lab', other.name)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^o7s-testbed: there is no file [^\n]*\n$/),
    });
    expect(await own.run('down', '--lab', other.name)).toMatchObject({ code: 0 });
    await gone(other.name);
  });

  test('of several up of one name at the same moment one builds it, the others wait and find it', async () => {
    await using lab = own.lab();
    const outcomes = await Promise.all([1, 2, 3].map(() => own.run('up', twoNodes, '--lab', lab.name)));
    expect(outcomes.map((each) => each.code)).toEqual([0, 0, 0]);
    const builders = outcomes.filter(({ stderr }) => stderr.includes(`lab ${lab.name} is up`));
    const others = outcomes.filter(({ stderr }) => stderr.includes('nothing to change'));
    expect([builders.length, others.length]).toEqual([1, 2]);
    const ping = await own.run('exec', '--lab', lab.name, 'a', '--', 'oping', '-n', 'ping.b', '-c', '1');
    expect(ping.stdout).toContain('1 packets transmitted, 1 received');
  });

  test('what changes a lab waits for who is changing it, and sees what that made of it', async () => {
    await using place = await folder({ 't.ts': growing });
    await using lab = own.lab();
    const named = ['--lab', lab.name];
    expect(await own.run('up', `${place.path}/t.ts`, ...named)).toMatchObject({ code: 0 });
    const lock = await lockLab(lab.name, { ...forever, holder: '"this test"' });
    const waits = `waiting for "this test" (process ${process.pid}), which is changing lab ${lab.name}\n`;
    const grow = own.start('up', `${place.path}/t.ts`, ...named, '-y', '--set', 'third=true');
    await grow.written(waits);
    const link = own.start('link', 'set', 'a-b', '--delay', '1ms', ...named);
    await link.written(waits);
    await lock[Symbol.asyncDispose]();
    expect(await grow.outcome).toMatchObject({ code: 0 });
    expect(await link.outcome).toMatchObject({ code: 0, stderr: waits });

    const again = await lockLab(lab.name, { ...forever, holder: '"this test"' });
    const interrupted = own.start('up', `${place.path}/t.ts`, ...named, '-y');
    await interrupted.written(waits);
    interrupted.child.kill('SIGINT');
    expect(await interrupted.outcome).toMatchObject({ code: 130 });
    const stop = own.start('stop', 'c', ...named);
    await stop.written(waits);
    await again[Symbol.asyncDispose]();
    // It stops a node that was not there when the first of them began.
    expect(await stop.outcome).toMatchObject({ code: 0, stderr: `${waits}node c is stopped\n` });
  });

  test('down takes a lab from the command that is building it, which says so', async () => {
    await using place = await folder({ 't.ts': unconnected });
    await using lab = own.lab();
    const { child, outcome, written } = own.start('up', `${place.path}/t.ts`, '--lab', lab.name, '-v');
    await written('b >> irm ipcp bootstrap');
    child.kill('SIGSTOP');
    const down = own.run('down', '--lab', lab.name);
    await gone(lab.name);
    child.kill('SIGCONT');
    expect(await down).toMatchObject({ code: 0 });
    expect(testbed.left(lab.name)).toEqual([]);
    expect(await outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`lab ${lab.name} was taken down while this command changed it; bring`),
    });
  });

  describe('up that is ended half-way leaves nothing', () => {
    test.each(moments)('by kill -9 at "%s"', async (moment) => {
      await using lab = own.lab();
      const { child, outcome, written } = own.start('up', twoNodes, '--lab', lab.name, '-v');
      await written(moment);
      child.kill('SIGKILL');
      expect((await outcome).code).toBe(137);
      await testbed.afterKill?.(lab.name, moment);
      await gone(lab.name);
    });

    test.each([
      ...moments.map((moment) => ['SIGINT', 130, moment] as const),
      ['SIGTERM', 143, 'irmd --stdout'] as const,
    ])('by %s, exit code %i, at "%s"', async (signal, code, moment) => {
      await using lab = own.lab();
      const { child, outcome, written } = own.start('up', twoNodes, '--lab', lab.name, '-v');
      await written(moment);
      child.kill(signal);
      expect(await outcome).toMatchObject({ code, stdout: '' });
      expect(testbed.left(lab.name)).toEqual([]);
    });
  });
}
