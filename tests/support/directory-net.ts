/** Members of a unicast layer that are nothing but directories, in one process and virtual time. */
import type { Reachability } from '../../runtime/ipcpd/unicast/address.ts';
import { Agenda } from '../../runtime/ipcpd/unicast/directory/dht/agenda.ts';
import { Dht, type DhtConfig } from '../../runtime/ipcpd/unicast/directory/dht/dht.ts';
import { type DhtLimits, dhtLimits } from '../../runtime/ipcpd/unicast/directory/dht/limits.ts';
import { PrototypeDirectory } from './prototype-directory.ts';

const hashBytes = 32;
const defaultConfig: DhtConfig = { alpha: 3, k: 8, tExpire: 86_400, tRefresh: 900, tReplicate: 900 };

export interface NetOptions {
  readonly seed: number;
  /** Share of packets that are lost. */
  readonly loss?: number;
  /** Bounds of the delay of a packet; each has its own, so they overtake each other. */
  readonly delayMs?: readonly [min: number, max: number];
  /** How long routing takes to tell of a change. */
  readonly routingMs?: number;
  readonly config?: DhtConfig;
  readonly limits?: Partial<DhtLimits>;
  /** Whether routing tells who is of our kind; it cannot where prototypes are between. */
  readonly knowsOurs?: boolean;
}

/** A member: of ours, or a model of the prototype. */
export interface NetMember {
  readonly address: number;
  readonly dht: Dht | PrototypeDirectory;
  /** Its part of the layer. */
  part: number;
  isAlive: boolean;
  /** Whom its routing has a route to. */
  readonly routes: Set<number>;
  sent: number;
  received: number;
  wakeAt: number;
}

export class DirectoryNet {
  now = 0;
  readonly members = new Map<number, NetMember>();
  readonly #options: NetOptions;
  readonly #events = new Agenda();
  readonly #random: () => number;
  /** s since 1970, at time 0. */
  readonly #epoch = 1_795_305_302;
  #routingDue = false;

  constructor(options: NetOptions) {
    this.#options = options;
    this.#random = mulberry32(options.seed);
  }

  wallClock = (): number => this.#epoch + this.now / 1000;

  randomBytes = (count: number): Buffer => {
    const bytes = Buffer.allocUnsafe(count);
    for (let at = 0; at < count; at += 1) bytes[at] = this.#random() * 256;
    return bytes;
  };

  /** A number below `max`. */
  below(max: number): number {
    return Math.floor(this.#random() * max);
  }

  addOurs(peer: number, config: DhtConfig = this.#options.config ?? defaultConfig): NetMember {
    const address = this.#newAddress();
    const { knowsOurs = true } = this.#options;
    return this.#add(address, () => {
      const options = {
        address,
        hashBytes,
        peer,
        config,
        port: {
          maxMessageBytes: 1481,
          send: (to: number, message: Buffer) => this.#send(address, to, message),
          isOurs: (of: number) => knowsOurs && this.members.get(of)?.dht instanceof Dht,
        },
        random: this.randomBytes,
        wallClock: this.wallClock,
        limits: { ...dhtLimits, ...this.#options.limits },
      };
      return new Dht(options, this.now);
    });
  }

