/** The little of the tar format (POSIX ustar) that talking to an engine takes: regular files. */

export interface TarFile {
  /** Relative, with slashes; at most 255 bytes. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: Uint8Array;
}

const blockBytes = 512;

/** An archive of these files. The same files give the same bytes: owner, group and times are 0. */
export function pack(files: readonly TarFile[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const file of files) {
    parts.push(header(file), file.bytes, Buffer.alloc(padding(file.bytes.length)));
  }
  parts.push(Buffer.alloc(2 * blockBytes));
  return Buffer.concat(parts);
}

/** The first file of an archive; undefined when there is none. */
export function firstFile(archive: Buffer): Buffer | undefined {
  for (let at = 0; at + blockBytes <= archive.length;) {
    const type = String.fromCodePoint(archive[at + 156] ?? 0);
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8) || 0;
    const from = at + blockBytes;
    if (type === '0' || (type === '\0' && archive[at] !== 0)) return archive.subarray(from, from + size);
    at = from + size + padding(size);
  }
  return undefined;
}

function header({ path, mode, bytes }: TarFile): Buffer {
  const block = Buffer.alloc(blockBytes);
  const { prefix, name } = split(path);
  const octal = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  };
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(0, 136, 12);
  block.write(' '.repeat(8), 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

// A name has 100 bytes; what is longer continues in front, up to a slash.
function split(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { prefix, name };
  }
  throw new Error(`the path ${path} is too long for a tar archive`);
}

function padding(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}
