/** Files of their own for the programs of a node, laid over the machine's in mount namespaces of theirs. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launcher } from './node.ts';

const bind = 'mount --bind "$0" "$1" && shift && exec "$@"';

/** Devices that programs expect. */
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** A group of this machine's groups and one more, with a number nobody has. */
export class OwnGroup implements Disposable {
  readonly gid = 54_321;
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'o7s-group-'));

  constructor(name: string) {
    copyFileSync('/etc/group', this.#file);
    writeFileSync(this.#file, `\n${name}:x:${this.gid}:\n`, { flag: 'a' });
  }

  get #file(): string {
    return join(this.#directory, 'group');
  }

  around(launch: Launcher): Launcher {
    return (command, args) => {
      const own = ['--mount', '--propagation', 'private', 'sh', '-c', bind];
      return launch('unshare', [...own, this.#file, '/etc/group', command, ...args]);
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A /dev with little more than a log socket, which lies outside at `socket`. */
export class OwnDevices implements Disposable {
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'o7s-dev-'));
  readonly socket: string = join(this.#directory, 'log');

  around(launch: Launcher): Launcher {
    const dev = join(this.#directory, 'dev');
    if (!existsSync(dev)) mkdirSync(dev);
    const script = [
      'set -e; log=$0; dev=$1; shift',
      'mount -t tmpfs none "$dev"',
      `for each in ${devices.join(' ')}; do touch "$dev/$each"; mount --bind "/dev/$each" "$dev/$each"; done`,
      'touch "$dev/log"; mount --bind "$log" "$dev/log"',
      'ln -s /proc/self/fd "$dev/fd"',
      'mount --rbind "$dev" /dev',
      'exec "$@"',
    ].join('\n');
    return (command, args) =>
      launch('unshare', [
        ...['--mount', '--propagation', 'private', 'sh', '-c', script],
        ...[this.socket, dev, command, ...args],
      ]);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
