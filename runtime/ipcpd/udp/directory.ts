/**
 * Where a udp layer finds names: the system's resolver (hosts file and name servers), or one DNS server that also takes
 * registrations (RFC 2136). A name is looked up as the 32 hexadecimal digits of its hash, without a domain.
 * Source: link-ipcps.md 4.6.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns';
import { isIPv6 } from 'node:net';
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import type { Logger } from '../../lib/log.ts';
import type { HostAddress } from '../links/datagram.ts';
import type { Family } from './options.ts';
import type { Directory } from './udp-layer.ts';

export interface DirectoryOptions {
  readonly family: Family;
  /** The layer's own address, which registrations point to. */
  readonly ip: string;
  /** The address of a DNS server; the system's resolver when absent. */
  readonly dns: string | undefined;
  /** The UDP port of that server; 53 when absent. A parameter, so that a test needs no privilege. */
  readonly dnsPort?: number;
  readonly log: Logger;
  /** Makes an address of the layer from a host's. */
  readonly toAddress: (ip: string) => HostAddress;
}

/** Life of a registration in other resolvers' caches, s. */
const registrationTtl = 86_400;
const dnsPortDefault = 53;
/** How long a server may take to answer, ms, and how often it is asked. */
const answerMs = 1000;
const triesMax = 3;
const opcodeUpdate = 5;
const opcodeShift = 11;
/** What is no fault: there is no such name, or the look-up ended with the layer. */
const unknownCodes: readonly (string | undefined)[] = ['ENOTFOUND', 'ENODATA', 'ECANCELLED'];
/** Why a name was not found; the prototype has no other word for one that nobody knows. */
function reasonOf({ code }: NodeJS.ErrnoException, server?: string): string {
  if (unknownCodes.includes(code)) return 'Unknown error';
  return server === undefined ? `${code}` : `${server}: ${code}`;
}

type OnResolved = Parameters<Directory['resolve']>[1];

/** Result codes of an UPDATE that mean that it was done. */
const done = 'NOERROR';

/** The system's resolver, in which nothing can be registered. */
class SystemDirectory implements Directory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  resolve(hash: Buffer, found: OnResolved): void {
    const { family, toAddress } = this.#options;
    lookup(hash.toString('hex'), { family, all: true }, (error, addresses) => {
      if (error === null) found(addresses.map(({ address }) => toAddress(address)));
      else found([], reasonOf(error));
    });
  }

  register(): void {
    // Whoever keeps the hosts file or the name servers does that.
  }

  unregister(): void {
    // Likewise.
  }

  close(): void {
    // Look-ups under way end by themselves.
  }
}

/** One DNS server, asked and told. */
class DnsDirectory implements Directory {
  readonly #options: DirectoryOptions;
  readonly #server: string;
  readonly #port: number;
  readonly #resolver: Resolver;
  /** Names with an update under way, and the one that is next: of those that wait only the last still matters. */
  readonly #updates = new Map<string, Answer | undefined>();

  constructor(options: DirectoryOptions, server: string) {
    this.#options = options;
    this.#server = server;
    this.#port = options.dnsPort ?? dnsPortDefault;
    this.#resolver = new Resolver({ timeout: answerMs, tries: triesMax });
    this.#resolver.setServers([isIPv6(server) ? `[${server}]:${this.#port}` : `${server}:${this.#port}`]);
  }

