/**
 * Feeds random, cut and altered frames and datagrams to all link layers for a while: nothing may throw, nothing may
 * grow without bound, and what a layer sends must be right. Prints its seed, which makes a run repeatable.
 *
 *     npm run fuzz -- [SECONDS (600)] [SEED]
 */
import { randomInt } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LayerFlow } from '../../runtime/ipcpd/shell/layer.ts';
import { hashName } from '../../runtime/lib/names.ts';
import { FlowInbox } from '../support/flow-inbox.ts';
import { answer, handshake, linkKinds, LinkRig, type StationName, UdpRig } from '../support/link-rig.ts';

const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? randomInt(0, 2 ** 32));
const stepsPerLook = 20_000;
/** What the heap may hold more at the end than after the warm-up, bytes. */
const growthMax = 8 * 1024 * 1024;
const warmUpShare = 0.2;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** mulberry32 */
let state = seed >>> 0;
function random(): number {
  state = (state + 0x6d2b_79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);
function pick<T>(choices: readonly T[]): T {
  return choices[below(choices.length)] as T;
}
const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

const stations: readonly StationName[] = ['b', 'b', 'b', 'b2', 'c', 'd'];
const cacheEntriesMax = 64;
const requestsMax = 128;
/** Flows that are kept open at once: enough to run out of ids where there are few. */
const openMax = 100;
/** Ids worth a try: those in use, around the bounds, and any. */
const interestingIds = [0, 1, 2, 3, 7, 63, 64, 65, 66, 127, 128, 255, 4095, 10_240, 0xffff];

interface Open {
  readonly flow: LayerFlow;
  readonly inbox: FlowInbox;
  readonly eid: number;
}

class Subject {
  readonly rig: LinkRig;
  readonly open: Open[] = [];
  brought = 0;
  outcomes = 0;
  allocations = 0;

  constructor(rig: LinkRig) {
    this.rig = rig;
    rig.layer.register(rig.hash);
    if (rig instanceof UdpRig) rig.directory.always = ['b'];
  }

  step(): void {
    const { rig } = this;
    const action = random();
    if (action < 0.6) this.#bring(this.#altered(this.#message()));
    else if (action < 0.7) this.#bring(randomBytes(below(random() < 0.1 ? 9100 : 200)));
    else if (action < 0.8) this.#bring(this.#message());
    else if (action < 0.86) this.#allocate();
    else if (action < 0.92) this.#respond();
    else if (action < 0.95) this.#write();
    else if (action < 0.98) this.#close();
    else if (action < 0.99)
      rig.known(hashName(`name ${below(1000)}`, rig.kind.startsWith('udp') ? 'MD5' : 'SHA3_256'));
    else {
      rig.now += below(700);
      rig.layer.advance(rig.now);
    }
    this.#check();
  }

  #check(): void {
    const { rig } = this;
    // Throws when the layer sent what it could not read itself.
    for (const { kind, peerEid = 1, payload = '' } of rig.sent()) {
      if (kind === 'data' && (peerEid === 0 || payload.length > rig.layer.maxMessageBytes)) {
        throw new Error(`${rig.kind} sent ${payload.length} bytes to ${peerEid}`);
      }
    }
    if (rig.requests.length > requestsMax)
      throw new Error(`${rig.kind} lets ${rig.requests.length} requests wait`);
    if (this.open.length > rig.eids.count) throw new Error(`${rig.kind} has ${this.open.length} flows`);
    if (this.outcomes > this.allocations) throw new Error(`${rig.kind} told an outcome twice`);
  }

  #bring(bytes: Buffer): void {
    this.brought += 1;
    this.rig.bring(bytes, pick(stations));
  }

  #id(): number {
    if (this.open.length > 0 && random() < 0.5) return pick(this.open).eid;
    return random() < 0.7 ? pick(interestingIds) : below(0x1_0000);
  }

  #message(): Buffer {
    const { rig } = this;
    const from = pick(stations);
    // Eight bits are all that one of the layers has for an id.
    const mask = rig.kind === 'eth-llc' ? 0xff : 0xffff;
    const [eid, peerEid] = [this.#id() & mask, this.#id() & mask];
    rig.ours = random() < 0.5;
    switch (below(5)) {
      case 0:
        return rig.requestBytes(eid, pick([handshake, randomBytes(below(100))]), rig.hash, from);
      case 1:
        return rig.replyBytes(eid, peerEid, pick([0, 0, -1009, 1]), pick([answer, randomBytes(40)]), from);
      case 2:
        return rig.releaseBytes(eid, peerEid, from);
      default:
        return rig.dataBytes(eid, peerEid, randomBytes(below(random() < 0.05 ? 9100 : 80)), from);
    }
  }

  #altered(bytes: Buffer): Buffer {
    let altered = Buffer.from(bytes);
    for (let times = 1 + below(3); times > 0; times -= 1) {
      switch (below(5)) {
        case 0:
          altered = altered.subarray(0, below(altered.length + 1));
          break;
        case 1:
          altered = Buffer.concat([altered, randomBytes(below(60))]);
          break;
        case 2:
          // Header fields are more worth a change than what follows.
          if (altered.length > 0) altered.writeUInt8(below(256), below(Math.min(altered.length, 70)));
          break;
        case 3:
          if (altered.length > 20)
            altered.writeUInt16BE(pick([0, 1, 2, 3, 1500, 0x05ff, 0x0600, 0xffff]), pick([12, 14, 16]));
          break;
        default:
          altered = Buffer.concat([altered.subarray(0, below(altered.length + 1)), this.#message()]);
      }
    }
    return altered.subarray(0, 9200);
  }

  #allocate(): void {
    const { rig } = this;
    if (rig.known()[0] !== true) rig.learn();
    const { flow, inbox, eid, outcomes } = rig.tryAllocate(handshake);
    this.allocations += 1;
    // One that ended at once counts as much as one that ends later.
    if (outcomes.length > 1) throw new Error(`${rig.kind} told an outcome twice`);
    if (eid >= 0) this.#keep({ flow, inbox, eid });
    else flow.deallocate(rig.now);
    if (random() < 0.7 && eid >= 0) rig.bring(rig.replyBytes(7, eid), 'b');
    this.outcomes += outcomes.length;
  }

  #respond(): void {
    const { rig } = this;
    const request = rig.requests.shift();
    if (request === undefined) return;
    if (random() < 0.3) return rig.layer.refuse(request.handle, -1009);
    const inbox = new FlowInbox();
    const flow = rig.layer.accept(request.handle, answer, inbox, rig.now);
    // Somebody may write before the other end has dealt with the reply.
    if (flow !== undefined && random() < 0.3) rig.write(flow, randomBytes(below(100)));
    const reply = rig.sent().find(({ kind }) => kind === 'reply');
    if (reply === undefined) throw new Error(`${rig.kind} left a request without an answer`);
    if (flow !== undefined) this.#keep({ flow, inbox, eid: reply.eid ?? 0 });
  }

  #keep(one: Open): void {
    if (this.open.some(({ eid, inbox }) => eid === one.eid && !inbox.messages.includes('(released)'))) {
      const before = this.open.find(({ eid }) => eid === one.eid);
      // A refusal from the link freed it without a word to this list.
      before?.flow.deallocate(this.rig.now);
    }
    const at = this.open.findIndex(({ eid }) => eid === one.eid);
    if (at !== -1) this.open.splice(at, 1);
    this.open.push(one);
    if (this.open.length > openMax) this.#close();
  }

  #write(): void {
    if (this.open.length === 0) return;
    const { flow, inbox } = pick(this.open);
    inbox.messages.length = 0;
    this.rig.write(flow, randomBytes(below(random() < 0.1 ? 9100 : 200)));
  }

  #close(): void {
    const [one] = this.open.splice(below(this.open.length), 1);
    one?.flow.deallocate(this.rig.now);
  }

  /** Ends all that is open, and tells whether the layer can still make as many flows as at first. */
  end(): void {
    const { rig } = this;
    for (const { handle } of rig.requests.splice(0)) rig.layer.refuse(handle, -1003);
    for (const { flow } of this.open.splice(0)) flow.deallocate(rig.now);
    rig.now += 60_000;
    rig.layer.advance(rig.now);
    rig.now += 60_000;
    rig.sent();
    for (let count = 0; count < rig.eids.count; count += 1) rig.connect(2 + count);
    rig.layer.close();
  }
}

