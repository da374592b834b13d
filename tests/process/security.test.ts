/** Encrypted and authenticated flows between processes of one node, directly and through a layer. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Flow, rawQos, type Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { TestNode } from '../support/node.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

/** Bytes a packet is longer by when it is sealed with a tag, and with a CRC. */
const [sealBytes, crcBytes] = [28, 4];
const directBytesMax = 1_048_260;

/** A node that trusts the authorities of tests/fixtures/certificates, and has what `lay` adds. */
async function start(lay: (node: TestNode) => void = () => {}): Promise<TestNode> {
  const node = TestNode.empty();
  onTestFinished(() => node[Symbol.asyncDispose]());
  node.laySecurity('cacert/root.pem', 'root');
  node.laySecurity('untrusted/intermediate.pem', 'intermediate');
  lay(node);
  await node.startIrmd();
  return node;
}

function identify(node: TestNode, side: 'client' | 'server', fixture: string): void {
  node.laySecurity(`${side}/svc/crt.pem`, fixture);
  node.laySecurity(`${side}/svc/key.pem`, `${fixture}.key`);
}

async function sessionOf(node: TestNode): Promise<Session> {
  const session = await openSession(node);
  onTestFinished(async () => {
    session[Symbol.dispose]();
    if (node.running) await sessionsEnded(node);
  });
  await node.manage(`b proc ${session.pid} n svc`);
  return session;
}

async function ownFlow(session: Session, qos = rawQos): Promise<{ a: Flow; b: Flow }> {
  const [a, b] = await Promise.all([session.allocFlow('svc', { qos }), session.acceptFlow()]);
  return { a, b };
}

async function talk({ a, b }: { a: Flow; b: Flow }): Promise<void> {
  for (const length of [1, 64, 1400, a.maxMessageBytes]) {
    await a.write(Buffer.alloc(length, 7));
    expect((await b.read()).equals(Buffer.alloc(length, 7))).toBe(true);
    await b.write(Buffer.alloc(length, 8));
    expect((await a.read()).equals(Buffer.alloc(length, 8))).toBe(true);
  }
}

