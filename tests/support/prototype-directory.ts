/**
 * A model of the prototype's directory, as unicast-layer.md 7 describes it and no better: lists that are not sorted, no
 * iteration, one key maintained, nothing withdrawn. It shares no code with the runtime but the generated messages.
 */
import { DhtMessage } from '../../runtime/lib/pb/gen/directory.js';

interface ModelContact {
  readonly id: Buffer;
  readonly address: number;
}

interface Bucket {
  /** The least recently heard first. */
  contacts: ModelContact[];
  /** Never used. */
  reserve: ModelContact[];
  children: Bucket[] | undefined;
  /** Which byte of an id chooses among the children. */
  readonly depth: number;
  /** When it was last used. */
  usedAt: number;
}

interface ModelValue {
  readonly address: number;
  readonly value: Buffer;
  /** s since 1970; infinite of an own value. */
  expires: number;
  /** ms; 0 never. */
  replicatedAt: number;
  readonly isOwn: boolean;
}

interface ModelRequest {
  readonly key: Buffer;
  readonly cookie: bigint;
  readonly at: number;
  readonly values: Buffer[];
  done: ((addresses: number[]) => void) | undefined;
}

export interface PrototypeConfig {
  readonly alpha: number;
  readonly k: number;
  readonly tExpire: number;
  readonly tRefresh: number;
  readonly tReplicate: number;
}

export interface PrototypeOptions {
  readonly address: number;
  readonly id: Buffer;
  readonly peer: number;
  readonly config: PrototypeConfig;
  readonly send: (to: number, message: Buffer) => boolean;
  readonly random: (bytes: number) => Buffer;
  /** s since 1970. */
  readonly wallClock: () => number;
}

const answerMs = 2000;

export class PrototypeDirectory {
  readonly #options: PrototypeOptions;
  readonly #root: Bucket;
  readonly #values = new Map<string, ModelValue[]>();
  #requests: ModelRequest[] = [];
  readonly #joinCookie: bigint;
  #joinAt: number;
  #joinPause = 2;
  #workAt: number;
  #workStep = 0;
  readonly #pause: number;
  dropped = 0;

  constructor(options: PrototypeOptions, now: number) {
    this.#options = options;
    const { tExpire, tReplicate, tRefresh } = options.config;
    this.#root = newBucket(0, now);
    this.#insert({ id: options.id, address: options.address }, now);
    this.#joinCookie = options.random(8).readBigUInt64BE(0) || 1n;
    this.#joinAt = options.peer === 0 ? Infinity : now;
    const all = [tExpire, tExpire - 5 * tReplicate, tReplicate, tRefresh];
    const common = all.reduce((a, b) => gcd(Math.abs(a), Math.abs(b)));
    this.#pause = 1000 * Math.max(1, Math.floor(Math.floor(common / 2) / 5));
    this.#workAt = now + this.#pause;
  }

  get address(): number {
    return this.#options.address;
  }

