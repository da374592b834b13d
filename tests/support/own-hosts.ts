/** A hosts file of its own for the programs of a node, bound over the machine's in mount namespaces of theirs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launcher } from './node.ts';

const bind = 'mount --bind "$0" "$1" && shift && exec "$@"';

export class OwnHosts implements Disposable {
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'o7s-hosts-'));
  readonly #hosts: string = join(this.#directory, 'hosts');
  readonly #resolver: string = join(this.#directory, 'resolv.conf');

  constructor() {
    this.set({});
    // Without name servers: what the hosts file lacks is unknown at once.
    writeFileSync(this.#resolver, '');
  }

  /** Host names with the addresses they stand for. */
  set(addresses: Readonly<Record<string, readonly string[]>>): void {
    const lines = Object.entries(addresses).flatMap(([name, all]) =>
      all.map((address) => `${address} ${name}\n`),
    );
    writeFileSync(this.#hosts, `127.0.0.1 localhost\n${lines.join('')}`);
  }

  /** How to start a program that sees the file. */
  around(launch: Launcher): Launcher {
    return (command, args) => {
      const own = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', bind];
      const hosts = [...own, this.#hosts, '/etc/hosts'];
      const resolver = ['sh', '-c', bind, this.#resolver, '/etc/resolv.conf'];
      const [first = '', ...rest] = [...hosts, ...resolver];
      return launch(first, [...rest, command, ...args]);
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
