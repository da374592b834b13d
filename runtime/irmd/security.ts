/**
 * What an administrator has laid down for security: certificates that are trusted, read once, and for each name and side
 * a certificate, its key and `enc.conf`, read at every allocation. Edge: it reads files. Source: end-to-end.md 4.5, 4.6.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { TrustStore } from '../lib/crypto/certificates.ts';
import { type EncryptionConfig, parseEncryptionConfig } from '../lib/crypto/encryption-config.ts';
import { securityFileBytesMax } from '../lib/limits.ts';
import type { NameFiles } from '../lib/rpc/api.ts';
import type { ClientSide, Identity, ServerSide } from '../lib/oap/security.ts';
import { readBounded } from './bounded-file.ts';
import { systemKeys } from './key-source.ts';

/** A file that is there and of no use. */
export class SecurityFault extends Error {
  override readonly name = 'SecurityFault';
  /** What it was to bring: the proof of who one is, or the choice of algorithms and their keys. */
  readonly part: 'identity' | 'encryption';

  constructor(part: 'identity' | 'encryption', path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.part = part;
  }
}

/** Where handshakes get what each side of a name brings. */
export interface SecuritySource {
  /** @throws SecurityFault */
  client(name: string): ClientSide;
  /** @throws SecurityFault */
  server(name: string): ServerSide;
}

export class SecurityFiles implements SecuritySource {
  /** The folders that trusted certificates were read from. */
  readonly folders: readonly string[];
  readonly #directory: string;
  readonly #trust: TrustStore;
  readonly #filesOf: (name: string) => NameFiles | undefined;

  /**
   * Reads the certificates that are trusted. A folder that is missing has none.
   *
   * @param configuration the configuration directory.
   * @param filesOf the files of a name that are not in there.
   * @throws SecurityFault when anything in one of their folders is no certificate.
   */
  constructor(configuration: string, filesOf: (name: string) => NameFiles | undefined = () => undefined) {
    this.#filesOf = filesOf;
    this.#directory = `${configuration}/security`;
    const certificates: X509Certificate[] = [];
    const folders: string[] = [];
    for (const folder of [`${this.#directory}/cacert`, `${this.#directory}/untrusted`]) {
      const found = certificatesIn(folder);
      if (found === undefined) continue;
      folders.push(folder);
      certificates.push(...found);
    }
    this.folders = folders;
    this.#trust = new TrustStore(certificates);
  }

  client(name: string): ClientSide {
    const files = this.#files('client', name);
    const encryption = encryptionIn(files);
    return {
      name,
      trust: this.#trust,
      keys: systemKeys,
      identity: identityIn(files),
      encryption,
      serverKey: encryption?.kemMode === 'client' ? kemKeyIn(files, encryption, 'kex.srv.pub') : undefined,
    };
  }

  server(name: string): ServerSide {
    const files = this.#files('server', name);
    const encryption = encryptionIn(files);
    return {
      trust: this.#trust,
      keys: systemKeys,
      identity: identityIn(files),
      encryption,
      staticKey: encryption === undefined ? undefined : kemKeyIn(files, encryption, 'kex.key'),
    };
  }

  /** Where the files of a side of a name lie. */
  #files(side: 'client' | 'server', name: string): Files {
    const given = this.#filesOf(name)?.[side] ?? {};
    const steps = name.split('/');
    const leadsElsewhere = steps.some((step) => step === '' || step === '.' || step === '..');
    // A name that would lead out of the folder has no files but those it was given.
    const isOutside = leadsElsewhere || name.includes('\0');
    const inFolder = (file: string): string =>
      isOutside ? noFile : `${this.#directory}/${side}/${name}/${file}`;
    return {
      encryption: given.encryption ?? inFolder('enc.conf'),
      certificate: given.certificate ?? inFolder('crt.pem'),
      key: given.key ?? inFolder('key.pem'),
      inFolder,
    };
  }
}

/** The path of nothing. */
const noFile = '';

/** Paths of the files of a side of a name. */
interface Files {
  readonly encryption: string;
  readonly certificate: string;
  readonly key: string;
  /** That of a file in the folder of the name, where static keys are. */
  readonly inFolder: (file: string) => string;
}

/** Certificate and key, if both are there. */
function identityIn({ certificate: certificatePath, key: keyPath }: Files): Identity | undefined {
  const certificateFile = readIfThere(certificatePath, 'identity');
  const keyFile = readIfThere(keyPath, 'identity');
  if (certificateFile === undefined || keyFile === undefined) return undefined;
  const certificate = certificateFrom(certificateFile);
  if (certificate === undefined) throw new SecurityFault('identity', certificatePath, 'not a certificate');
  if (certificate.raw.length > certificateBytesMax) {
    throw new SecurityFault('identity', certificatePath, `longer than ${certificateBytesMax} bytes`);
  }
  try {
    const key = createPrivateKey(keyFile);
    if (certificate.checkPrivateKey(key)) return { certificate: certificate.raw, key };
  } catch {
    // What is wrong with a key is better not told in detail.
    throw new SecurityFault('identity', keyPath, 'not a private key without a pass phrase');
  }
  throw new SecurityFault('identity', keyPath, 'not the key of the certificate beside it');
}

/** What two bytes can tell (end-to-end.md 3.1). */
const certificateBytesMax = 0xffff;

function encryptionIn({ encryption: path }: Files): EncryptionConfig | undefined {
  const file = readIfThere(path, 'encryption');
  if (file === undefined) return undefined;
  const setting = parseEncryptionConfig(file);
  switch (setting.kind) {
    case 'on':
      return setting.config;
    case 'off':
      return undefined;
    case 'wrong':
      throw new SecurityFault('encryption', path, setting.reason);
  }
}

/** A static key, where the key exchange can have one; a hybrid's is raw. */
function kemKeyIn({ inFolder }: Files, { exchange }: EncryptionConfig, file: string): Buffer | undefined {
  if (exchange.kind === 'dh') return undefined;
  return readIfThere(inFolder(`${file}.${exchange.kind === 'hybrid' ? 'raw' : 'pem'}`), 'encryption');
}

/** The certificates of a folder, one a file; undefined when it is missing. */
function certificatesIn(folder: string): X509Certificate[] | undefined {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new SecurityFault('identity', folder, `cannot be read (${code})`);
  }
  return names.toSorted().map((name) => {
    const path = `${folder}/${name}`;
    const file = readIfThere(path, 'identity');
    const certificate = file === undefined ? undefined : certificateFrom(file);
    if (certificate === undefined) throw new SecurityFault('identity', path, 'not a certificate');
    return certificate;
  });
}

function certificateFrom(file: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(file);
  } catch {
    return undefined;
  }
}

/** A file, or undefined when it is missing. One that is there but cannot be read must not pass for missing. */
function readIfThere(path: string, part: SecurityFault['part']): Buffer | undefined {
  let file: ReturnType<typeof readBounded>;
  try {
    // Each allocation looks, most names have none, and an error that is thrown costs eight times as much as a look.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    file = readBounded(path, securityFileBytesMax);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new SecurityFault(part, path, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (file === 'not a file') throw new SecurityFault(part, path, file);
  if (file === 'too long') throw new SecurityFault(part, path, `longer than ${securityFileBytesMax} bytes`);
  return file;
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
