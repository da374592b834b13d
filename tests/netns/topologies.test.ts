/** The examples that come with the package, as their first lines tell to use them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ethLink, node, server, topology, udp4, udp6 } from '../../rumba/index.ts';
import { Performer } from '../../rumba/deploy/perform.ts';
import type { Action } from '../../rumba/plan/action.ts';
import { plan } from '../../rumba/plan/plan.ts';
import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import type { Lab } from '../../rumba/testbeds/testbed.ts';
import { until } from '../support/until.ts';
import { vpnMissing } from '../support/vpn-missing.ts';
import { cli, freshLab, labInScope, type Outcome, startCli } from './cli.ts';
import { traceLab } from './traces.ts';

const example = (name: string): string =>
  fileURLToPath(new URL(`../../topologies/${name}.ts`, import.meta.url));
const hostsOfMachine = (): string => readFileSync('/etc/hosts', 'utf8');

test.each([
  ['llc-pair', ['ping.b'], []],
  [
    'udp-pair',
    ['ping4.b', 'ping6.b'],
    [
      '10.0.0.2 aa421a88c4e8f846701d6981161284df # ping4.b',
      'fd6f:37::2 5c7a9fbcd98a130781aee411949ae359 # ping6.b',
    ],
  ],
])('%s: up, 3 of 3 pings to %j, down, and nothing is left', async (name, names, lines) => {
  const before = hostsOfMachine();
  await using lab = labInScope();
  const inLab = async (...command: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(['exec', '--lab', lab.name, 'a', '--', ...command]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };
  const up = await cli(['up', example(name), '--lab', lab.name]);
  expect(up.stderr).toContain(`lab ${lab.name} is up: 2 nodes, 1 link, `);
  for (const each of names) {
    expect(await inLab('oping', '-n', each, '-c', '3', '-i', '10')).toContain(
      '3 packets transmitted, 3 received',
    );
  }
  const hosts = ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', '127.0.1.1 a', ...lines];
  expect((await inLab('cat', '/etc/hosts')).trimEnd().split('\n')).toEqual(hosts);
  expect(hostsOfMachine()).toBe(before);

  const left = traceLab(lab.name);
  expect(await cli(['down', '--lab', lab.name])).toMatchObject({ code: 0 });
  await expect.poll(left, { timeout: 10_000, interval: 10 }).toEqual([]);
  expect(hostsOfMachine()).toBe(before);
});

test('clos: pings from server to server, also while one of the spines is off', async () => {
  await using lab = labInScope();
  const small = ['--set', 'leaves=2', '--set', 'servers=1'];
  const up = await cli(['up', example('clos'), '--lab', lab.name, ...small]);
  expect(up.stderr).toContain(`lab ${lab.name} is up: 6 nodes, 6 links, 7 layers, 2 servers in `);
  const ping = ['oping', '-n', 'ping.server2-1', '-c', '3', '-i', '10ms'];
  const pinged = async (): Promise<string> =>
    (await cli(['exec', '--lab', lab.name, 'server1-1', '--', ...ping])).stdout;
  expect(await pinged()).toContain('3 packets transmitted, 3 received');
  expect(await cli(['stop', 'spine1', '--lab', lab.name])).toMatchObject({ code: 0 });
  await until('the other spine to carry all', async () => (await pinged()).includes('3 received'));
});

test('metro: four levels of layers, and the one on top is for its members only', async () => {
  await using lab = labInScope();
  const up = await cli(['up', example('metro'), '--lab', lab.name]);
  expect(up.stderr).toContain(`lab ${lab.name} is up: 20 nodes, 20 links, 27 layers, 5 servers in `);
  const exec = (node: string, name: string): Promise<Outcome> =>
    cli(['exec', '--lab', lab.name, node, '--', 'oping', '-n', name, '-c', '3', '-i', '10ms']);
  expect((await exec('north-home1', 'files.office')).stdout).toContain('3 packets transmitted, 3 received');
  expect((await exec('east-home3', 'ping.west-core')).stdout).toContain('3 packets transmitted, 3 received');
  expect(await exec('north-home2', 'files.office')).toMatchObject({ code: 1 });
  const { stdout } = await cli(['inspect', '--lab', lab.name, '-f', 'json']);
  const { layers } = JSON.parse(stdout) as { layers: { layer: string; members: { routes: number }[] }[] };
  const routes = (name: string): Set<number> | undefined => {
    const found = layers.find(({ layer }) => layer === name);
    return found && new Set(found.members.map((member) => member.routes));
  };
  expect([routes('metro'), routes('core'), routes('office')]).toEqual(
    [19, 3, 3].map((count) => new Set([count])),
  );
});

test('mixed is refused without the prototype, with what to set', async () => {
  const env = { O7S_PEER_PREFIX: '', O7S_PEER_IMAGE: '' };
  expect(await cli(['up', example('mixed')], { env })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(
      /^o7s-testbed: [^\n]*mixed\.ts:\d+: runtime prototype has neither a prefix nor an image; set O7S_PEER_PREFIX to the folder it was installed to, or O7S_PEER_IMAGE to an image that has it\n$/,
    ),
  });
});

test('vpn: IP over an encrypted flow', async ({ skip }) => {
  const missing = vpnMissing();
  skip(missing !== undefined, missing);
  await using lab = labInScope();
  expect(await cli(['up', example('vpn'), '--lab', lab.name])).toMatchObject({ code: 0 });
  const onA = (script: string): ReturnType<typeof cli> =>
    cli(['exec', '--lab', lab.name, 'a', '--', 'sh', '-c', script]);
  await onA('ovpn -n vpn -i 10.8.0.1 -m 255.255.255.0 >/run/vpn.log 2>&1 &');
  await expect
    .poll(async () => (await onA('ping -c 1 -W 2 10.8.0.2')).stdout, { timeout: 20_000 })
    .toContain('1 packets transmitted, 1 received');
  expect((await onA('cat /run/o7s-testbed/irmd.log')).stdout).toContain('Negotiated X25519 + aes-256-gcm.');
});

test.each([
  ['line-of-three', 'ping.c'],
  ['ring-of-six', 'ping.d'],
  ['two-layers', 'ping.d'],
])('%s: when up ends the layer has converged: the first pings to %s arrive', async (name, served) => {
  await using lab = labInScope();
  expect(await cli(['up', example(name), '--lab', lab.name])).toMatchObject({ code: 0 });
  const ping = ['oping', '-n', served, '-c', '3', '-i', '10'];
  const { stdout } = await cli(['exec', '--lab', lab.name, 'a', '--', ...ping]);
  expect(stdout).toContain('3 packets transmitted, 3 received');
});

test('broadcast-tree: who has joined hears everybody else, once', async () => {
  await using lab = labInScope();
  expect(await cli(['up', example('broadcast-tree'), '--lab', lab.name])).toMatchObject({ code: 0 });
  const obc = (at: string, ...words: string[]): string[] => [
    'exec',
    '--lab',
    lab.name,
    at,
    '--',
    'obc',
    '-n',
    'news',
    ...words,
  ];
  const listeners = ['a', 'b', 'c'].map((at) => {
    const { child, outcome } = startCli(obc(at, '-l'));
    const heard = { text: '' };
    child.stdout?.on('data', (text: string) => (heard.text += text));
    return { child, outcome, heard };
  });
  const allHave = async (text: string): Promise<unknown> =>
    until(`all to print ${text}`, () => listeners.every(({ heard }) => heard.text.includes(text)), 30_000);
  await allHave('New flow.');
  for (const at of ['d', 'b', 'a']) {
    expect(await cli(obc(at, '-m', `hello from ${at}`))).toMatchObject({ code: 0, stdout: '' });
    await allHave(`hello from ${at}`);
  }
  for (const { child, outcome } of listeners) {
    child.kill('SIGINT');
    const { stdout } = await outcome;
    const messages = ['d', 'b', 'a'].map((at) => `Message is hello from ${at}.\n`);
    expect(stdout).toBe(`Starting a reader.\nNew flow.\n${messages.join('')}`);
  }
});

test('a dry run shows the addresses and the lines of the hosts files', async () => {
  const { code, stdout } = await cli(['up', example('udp-pair'), '--dry-run']);
  expect(code).toBe(0);
  expect(stdout).toContain(
    'addresses\n  a >> ip address add 10.0.0.1/30 dev e1\n  a >> ip address add fd6f:37::1/64 dev e1 nodad\n',
  );
  expect(stdout).toMatch(/\n {2}b >> printf '%s\\n' '10\.0\.0\.2 aa4\S+ # ping4\.b' .* >>\/etc\/hosts\n/);
  expect(stdout).toContain('type udp6 ip fd6f:37::2\n');
});

/** A lab with the nodes of a pair with both udp layers, and the actions of its plan. */
async function nodesOfPair(): Promise<
  { lab: Lab; perform: (kind: Action['kind']) => Promise<void> } & AsyncDisposable
