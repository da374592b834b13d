/** What the command line does on every testbed: a lab from its `up` to its `down`, and what comes in between. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cli, folder, freshLab, type Outcome, startCli, type Started } from '../netns/cli.ts';

export const twoNodes: string = fileURLToPath(new URL('../../topologies/two-nodes.ts', import.meta.url));

/** Steps of `up` at which it may be ended, as `-v` writes them. */
const moments = ['node a', 'link a-b', 'irmd --stdout', 'irm ipcp bootstrap', 'irm bind process'] as const;

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
    await expect.poll(() => testbed.left(lab), { timeout: 15_000, interval: 20 }).toEqual([]);
  };

  test('up, ls, exec with 3 of 3 pings, down, and nothing is left', async () => {
    const before = testbed.surroundings?.();
    await using lab = own.lab();
    const up = await own.run('up', twoNodes, '--lab', lab.name);
    expect(up).toMatchObject({ code: 0 });
    expect(up.stdout).toBe(
      'NODE  INTERFACES  IPCPS  SERVERS\na     e1          lan.a  -\nb     e1          lan.b  ping.b\n',
    );
    expect(up.stderr).toMatch(/nodes 2\/2 +\d+ ms\n/);
    expect(up.stderr).toContain(`lab ${lab.name} is up: 2 nodes, 1 link, 1 layer, 1 server in `);
    expect(await own.listed(lab.name)).toMatchObject({
      testbed: testbed.name,
      state: 'running',
      faults: [],
      file: twoNodes,
    });

    const ping = ['oping', '-n', 'ping.b', '-c', '3', '-i', '10ms'];
    const pinged = await own.run('exec', '--lab', lab.name, 'a', '--', ...ping);
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
    await expect.poll(left, { timeout: 10_000, interval: 10 }).toEqual([]);
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

  test('of several up of one name at the same moment, one wins', async () => {
    await using lab = own.lab();
    const outcomes = await Promise.all([1, 2, 3].map(() => own.run('up', twoNodes, '--lab', lab.name)));
    expect(outcomes.map((each) => each.code).toSorted((one, other) => one - other)).toEqual([0, 1, 1]);
    const ping = await own.run('exec', '--lab', lab.name, 'a', '--', 'oping', '-n', 'ping.b', '-c', '1');
    expect(ping.stdout).toContain('1 packets transmitted, 1 received');
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
