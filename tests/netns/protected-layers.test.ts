/** Flows that IPCPs use themselves, encrypted as the files of their names say: on the cable nothing of them is clear. */
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { NamespacePair, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { RelayedDevice } from '../support/relayed-device.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

const ethertype = 0xa000;
/**
 * What the two members say of themselves first when a component connects (end-to-end.md 15). Words too long to come up in
 * ciphertext by chance.
 */
const clearWords = ['Data Transfer', 'Management', 'Enrollment'];

interface Net {
  readonly a: TestNode;
  readonly b: TestNode;
  /** What came to `a` on the cable. */
  readonly frames: Buffer[];
}

/** Two nodes in an eth-dix layer, with a member of a layer of a type over it each; `a` has bootstrapped it. */
async function start(
  type: 'unicast' | 'broadcast',
  mode: 'shared' | 'process',
  conf?: { readonly client?: string; readonly server?: string },
): Promise<Net> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const pair = stack.use(await NamespacePair.make());
  const frames: Buffer[] = [];
  stack.use(
    await RelayedDevice.open(pair.a, 'eth0', ethertype, (frame) => frames.push(Buffer.from(frame.bytes()))),
  );
  const [a, b] = [pair.a, pair.b].map(({ launch }) => stack.use(TestNode.empty(launch)));
  if (a === undefined || b === undefined) throw new Error('two nodes were to start');
  // b asks, a serves.
  if (conf?.client !== undefined) b.writeSecurity('client/upper.a/enc.conf', conf.client);
  if (conf?.server !== undefined) a.writeSecurity('server/upper.a/enc.conf', conf.server);
  for (const node of [a, b]) {
    await node.startIrmd('--ipcpd', mode);
    await node.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
  }
  await a.manage(`ipcp bootstrap type ${type} name upper.a layer upper autobind`);
  await a.manage('name register upper.a ipcp e0');
  return { a, b, frames };
}

async function enrol({ b }: Net, type: string): Promise<void> {
  await b.manage(`ipcp enroll type ${type} name upper.b layer upper dst upper.a autobind`);
}

const seen = (frames: readonly Buffer[]): string[] =>
  clearWords.filter((word) => frames.some((frame) => frame.includes(word)));

describe.each(['shared', 'process'] as const)('ipcpd %s', (mode) => {
  test('without files all is clear', async () => {
    const net = await start('unicast', mode);
    await enrol(net, 'unicast');
    await net.b.manage('ipcp connect name upper.b dst upper.a');
    await until('the frames', () => seen(net.frames).includes('Data Transfer'));
  });

  test.each([
    ['both', { client: 'kex=X25519\n', server: 'cipher=chacha20-poly1305\n' }],
    ['who asks alone', { client: 'kex=X25519\n' }],
  ])(
    'a unicast layer: its members speak in secret, and flows of it work; files of %s',
    async (_who, conf) => {
      const net = await start('unicast', mode, conf);
      await enrol(net, 'unicast');
      await net.b.manage('ipcp connect name upper.b dst upper.a');
      await net.a.serve('ping.a', '-Q');
      await net.a.manage('name register ping.a layer upper');
      const pings = await until('pings', async () => {
        const { stdout } = await net.b.oping('-n', 'ping.a', '-c', '20', '-i', '5', '-s', '1300');
        return stdout.includes('20 packets transmitted, 20 received') && stdout;
      });
      expect(pings).toContain('1300 bytes from ping.a');
      expect(net.frames.length).toBeGreaterThan(20);
      expect(seen(net.frames)).toEqual([]);
      // Zeros are what oping sends: nothing of them is seen.
      expect(net.frames.some((frame) => frame.includes(Buffer.alloc(64)))).toBe(false);
    },
  );

  test('a broadcast layer', async () => {
    const net = await start('broadcast', mode, { client: '', server: '' });
    await enrol(net, 'broadcast');
    await net.b.manage('ipcp connect name upper.b dst upper.a component dt');
    expect(seen(net.frames)).toEqual([]);
    expect(net.frames.length).toBeGreaterThan(4);
  });

  test('who has no files does not get in where they are asked for', async () => {
    const net = await start('unicast', mode, { server: '' });
    await net.b.manage('ipcp create type unicast name upper.b');
    const { status, stderr } = await net.b.irm('ipcp enroll name upper.b layer upper dst upper.a autobind');
    expect(status).not.toBe(0);
    expect(stderr).toContain('upper.a');
    expect(net.a.log).toContain('it asks for no encryption');
  });
});
