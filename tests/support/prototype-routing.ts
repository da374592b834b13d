/**
 * The routing of a prototype as unicast-layer.md 6 describes it, defects included, in as few words as possible and
 * sharing nothing with runtime/ipcpd/unicast/routing but the numbers of the document.
 */

interface Entry {
  readonly destination: number;
  readonly source: number;
  seqno: bigint;
  /** In whole seconds. */
  stamp: number;
}

export interface PrototypeFlow {
  readonly peer: number;
  /** Whether the peer is no prototype, and is to keep the rules for peers of one. */
  readonly isOurs: boolean;
  /** Whether it still leads to the peer. */
  readonly isUp: boolean;
}

/** After this a prototype's reader is armed; what comes earlier makes it lag behind for ever (2.4), in ms. */
const armedMs = 1;

export class PrototypeRouting {
  readonly address: number;
  /** What a peer must not do, and did. */
  readonly complaints: string[] = [];
  /** Longest silence on a management flow from a member of ours, in ms. */
  longestSilence = 0;
  sent = 0;
  /** Called when the forwarding tables were calculated anew. */
  onCalculated: () => void = () => {};
  readonly #send: (flow: PrototypeFlow, message: Buffer) => void;
  readonly #updateMs: number;
  readonly #timeoutMs: number;
  readonly #recalcMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #links = new Set<number>();
  /** The last flow to each neighbour, and when it came up and was last heard. */
  readonly #flows = new Map<number, PrototypeFlow>();
  readonly #since = new Map<PrototypeFlow, number>();
  readonly #heard = new Map<PrototypeFlow, number>();
  readonly #hops = new Map<number, number>();
  #tickAt: number;
  #pollAt: number;
  #isChanged = false;

  constructor(
    address: number,
    times: { readonly tRecalc: number; readonly tUpdate: number; readonly tTimeo: number },
    send: (flow: PrototypeFlow, message: Buffer) => void,
    now: number,
  ) {
    this.address = address;
    this.#send = send;
    this.#updateMs = times.tUpdate * 1000;
    this.#timeoutMs = times.tTimeo * 1000;
    this.#recalcMs = times.tRecalc * 1000;
    this.#tickAt = now + this.#updateMs;
    this.#pollAt = now + this.#recalcMs;
  }

