/** What a name may look like. Each check returns the name, or throws ETOPOLOGY saying which rule it breaks. */
import { nameBytesMax } from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';

interface NameRule {
  readonly pattern: RegExp;
  readonly bytesMax: number;
  /** The rule in words. */
  readonly text: string;
}

const label: NameRule = {
  pattern: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  bytesMax: 32,
  text: 'a to z, 0 to 9 and inner hyphens',
};

const rules = {
  // A node's name is its host name too.
  node: label,
  link: { ...label, bytesMax: 80 },
  // The kernel's rule (dev_valid_name), without the characters that need quoting in a shell.
  interface: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    bytesMax: 15,
    text: 'letters, digits, ".", "_" and "-"',
  },
  // A word of an `irm` command line and a part of an IPCP's name.
  layer: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    bytesMax: nameBytesMax,
    text: 'letters, digits, ".", "_" and "-"',
  },
  IPCP: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    bytesMax: nameBytesMax,
    text: 'letters, digits, ".", "_" and "-"',
  },
  runtime: label,
  service: {
    pattern: /^[^\s\p{Cc}*]+$/u,
    bytesMax: nameBytesMax,
    text: 'no blanks, control characters and "*"',
  },
  lab: { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/, bytesMax: 64, text: 'letters, digits, ".", "_" and "-"' },
} as const satisfies Record<string, NameRule>;

export type NameKind = keyof typeof rules;

/** Why a value is no name of this kind, in words; undefined when it is one. */
export function nameFault(kind: NameKind, value: unknown): string | undefined {
  const rule = rules[kind];
  if (typeof value !== 'string') return `is not a string but ${value === null ? 'null' : typeof value}`;
  if (value === '') return 'is empty';
  const bytes = Buffer.byteLength(value);
  if (bytes > rule.bytesMax) return `has ${bytes} bytes, ${rule.bytesMax} is the most`;
  if (!rule.pattern.test(value))
    return `has a character or a place it may not have; allowed are ${rule.text}`;
  return undefined;
}

export function checkName(kind: NameKind, value: string): string {
  const fault = nameFault(kind, value);
  if (fault !== undefined) {
    const shown = typeof value === 'string' ? ` ${JSON.stringify(shorten(value))}` : '';
    throw new TestbedError('ETOPOLOGY', `the ${kind} name${shown} ${fault}`);
  }
  return value;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
