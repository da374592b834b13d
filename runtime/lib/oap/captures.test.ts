/** Handshakes of the prototype, as captured: every message is decoded, every hash and signature verified. */
import { createHash, X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { knownKeys, montgomeryKey } from '../../../tests/support/known-keys.ts';
import { readCapture } from '../../../tests/support/pcap.ts';
import { storeOf } from '../../../tests/support/certificates.ts';
import { systemKeys } from '../../irmd/key-source.ts';
import { byId, digests } from '../crypto/algorithms.ts';
import { commonName, readCertificate } from '../crypto/certificates.ts';
import { parseEncryptionConfig } from '../crypto/encryption-config.ts';
import { isSignedBy } from '../crypto/signatures.ts';
import { OapRequest, OapServer } from './handshake.ts';
import { decodeOap, encodeOap, type OapMessage, requestDigest } from './message.ts';
import type { ClientSide } from './security.ts';

/** Offsets in an eth-dix frame and its management message (end-to-end.md 2.4). */
const payloadAt = 18;
const at = { response: 32, code: 37, reply: 39, request: 71 } as const;

interface Handshake {
  readonly request: Buffer;
  readonly message: OapMessage;
  /** Absent where the request was refused, or its reply was lost. */
  response: Buffer | undefined;
}

/** All handshakes of a capture, by the order of their requests; and the negative responses there were. */
function handshakesOf(name: string): { readonly handshakes: Handshake[]; readonly refusals: number[] } {
  const handshakes: Handshake[] = [];
  const refusals: number[] = [];
  for (const { bytes } of readCapture(name).frames) {
    if (bytes.readUInt16BE(14) !== 0) continue;
    const payload = bytes.subarray(payloadAt, payloadAt + bytes.readUInt16BE(16));
    const code = payload[at.code];
    const response = payload.readInt32BE(at.response);
    if (code === 0) {
      const request = payload.subarray(at.request);
      const message = decodeOap(request, 0);
      if (typeof message !== 'string') handshakes.push({ request, message, response: undefined });
    } else if (code === 1 && response !== 0) {
      expect(payload).toHaveLength(at.reply);
      refusals.push(response);
    } else if (code === 1) {
      const reply = payload.subarray(at.reply);
      const asked = handshakes.findLast(({ message }) => message.id.equals(reply.subarray(0, 16)));
      if (asked !== undefined) asked.response = reply;
    }
  }
  return { handshakes, refusals };
}

function answerOf({ message, response }: Handshake): OapMessage | undefined {
  if (response === undefined) return undefined;
  const decoded = decodeOap(response, requestDigest(message.digest)[1]);
  if (typeof decoded === 'string') throw new Error(decoded);
  return decoded;
}

const files = readdirSync(new URL('../../../tests/fixtures/captures', import.meta.url))
  .filter((file) => file.startsWith('e2e-') || file.startsWith('eth-dix-'))
  .map((file) => file.replace('.pcap', ''));

/** Whether a message with a certificate was signed by its holder. */
function signedByItself(bytes: Buffer, message: OapMessage): boolean {
  const certificate = readCertificate(message.certificate);
  if (certificate === undefined) return false;
  const signed = bytes.subarray(0, bytes.length - message.signature.length);
  return isSignedBy(signed, message.signature, certificate.publicKey, byId(digests, message.digest));
}

test('every hash over a request is right', () => {
  let hashes = 0;
  for (const file of files) {
    for (const handshake of handshakesOf(file).handshakes) {
      const answer = answerOf(handshake);
      if (answer === undefined) continue;
      const [name] = requestDigest(handshake.message.digest);
      expect(answer.requestHash, file).toEqual(createHash(name).update(handshake.request).digest());
      hashes += 1;
    }
  }
  expect(hashes).toBe(42);
});

test('every message is encoded again to the byte', () => {
  for (const file of files) {
    for (const handshake of handshakesOf(file).handshakes) {
      expect(encodeOap(handshake.message)).toEqual(handshake.request);
      const answer = answerOf(handshake);
      if (answer !== undefined) expect(encodeOap(answer)).toEqual(handshake.response);
    }
  }
});

test.each([
  ['e2e-auth-server', 1, ['oping']],
  // The last of them is for a name that its certificate does not bear.
  ['e2e-auth-mutual-enc', 6, ['client-a', 'oping', 'other']],
])('every signature of %s is right', (file, count, names) => {
  const signers: (string | undefined)[] = [];
  for (const handshake of handshakesOf(file).handshakes) {
    const answer = answerOf(handshake);
    const messages = [[handshake.request, handshake.message] as const];
    if (answer !== undefined && handshake.response !== undefined) messages.push([handshake.response, answer]);
    for (const [bytes, message] of messages) {
      if (message.certificate.length === 0) continue;
      expect(signedByItself(bytes, message)).toBe(true);
      const altered = Buffer.from(bytes);
      altered[17] = (altered[17] ?? 0) ^ 1;
      expect(signedByItself(altered, message)).toBe(false);
      signers.push(commonName(new X509Certificate(message.certificate)));
    }
  }
  expect(signers).toHaveLength(count);
  expect(new Set(signers)).toEqual(new Set(names));
});

test('a server of ours refuses the certificates of the captures, whose issuers it does not know', () => {
  const oap = new OapServer();
  for (const { request, message } of handshakesOf('e2e-auth-mutual-enc').handshakes) {
    if (message.certificate.length === 0) continue;
    const verdict = oap.answer(request, message.timestamp, { trust: storeOf('root'), keys: systemKeys });
    expect(verdict).toEqual({ error: 'EAUTH' });
    expect(oap.fault).toBe('nobody known has issued it');
  }
});

test('a server of ours refuses the replay that the prototype refused', () => {
  const { handshakes, refusals } = handshakesOf('e2e-oap-replay');
  const oap = new OapServer();
  const verdicts = handshakes.map(
    ({ request, message }) => 'error' in oap.answer(request, message.timestamp),
  );
  expect(verdicts.filter((refused) => refused).length).toBeGreaterThan(0);
  expect(new Set(handshakes.map(({ message }) => message.id.toString('hex'))).size).toBeLessThan(
    handshakes.length,
  );
  expect(new Set(refusals)).toEqual(new Set([-1009]));
});

describe('a client of ours would have said and understood the same', () => {
  const known = '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20';

  test.each([
    {
      what: 'without security',
      conf: undefined,
      privateKey: known,
      request: '29f183b758a10ca2d575205d60c1aa4918ea3122e2e5e390000000000000000000000000',
      response:
        '29f183b758a10ca2d575205d60c1aa4918ea3122e341e834000000000000000000000000' +
        'ec1922f4ee75a18bdf847db58a23086e01cd9b6362e6b24d03e4f59659bf082682c0a22025ff76e534bbf1820482be2e',
      key: undefined,
    },
    {
      what: 'with X25519 and chacha20-poly1305',
      conf: 'kex=X25519\ncipher=chacha20-poly1305',
      privateKey: 'a0e473491ed4c488866d8b53a2e39c2cfed046dc3521ffbd4cf5cf288d289860',
      request:
        '098e9295d8840411b1ae7b35b1ffc73d18ea32c95899a38703fa02a002a00000002c0000' +
        '302a300506032b656e032100a831ca27712c115e71389c8d9ec80268954f0c5dfb9e2bba473fae1f5902552c',
      response:
        '098e9295d8840411b1ae7b35b1ffc73d18ea32c958eb5dd003fa02a002a00000002c0000' +
        '302a300506032b656e0321001d558c39fd8b90630b88960eb06de8dd41c82f04c9ed735053228cdb3db4724a' +
        '78463e0191e8fb96600272744d6984f024da17571816717c5c0eccf364ae8c77',
      key: '248f5088cfc1ce832dadd97d67014787eac25a3c3bd920458af92b17d7d728e3',
    },
    {
      what: 'with X25519, aes-256-gcm and a CRC',
      conf: 'kex=X25519',
      privateKey: known,
      request:
        'a1619d75fcee7fe95e25dd529c1c20de18ea33c047633239038502a002a00000002c0000' +
        '302a300506032b656e03210007a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c',
      response:
        'a1619d75fcee7fe95e25dd529c1c20de18ea33c04782d189038502a002a00000002c0000' +
        '302a300506032b656e03210074052d63993a6bf18a7ea8449a5b6bdf68824db92c8408362980df909c1c720c' +
        '3cd7016094d03bc50ead10e672afa952c2a4fbda2279493e98a85c986261052e',
      key: 'e528ea84f3e5119973c3a16227594029dcfe579943eff3d1175150e2975c70ee',
    },
    {
      what: 'with X25519 and aes-256-gcm',
      conf: 'kex=X25519',
      privateKey: known,
      request:
        '54bd7f8137f4cfafcee15be7ddf18bbe18ea33b73b0dc970038502a002a00000002c0000' +
        '302a300506032b656e03210007a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c',
      response:
        '54bd7f8137f4cfafcee15be7ddf18bbe18ea33b73b47a34a038502a002a00000002c0000' +
        '302a300506032b656e0321003db4cda21a00b15d946918b984fc44b6a55819bc0f26ab9d4ea700d761680064' +
        'aabe8523fe5467992155bd609ca1a360a8f27d23034170dce289a9cb5ce052f6',
      key: 'd8089a971152fcaf436c03894bf171acd3f8cd29717e75933bc33cea627ecc1a',
    },
  ])('$what', ({ conf, privateKey, request, response, key }) => {
    const setting = conf === undefined ? undefined : parseEncryptionConfig(Buffer.from(conf));
    const bytes = Buffer.from(request, 'hex');
    const client: ClientSide = {
      name: 'oping',
      trust: storeOf(),
      keys: knownKeys(montgomeryKey('x25519', Buffer.from(privateKey, 'hex'))),
      encryption: setting?.kind === 'on' ? setting.config : undefined,
    };
    const ours = new OapRequest(bytes.subarray(0, 16), bytes.readBigUInt64BE(16), client);
    expect(ours.bytes.toString('hex')).toBe(request);
    expect(ours.judge(Buffer.from(response, 'hex'))).toBeUndefined();
    expect(ours.flowKey?.key.toString('hex')).toBe(key);
  });

  test('with P-256, to a server that was not configured', () => {
    const request = Buffer.from(
      'f8b342b6c06afdcf92c9ec46d893b0dc18ea32563b86464f038502a002a00000005b0000' +
        '3059301306072a8648ce3d020106082a8648ce3d030107034200045131e4d516190ec4a723a0351a34d0cc75810c178161f5' +
        '4dc3a6422ee3273dd69ef0f92cd5af4855ca31f761bbcd92d004fd973707ab680eba0059cb215f8e06',
      'hex',
    );
    const response = Buffer.from(
      'f8b342b6c06afdcf92c9ec46d893b0dc18ea32563be1b47d038502a000000000005b0000' +
        '3059301306072a8648ce3d020106082a8648ce3d030107034200041bb80cdb0a60863ab407af1189170846e12e931b41fe23' +
        '3185ec708f1a60a79d96b99846275977ba6a4e5c852764ad6c4015fdb678f7a64fb3ae3caf57e6d8a8' +
        'eb0a4cbfc2734392360438799318ecc6a9ba1bc14890b1f4e7f8566500b8e01b',
      'hex',
    );
    expect(decodeOap(request, 0)).toMatchObject({ cipher: 901, kdf: 672, digest: 672, keyFlags: 0 });
    const answer = decodeOap(response, 32);
    expect(answer).toMatchObject({ cipher: 901, kdf: 672, digest: 0, keyFlags: 0 });
    const [found] = handshakesOf('e2e-enc-raw-p256').handshakes.filter(({ request: one }) =>
      one.equals(request),
    );
    expect(found?.response).toEqual(response);
    // Our server answers such a request alike.
    const now = request.readBigUInt64BE(16);
    const verdict = new OapServer().answer(request, now, { trust: storeOf(), keys: systemKeys });
    if ('error' in verdict) throw new Error(verdict.error);
    expect(verdict.response).toHaveLength(response.length);
    expect(decodeOap(verdict.response, 32)).toMatchObject({ cipher: 901, kdf: 672, digest: 0, keyFlags: 0 });
  });
});
