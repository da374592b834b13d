import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ciphers, digests, keyExchanges } from './algorithms.ts';
import { type EncryptionConfig, parseEncryptionConfig } from './encryption-config.ts';

const parse = (text: string): ReturnType<typeof parseEncryptionConfig> =>
  parseEncryptionConfig(Buffer.from(text));

interface Names {
  readonly kex: string;
  readonly cipher: string;
  readonly kdf: string;
  readonly digest: string;
  readonly kemMode: string;
}

function namesOf({ exchange, cipher, kdf, digest, kemMode }: EncryptionConfig): Names {
  return { kex: exchange.name, cipher: cipher.name, kdf: kdf.name, digest: digest.name, kemMode };
}

const defaults: Names = {
  kex: 'prime256v1',
  cipher: 'aes-256-gcm',
  kdf: 'sha256',
  digest: 'sha256',
  kemMode: 'server',
};

function on(text: string): Names {
  const setting = parse(text);
  if (setting.kind !== 'on') throw new Error(JSON.stringify(setting));
  return namesOf(setting.config);
}

describe('encryption is on', () => {
  test.each([
    ['an empty file', '', {}],
    ['only comments', '# one\n#kex=X448\n', {}],
    [
      'each key',
      'kex=X25519\ncipher=chacha20-poly1305\nkdf=sha512\ndigest=sha3-384\nkem_mode=client\n',
      {
        kex: 'X25519',
        cipher: 'chacha20-poly1305',
        kdf: 'sha512',
        digest: 'sha3-384',
        kemMode: 'client',
      },
    ],
    ['spaces around key and value', ' kex\t= \tX448 \r\n', { kex: 'X448' }],
    ['no end of the last line', 'kex=X448', { kex: 'X448' }],
    ['the last of several', 'kex=X448\nkex=X25519\n', { kex: 'X25519' }],
    ['unknown keys and what is no setting', 'colour=blue\nhello\nKEX=X448\n=\n', {}],
    ['a comment only in column 1', ' #kex=X448\n', {}],
    [
      'none within other words',
      'cipher = aes-128-gcm\nnone of it\n#none\nx=none\n',
      { cipher: 'aes-128-gcm' },
    ],
    // The piece behind a long comment is a line of its own.
    ['a line of more than 255 characters', `#${' '.repeat(254)}kex=X448\n`, { kex: 'X448' }],
    ['a line of just 255 characters', `#${' '.repeat(254)}\nkex=X448\n`, { kex: 'X448' }],
  ])('%s', (_name, text, change) => {
    expect(on(text)).toEqual({ ...defaults, ...change });
  });

  test('every name of the tables', () => {
    for (const { name } of keyExchanges) expect(on(`kex=${name}`).kex).toBe(name);
    for (const { name } of ciphers) expect(on(`cipher=${name}`).cipher).toBe(name);
    for (const { name } of digests)
      expect(on(`kdf=${name}\ndigest=${name}`)).toMatchObject({ kdf: name, digest: name });
  });
});

test.each(['none', 'kex=X448\nnone\n', ' none \n', 'none\r\nkex=wrong\n', 'kex=wrong\nnone'])(
  'encryption is off: %j',
  (text) => {
    expect(parse(text)).toEqual({ kind: 'off' });
  },
);

describe('an unknown value is told', () => {
  test.each([
    ['# comment\nkex=x25519\n', /^line 2: kex is "x25519", not one of ffdhe2048, prime256v1, X25519, /],
    ['cipher=\n', /^line 1: cipher is "", not one of aes-128-ctr, /],
    ['kdf=sha256 # strong\n', /^line 1: kdf is "sha256 # strong", not one of /],
    ['kem_mode=both\n', /^line 1: kem_mode is "both", not one of server, client$/],
    [`kex=${'x'.repeat(100)}\n`, /^line 1: kex is "x{40}\.\.\.", /],
    ['digest=md5\n', /^line 1: digest is "md5", /],
    ['kex=X25519=X448\n', /^line 1: kex is "X25519=X448", /],
  ])('%j', (text, reason) => {
    expect(parse(text)).toEqual({ kind: 'wrong', reason: expect.stringMatching(reason) as string });
  });
});

test('any file is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
      expect(['on', 'off', 'wrong']).toContain(parseEncryptionConfig(Buffer.from(bytes)).kind);
    }),
  );
  const word = fc.constantFrom(
    'kex',
    'cipher',
    '=',
    'X25519',
    'none',
    '#',
    ' ',
    '\n',
    'aes-256-gcm',
    '__proto__',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      expect(['on', 'off', 'wrong']).toContain(parse(words.join('')).kind);
    }),
  );
});