const limits = { cacheEntriesMax, requestsMax, cacheMs: 5000 };
const subjects = linkKinds.map((kind) => new Subject(LinkRig.make(kind, limits)));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const startedAt = performance.now();
const elapsed = (): number => (performance.now() - startedAt) / 1000;
let baseline = 0;
let steps = 0;
say(`seed ${seed}, ${seconds} s`);
let lastTold = 0;
try {
  while (elapsed() < seconds) {
    for (let count = 0; count < stepsPerLook; count += 1) pick(subjects).step();
    steps += stepsPerLook;
    for (const { open } of subjects) for (const { inbox } of open) inbox.messages.length = 0;
    if (elapsed() - lastTold < seconds / 20) continue;
    lastTold = elapsed();
    collect();
    const { heapUsed } = process.memoryUsage();
    if (baseline === 0 && elapsed() > seconds * warmUpShare) baseline = heapUsed;
    say(`${elapsed().toFixed(0).padStart(4)} s  ${steps} steps  heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB`);
    if (baseline > 0 && heapUsed > baseline + growthMax)
      throw new Error(`the heap grew by ${heapUsed - baseline} bytes`);
  }
  for (const subject of subjects) {
    say(`${subject.rig.kind}: ${subject.brought} brought, ${JSON.stringify(subject.rig.layer.counters)}`);
    subject.end();
  }
  say(`${steps} steps, nothing threw and nothing grew; seed ${seed}`);
} catch (error) {
  say(`failed after ${steps} steps with seed ${seed}`);
  throw error;
}
