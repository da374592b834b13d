/** Encrypted and authenticated flows between a node of ours and one of the reference prototype, on one cable. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawQos } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { certificateFile } from '../support/certificates.ts';
import { Namespace, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { joinNamespaces, peerConfiguration, PeerNode, peerPrefix } from '../support/peer.ts';
import { until } from '../support/until.ts';

const missing =
  peerPrefix === undefined
    ? 'O7S_PEER_PREFIX does not name an installed prototype'
    : process.getuid?.() === 0
      ? namespacesMissing()
      : 'the prototype runs as root only';

interface Files {
  /** `enc.conf`. */
  readonly conf?: string;
  /** A certificate of tests/fixtures/certificates, with its key. */
  readonly certificate?: string;
}

/** A name that one node serves and the other asks for, and what becomes of it. */
interface Case {
  readonly name: string;
  readonly client: Files;
  readonly server: Files;
  /** What the log of the client tells of an encrypted flow. */
  readonly negotiated?: string;
  /** What the client fails with. */
  readonly refused?: number;
}

const gcm = 'kex=X25519\ncipher=aes-256-gcm\nkdf=sha256\n';
const p256 = 'kex=prime256v1\n';

const cases: readonly Case[] = [
  { name: 'both', client: { conf: gcm }, server: { conf: gcm }, negotiated: 'X25519 + aes-256-gcm' },
  { name: 'client', client: { conf: gcm }, server: {}, negotiated: 'X25519 + aes-256-gcm' },
  {
    name: 'stronger',
    client: { conf: p256 },
    server: { conf: 'kex=ffdhe2048\ncipher=chacha20-poly1305\nkdf=sha512\n' },
    negotiated: 'prime256v1 + chacha20-poly1305',
  },
  { name: 'server', client: {}, server: { conf: gcm }, refused: -1008 },
  { name: 'weak', client: { conf: p256 }, server: { conf: gcm }, refused: -1008 },
  ...['ffdhe2048', 'ffdhe3072', 'secp384r1', 'ffdhe4096', 'X448', 'secp521r1'].map((kex, index): Case => {
    const cipher = [
      'aes-128-ctr',
      'aes-192-ctr',
      'aes-256-ctr',
      'aes-128-gcm',
      'aes-192-gcm',
      'chacha20-poly1305',
    ][index];
    const kdf = ['blake2s256', 'sha3-256', 'sha384', 'sha3-384', 'blake2b512', 'sha3-512'][index];
    const conf = `kex=${kex}\ncipher=${cipher}\nkdf=${kdf}\ndigest=${kdf}\n`;
    return { name: kex, client: { conf }, server: { conf }, negotiated: `${kex} + ${cipher}` };
  }),
];

/** All of one name, the one that the certificates are for; each is laid down when its turn comes. */
const authentication: readonly Case[] = [
  { name: 'svc', client: {}, server: { certificate: 'svc-ec' } },
  {
    name: 'svc',
    client: { conf: gcm },
    server: { certificate: 'svc-rsa', conf: gcm },
    negotiated: 'X25519 + aes-256-gcm',
  },
  { name: 'svc', client: { certificate: 'client' }, server: { certificate: 'svc-ec' } },
  { name: 'svc', client: {}, server: { certificate: 'svc-ed25519' } },
  { name: 'svc', client: { certificate: 'svc-ed25519' }, server: {} },
  {
    name: 'svc',
    client: { certificate: 'client', conf: `${gcm}digest=sha512\n` },
    server: { certificate: 'svc-rsa', conf: `${gcm}digest=sha3-256\n` },
    negotiated: 'X25519 + aes-256-gcm',
  },
  { name: 'svc', client: {}, server: { certificate: 'elsewhere' }, refused: -1008 },
  { name: 'svc', client: {}, server: { certificate: 'svc-foreign' }, refused: -1008 },
  { name: 'svc', client: {}, server: { certificate: 'svc-old' }, refused: -1008 },
  { name: 'svc', client: { certificate: 'svc-foreign' }, server: {}, refused: -1009 },
  { name: 'svc', client: { certificate: 'svc-old' }, server: { certificate: 'svc-ec' }, refused: -1009 },
];

