/** One cable between a node of ours and one of the reference prototype. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Namespace, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';

const missing =
  peerPrefix === undefined
    ? 'O7S_PEER_PREFIX does not name an installed prototype'
    : process.getuid?.() === 0
      ? namespacesMissing()
      : 'the prototype runs as root only';

const prefix = peerPrefix;
if (prefix === undefined || missing !== undefined) {
  test('interop with the prototype over eth-dix', ({ skip }) => skip(missing ?? 'unknown'));
} else {
  describe('eth-dix with the prototype', () => {
    const stack = new AsyncDisposableStack();
    let ours: TestNode;
    let peer: PeerNode;

    beforeAll(async () => {
      const namespace = stack.use(await Namespace.make());
      peer = stack.use(await PeerNode.start(prefix));
      joinNamespaces({ pid: namespace.pid, dev: 'eth0' }, { pid: peer.pid, dev: 'eth0' });
      ours = stack.use(await TestNode.start(namespace.launch));
      await ours.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
      await peer.bootstrap('eth-dix', 'dev', 'eth0');
      await ours.serve('ping.ours');
      await ours.manage('name register ping.ours layer lan');
      await peer.serve('ping.peer', ['oping', '-l'], 'eth-dix');
      // Its client wants the names in its own table too.
      for (const name of ['ping.ours', 'nobody']) {
        expect((await peer.run(['irm', 'name', 'create', name])).code).toBe(0);
      }
    });
    afterAll(() => stack.disposeAsync());

    test('ours pings it 100 times at 50 ms', async () => {
      const { status, stdout } = await ours.oping('-n', 'ping.peer', '-c', '100', '-i', '50');
      expect(stdout).toContain('100 packets transmitted, 100 received, 0 out-of-order, 0% packet loss');
      expect(stdout).toContain('64 bytes from ping.peer: seq=99 time=');
      expect(status).toBe(0);
    });

    test('it pings ours 100 times at 50 ms', async () => {
      const { code, output } = await peer.run(['oping', '-n', 'ping.ours', '-c', '100', '-i', '50']);
      expect(output).toContain('100 packets transmitted, 100 received, 0 out-of-order, 0% packet loss');
      expect(output).toContain('64 bytes from ping.ours: seq=99 time=');
      expect(code).toBe(0);
    });

    test('1400 bytes, both ways at once', async () => {
      const args = ['-c', '20', '-i', '10', '-s', '1400'];
      const [fromOurs, fromPeer] = await Promise.all([
        ours.oping('-n', 'ping.peer', ...args),
        peer.run(['oping', '-n', 'ping.ours', ...args]),
      ]);
      expect(fromOurs.stdout).toContain('1400 bytes from ping.peer: seq=19 ');
      expect(fromPeer.output).toContain('1400 bytes from ping.ours: seq=19 ');
      for (const text of [fromOurs.stdout, fromPeer.output])
        expect(text).toContain('20 packets transmitted, 20 received');
    });

    test('flows one after another, each with an allocation of its own', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { stdout } = await ours.oping('-n', 'ping.peer', '-c', '1', '-i', '1', '-Q');
        expect(stdout).toContain('1 packets transmitted, 1 received');
      }
    });

    test('a name that nobody has, from either side', async () => {
      const fromOurs = await ours.oping('-n', 'nobody', '-c', '1');
      expect([fromOurs.status, fromOurs.stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
      const fromPeer = await peer.run(['oping', '-n', 'nobody', '-c', '1']);
      expect([fromPeer.code, fromPeer.output]).toEqual([1, 'Failed to allocate flow: -1003.\n']);
    });

    test('both nodes still serve', async () => {
      expect((await ours.oping('-n', 'ping.peer', '-c', '1', '-i', '1')).stdout).toContain('1 received');
      expect((await peer.run(['oping', '-n', 'ping.ours', '-c', '1', '-i', '1'])).output).toContain(
        '1 received',
      );
    });
  });
}
