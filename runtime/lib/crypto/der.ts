/**
 * As much DER (ITU-T X.690) as keys and certificates need: elements of one-byte tags and definite lengths.
 */

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  sequence: 0x30,
} as const;

/** One element: its content lies between `start` and `end`, its header between `at` and `start`. */
export interface DerElement {
  readonly tag: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** Lengths of more bytes than this do not occur: nothing here has 16 MiB. */
const lengthBytesMax = 3;

/** The element that begins at `at` and ends at `limit` or before; undefined when there is no whole one. */
export function readDer(bytes: Buffer, at: number, limit: number): DerElement | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) return undefined;
  // A tag of several bytes.
  if ((tag & 0x1f) === 0x1f) return undefined;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > lengthBytesMax || start + count > limit) return undefined;
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  return end > limit ? undefined : { tag, at, start, end };
}

/** The elements an element holds, one after another; undefined when they do not fill it. */
export function derChildren(bytes: Buffer, parent: DerElement): readonly DerElement[] | undefined {
  const children: DerElement[] = [];
  for (let at = parent.start; at < parent.end;) {
    const child = readDer(bytes, at, parent.end);
    if (child === undefined) return undefined;
    children.push(child);
    at = child.end;
  }
  return children;
}

/** An element from its tag and content. */
export function encodeDer(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const count = body.length < 0x100 ? 1 : body.length < 0x1_0000 ? 2 : 3;
  const header = Buffer.alloc(2 + count);
  header[0] = tag;
  header[1] = 0x80 | count;
  header.writeUIntBE(body.length, 2, count);
  return Buffer.concat([header, body]);
}

/** An INTEGER from an unsigned number, big-endian. */
export function encodeDerInteger(unsigned: Buffer): Buffer {
  const sign = (unsigned[0] ?? 0) >= 0x80 ? Buffer.of(0) : Buffer.alloc(0);
  return encodeDer(derTag.integer, sign, unsigned);
}
