/**
 * Key agreement: Diffie-Hellman groups, ML-KEM and their hybrids behind one set of calls. Keys that are drawn at random
 * come from a `KeySource`, so that a test can give known ones. Source: end-to-end.md 3.1, 3.2, 4.1, 4.2.
 */
import { createPrivateKey, createPublicKey, decapsulate, diffieHellman, type KeyObject } from 'node:crypto';
import { type KeyExchange, keyExchanges } from './algorithms.ts';
import { derChildren, derTag, encodeDer, encodeDerInteger, readDer } from './der.ts';
import { ffdhePrimes } from './ffdhe.ts';

/** A key pair of one algorithm of `node:crypto`. */
export type KeySpec =
  | { readonly type: 'ec'; readonly namedCurve: string }
  | { readonly type: 'dh'; readonly prime: Buffer; readonly generator: 2 }
  | { readonly type: 'x25519' | 'x448' | 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024' };

/** What is drawn at random in a key exchange. */
export interface KeySource {
  keyPair(spec: KeySpec): { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  encapsulate(publicKey: KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer };
}

export interface PublicKey {
  readonly exchange: KeyExchange;
  /** As it travels: DER, or raw for a hybrid. */
  readonly bytes: Buffer;
  /** One key for each algorithm that is joined in the exchange, in the order of their bytes. */
  readonly parts: readonly KeyObject[];
}

export interface PrivateKey {
  readonly exchange: KeyExchange;
  readonly parts: readonly KeyObject[];
}

/** One of the algorithms that an exchange joins; most have a single one. */
interface Part {
  readonly spec: KeySpec;
  /** The AlgorithmIdentifier that a key bears in DER. */
  readonly algorithm: Buffer;
  /** Lengths of raw keys, and of what answers a public one: a ciphertext, or the other side's public key. */
  readonly publicBytes: number;
  readonly privateBytes: number;
  readonly answerBytes: number;
}

/** Keys of curves and groups are never raw. */
const neverRaw = { publicBytes: 0, privateBytes: 0, answerBytes: 0 } as const;

const objectId = (hex: string): Buffer => encodeDer(derTag.objectId, Buffer.from(hex, 'hex'));
const algorithmOf = (...content: readonly Buffer[]): Buffer => encodeDer(derTag.sequence, ...content);

const ecPublicKey = objectId('2a8648ce3d0201');
/** PKCS#3, which carries the prime and the generator and nothing else. */
const dhKeyAgreement = objectId('2a864886f70d010301');

function curve(namedCurve: string, id: string): Part {
  const spec: KeySpec = { type: 'ec', namedCurve };
  return { spec, algorithm: algorithmOf(ecPublicKey, objectId(id)), ...neverRaw };
}

function group(name: string): Part {
  const prime = ffdhePrimes.get(name) ?? Buffer.alloc(0);
  const parameters = encodeDer(derTag.sequence, encodeDerInteger(prime), encodeDerInteger(Buffer.of(2)));
  const spec: KeySpec = { type: 'dh', prime, generator: 2 };
  return { spec, algorithm: algorithmOf(dhKeyAgreement, parameters), ...neverRaw };
}

type PlainType = 'x25519' | 'x448' | 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024';

function plain(type: PlainType, id: string, sizes: readonly [number, number, number]): Part {
  const [publicBytes, privateBytes, answerBytes] = sizes;
  return { spec: { type }, algorithm: algorithmOf(objectId(id)), publicBytes, privateBytes, answerBytes };
}

const x25519 = plain('x25519', '2b656e', [32, 32, 32]);
const x448 = plain('x448', '2b656f', [56, 56, 56]);
const mlKem768 = plain('ml-kem-768', '608648016503040402', [1184, 2400, 1088]);
const mlKem1024 = plain('ml-kem-1024', '608648016503040403', [1568, 3168, 1568]);

const partsByName: Readonly<Record<string, readonly Part[]>> = {
  ffdhe2048: [group('ffdhe2048')],
  ffdhe3072: [group('ffdhe3072')],
  ffdhe4096: [group('ffdhe4096')],
  prime256v1: [curve('prime256v1', '2a8648ce3d030107')],
  secp384r1: [curve('secp384r1', '2b81040022')],
  secp521r1: [curve('secp521r1', '2b81040023')],
  X25519: [x25519],
  X448: [x448],
  'ML-KEM-512': [plain('ml-kem-512', '608648016503040401', [800, 1632, 768])],
  'ML-KEM-768': [mlKem768],
  'ML-KEM-1024': [mlKem1024],
  X25519MLKEM768: [mlKem768, x25519],
  X448MLKEM1024: [mlKem1024, x448],
};

function partsOf(exchange: KeyExchange): readonly Part[] {
  return partsByName[exchange.name] ?? [];
}

/** Length of a raw hybrid public key. */
function rawPublicBytes(exchange: KeyExchange): number {
  return partsOf(exchange).reduce((sum, { publicBytes }) => sum + publicBytes, 0);
}

/** An exchange that has a form of its own for each of its keys in DER, and its part. */
const derExchanges: readonly (readonly [KeyExchange, Part])[] = keyExchanges.flatMap((exchange) => {
  const [part] = partsOf(exchange);
  return exchange.kind === 'hybrid' || part === undefined ? [] : [[exchange, part] as const];
});
const rawExchanges: readonly KeyExchange[] = keyExchanges.filter(({ kind }) => kind === 'hybrid');

/** Makes a fresh pair of keys. */
export function generateKeys(
  exchange: KeyExchange,
  source: KeySource,
): { readonly publicKey: PublicKey; readonly privateKey: PrivateKey } {
  const pairs = partsOf(exchange).map(({ spec }) => source.keyPair(spec));
  return {
    publicKey: publicKeyOf(
      exchange,
      pairs.map(({ publicKey }) => publicKey),
    ),
    privateKey: { exchange, parts: pairs.map(({ privateKey }) => privateKey) },
  };
}

function publicKeyOf(exchange: KeyExchange, parts: readonly KeyObject[]): PublicKey {
  const [only] = parts;
  const bytes =
    exchange.kind === 'hybrid' || only === undefined
      ? Buffer.concat(parts.map((part) => part.export({ format: 'raw-public' })))
      : only.export({ type: 'spki', format: 'der' });
  return { exchange, bytes, parts };
}

/**
 * Reads a public key of another side; undefined when it is none, or of no exchange of the table.
 *
 * @param raw whether the bytes are a raw hybrid, known by its length, and not DER, known by its algorithm.
 */
export function readPublicKey(bytes: Buffer, raw: boolean): PublicKey | undefined {
  try {
    return raw ? readRawPublicKey(bytes) : readDerPublicKey(bytes);
  } catch {
    return undefined;
  }
}

function readRawPublicKey(bytes: Buffer): PublicKey | undefined {
  const exchange = rawExchanges.find((one) => rawPublicBytes(one) === bytes.length);
  if (exchange === undefined) return undefined;
  let at = 0;
  const parts = partsOf(exchange).map(({ spec, publicBytes }) =>
    rawKey(spec, bytes.subarray(at, (at += publicBytes))),
  );
  return { exchange, bytes, parts };
}

function rawKey({ type }: KeySpec, key: Buffer): KeyObject {
  return createPublicKey({ key, format: 'raw-public', asymmetricKeyType: type });
}

function readDerPublicKey(bytes: Buffer): PublicKey | undefined {
  const whole = readDer(bytes, 0, bytes.length);
  // What follows the key would be in the salt at one end and perhaps not at the other.
  if (whole === undefined || whole.tag !== derTag.sequence || whole.end !== bytes.length) return undefined;
  const [algorithm] = derChildren(bytes, whole) ?? [];
  if (algorithm === undefined) return undefined;
  const named = bytes.subarray(algorithm.at, algorithm.end);
  const found = derExchanges.find(([, part]) => part.algorithm.equals(named));
  if (found === undefined) return undefined;
  return {
    exchange: found[0],
    bytes,
    parts: [createPublicKey({ key: bytes, format: 'der', type: 'spki' })],
  };
}

/** A static key of a server for key encapsulation, from its file; undefined when it is not one of the exchange. */
export function readStaticKey(exchange: KeyExchange, file: Buffer): PrivateKey | undefined {
  try {
    return exchange.kind === 'hybrid'
      ? rawPrivateKey(exchange, file)
      : ofExchange(exchange, createPrivateKey(file));
  } catch {
    return undefined;
  }
}

/** The public half of a server's static key, from its file; undefined when it is not one of the exchange. */
export function readStaticPublicKey(exchange: KeyExchange, file: Buffer): PublicKey | undefined {
  const raw = exchange.kind === 'hybrid';
  let key: PublicKey | undefined;
  try {
    key = readPublicKey(raw ? file : createPublicKey(file).export({ type: 'spki', format: 'der' }), raw);
  } catch {
    return undefined;
  }
  return key?.exchange === exchange ? key : undefined;
}

/** The public half of a private key, as it travels. */
export function publicHalf({ exchange, parts }: PrivateKey): PublicKey {
  return publicKeyOf(
    exchange,
    parts.map((part) => createPublicKey(part)),
  );
}

function ofExchange(exchange: KeyExchange, key: KeyObject): PrivateKey | undefined {
  const [part] = partsOf(exchange);
  return part?.spec.type === key.asymmetricKeyType ? { exchange, parts: [key] } : undefined;
}

function rawPrivateKey(exchange: KeyExchange, bytes: Buffer): PrivateKey | undefined {
  const parts = partsOf(exchange);
  if (bytes.length !== parts.reduce((sum, { privateBytes }) => sum + privateBytes, 0)) return undefined;
  let at = 0;
  return {
    exchange,
    parts: parts.map(({ algorithm, privateBytes }) => {
      const inner = encodeDer(derTag.octetString, bytes.subarray(at, (at += privateBytes)));
      const version = encodeDerInteger(Buffer.of(0));
      const key = encodeDer(derTag.sequence, version, algorithm, encodeDer(derTag.octetString, inner));
      return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    }),
  };
}

/** The shared secret of a Diffie-Hellman exchange; undefined when the other's key is no good for it. */
export function agree(own: PrivateKey, peer: PublicKey): Buffer | undefined {
  if (own.exchange !== peer.exchange || own.exchange.kind !== 'dh') return undefined;
  return secretOf(own.parts[0], peer.parts[0]);
}

function secretOf(privateKey: KeyObject | undefined, publicKey: KeyObject | undefined): Buffer | undefined {
  if (privateKey === undefined || publicKey === undefined) return undefined;
  try {
    const secret = diffieHellman({ privateKey, publicKey });
    // In the groups the secret counts as a number: leading zeros are not part of it.
    if (privateKey.asymmetricKeyType !== 'dh') return secret;
    const first = secret.findIndex((byte) => byte !== 0);
    return first === -1 ? undefined : secret.subarray(first);
  } catch {
    // A key that yields nothing, such as a point of small order.
    return undefined;
  }
}

/** A secret for the holder of a public key, and what tells it to him; undefined when the key is no good for it. */
export function encapsulateTo(
  peer: PublicKey,
  source: KeySource,
): { readonly shared: Buffer; readonly ciphertext: Buffer } | undefined {
  if (peer.exchange.kind === 'dh') return undefined;
  const shared: Buffer[] = [];
  const ciphertext: Buffer[] = [];
  for (const [index, { spec }] of partsOf(peer.exchange).entries()) {
    const key = peer.parts[index];
    if (key === undefined) return undefined;
    if (spec.type === 'x25519' || spec.type === 'x448') {
      const own = source.keyPair(spec);
      const secret = secretOf(own.privateKey, key);
      if (secret === undefined) return undefined;
      shared.push(secret);
      ciphertext.push(own.publicKey.export({ format: 'raw-public' }));
      continue;
    }
    try {
      const made = source.encapsulate(key);
      shared.push(made.sharedKey);
      ciphertext.push(made.ciphertext);
    } catch {
      return undefined;
    }
  }
  return { shared: Buffer.concat(shared), ciphertext: Buffer.concat(ciphertext) };
}

/** The secret in a ciphertext; undefined when it is none for this key. */
export function decapsulateWith(own: PrivateKey, ciphertext: Buffer): Buffer | undefined {
  const parts = partsOf(own.exchange);
  if (own.exchange.kind === 'dh') return undefined;
  if (ciphertext.length !== parts.reduce((sum, { answerBytes }) => sum + answerBytes, 0)) return undefined;
  const shared: Buffer[] = [];
  let at = 0;
  for (const [index, { spec, answerBytes }] of parts.entries()) {
    const key = own.parts[index];
    const piece = ciphertext.subarray(at, (at += answerBytes));
    if (key === undefined) return undefined;
    try {
      const agreed = spec.type === 'x25519' || spec.type === 'x448';
      const secret = agreed ? secretOf(key, rawKey(spec, piece)) : decapsulate(key, piece);
      if (secret === undefined) return undefined;
      shared.push(secret);
    } catch {
      return undefined;
    }
  }
  return Buffer.concat(shared);
}
