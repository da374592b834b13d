import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificateFile, certificateOf } from '../../tests/support/certificates.ts';
import { securityFileBytesMax } from '../lib/limits.ts';
import { SecurityFault, SecurityFiles } from './security.ts';

const now = Date.UTC(2030, 0, 1);

class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'o7s-etc-'));

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** Where a file of the security folder lies; the folder around it is there. */
  at(file: string): string {
    const path = join(this.path, 'security', file);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  write(file: string, content: string | Buffer): this {
    writeFileSync(this.at(file), content);
    return this;
  }

  /** Lays down a file of tests/fixtures/certificates. */
  lay(file: string, fixture: string): this {
    copyFileSync(certificateFile(fixture), this.at(file));
    return this;
  }

  open(): SecurityFiles {
    return new SecurityFiles(this.path);
  }
}

/** What a call fails with: the part, and the text with the folder's own path left out. */
function faultOf(folder: Folder, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SecurityFault) return `${error.part} ${error.message.replace(folder.path, '')}`;
    throw error;
  }
  return 'none';
}

describe('trusted certificates', () => {
  test('come from both folders, whichever is there', () => {
    const folder = new Folder();
    expect(folder.open().folders).toEqual([]);
    folder.lay('cacert/root.pem', 'root');
    expect(folder.open().folders).toEqual([join(folder.path, 'security/cacert')]);
    const certificate = certificateOf('svc-ec');
    expect(folder.open().client('svc').trust.faultOf(certificate, now)).toBe('nobody known has issued it');
    folder.lay('untrusted/middle.pem', 'intermediate');
    const files = folder.open();
    expect(files.folders).toHaveLength(2);
    expect(files.client('svc').trust.faultOf(certificate, now)).toBeUndefined();
    expect(files.server('svc').trust.faultOf(certificate, now)).toBeUndefined();
  });

  test('are read once', () => {
    const folder = new Folder();
    const files = folder.open();
    folder.lay('cacert/root.pem', 'root');
    expect(files.client('svc').trust.faultOf(certificateOf('client'), now)).toBeDefined();
    expect(folder.open().client('svc').trust.faultOf(certificateOf('client'), now)).toBeUndefined();
  });

  test.each<[string, (folder: Folder) => unknown, string]>([
    ['text', (folder) => folder.write('cacert/a.pem', 'hello'), '/security/cacert/a.pem: not a certificate'],
    ['nothing', (folder) => folder.write('cacert/a.pem', ''), '/security/cacert/a.pem: not a certificate'],
    ['a key', (folder) => folder.lay('untrusted/k', 'root.key'), '/security/untrusted/k: not a certificate'],
    [
      'a folder',
      (folder) => mkdirSync(folder.at('cacert/x/y'), { recursive: true }),
      '/security/cacert/x: not a file',
    ],
    [
      'a link that leads nowhere',
      (folder) => symlinkSync('/nowhere', folder.at('cacert/a')),
      '/security/cacert/a: not a certificate',
    ],
    [
      'far too much',
      (folder) => folder.write('cacert/a', Buffer.alloc(securityFileBytesMax + 1)),
      `/security/cacert/a: longer than ${securityFileBytesMax} bytes`,
    ],
  ])('are nothing else: %s', (_name, lay, fault) => {
    const folder = new Folder();
    folder.lay('cacert/root.pem', 'root');
    lay(folder);
    expect(faultOf(folder, () => folder.open())).toBe(`identity ${fault}`);
  });

  test('a pipe in their place does not hold the daemon up', () => {
    const folder = new Folder();
    execFileSync('mkfifo', [folder.at('cacert/pipe')]);
    expect(faultOf(folder, () => folder.open())).toBe('identity /security/cacert/pipe: not a file');
  });

  test('a file in the place of their folder is told', () => {
    const folder = new Folder();
    folder.write('cacert', 'hello');
    expect(faultOf(folder, () => folder.open())).toBe('identity /security/cacert: cannot be read (ENOTDIR)');
  });
});