  /** Contacts in the order of the list for a key, without itself. */
  list(key: Buffer, max: number): ModelContact[] {
    const { k } = this.#options.config;
    let found: ModelContact[] = [];
    if (this.#root.children === undefined) found = [...this.#root.contacts];
    else {
      const chosen = flat(this.#root.children[key[0] ?? 0]);
      if (chosen.length === k) found = chosen;
      else {
        for (const child of this.#root.children) {
          if (found.length > k) break;
          found.push(...flat(child));
        }
      }
    }
    return found.filter(({ address }) => address !== this.#options.address).slice(0, Math.min(k, max));
  }

  holds(key: Buffer): number[] {
    return (this.#values.get(key.toString('hex')) ?? []).map(({ address }) => address);
  }

  register(key: Buffer, now: number): void {
    const value = Buffer.alloc(8);
    value.writeUInt32BE(this.#options.address, 4);
    const values = this.#valuesOf(key);
    values.push({
      address: this.#options.address,
      value,
      expires: Infinity,
      replicatedAt: now,
      isOwn: true,
    });
    this.#store(key, value, Math.trunc(this.#options.wallClock()) + this.#options.config.tExpire);
  }

  unregister(key: Buffer): void {
    const name = key.toString('hex');
    const left = (this.#values.get(name) ?? []).filter(({ isOwn }) => !isOwn);
    this.#values.set(name, left);
  }

  /** Resolves a name: addresses in the order in which the prototype would take them. */
  query(key: Buffer, now: number, done: (addresses: number[]) => void): void {
    const held = this.#values.get(key.toString('hex')) ?? [];
    if (held.length > 0) return done(this.#choose(held.map(({ value }) => value)));
    const cached = this.#requests.find((one) => one.key.equals(key) && one.values.length > 0);
    if (cached !== undefined) return done(this.#choose(cached.values));
    const shared = { done };
    for (const contact of this.list(key, this.#options.config.alpha)) {
      const cookie = this.#options.random(8).readBigUInt64BE(0) || 1n;
      this.#requests.push({
        key,
        cookie,
        at: now,
        values: [],
        done: (addresses) => {
          const first = shared.done;
          shared.done = () => {};
          first(addresses);
        },
      });
      this.#send(contact.address, { code: 3, find: { cookie: longOf(cookie), key } });
    }
    if (!this.#requests.some((one) => one.key.equals(key) && one.at === now)) done([]);
  }

  receive(bytes: Buffer, now: number): void {
    let message: DhtMessage;
    try {
      message = DhtMessage.decode(bytes);
    } catch {
      this.dropped += 1;
      return;
    }
    const { id } = this.#options;
    const sourceId = Buffer.from(message.src.id);
    const source = Number(message.src.addr);
    if (sourceId.length !== id.length || source === 0) return void (this.dropped += 1);
    const part = { 0: message.store, 1: message.find, 2: message.node, 3: message.find, 4: message.node };
    if (message.code <= 4) {
      const present = part[message.code as 0 | 1 | 2 | 3 | 4];
      if (present?.key?.length !== id.length) return void (this.dropped += 1);
      if (message.code === 0 && message.store?.val.length === 0) return void (this.dropped += 1);
      if (message.code === 4 && (message.val === null || message.val === undefined)) {
        return void (this.dropped += 1);
      }
    }
    if (message.code === 2 || message.code === 4) {
      if (!this.#receiveAnswer(message, now)) return void (this.dropped += 1);
    }
    this.#insert({ id: sourceId, address: source }, now);
    if (message.code === 0) this.#receiveStore(message, now);
    if (message.code === 1 || message.code === 3) this.#answer(message, source);
  }

  nextDeadline(): number {
    let earliest = Math.min(this.#joinAt, this.#workAt);
    for (const { at, done } of this.#requests) {
      if (done !== undefined) earliest = Math.min(earliest, at + answerMs);
    }
    return earliest;
  }

  advance(now: number): void {
    if (this.#joinAt <= now) this.#join(now);
    for (const request of this.#requests) {
      if (request.done === undefined || request.at + answerMs > now) continue;
      const { done } = request;
      request.done = undefined;
      // The last of a query that ends empty ends it.
      const open = this.#requests.some(
        (one) => one.done !== undefined && one.key.equals(request.key) && one.at === request.at,
      );
      if (!open) done([]);
    }
    if (this.#workAt <= now) {
      this.#work(now);
      this.#workAt = now + this.#pause;
    }
  }

  #join(now: number): void {
    const { id, peer } = this.#options;
    const message = { code: 1, find: { cookie: longOf(this.#joinCookie), key: id } };
    if (this.#send(peer, message)) {
      this.#requests.push({ key: id, cookie: this.#joinCookie, at: now, values: [], done: undefined });
      // No contact has come by the next step, so it is sent once more.
      this.#send(peer, message);
      this.#joinAt = Infinity;
    } else {
      this.#joinAt = now + this.#joinPause;
      this.#joinPause = Math.min(2 * this.#joinPause, 1500);
    }
  }

  #work(now: number): void {
    const { peer, config } = this.#options;
    const wall = this.#options.wallClock();
    switch (this.#workStep) {
      case 0:
        this.#root.usedAt = now;
        if (this.list(this.#options.id, 1).length === 0 && peer !== 0) this.#joinAt = now;
        break;
      case 1:
        for (const [name, values] of this.#values) {
          this.#values.set(
            name,
            values.filter(({ expires }) => expires > wall),
          );
        }
        break;
      case 2:
        this.#requests = this.#requests.filter(({ at }) => at + answerMs > now);
        break;
      case 3:
        this.#replicate(now, wall, config);
        break;
      default:
        this.#refresh(now);
    }
    this.#workStep = (this.#workStep + 1) % 5;
  }

  /** Only the key that is farthest from the own id is ever looked after. */
  #replicate(now: number, wall: number, config: PrototypeConfig): void {
    const own = this.#options.id.readBigUInt64BE(0);
    const keys = [...this.#values].filter(([, values]) => values.length > 0).map(([name]) => name);
    const distance = (name: string): bigint => Buffer.from(name, 'hex').readBigUInt64BE(0) ^ own;
    const [name] = keys.toSorted((a, b) => (distance(a) > distance(b) ? -1 : 1));
    if (name === undefined) return;
    const key = Buffer.from(name, 'hex');
    for (const value of this.#values.get(name) ?? []) {
      if (now - value.replicatedAt <= 1000 * config.tReplicate) continue;
      if (value.isOwn) {
        const age = (now - value.replicatedAt) / 1000;
        if (config.tExpire - age >= 5 * config.tReplicate) continue;
        this.#store(key, value.value, Math.trunc(wall) + config.tExpire);
      } else {
        this.#store(key, value.value, value.expires);
      }
      value.replicatedAt = now;
    }
  }

  #refresh(now: number): void {
    const { tRefresh } = this.#options.config;
    for (const bucket of this.#root.children ?? []) {
      const [oldest] = bucket.contacts;
      if (oldest === undefined || now - bucket.usedAt <= 1000 * tRefresh) continue;
      bucket.usedAt = now;
      for (const contact of this.list(oldest.id, this.#options.config.alpha)) {
        const cookie = this.#options.random(8).readBigUInt64BE(0) || 1n;
        this.#requests.push({ key: oldest.id, cookie, at: now, values: [], done: undefined });
        this.#send(contact.address, { code: 1, find: { cookie: longOf(cookie), key: oldest.id } });
      }
    }
  }

  #store(key: Buffer, val: Buffer, exp: number): void {
    for (const contact of this.list(key, this.#options.config.alpha)) {
      this.#send(contact.address, { code: 0, store: { key, val, exp } });
    }
  }

  #receiveStore(message: DhtMessage, _now: number): void {
    const { store } = message;
    if (store === null || store === undefined || store.exp < this.#options.wallClock()) return;
    const key = Buffer.from(store.key);
    const value = Buffer.from(store.val);
    const values = this.#valuesOf(key);
    const known = values.find((one) => one.value.equals(value));
    if (known !== undefined) {
      if (!known.isOwn) known.expires = Math.max(known.expires, store.exp);
      return;
    }
    const address = value.length === 8 ? value.readUInt32BE(4) : 0;
    values.push({ address, value, expires: store.exp, replicatedAt: 0, isOwn: false });
  }

  #answer(message: DhtMessage, to: number): void {
    const { find } = message;
    if (find === null || find === undefined) return;
    const key = Buffer.from(find.key);
    const contacts = this.list(key, this.#options.config.k).map(({ id, address }) => ({ id, addr: address }));
    const node = { cookie: find.cookie, key, contacts };
    if (message.code === 1) return void this.#send(to, { code: 2, node });
    const held = this.#values.get(key.toString('hex')) ?? [];
    const values = [...held.filter(({ isOwn }) => !isOwn), ...held.filter(({ isOwn }) => isOwn)];
    this.#send(to, { code: 4, node, val: { values: values.slice(0, 8).map(({ value }) => value) } });
  }

  #receiveAnswer(message: DhtMessage, now: number): boolean {
    const { node } = message;
    if (node === null || node === undefined) return false;
    const request = this.#requests.find(
      (one) => one.cookie === BigInt(node.cookie.toString()) && one.key.equals(Buffer.from(node.key)),
    );
    if (request === undefined) return false;
    for (const { id, addr } of node.contacts ?? []) {
      this.#insert({ id: Buffer.from(id), address: Number(addr) }, now);
    }
    const values = (message.val?.values ?? []).map((one) => Buffer.from(one));
    if (values.length > 0) {
      request.values.push(...values);
      const { done } = request;
      request.done = undefined;
      done?.(this.#choose(request.values));
    }
    return true;
  }

  /** Who a flow would be requested from: the first that it is not itself. */
  #choose(values: readonly Buffer[]): number[] {
    const addresses = values.map((one) => (one.length === 8 ? one.readUInt32BE(4) : 0));
    return addresses.slice(0, 2).filter((one) => one !== 0 && one !== this.#options.address);
  }

  #valuesOf(key: Buffer): ModelValue[] {
    const name = key.toString('hex');
    const values = this.#values.get(name) ?? [];
    this.#values.set(name, values);
    return values;
  }

  #insert(contact: ModelContact, now: number): void {
    const { k } = this.#options.config;
    let bucket = this.#root;
    while (bucket.children !== undefined) {
      bucket = bucket.children[contact.id[bucket.depth] ?? 0] ?? bucket;
    }
    bucket.usedAt = now;
    const same = bucket.contacts.findIndex(({ address }) => address === contact.address);
    if (same >= 0) bucket.contacts.splice(same, 1);
    if (bucket.contacts.length < k) return void bucket.contacts.push(contact);
    const isOwnBranch = bucket.depth > 0 && this.#ownBranch(bucket);
    if (bucket !== this.#root && !isOwnBranch) {
      if (bucket.reserve.length < k) bucket.reserve.push(contact);
      return;
    }
    this.#split(bucket, now);
    this.#insert(contact, now);
  }

  /** The child whose index is the second byte of the own id is split when it is full. */
  #ownBranch(bucket: Bucket): boolean {
    return this.#root.children?.[this.#options.id[1] ?? 0] === bucket;
  }

  #split(bucket: Bucket, now: number): void {
    const children = Array.from({ length: 256 }, () => newBucket(bucket.depth + 1, now));
    for (const contact of bucket.contacts) {
      // By the byte after the one that later contacts are sorted by.
      children[contact.id[bucket.depth + 1] ?? 0]?.contacts.push(contact);
    }
    bucket.contacts = [];
    bucket.children = children;
  }

  #send(to: number, message: Omit<DhtMessage.$Properties, 'src'>): boolean {
    const { id, address } = this.#options;
    const bytes = DhtMessage.encode({ ...message, src: { id, addr: address } }).finish();
    return this.#options.send(to, Buffer.from(bytes));
  }
}

function newBucket(depth: number, now: number): Bucket {
  return { contacts: [], reserve: [], children: undefined, depth, usedAt: now };
}

function flat(bucket: Bucket | undefined): ModelContact[] {
  if (bucket === undefined) return [];
  return bucket.children === undefined ? [...bucket.contacts] : bucket.children.flatMap(flat);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** 64 bits as the generated code takes them. */
function longOf(value: bigint): number {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return { low, high, unsigned: true } as unknown as number;
}