  resolve(hash: Buffer, found: OnResolved): void {
    const { family, toAddress } = this.#options;
    const name = `${hash.toString('hex')}.`;
    const answer = (error: NodeJS.ErrnoException | null, addresses: string[]): void => {
      if (error === null) found(addresses.map(toAddress));
      else found([], reasonOf(error, this.#server));
    };
    if (family === 4) this.#resolver.resolve4(name, answer);
    else this.#resolver.resolve6(name, answer);
  }

  register(hash: Buffer): void {
    const { family, ip } = this.#options;
    const name = hash.toString('hex');
    const type = family === 4 ? 'A' : 'AAAA';
    this.#update(name, { type, name, class: 'IN', ttl: registrationTtl, data: ip });
  }

  unregister(hash: Buffer): void {
    const { family } = this.#options;
    const name = hash.toString('hex');
    // An empty record of class ANY deletes all of its type (RFC 2136, 2.5.2); the library has no such record of a type
    // it knows, so the type is given by number.
    const type = family === 4 ? 'UNKNOWN_1' : 'UNKNOWN_28';
    const record = { type, name, class: 'ANY', ttl: 0, data: Buffer.alloc(0) };
    this.#update(name, record as unknown as Answer);
  }

  close(): void {
    this.#resolver.cancel();
  }

  /** Updates of one name go one after the other: datagrams may overtake each other, and be sent again. */
  #update(name: string, record: Answer): void {
    const isUnderWay = this.#updates.has(name);
    this.#updates.set(name, isUnderWay ? record : undefined);
    if (!isUnderWay) void this.#updateAll(name, record);
  }

  async #updateAll(name: string, first: Answer): Promise<void> {
    for (let record: Answer | undefined = first; record !== undefined;) {
      try {
        await this.#send(name, record);
      } catch (error) {
        this.#options.log.error(
          `The DNS server ${this.#server} did not take the update for ${name}: ${(error as Error).message}.`,
        );
      }
      record = this.#updates.get(name);
      this.#updates.set(name, undefined);
    }
    this.#updates.delete(name);
  }

  async #send(name: string, record: Answer): Promise<void> {
    const zone = await this.#zoneOf(name);
    const reply = await this.#ask({
      flags: opcodeUpdate << opcodeShift,
      questions: [{ type: 'SOA', class: 'IN', name: zone }],
      authorities: [record],
    });
    const { rcode } = reply as { rcode?: string };
    if (rcode !== done) throw new Error(`it answered ${rcode ?? 'nothing readable'}`);
  }

  /** The zone a name belongs to: whoever answers for it says so, also when there is no such name. */
  async #zoneOf(name: string): Promise<string> {
    const reply = await this.#ask({ questions: [{ type: 'SOA', class: 'IN', name }] });
    const records = [...(reply.answers ?? []), ...(reply.authorities ?? [])];
    const soa = records.find(({ type }) => type === 'SOA');
    if (soa === undefined) throw new Error('it is not authoritative for names without a domain');
    return soa.name;
  }

  /** Asks the server, again when it stays silent. */
  async #ask(request: Packet): Promise<Packet> {
    const id = randomInt(1, 0x1_0000);
    const message = encode({ type: 'query', id, ...request });
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      const reply = await this.#exchange(message, id);
      if (reply !== undefined) return reply;
    }
    throw new Error('it did not answer');
  }

  #exchange(message: Buffer, id: number): Promise<Packet | undefined> {
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(this.#server) ? 'udp6' : 'udp4');
      let finished = false;
      const finish = (reply: Packet | undefined, error?: Error): void => {
        if (finished) return;
        finished = true;
        clearTimeout(timer);
        socket.close();
        if (error === undefined) resolve(reply);
        else reject(error);
      };
      const timer = setTimeout(() => finish(undefined), answerMs);
      socket.on('error', (error) => finish(undefined, error));
      socket.on('message', (bytes) => {
        try {
          const reply = decode(bytes);
          if (reply.id === id) finish(reply);
        } catch {
          // Not a DNS message: the one that is waited for may still come.
        }
      });
      // Connected, so that the kernel keeps out what others send.
      socket.connect(this.#port, this.#server, (unreachable?: Error | null) => {
        // Without a route to the server there is no connection, and sending would throw. It may have timed out meanwhile.
        if (unreachable) finish(undefined, unreachable);
        if (finished) return;
        socket.send(message, (error) => {
          if (error !== null) finish(undefined, error);
        });
      });
    });
  }
}

export function makeDirectory(options: DirectoryOptions): Directory {
  return options.dns === undefined ? new SystemDirectory(options) : new DnsDirectory(options, options.dns);
}