describe('a direct flow', () => {
  test('between two programs is encrypted, and both prove who they are', async () => {
    const node = await start((one) => {
      for (const side of ['client', 'server'] as const) {
        one.writeSecurity(`${side}/svc/enc.conf`, 'kex=X25519\ncipher=aes-256-gcm\n');
      }
      identify(one, 'client', 'client');
      identify(one, 'server', 'svc-ec');
    });
    await node.serve('svc');
    const { status, stdout } = await node.oping('-n', 'svc', '-c', '20', '-i', '1', '-s', '1400');
    expect(stdout).toContain('20 packets transmitted, 20 received');
    expect(status).toBe(0);
    expect(node.log).toContain('irmd/oap(II): Encryption enabled for svc.');
    expect(node.log).toMatch(/irmd\/oap\(II\): \[[0-9a-f]{16}\] Negotiated X25519 \+ aes-256-gcm\.\n/);
    expect(node.log).toMatch(/irmd\/oap\(II\): \[[0-9a-f]{16}\] OAP completed for svc\.\n/);
    // 64 digits in a row would be a key.
    expect(node.log).not.toMatch(/[0-9a-f]{64}/);
  });

  test.each([
    ['elsewhere', 'its certificate is that of "elsewhere"'],
    ['svc-foreign', 'nobody known has issued it'],
    ['svc-old', 'the certificate has expired'],
  ])('to a server with the certificate %s is refused', async (fixture, why) => {
    const node = await start((one) => identify(one, 'server', fixture));
    await node.serve('svc');
    const { status, stdout } = await node.oping('-n', 'svc', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1008.\n']);
    expect(node.log).toContain(`refused: ${why}.`);
    // A certificate that is right is taken from the next flow on, and the server has gone on accepting.
    identify(node, 'server', 'svc-rsa');
    expect((await node.oping('-n', 'svc', '-c', '1', '-i', '1')).stdout).toContain('1 received');
  });

  test('of a client with a foreign certificate is refused', async () => {
    const node = await start((one) => identify(one, 'client', 'svc-foreign'));
    const session = await sessionOf(node);
    const accepting = session.acceptFlow();
    await expect(session.allocFlow('svc')).rejects.toEqual(
      expect.objectContaining({
        code: 'ECRYPT',
        message: 'the handshake with svc failed: nobody known has issued it',
      }),
    );
    identify(node, 'client', 'client');
    const [a, b] = await Promise.all([session.allocFlow('svc'), accepting]);
    await talk({ a, b });
  });

  test('is encrypted as the files say at its allocation', async () => {
    const node = await start();
    const session = await sessionOf(node);
    expect((await ownFlow(session)).a.maxMessageBytes).toBe(directBytesMax);
    // A client that asks for it gets it, whatever the server says.
    node.writeSecurity('client/svc/enc.conf', '');
    const flow = await ownFlow(session);
    expect([flow.a.maxMessageBytes, flow.b.maxMessageBytes]).toEqual([
      directBytesMax - sealBytes,
      directBytesMax - sealBytes,
    ]);
    await talk(flow);
    node.writeSecurity('client/svc/enc.conf', 'none\n');
    expect((await ownFlow(session)).a.maxMessageBytes).toBe(directBytesMax);
    // Where only the server asks for it, there is no flow.
    node.writeSecurity('server/svc/enc.conf', '');
    const accepting = session.acceptFlow();
    await expect(session.allocFlow('svc')).rejects.toEqual(code('ECRYPT'));
    node.writeSecurity('server/svc/enc.conf', 'none');
    await Promise.all([session.allocFlow('svc'), accepting]);
  });

  test('tells a mistake in enc.conf, of either side', async () => {
    const node = await start((one) => one.writeSecurity('client/svc/enc.conf', 'kex=x25519\n'));
    const session = await sessionOf(node);
    const accepting = session.acceptFlow();
    await expect(session.allocFlow('svc')).rejects.toEqual(
      expect.objectContaining({ code: 'EBADF', message: 'the handshake with svc cannot be prepared' }),
    );
    expect(node.log).toContain(
      `client/svc/enc.conf: line 1: kex is "x25519", not one of ffdhe2048, prime256v1, X25519, `,
    );
    node.writeSecurity('client/svc/enc.conf', 'none');
    node.writeSecurity('server/svc/enc.conf', 'cipher=des\n');
    await expect(session.allocFlow('svc')).rejects.toEqual(code('ECRYPT'));
    node.writeSecurity('server/svc/enc.conf', 'none');
    await Promise.all([session.allocFlow('svc'), accepting]);
  });

  test('has a CRC where no bit errors are allowed', async () => {
    const session = await sessionOf(await start());
    const flow = await ownFlow(session, { ...rawQos, ber: 0 });
    expect([flow.a.maxMessageBytes, flow.b.maxMessageBytes]).toEqual([
      directBytesMax - crcBytes,
      directBytesMax - crcBytes,
    ]);
    await talk(flow);
  });
});

describe('through a layer', () => {
  /** A flow of this process with itself through the local layer: while nobody accepts, the layer is asked. */
  async function layered(node: TestNode, session: Session, qos = rawQos): Promise<{ a: Flow; b: Flow }> {
    const before = node.log.split('Flow request arrived for svc.').length;
    const allocating = session.allocFlow('svc', { qos });
    while (node.log.split('Flow request arrived for svc.').length === before) {
      await Promise.race([allocating, new Promise((resolve) => setTimeout(resolve, 5))]);
    }
    const [a, b] = await Promise.all([allocating, session.acceptFlow()]);
    return { a, b };
  }

  test.each([
    ['X25519', 'chacha20-poly1305'],
    ['ffdhe2048', 'aes-128-ctr'],
    ['ML-KEM-768', 'aes-256-gcm'],
    ['X448MLKEM1024', 'aes-192-gcm'],
  ])('with %s and %s', async (kex, cipher) => {
    const node = await start((one) => {
      one.writeSecurity('client/svc/enc.conf', `kex=${kex}\ncipher=${cipher}\n`);
      identify(one, 'client', 'client');
      identify(one, 'server', 'svc-ed25519');
    });
    await node.manage('i b t local n l l lan');
    const session = await sessionOf(node);
    await node.manage('n r svc l lan');
    await talk(await layered(node, session, { ...rawQos, ber: 0 }));
    expect(node.log.split(`Negotiated ${kex} + ${cipher}.`)).toHaveLength(3);
  });

  test('a server that wants encryption refuses who does not', async () => {
    const node = await start((one) => one.writeSecurity('server/svc/enc.conf', ''));
    await node.manage('i b t local n l l lan');
    const session = await sessionOf(node);
    await node.manage('n r svc l lan');
    await expect(layered(node, session)).rejects.toEqual(code('ECRYPT'));
  });
});

describe('irmd does not start', () => {
  test('when what it is to trust is no certificate', async () => {
    const node = TestNode.empty();
    onTestFinished(() => node[Symbol.asyncDispose]());
    node.laySecurity('cacert/root.pem', 'root');
    node.writeSecurity('cacert/notes.txt', 'about the root');
    await expect(node.startIrmd()).rejects.toThrow('irmd ended');
    const { status, stdout } = await node.irmd.finished;
    expect(status).toBe(1);
    const file = `${node.configuration}/security/cacert/notes.txt`;
    expect(stdout.split('\n').filter((line) => line.includes('(EE)'))).toEqual([
      expect.stringMatching(/irmd\(EE\): Cannot use \S+: not a certificate\.$/) as string,
    ]);
    expect(stdout).toContain(file);
    expect(node.files()).toEqual([]);
  });

  test('but does without any folder', async () => {
    const node = TestNode.empty();
    onTestFinished(() => node[Symbol.asyncDispose]());
    await node.startIrmd();
    expect(node.log).not.toContain('Loaded certificates');
  });
});