function lay(folder: string, side: 'client' | 'server', name: string, { conf, certificate }: Files): void {
  const path = join(folder, side, name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  if (conf !== undefined) writeFileSync(join(path, 'enc.conf'), conf);
  if (certificate === undefined) return;
  cpSync(certificateFile(certificate), join(path, 'crt.pem'));
  cpSync(certificateFile(`${certificate}.key`), join(path, 'key.pem'));
}

const describeCase = ({ name, client, server }: Case): string => {
  const of = ({ conf, certificate }: Files): string =>
    [certificate ?? 'no certificate', conf === undefined ? 'clear' : conf.trim().replaceAll('\n', ' ')].join(
      ', ',
    );
  return `${name}: client ${of(client)}; server ${of(server)}`;
};

const prefix = peerPrefix;
if (prefix === undefined || missing !== undefined) {
  test('security with the prototype', ({ skip }) => skip(missing ?? 'unknown'));
} else {
  describe('security with the prototype', () => {
    const stack = new AsyncDisposableStack();
    let ours: TestNode;
    let peer: PeerNode;
    const folders = mkdtempSync(join(tmpdir(), 'o7s-peer-security-'));

    beforeAll(async () => {
      stack.defer(() => rmSync(folders, { recursive: true, force: true }));
      const namespace = stack.use(await Namespace.make());
      mkdirSync(join(folders, 'cacert'));
      mkdirSync(join(folders, 'untrusted'));
      cpSync(certificateFile('root'), join(folders, 'cacert', 'root.pem'));
      cpSync(certificateFile('intermediate'), join(folders, 'untrusted', 'intermediate.pem'));
      for (const { name, client, server } of cases) {
        lay(folders, 'client', `ours.${name}`, client);
        lay(folders, 'server', `peer.${name}`, server);
      }
      peer = stack.use(await PeerNode.start(prefix, undefined, folders));
      joinNamespaces({ pid: namespace.pid, dev: 'eth0' }, { pid: peer.pid, dev: 'eth0' });
      ours = stack.use(TestNode.empty(namespace.launch));
      ours.laySecurity('cacert/root.pem', 'root');
      ours.laySecurity('untrusted/intermediate.pem', 'intermediate');
      for (const { name, client, server } of cases) {
        lay(join(ours.configuration, 'security'), 'client', `peer.${name}`, client);
        lay(join(ours.configuration, 'security'), 'server', `ours.${name}`, server);
      }
      await ours.startIrmd();
      await ours.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
      await peer.bootstrap('eth-dix', 'dev', 'eth0');
    });
    afterAll(() => stack.disposeAsync());

    /** Pings the prototype; it loses some of its replies, and then who asks tries again (link-ipcps.md 9.1). */
    const askPeer = (name: string, refused?: number): Promise<string> =>
      answered(
        async () => (await ours.oping('-n', name, '-c', '3', '-i', '5', '-s', '1400')).stdout,
        refused,
      );

    /** Lets the prototype ping ours. */
    const askOurs = (name: string, refused?: number): Promise<string> =>
      answered(
        async () => (await peer.run(['oping', '-n', name, '-c', '3', '-i', '5', '-s', '1400'])).output,
        refused,
      );

    describe('what enc.conf says', () => {
      beforeAll(async () => {
        const names = cases.map(({ name }) => name);
        const own = await ours.startServer();
        const [first = '', ...others] = names;
        await peer.serve(`peer.${first}`, ['oping', '-l'], 'eth-dix');
        const inner = (await peer.run(['pgrep', '-n', '-x', 'oping'])).output.trim();
        for (const name of names) {
          await ours.manage(`bind process ${own.pid} name ours.${name}`);
          await ours.manage(`name register ours.${name} layer lan`);
          // A name that is created by hand would look for its files in a place that nobody knows (end-to-end.md 4.6).
          const bound = await peer.run(['irm', 'bind', 'program', 'oecho', 'name', `ours.${name}`]);
          expect(bound).toEqual({ code: 0, output: '' });
        }
        for (const name of others) {
          await peer.run(['irm', 'bind', 'process', inner, 'name', `peer.${name}`]);
          await peer.run(['irm', 'name', 'register', `peer.${name}`, 'layer', 'eth-dix']);
        }
      });

      test.each(cases.map((one) => [describeCase(one), one] as const))('we ask, %s', async (_what, one) => {
        const before = ours.log.length;
        await askPeer(`peer.${one.name}`, one.refused);
        if (one.negotiated !== undefined) {
          expect(ours.log.slice(before)).toContain(`Negotiated ${one.negotiated}.`);
        }
      });

      test.each(cases.map((one) => [describeCase(one), one] as const))('it asks, %s', async (_what, one) => {
        const before = ours.log.length;
        await askOurs(`ours.${one.name}`, one.refused);
        if (one.negotiated !== undefined) {
          expect(ours.log.slice(before)).toContain(`Negotiated ${one.negotiated}.`);
        }
      });
    });

    test.each([
      ['clear', 'peer.server', 4],
      ['encrypted', 'peer.client', 32],
    ])('a flow with a CRC, %s', async (_how, name, overhead) => {
      // This name is one that the server's enc.conf does not let anybody ask for in the clear: without it, it is.
      if (name === 'peer.server') {
        await peer.run(['rm', '-r', `${peerConfiguration(prefix)}/security/server/${name}`]);
      }
      const session = await openSession(ours);
      const flow = await until('a flow', () =>
        session.allocFlow(name, { qos: { ...rawQos, ber: 0 } }).catch(() => undefined),
      );
      expect(flow).toMatchObject({ maxMessageBytes: 1496 - overhead });
      // A request of oping: type and number, and whatever else there is.
      for (const length of [64, 1000, flow.maxMessageBytes]) {
        const request = Buffer.alloc(length, 7);
        request.writeUInt32LE(0, 0);
        await flow.write(request);
        const answer = await flow.read({ timeout: 5000 });
        expect(answer).toHaveLength(length);
        expect(answer.subarray(24)).toEqual(request.subarray(24));
      }
      expect(flow.drops).toEqual({ badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 });
      session[Symbol.dispose]();
      await sessionsEnded(ours);
    });

    describe('who proves to be whom', () => {
      const each = authentication.map((one) => [describeCase(one), one] as const);
      let itsServer: string;

      /** Lays the files of a case down at both nodes. */
      async function layBoth({ name, client, server }: Case, asker: 'ours' | 'peer'): Promise<void> {
        const [itsSide, oursSide] =
          asker === 'ours' ? (['server', 'client'] as const) : (['client', 'server'] as const);
        lay(join(ours.configuration, 'security'), oursSide, name, asker === 'ours' ? client : server);
        lay(join(ours.configuration, 'security'), itsSide, name, {});
        lay(folders, itsSide, name, asker === 'ours' ? server : client);
        lay(folders, oursSide, name, {});
        const security = `${peerConfiguration(prefix ?? '')}/security`;
        for (const side of ['client', 'server']) {
          await peer.run(['rm', '-rf', `${security}/${side}/${name}`]);
          await peer.run(['cp', '-r', join(folders, side, name), `${security}/${side}/${name}`]);
        }
      }

      beforeAll(async () => {
        const before = await pings();
        await peer.serve('svc', ['oping', '-l'], 'eth-dix');
        const pid = (await pings()).find((one) => !before.includes(one));
        if (pid === undefined) throw new Error('the server of the prototype is not there');
        itsServer = pid;
      });

      test.each(each)('we ask, %s', async (_what, one) => {
        await layBoth(one, 'ours');
        const before = ours.log.length;
        await askPeer('svc', one.refused);
        if (one.negotiated !== undefined) {
          expect(ours.log.slice(before)).toContain(`Negotiated ${one.negotiated}.`);
        }
      });

      test('we ask, and our key takes no digest, though enc.conf names one', async () => {
        await layBoth(
          { name: 'svc', client: { certificate: 'svc-ed25519', conf: gcm }, server: { conf: gcm } },
          'ours',
        );
        await askPeer('svc');
      });

      test('the name moves to our node', async () => {
        await peer.run(['kill', itsServer]);
        await peer.run(['irm', 'name', 'unregister', 'svc', 'layer', 'eth-dix']);
        await until('its server to be gone', async () => !(await pings()).includes(itsServer));
        const own = await ours.startServer();
        await ours.manage(`bind process ${own.pid} name svc`);
        await ours.manage('name register svc layer lan');
      });

      test.each(each)('it asks, %s', async (_what, one) => {
        await layBoth(one, 'peer');
        const before = ours.log.length;
        await askOurs('svc', one.refused);
        if (one.negotiated !== undefined) {
          expect(ours.log.slice(before)).toContain(`Negotiated ${one.negotiated}.`);
        }
      });

      test('it asks, and our key takes no digest, though enc.conf names one', async () => {
        await layBoth(
          { name: 'svc', client: { conf: gcm }, server: { certificate: 'svc-ed25519', conf: gcm } },
          'peer',
        );
        await askOurs('svc');
      });
    });

    /** The pids of the prototype's `oping`, as its own namespace numbers them. */
    async function pings(): Promise<string[]> {
      return (await peer.run(['pgrep', '-x', 'oping'])).output.split('\n').filter((pid) => pid !== '');
    }
  });
}

/** Runs a client until it was answered, or refused with a code as it should. */
function answered(run: () => Promise<string>, refused: number | undefined): Promise<string> {
  return until(
    refused === undefined ? 'an answer' : `a refusal with ${refused}`,
    async () => {
      const output = await run();
      const all = output.includes('3 packets transmitted, 3 received');
      if (refused === undefined) return all && output;
      if (all) throw new Error(`not refused: ${output}`);
      return output.includes(`Failed to allocate flow: ${refused}.`) && output;
    },
    60_000,
  );
}
