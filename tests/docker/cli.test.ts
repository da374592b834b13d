/** The command line on containers, as its users have it. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cliSuite, TestbedCli, twoNodes } from '../compliance/cli.ts';
import * as netns from '../netns/cli.ts';
import { freshLab, type Outcome, type Started } from '../netns/cli.ts';
import { containersOf, docker, leftOf, noEngine, surroundings } from './engine.ts';
import { nodeImage, prepared } from './image.ts';

const lineOfThree = fileURLToPath(new URL('../../topologies/line-of-three.ts', import.meta.url));
const own = new TestbedCli('docker');
const cli = (...words: string[]): Promise<Outcome> => own.run(...words);
const startCli = (...words: string[]): Started => own.start(...words);

async function gone(lab: string): Promise<void> {
  await expect.poll(() => leftOf(lab), { timeout: 30_000, interval: 50 }).toEqual([]);
}

beforeEach(({ skip }) => skip(noEngine !== undefined, noEngine));

beforeAll(async () => {
  if (noEngine === undefined) await prepared();
}, 300_000);

cliSuite({
  name: 'docker',
  left: leftOf,
  trace: (lab) => {
    expect(containersOf(lab)).toHaveLength(3);
    return () => leftOf(lab);
  },
  surroundings,
  // A container that was being made at that moment is not started any more: that takes a command.
  afterKill: async (lab, moment) => moment === 'node a' && cli('down', '--lab', lab),
});

test('a unicast layer over three nodes has converged when up ends', async () => {
  await using lab = own.lab();
  expect(await cli('up', lineOfThree, '--lab', lab.name)).toMatchObject({ code: 0 });
  const ping = ['oping', '-n', 'ping.c', '-c', '3', '-i', '10'];
  const { stdout } = await cli('exec', '--lab', lab.name, 'a', '--', ...ping);
  expect(stdout).toContain('3 packets transmitted, 3 received');
});

test('clean leaves a lab that runs alone', async () => {
  await using lab = own.lab();
  expect(await cli('up', twoNodes, '--lab', lab.name)).toMatchObject({ code: 0 });
  expect(await cli('clean')).toMatchObject({ code: 0 });
  expect(containersOf(lab.name)).toHaveLength(3);
});

describe('up that is ended half-way', () => {
  // From before the helper is made to the last step.
  test.each([150, 250, 300, 350, 400, 500, 600, 700, 900, 1100].map((ms, index) => [ms, index % 2] as const))(
    'by kill -9 after %i ms leaves nothing after one down or clean',
    async (ms, even) => {
      const lab = freshLab();
      const { child, outcome } = startCli('up', twoNodes, '--lab', lab);
      await delay(ms);
      child.kill('SIGKILL');
      await outcome;
      const listed = (await own.listed(lab)) as { state: string } | undefined;
      const isComplete = listed?.state === 'running';
      const remove = even === 0 || isComplete ? ['down', '--lab', lab] : ['clean'];
      // What it wrote is in the assertion, to be seen where it failed.
      const { code, stderr } = await cli(...remove);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
      await gone(lab);
    },
  );
});

test.each([150, 250, 300, 350, 400, 450, 500, 550, 600, 700])(
  'down that is ended by kill -9 after %i ms is finished by another',
  async (ms) => {
    const lab = freshLab();
    expect((await cli('up', twoNodes, '--lab', lab)).code).toBe(0);
    const { child, outcome } = startCli('down', '--lab', lab);
    await delay(ms);
    child.kill('SIGKILL');
    await outcome;
    expect(await cli('down', '--lab', lab)).toMatchObject({ code: 0 });
    await gone(lab);
  },
);

describe('what goes wrong is said in one line, with the way out', () => {
  test('a container that was killed', async () => {
    await using lab = own.lab();
    expect((await cli('up', twoNodes, '--lab', lab.name)).code).toBe(0);
    docker('kill', `o7s-${lab.name}-b`);
    await expect.poll(() => containersOf(lab.name), { timeout: 30_000 }).toHaveLength(2);
    expect(await cli('exec', '--lab', lab.name, 'b', '--', 'true')).toEqual({
      code: 1,
      stdout: '',
      stderr: `o7s-testbed: node b of lab ${lab.name} has ended: its container is gone; make it again: o7s-testbed start b --lab ${lab.name}\n`,
    });
    const list = JSON.parse((await cli('ls', '-f', 'json')).stdout) as { lab: string }[];
    expect(list.find((each) => each.lab === lab.name)).toMatchObject({
      state: 'damaged',
      faults: ['node b has ended'],
    });
    expect((await cli('down', '--lab', lab.name)).code).toBe(0);
    expect((await cli('up', twoNodes, '--lab', lab.name)).code).toBe(0);
  });

  test('a helper that was killed in a complete lab', async () => {
    await using lab = own.lab();
    expect((await cli('up', twoNodes, '--lab', lab.name)).code).toBe(0);
    docker('kill', `o7s-${lab.name}-helper`);
    await expect.poll(() => containersOf(lab.name), { timeout: 30_000 }).toHaveLength(2);
    const list = JSON.parse((await cli('ls', '-f', 'json')).stdout) as { lab: string }[];
    expect(list.find((each) => each.lab === lab.name)).toMatchObject({
      state: 'damaged',
      faults: ['its helper is gone'],
    });
    expect((await cli('exec', '--lab', lab.name, 'a', '--', 'irm', 'ipcp', 'list')).code).toBe(0);
    // Somebody may be at work on its nodes.
    expect(await cli('clean')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        `lab ${lab.name} stays: its helper is gone; to remove it: o7s-testbed down --lab ${lab.name}\n`,
      ),
    });
    expect(containersOf(lab.name)).toHaveLength(2);
    expect(await cli('up', twoNodes, '--lab', lab.name)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`a lab named ${lab.name} has lost its helper, and its nodes run; take`),
    });
    expect((await cli('down', '--lab', lab.name)).code).toBe(0);
    await gone(lab.name);
  });

  test('a helper that was killed while the lab was made', async () => {
    const lab = freshLab();
    const { outcome, written } = startCli('up', twoNodes, '--lab', lab, '-v');
    await written('irmd --stdout');
    docker('kill', `o7s-${lab}-helper`);
    const { code, stderr } = await outcome;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^o7s-testbed: .*the helper of lab ${lab} ended; remove what is left`, 'm'),
    );
    await gone(lab);
  });

  test('an image without irmd', async () => {
    const lab = freshLab();
    const image = `o7s-testbed-test/bare:${process.pid}`;
    const base = docker('images', '-q', 'o7s-testbed/base').split('\n')[0] ?? '';
    docker('tag', base === '' ? 'debian:bookworm-slim' : base, image);
    try {
      expect(await cli('up', twoNodes, '--lab', lab, '--image', image)).toMatchObject({
        code: 3,
        stdout: '',
        stderr: expect.stringContaining(
          `the image ${image} has no program irmd; take one that has, or build ours: o7s-testbed image build\n`,
        ),
      });
      await gone(lab);
    } finally {
      docker('rmi', image);
    }
  });

  test('an image that is not there', async () => {
    expect(await cli('up', twoNodes, '--lab', freshLab(), '--image', 'nobody/nothing:1')).toEqual({
      code: 3,
      stdout: '',
      stderr:
        'o7s-testbed: the engine has no image nobody/nothing:1; get it first: docker pull nobody/nothing:1\n',
    });
  });

  test.each([
    ['unix:///nonexistent.sock', 'there is no such socket'],
    ['tcp://127.0.0.1:1', 'nobody listens'],
  ])('an engine at %s that does not answer', async (address, reason) => {
    const env = { O7S_TESTBED: 'docker', DOCKER_HOST: address };
    const line = `o7s-testbed: no Docker engine answers at ${address}: ${reason}; start it or correct DOCKER_HOST, or use --testbed netns\n`;
    expect(await netns.cli(['up', twoNodes], { env })).toEqual({ code: 3, stdout: '', stderr: line });
    expect(await netns.cli(['image', 'ls'], { env })).toEqual({ code: 3, stdout: '', stderr: line });
    const free = await netns.cli(['ls'], { env: { O7S_TESTBED: '', DOCKER_HOST: address } });
    expect(free).toMatchObject({ code: 0 });
    expect(free.stderr).toContain('o7s-testbed: without the labs of docker: no Docker engine answers');
  });

  test('without an engine, up takes netns and says so in one line', async () => {
    const lab = freshLab();
    const env = { O7S_TESTBED: '', DOCKER_HOST: 'unix:///nonexistent.sock' };
    const up = await netns.cli(['up', twoNodes, '--lab', lab], { env });
    try {
      expect(up.code).toBe(0);
      expect(up.stderr.split('\n')[0]).toBe(
        'using testbed netns: no Docker engine answers at unix:///nonexistent.sock: there is no such socket',
      );
    } finally {
      await netns.cli(['down', '--lab', lab]);
    }
  });
});

test('events tell all there is, then what happens, until the lab is down', async () => {
  await using lab = own.lab();
  expect((await cli('up', twoNodes, '--lab', lab.name)).code).toBe(0);
  const { child, outcome } = startCli('events', '--lab', lab.name);
  let told = '';
  child.stdout?.on('data', (text: string) => (told += text));
  const lines = (): Record<string, unknown>[] =>
    told
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const seen = (event: object): Promise<void> =>
    expect.poll(lines, { timeout: 30_000, interval: 20 }).toContainEqual(expect.objectContaining(event));
  await seen({ event: 'snapshot', node: 'a' });
  await seen({ event: 'snapshot', node: 'b' });
  expect(lines()[0]).toMatchObject({ event: 'lab', lab: lab.name, testbed: 'docker', nodes: ['a', 'b'] });
  expect((await cli('exec', '--lab', lab.name, 'a', '--', 'irm', 'name', 'create', 'x')).code).toBe(0);
  await seen({ event: 'name.created', node: 'a', name: 'x' });
  docker('kill', `o7s-${lab.name}-b`);
  await seen({ event: 'node.ended', node: 'b' });
  expect((await cli('down', '--lab', lab.name)).code).toBe(0);
  await seen({ event: 'lab.ended' });
  expect((await outcome).code).toBe(0);
});

test('images are listed, and those of others are not removed', async () => {
  const list = JSON.parse((await cli('image', 'ls', '-f', 'json')).stdout) as { tag: string }[];
  expect(list).toContainEqual(expect.objectContaining({ tag: nodeImage, kind: 'node' }));
  expect(await cli('image', 'rm', 'debian:latest')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^o7s-testbed: there is no image debian:latest of o7s-testbed; there is [^\n]*\n$/,
    ),
  });
});

test('doctor looks at everything, with a command for each fault', async () => {
  const { code, stdout } = await netns.cli(['doctor', '-f', 'json']);
  const report = JSON.parse(stdout) as {
    fit: boolean;
    checks: { state: string; mend?: string; what: string }[];
  };
  expect([code, report.fit]).toEqual([0, true]);
  expect(report.checks.map((each) => each.what)).toEqual(
    expect.arrayContaining([
      'Node',
      'engine',
      'image',
      'veth',
      'netem',
      'TUN',
      'inotify instances',
      'namespaces',
    ]),
  );
  for (const { state, mend } of report.checks) expect(state === 'ok' || Boolean(mend)).toBe(true);
});