> {
  const [a, b] = [node('a'), node('b')];
  const cable = ethLink(a, b);
  const { steps } = plan(
    topology({
      nodes: [a, b],
      links: [cable],
      layers: [udp4('inet4', cable), udp6('inet6', cable)],
      servers: [server(b, 'x', ['oping', '-l'])],
    }),
  );
  const { signal } = new AbortController();
  const lab = await new NetnsTestbed().createLab(freshLab(), signal);
  const performer = new Performer(lab, []);
  const perform = async (kind: Action['kind']): Promise<void> => {
    for (const { action } of steps) if (action.kind === kind) await performer.perform(action, signal);
  };
  await perform('node');
  return {
    lab,
    perform,
    [Symbol.asyncDispose]: async () => {
      await performer[Symbol.asyncDispose]();
      await lab.destroy();
    },
  };
}

test('addresses and lines of hosts files that are there stay as they are', async () => {
  await using pair = await nodesOfPair();
  const seen = async (): Promise<string> => {
    const script = 'ip -o address show dev e1 scope global; cat /etc/hosts';
    const results = await Promise.all(
      ['a', 'b'].map((each) => pair.lab.node(each).run(['sh', '-c', script])),
    );
    return results.map(({ stdout }) => stdout).join('');
  };
  const kinds = ['cable', 'address', 'hosts'] as const;
  for (const kind of kinds) await pair.perform(kind);
  const once = await seen();
  expect(once).toMatch(/inet6 fd6f:37::2\/64 scope global nodad/);
  expect(once.match(/9dd4e461268c8034f5c8564e155c67a6 # x/g)).toHaveLength(4);
  for (const kind of kinds) await pair.perform(kind);
  expect(await seen()).toBe(once);
});

test('an address without its interface says where', async () => {
  await using pair = await nodesOfPair();
  await expect(pair.perform('address')).rejects.toMatchObject({
    code: 'EFAILED',
    message: expect.stringMatching(/^node a: cannot give interface e1 address 10\.0\.0\.1\/30: .*e1/),
  });
});

// On a machine that is a container, the file below would be a mounted one as well.
const isMounted = readFileSync('/proc/self/mountinfo', 'utf8').includes(' /etc/hosts ');

test.skipIf(isMounted)('a hosts file that is not the own one of a node is left alone', async () => {
  const before = hostsOfMachine();
  await using pair = await nodesOfPair();
  expect(await pair.lab.node('a').run(['umount', '/etc/hosts'])).toMatchObject({ code: 0 });
  await expect(pair.perform('hosts')).rejects.toThrow(
    'node a: cannot write to the hosts file: the node has no hosts file of its own',
  );
  expect(hostsOfMachine()).toBe(before);
});