  /** 6.3: the whole database at once, to that neighbour only. */
  managementUp(flow: PrototypeFlow, now: number): void {
    this.#flows.set(flow.peer, flow);
    this.#since.set(flow, now);
    this.#heard.set(flow, now);
    for (const entry of this.#inOrder()) this.#write(flow, entry);
  }

  managementDown(flow: PrototypeFlow): void {
    if (this.#flows.get(flow.peer) === flow) this.#flows.delete(flow.peer);
    this.#since.delete(flow);
    this.#heard.delete(flow);
  }

  /** 6.3, 6.5: announced with number 0; 6.9: a second flow brings no calculation. */
  linkUp(peer: number, now: number): void {
    this.#links.add(peer);
    const known = this.#entries.get(key(peer, this.address));
    if (known === undefined) {
      const entry = { destination: peer, source: this.address, seqno: 0n, stamp: seconds(now) };
      this.#entries.set(key(peer, this.address), entry);
      this.#calculate();
      this.#isChanged = true;
    }
    for (const flow of this.#flows.values()) {
      this.#write(flow, { destination: peer, source: this.address, seqno: 0n });
    }
  }

  /** 6.9: a local removal; nothing is sent, and the tables follow at the next poll. */
  linkDown(peer: number): void {
    // Removing one of two withdraws the link all the same.
    if (!this.#links.delete(peer)) return;
    this.#entries.delete(key(peer, this.address));
    this.#isChanged = true;
  }

  receive(flow: PrototypeFlow, message: Buffer, now: number): void {
    const since = this.#since.get(flow);
    if (since === undefined) return;
    if (flow.isOurs) {
      if (now < since + armedMs) this.complaints.push(`${flow.peer} sent before the reader was armed`);
      if (message.length === 0) this.complaints.push(`${flow.peer} sent a keepalive`);
      else if (message.length !== 24) this.complaints.push(`${flow.peer} sent ${message.length} bytes`);
    }
    if (message.length !== 24) return;
    this.#noteSilence(flow, now);
    this.#heard.set(flow, now);
    const destination = Number(message.readBigUInt64BE(0));
    const source = Number(message.readBigUInt64BE(8));
    const seqno = message.readBigUInt64BE(16);
    const known = this.#entries.get(key(destination, source));
    if (known === undefined) {
      this.#entries.set(key(destination, source), { destination, source, seqno, stamp: seconds(now) });
    } else if (seqno > known.seqno) {
      known.seqno = seqno;
      known.stamp = seconds(now);
    } else {
      return;
    }
    for (const [peer, other] of this.#flows) {
      if (peer !== flow.peer) this.#write(other, { destination, source, seqno });
    }
    if (known === undefined) {
      this.#calculate();
      this.#isChanged = true;
    }
  }

  nextDeadline(): number {
    return Math.min(this.#tickAt, this.#pollAt);
  }

  advance(now: number): void {
    if (now >= this.#tickAt) {
      this.#tickAt += this.#updateMs;
      for (const flow of this.#heard.keys()) this.#noteSilence(flow, now);
      for (const entry of this.#inOrder()) {
        if (entry.source === this.address) {
          // 6.4: an entry with its own source is its own, whether it has such a link or not.
          entry.seqno += 1n;
          entry.stamp = seconds(now);
          for (const flow of this.#flows.values()) this.#write(flow, entry);
        } else if (seconds(now) > entry.stamp + this.#timeoutMs / 1000) {
          // 6.9: no calculation.
          this.#entries.delete(key(entry.destination, entry.source));
        }
      }
    }
    if (now >= this.#pollAt) {
      this.#pollAt += this.#recalcMs;
      if (this.#isChanged) this.#calculate();
      this.#isChanged = false;
    }
  }

  nextHop(destination: number): number | undefined {
    return this.#hops.get(destination);
  }

  /** Destinations there is a next hop to. */
  get destinations(): number {
    return this.#hops.size;
  }

  /** Entries as `source>destination`. */
  pairs(): string[] {
    return this.#inOrder().map(({ source, destination }) => `${source}>${destination}`);
  }

  /** Links it announces but does not have. */
  ghosts(): string[] {
    return this.#inOrder()
      .filter(({ source, destination }) => source === this.address && !this.#links.has(destination))
      .map(({ source, destination }) => `${source}>${destination}`);
  }

  #noteSilence(flow: PrototypeFlow, now: number): void {
    if (!flow.isOurs || !flow.isUp) return;
    this.longestSilence = Math.max(this.longestSilence, now - (this.#heard.get(flow) ?? now));
  }

  #inOrder(): Entry[] {
    return [...this.#entries.values()].toSorted(
      (a, b) => a.destination - b.destination || a.source - b.source,
    );
  }

  #write(flow: PrototypeFlow, entry: Omit<Entry, 'stamp'>): void {
    const message = Buffer.alloc(24);
    message.writeBigUInt64BE(BigInt(entry.destination), 0);
    message.writeBigUInt64BE(BigInt(entry.source), 8);
    message.writeBigUInt64BE(entry.seqno, 16);
    this.sent += 1;
    this.#send(flow, message);
  }

  /** 6.7, and 6.10: with fewer than two members in the database the old tables stay. */
  #calculate(): void {
    const neighbours = new Map<number, number[]>();
    for (const { destination, source } of this.#entries.values()) {
      if (!this.#entries.has(key(source, destination))) continue;
      const ends = neighbours.get(source);
      if (ends === undefined) neighbours.set(source, [destination]);
      else ends.push(destination);
    }
    if (neighbours.size < 2) return;
    const hops = new Map<number, number>([[this.address, this.address]]);
    let level = [this.address];
    while (level.length > 0) {
      const next: number[] = [];
      for (const address of level.toSorted((a, b) => a - b)) {
        for (const end of neighbours.get(address) ?? []) {
          if (hops.has(end)) continue;
          hops.set(end, address === this.address ? end : (hops.get(address) ?? end));
          next.push(end);
        }
      }
      level = next;
    }
    hops.delete(this.address);
    this.#hops.clear();
    for (const [destination, hop] of hops) this.#hops.set(destination, hop);
    this.onCalculated();
  }
}

const key = (destination: number, source: number): string => `${destination} ${source}`;
const seconds = (ms: number): number => Math.floor(ms / 1000);
