/** Knot DNS in a namespace, authoritative for the root, where anybody may register. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Running } from './command.ts';
import type { Namespace } from './namespaces.ts';
import { until } from './until.ts';

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
const program = folders.map((folder) => join(folder, 'knotd')).find((path) => existsSync(path));

/** Why there is no server; undefined when there is. */
export const dnsServerMissing: string | undefined =
  program === undefined ? 'knotd is not installed (Debian package knot)' : undefined;

const zone = `. 60 IN SOA ns. admin. 1 3600 600 86400 1
. 60 IN NS ns.
ns. 60 IN A 127.0.0.1
`;

export class DnsServer implements AsyncDisposable {
  readonly #running: Running;
  readonly #directory: string;

  private constructor(running: Running, directory: string) {
    this.#running = running;
    this.#directory = directory;
  }

  static async start(namespace: Namespace, listen: readonly string[]): Promise<DnsServer> {
    const directory = mkdtempSync(join(tmpdir(), 'o7s-dns-'));
    mkdirSync(join(directory, 'db'));
    writeFileSync(join(directory, 'root.zone'), zone);
    const configuration = `
server:
    listen: [ ${listen.map((address) => `"${address}@53"`).join(', ')} ]
    rundir: "${directory}"
database:
    storage: "${directory}/db"
    journal-db-max-size: 16M
    timer-db-max-size: 16M
    kasp-db-max-size: 16M
log:
  - target: stderr
    any: info
acl:
  - id: anybody
    action: update
zone:
  - domain: "."
    storage: "${directory}"
    file: "root.zone"
    acl: anybody
    zonefile-sync: -1
    zonefile-load: whole
`;
    writeFileSync(join(directory, 'knot.conf'), configuration);
    const running = new Running(...namespace.launch(program ?? '', ['-c', join(directory, 'knot.conf')]));
    const server = new DnsServer(running, directory);
    try {
      await until('the DNS server', () => {
        if (running.child.exitCode !== null) throw new Error(server.log);
        return server.log.includes('[.] loaded') && server.log.includes('server started');
      });
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get log(): string {
    return this.#running.stdout + this.#running.stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.kill('SIGTERM');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
