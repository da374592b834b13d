/** `enc.conf`: whether and how the flows of a name are encrypted. Source: end-to-end.md 4.5. */
import {
  byName,
  type Cipher,
  ciphers,
  type Digest,
  digests,
  type KeyExchange,
  keyExchanges,
} from './algorithms.ts';

export interface EncryptionConfig {
  readonly exchange: KeyExchange;
  readonly cipher: Cipher;
  /** The digest keys are derived with. */
  readonly kdf: Digest;
  /** The digest messages are signed with, and the response's hash over the request. */
  readonly digest: Digest;
  /** Who encapsulates, where the exchange is a KEM. */
  readonly kemMode: 'server' | 'client';
}

/** What a file says: how to encrypt, nothing at all, or something nobody understands. */
export type EncryptionSetting =
  | { readonly kind: 'on'; readonly config: EncryptionConfig }
  | { readonly kind: 'off' }
  | { readonly kind: 'wrong'; readonly reason: string };

/** Longer lines count as several of this length. */
const lineCharactersMax = 255;

const kemModes = [{ name: 'server' }, { name: 'client' }] as const;

/** The value of each key, by name. */
const tables = {
  kex: keyExchanges,
  cipher: ciphers,
  kdf: digests,
  digest: digests,
  kem_mode: kemModes,
} as const;

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`no algorithm ${name}`);
  return value;
}

/** What is in force where the file says nothing. */
const defaults = {
  kex: required(byName(keyExchanges, 'prime256v1'), 'prime256v1'),
  cipher: required(byName(ciphers, 'aes-256-gcm'), 'aes-256-gcm'),
  kdf: required(byName(digests, 'sha256'), 'sha256'),
  digest: required(byName(digests, 'sha256'), 'sha256'),
  kem_mode: kemModes[0] as (typeof kemModes)[number],
};

/** Reads the contents of a file. One that says nothing switches encryption on, with the defaults. */
export function parseEncryptionConfig(file: Buffer): EncryptionSetting {
  const lines = linesOf(file);
  if (lines.some(({ text }) => text.trim() === 'none')) return { kind: 'off' };
  const values = { ...defaults };
  for (const { text, number } of lines) {
    const equals = text.indexOf('=');
    if (text.startsWith('#') || equals === -1) continue;
    const key = text.slice(0, equals).trim();
    if (!isKey(key)) continue;
    const value = text.slice(equals + 1).trim();
    const found = tables[key].find(({ name }) => name === value);
    if (found === undefined) {
      const known = tables[key].map(({ name }) => name).join(', ');
      return { kind: 'wrong', reason: `line ${number}: ${key} is ${quoted(value)}, not one of ${known}` };
    }
    Object.assign(values, { [key]: found });
  }
  const { kex: exchange, cipher, kdf, digest, kem_mode: kemMode } = values;
  return { kind: 'on', config: { exchange, cipher, kdf, digest, kemMode: kemMode.name } };
}

function isKey(key: string): key is keyof typeof tables {
  return Object.hasOwn(tables, key);
}

/** A value as a message shows it: in one line, and not all of it if it is long. */
function quoted(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
}

function linesOf(file: Buffer): { readonly text: string; readonly number: number }[] {
  return file
    .toString('latin1')
    .split('\n')
    .flatMap((line, index) => {
      const pieces: { text: string; number: number }[] = [];
      for (let at = 0; at === 0 || at < line.length; at += lineCharactersMax) {
        pieces.push({ text: line.slice(at, at + lineCharactersMax), number: index + 1 });
      }
      return pieces;
    });
}
