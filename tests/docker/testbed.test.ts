/** What every testbed has to do, on containers; and the node image as others would start it. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../rumba/installation.ts';
import { DockerTestbed } from '../../rumba/testbeds/docker/testbed.ts';
import { testbedCompliance } from '../compliance/testbed.ts';
import { containersOf, docker, leftOf, noEngine } from './engine.ts';
import { nodeImage, prepared } from './image.ts';

const manifest = JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>;
};

describe('docker', () => {
  beforeEach(({ skip }) => skip(noEngine !== undefined, noEngine));
  beforeAll(async () => {
    if (noEngine === undefined) await prepared();
  }, 300_000);

  testbedCompliance({
    testbed: new DockerTestbed(),
    trace: async (lab) => async () => leftOf(lab),
  });

  test('a node has the rights it was promised, and no others', async () => {
    const signal = new AbortController().signal;
    await using lab = await disposable(`rights-${process.pid}`, signal);
    await lab.made.addNode({ name: 'plain' }, signal);
    await lab.made.addNode({ name: 'tunnel', tun: true }, signal);
    // Any irmd will do, ours too.
    const runtime = { name: 'other', image: nodeImage, config: '/etc/ouroboros', variables: {} };
    await lab.made.addNode({ name: 'foreign', runtime }, signal);
    const inspect = (node: string): ContainerInspect =>
      (JSON.parse(docker('inspect', `o7s-${lab.made.name}-${node}`)) as [ContainerInspect])[0];

    const { HostConfig, Config } = inspect('plain');
    expect(HostConfig).toMatchObject({
      NetworkMode: 'none',
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Init: true,
      AutoRemove: true,
      RestartPolicy: { Name: 'no' },
      Devices: [],
      Binds: null,
    });
    const capabilities = (of: ContainerInspect): string[] =>
      of.HostConfig.CapAdd.map((name) => name.replace('CAP_', ''));
    expect(capabilities(inspect('plain'))).toEqual(['NET_ADMIN', 'NET_RAW']);
    expect(capabilities(inspect('foreign'))).toEqual(['NET_ADMIN', 'NET_RAW', 'SYS_NICE']);
    expect(Config.Hostname).toBe('plain');
    expect(Config.Labels).toMatchObject({
      'o7s.testbed.lab': lab.made.name,
      'o7s.testbed.node': 'plain',
      'o7s.testbed.owner': String(process.geteuid?.()),
    });

    const status = (await lab.made.node('plain').run(['cat', '/proc/self/status'])).stdout;
    // CAP_NET_ADMIN is bit 12, CAP_NET_RAW bit 13.
    expect(status).toMatch(/^CapBnd:\s+0000000000003000$/m);
    expect(status).toMatch(/^CapEff:\s+0000000000003000$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect((await lab.made.node('plain').run(['test', '-e', '/dev/net/tun'])).code).toBe(1);
    expect((await lab.made.node('tunnel').run(['test', '-c', '/dev/net/tun'])).code).toBe(0);
    const tap = ['ip', 'tuntap', 'add', 'dev', 'tun0', 'mode', 'tun'];
    expect(await lab.made.node('tunnel').run(tap)).toEqual({ code: 0, stdout: '', stderr: '' });

    const helper = inspect('helper');
    expect(helper.HostConfig).toMatchObject({ Privileged: false, CapDrop: ['ALL'], Binds: null });
    expect(capabilities(helper)).toEqual(['KILL', 'NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE']);
  });

  test('a lab that is destroyed late takes nothing of the next one of its name', async () => {
    const signal = new AbortController().signal;
    const name = `twice-${process.pid}`;
    const testbed = new DockerTestbed();
    const first = await testbed.createLab(name, signal);
    await first.destroy();
    await using lab = await disposable(name, signal);
    await lab.made.addNode({ name: 'a' }, signal);
    await first.removeNode('a', signal);
    await first.destroy();
    expect(await first.isThere()).toBe(false);
    expect(await lab.made.isThere()).toBe(true);
    expect((await lab.made.node('a').run(['true'])).code).toBe(0);
    expect(containersOf(name)).toHaveLength(2);
  });

  test('a record that is read while its helper ends is none, whatever the engine says of files that go', async () => {
    const signal = new AbortController().signal;
    await using lab = await disposable(`ending-${process.pid}`, signal);
    const { made } = lab;
    await made.keep({
      lab: made.name,
      file: '/x.ts',
      createdAt: '2000-01-01T00:00:00.000Z',
      topology: { name: made.name, nodes: [], links: [], layers: [], registrations: [], servers: [] },
    });
    let hasEnded = false;
    const read = async (): Promise<void> => {
      while (!hasEnded) expect([undefined, made.name]).toContain((await made.record())?.lab);
    };
    const readers = Promise.all(Array.from({ length: 8 }, read));
    try {
      await promisify(execFile)('docker', ['kill', `o7s-${made.name}-helper`]);
      await Promise.race([
        readers,
        expect.poll(() => made.isThere(), { timeout: 60_000, interval: 5 }).toBe(false),
      ]);
    } finally {
      hasEnded = true;
    }
    await readers;
  });

  test('a helper that the engine fails to remove is none, and is removed when what is left over is', async () => {
    const signal = new AbortController().signal;
    await using lab = await disposable(`stuck-${process.pid}`, signal);
    const { made } = lab;
    const helper = `o7s-${made.name}-helper`;
    const files = docker('inspect', '--format', '{{.GraphDriver.Data.UpperDir}}', helper);
    const immutable = mkdtempSync(`${files}/immutable-`);
    execFileSync('chattr', ['+i', immutable]);
    try {
      docker('kill', helper);
      await expect.poll(() => made.isThere(), { timeout: 60_000 }).toBe(false);
      await expect
        .poll(() => containersOf(made.name), { timeout: 60_000 })
        .toEqual([`${helper} Removal In Progress`]);
      expect(await made.isThere()).toBe(false);
    } finally {
      execFileSync('chattr', ['-i', immutable]);
    }
    const removed = await new DockerTestbed().clean(false);
    expect(removed).toContainEqual({ lab: made.name, testbed: 'docker', what: `container ${helper}` });
    expect(containersOf(made.name)).toEqual([]);
  });

  test('irmd answers over the agent, several at a time', async () => {
    const signal = new AbortController().signal;
    await using lab = await disposable(`irm-${process.pid}`, signal);
    await Promise.all(['a', 'b'].map((name) => lab.made.addNode({ name }, signal)));
    for (const name of ['a', 'b']) {
      await expect(lab.made.node(name).irm(signal)).rejects.toMatchObject({ code: 'EIRMD' });
      await lab.made.node(name).start(['irmd', '--stdout'], { log: 'irmd', signal });
    }
    const versions = await Promise.all(
      ['a', 'b', 'a'].map(async (name) => {
        const client = await expect
          .poll(
            () =>
              lab.made
                .node(name)
                .irm(signal)
                .catch(() => undefined),
            { timeout: 30_000 },
          )
          .toBeDefined()
          .then(() => lab.made.node(name).irm(signal));
        await using irm = client;
        await irm.createIpcp(`local.${name}`, 'local').catch(() => 0);
        return (await irm.listIpcps()).map((each) => each.name)[0];
      }),
    );
    expect(versions).toEqual(['local.a', 'local.b', 'local.a']);
  });

  test('the node image runs by itself, with two capabilities and no more', async () => {
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
    const { GenericContainer, Wait } = await import('testcontainers');
    await using container = await new GenericContainer(nodeImage)
      .withNetworkMode('none')
      .withDroppedCapabilities('ALL')
      .withAddedCapabilities('NET_ADMIN', 'NET_RAW')
      .withSecurityOpt('no-new-privileges')
      .withTmpFs({ '/run': 'mode=755' })
      .withWaitStrategy(Wait.forSuccessfulCommand('irm ipcp list'))
      .withStartupTimeout(60_000)
      .start();
    const created = await container.exec(['irm', 'ipcp', 'create', 'name', 'x', 'type', 'local']);
    expect(created).toMatchObject({ exitCode: 0 });
    const list = await container.exec(['irm', 'ipcp', 'list']);
    expect(list).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('local') });
    const programs = Object.keys(manifest.bin).filter((name) => name !== 'o7s-testbed');
    expect(programs).toContain('oping');
    const lookUp = `for each in ${programs.join(' ')}; do command -v $each || exit 1; done; ls /usr/local/share/man/man1/oping.1`;
    const found = await container.exec(['sh', '-c', lookUp]);
    expect(found.exitCode, found.output).toBe(0);
  });
});

interface ContainerInspect {
  HostConfig: { CapAdd: string[] };
  Config: { Hostname: string; Labels: Record<string, string> };
}

async function disposable(
  name: string,
  signal: AbortSignal,
): Promise<{ made: Awaited<ReturnType<DockerTestbed['createLab']>> } & AsyncDisposable> {
  const made = await new DockerTestbed().createLab(name, signal);
  return { made, [Symbol.asyncDispose]: () => made.destroy() };
}