describe.each(['client', 'server'] as const)('the %s side of a name', (side) => {
  const of = (folder: Folder, name = 'svc'): ReturnType<SecurityFiles['client']> =>
    side === 'client' ? folder.open().client(name) : { name, ...folder.open().server(name) };

  test('brings nothing where there are no files', () => {
    expect(of(new Folder())).toMatchObject({ name: 'svc' });
    expect([of(new Folder()).identity, of(new Folder()).encryption]).toEqual([undefined, undefined]);
  });

  test('has an identity if certificate and key are both there', () => {
    const folder = new Folder();
    folder.lay(`${side}/svc/crt.pem`, 'svc-ec');
    expect(of(folder).identity).toBeUndefined();
    folder.lay(`${side}/svc/key.pem`, 'svc-ec.key');
    expect(of(folder).identity?.certificate).toEqual(certificateOf('svc-ec').raw);
    expect(of(folder).identity?.key.asymmetricKeyType).toBe('ec');
    expect(of(folder, 'other').identity).toBeUndefined();
  });

  test.each<[string, (folder: Folder) => unknown, string]>([
    [
      'a certificate that is none',
      (folder) => folder.write(`${side}/svc/crt.pem`, 'x').lay(`${side}/svc/key.pem`, 'svc-ec.key'),
      `identity /security/${side}/svc/crt.pem: not a certificate`,
    ],
    [
      'a key that is none',
      (folder) => folder.lay(`${side}/svc/crt.pem`, 'svc-ec').write(`${side}/svc/key.pem`, 'x'),
      `identity /security/${side}/svc/key.pem: not a private key without a pass phrase`,
    ],
    [
      'the key of another certificate',
      (folder) => folder.lay(`${side}/svc/crt.pem`, 'svc-ec').lay(`${side}/svc/key.pem`, 'client.key'),
      `identity /security/${side}/svc/key.pem: not the key of the certificate beside it`,
    ],
    [
      'an enc.conf with a mistake',
      (folder) => folder.write(`${side}/svc/enc.conf`, '# ours\ncipher=aes-256-cbc\n'),
      `encryption /security/${side}/svc/enc.conf: line 2: cipher is "aes-256-cbc", not one of aes-128-ctr, aes-192-ctr, ` +
        'aes-256-ctr, aes-128-gcm, aes-192-gcm, aes-256-gcm, chacha20-poly1305',
    ],
    [
      'a folder in the place of a file',
      (folder) => mkdirSync(folder.at(`${side}/svc/enc.conf/x`), { recursive: true }),
      `encryption /security/${side}/svc/enc.conf: not a file`,
    ],
  ])('tells %s', (_name, lay, fault) => {
    const folder = new Folder();
    lay(folder);
    expect(faultOf(folder, () => of(folder))).toBe(fault);
  });

  test('does not take a file that it cannot read for a missing one', () => {
    const folder = new Folder();
    symlinkSync('enc.conf', folder.at(`${side}/svc/enc.conf`));
    expect(faultOf(folder, () => of(folder))).toBe(
      `encryption /security/${side}/svc/enc.conf: cannot be read (ELOOP)`,
    );
  });

  test('reads enc.conf anew each time', () => {
    const folder = new Folder();
    const files = folder.open();
    const kex = (): string | undefined => files[side]('svc').encryption?.exchange.name;
    expect(kex()).toBeUndefined();
    folder.write(`${side}/svc/enc.conf`, '');
    expect(kex()).toBe('prime256v1');
    folder.write(`${side}/svc/enc.conf`, 'kex=X448\n');
    expect(kex()).toBe('X448');
    folder.write(`${side}/svc/enc.conf`, 'none\n');
    expect(kex()).toBeUndefined();
  });

  test('is found below its own folder only', () => {
    const folder = new Folder();
    folder.write(`${side}/svc/enc.conf`, '').write(`${side}/a/b/enc.conf`, '').write('enc.conf', '');
    folder.write(`${side}/enc.conf`, '').write('other/enc.conf', '');
    for (const name of ['svc', 'a/b']) expect(of(folder, name).encryption, name).toBeDefined();
    const outside = [
      '..',
      '.',
      '',
      '/',
      '../other',
      'svc/..',
      'a/../svc',
      'svc/',
      '/svc',
      './svc',
      'a//b',
      'svc\0',
    ];
    for (const name of outside) expect(of(folder, name).encryption, name).toBeUndefined();
  });
});

test('files that a name was given count, whatever the name', () => {
  const folder = new Folder().write('elsewhere.conf', 'kex=X448\n');
  const encryption = folder.at('elsewhere.conf');
  const files = new SecurityFiles(folder.path, () => ({ server: { encryption }, client: { encryption } }));
  for (const name of ['svc', 'a//b', '..']) {
    expect(files.client(name).encryption?.exchange.name, name).toBe('X448');
    expect(files.server(name).encryption?.exchange.name, name).toBe('X448');
  }
});

test('static keys are read where their key exchange can have them, of the form it has', () => {
  const folder = new Folder();
  const side = (text: string): void => {
    folder.write('client/svc/enc.conf', text).write('server/svc/enc.conf', text);
  };
  for (const form of ['pem', 'raw']) {
    folder
      .write(`client/svc/kex.srv.pub.${form}`, `public ${form}`)
      .write(`server/svc/kex.key.${form}`, `own ${form}`);
  }
  const files = folder.open();
  const told = (): unknown[] => [
    files.client('svc').serverKey?.toString(),
    files.server('svc').staticKey?.toString(),
  ];
  side('kex=X25519\nkem_mode=client\n');
  expect(told()).toEqual([undefined, undefined]);
  side('kex=ML-KEM-768\nkem_mode=client\n');
  expect(told()).toEqual(['public pem', 'own pem']);
  side('kex=X25519MLKEM768\nkem_mode=client\n');
  expect(told()).toEqual(['public raw', 'own raw']);
  side('kex=ML-KEM-768\n');
  expect(told()).toEqual([undefined, 'own pem']);
});