  addPrototype(peer: number, config: DhtConfig = this.#options.config ?? defaultConfig): NetMember {
    const address = this.#newAddress();
    return this.#add(address, () => {
      const options = {
        address,
        id: this.randomBytes(hashBytes),
        peer,
        config,
        send: (to: number, message: Buffer) => this.#send(address, to, message),
        random: this.randomBytes,
        wallClock: this.wallClock,
      };
      return new PrototypeDirectory(options, this.now);
    });
  }

  /** A member dies without a word. */
  kill(member: NetMember): void {
    member.isAlive = false;
    this.#routesChanged();
  }

  /** Moves members into a part of the layer of their own. */
  part(members: readonly NetMember[], part: number): void {
    for (const member of members) member.part = part;
    this.#routesChanged();
  }

  at(after: number, action: () => void): void {
    this.#events.at(this.now + after, action);
  }

  /** Lets time pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#events.nextDeadline();
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.#events.advance(this.now);
    }
    this.now = end;
  }

  /** Does something with a directory, and hears when it wants to be called next. */
  with<T>(member: NetMember, action: (dht: NetMember['dht']) => T): T {
    const result = action(member.dht);
    this.#watch(member);
    return result;
  }

  register(member: NetMember, key: Buffer): void {
    this.with(member, (dht) => dht.register(key, this.now));
  }

  unregister(member: NetMember, key: Buffer): void {
    this.with(member, (dht) => dht.unregister(key, this.now));
  }

  /** Asks a member for a name; tells what came and after how long, once enough time has passed. */
  query(member: NetMember, key: Buffer): { addresses: readonly number[] | undefined; after: number } {
    const outcome: { addresses: readonly number[] | undefined; after: number } = {
      addresses: undefined,
      after: Infinity,
    };
    const asked = this.now;
    const done = (addresses: readonly number[]): void => {
      if (outcome.addresses !== undefined) throw new Error('a query was answered twice');
      outcome.addresses = addresses;
      outcome.after = this.now - asked;
    };
    this.with(member, (dht) => {
      if (dht instanceof Dht) dht.query(key, this.now, ({ addresses }) => done(addresses));
      else dht.query(key, this.now, done);
    });
    return outcome;
  }

  #newAddress(): number {
    for (;;) {
      const address = this.randomBytes(4).readUInt32BE(0);
      if (address !== 0 && !this.members.has(address)) return address;
    }
  }

  #add(address: number, make: () => NetMember['dht']): NetMember {
    const member: NetMember = {
      address,
      dht: make(),
      part: 0,
      isAlive: true,
      routes: new Set(),
      sent: 0,
      received: 0,
      wakeAt: Infinity,
    };
    this.members.set(address, member);
    this.#watch(member);
    this.#routesChanged();
    return member;
  }

  #send(from: number, to: number, message: Buffer): boolean {
    const sender = this.members.get(from);
    // In its constructor it is no member yet.
    if (sender?.routes.has(to) !== true) return false;
    sender.sent += 1;
    if (this.#random() < (this.#options.loss ?? 0)) return true;
    const [min, max] = this.#options.delayMs ?? [1, 20];
    const copy = Buffer.from(message);
    this.#events.at(this.now + min + this.#random() * (max - min), () => {
      const receiver = this.members.get(to);
      if (receiver === undefined || !receiver.isAlive || !sender.isAlive || receiver.part !== sender.part) {
        return;
      }
      receiver.received += 1;
      this.with(receiver, (dht) => {
        if (dht instanceof Dht) dht.receive(copy, 0, copy.length, this.now);
        else dht.receive(copy, this.now);
      });
    });
    return true;
  }

  #watch(member: NetMember): void {
    const deadline = Math.max(member.dht.nextDeadline(), this.now);
    if (deadline >= member.wakeAt || deadline === Infinity) return;
    member.wakeAt = deadline;
    this.#events.at(deadline, () => {
      if (member.wakeAt !== deadline || !member.isAlive) return;
      member.wakeAt = Infinity;
      this.with(member, (dht) => dht.advance(this.now));
    });
  }

  /** Routing tells of changes a little later, each member at a time of its own. */
  #routesChanged(): void {
    if (this.#routingDue) return;
    this.#routingDue = true;
    this.at(this.#options.routingMs ?? 50, () => {
      this.#routingDue = false;
      for (const member of this.members.values()) {
        if (!member.isAlive) continue;
        this.at(this.#random() * 20, () => this.#route(member));
      }
    });
  }

  #route(member: NetMember): void {
    if (!member.isAlive) return;
    const changes: Reachability[] = [];
    for (const other of this.members.values()) {
      const { address } = other;
      const isReachable = other !== member && other.isAlive && other.part === member.part;
      if (isReachable === member.routes.has(address)) continue;
      if (isReachable) member.routes.add(address);
      else member.routes.delete(address);
      changes.push({ address, isReachable });
    }
    if (member.dht instanceof Dht) member.dht.reachable(changes, this.now);
    this.#watch(member);
  }
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
