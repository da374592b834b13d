/**
 * The wire of a lab: carries the frames of those links that are impaired between interfaces in the lab's network.
 * `wire SOCKET` serves the socket until it is ended. What it was told is in a file beside the socket, so that the next
 * one goes on where it ends. Nothing is decided here: see way.ts.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { O7sError } from '../../runtime/lib/index.ts';
import { Alarm } from '../../runtime/lib/os/alarm.ts';
import { dedicateProcess } from '../../runtime/lib/os/hot-loop.ts';
import { completeFrames, framesArrived, lookUpInterface } from '../../runtime/lib/os/interfaces.ts';
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { RpcConnection, type RpcParams } from '../../runtime/lib/rpc/connection.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';
import { derivedSeed } from '../seeded.ts';
import type { DirectionCounts, SpliceSetting, SpliceState, WayEnds, WireApi } from './api.ts';
import { Way } from './way.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
/** Frames that may wait to be taken: 2 MiB at an MTU of 1500. All that arrive are accounted for. */
const waitingFrames = 1024;
/** Packets of no type: a socket that only sends. */
const noType = 0;
const drainLookMs = 5;
/** How long the kernel may take to show a frame, ms. */
const seenMs = 1_000;
/** Batches of frames taken before others have their turn: other links, and those who ask. */
const batchesMax = 16;

const [path = ''] = process.argv.slice(2);
const settingsFile = `${path}.json`;
const packets = new PacketPool(addressOf);
const splices = new Map<string, Splice>();

/** The sockets at both ends of a direction. */
class Ends implements Disposable {
  readonly in: PacketSocket;
  readonly out: PacketSocket;
  readonly #from: string;
  readonly #arrivedBefore: number;

  /** Throws KernelError ENODEV where one of the interfaces is missing. */
  constructor({ from, to, funnel }: WayEnds, onReadable: () => void) {
    completeFrames(funnel);
    this.out = new PacketSocket(to, noType, () => {}, { frames: 1 });
    try {
      this.in = new PacketSocket(from, everyType, onReadable, { frames: waitingFrames });
      this.#from = from;
      this.#arrivedBefore = framesArrived(from);
    } catch (error) {
      this.out[Symbol.dispose]();
      throw error;
    }
  }

  get drops(): Pick<DirectionCounts, 'missed' | 'tooLong' | 'notSent'> {
    const { droppedQueueFull, droppedTruncated } = this.in.losses;
    return { missed: droppedQueueFull, tooLong: droppedTruncated, notSent: this.out.losses.sendFailed };
  }

  /** Whether frames have come that were not taken yet, those included that the kernel has still to show. */
  get isBehind(): boolean {
    const { counters, losses } = this.in;
    return (
      counters.framesReceived + losses.droppedQueueFull < framesArrived(this.#from) - this.#arrivedBefore
    );
  }

  /** Whether these are still the interfaces of those names. */
  areAt({ from, to }: WayEnds): boolean {
    return [this.in.interface, this.out.interface].every(
      ({ index }, end) => index === lookUpInterface(end === 0 ? from : to).index,
    );
  }

  [Symbol.dispose](): void {
    this.in[Symbol.dispose]();
    this.out[Symbol.dispose]();
  }
}

/** One direction: its way, and the ends of it. */
class Direction implements Disposable {
  readonly way: Way;
  #ends: Ends;
  /** What was lost at ends that are gone. */
  #drops = { missed: 0, tooLong: 0, notSent: 0 };

  constructor(ends: WayEnds, seed: number, impairment: Way['impairment']) {
    this.way = new Way(seed, impairment, (frame) => {
      const packet = packets.take(frame.length);
      packet.append(frame, 0, frame.length);
      this.#ends.out.send(packet);
    });
    this.#ends = new Ends(ends, () => this.collect());
  }

  get counts(): DirectionCounts {
    return { ...this.way.counts, ...this.#allDrops() };
  }

  /** Opens the ends anew where they were made anew. */
  moveTo(ends: WayEnds): void {
    if (this.#ends.areAt(ends)) return;
    const next = new Ends(ends, () => this.collect());
    this.#drops = this.#allDrops();
    this.#ends[Symbol.dispose]();
    this.#ends = next;
  }

  get isBehind(): boolean {
    return this.#ends.isBehind;
  }

  flush(): void {
    this.#ends.out.flush();
  }

  /** Takes what has come; the kernel tells again of what is left. */
  collect(): void {
    for (let batches = 0; batches < batchesMax; batches += 1) {
      // A frame may have come since the one before it was looked at: with an older time it would be under way for less.
      const count = this.#ends.in.receive((frame) =>
        this.way.offer(Buffer.from(frame.bytes()), performance.now()),
      );
      this.#ends.in.release();
      // What has to leave now does not wait for all that has come.
      pass();
      if (count < PacketSocket.batch) break;
    }
  }

  #allDrops(): Pick<DirectionCounts, 'missed' | 'tooLong' | 'notSent'> {
    const { missed, tooLong, notSent } = this.#ends.drops;
    return {
      missed: this.#drops.missed + missed,
      tooLong: this.#drops.tooLong + tooLong,
      notSent: this.#drops.notSent + notSent,
    };
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

interface Splice {
  setting: SpliceSetting;
  readonly restarts: number;
  readonly directions: readonly [Direction, Direction];
}

const alarm = new Alarm(pass);

/** Hands on all that is due, and sees to what will be. */
function pass(): void {
  const now = performance.now();
  let next = Number.POSITIVE_INFINITY;
  for (const { directions } of splices.values()) {
    for (const direction of directions) {
      direction.way.advance(now);
      direction.flush();
      next = Math.min(next, direction.way.next);
    }
  }
  packets.reset();
  alarm.set(next);
}

function open(setting: SpliceSetting, restarts: number): void {
  const { splice, ends, impairments, seed } = setting;
  const there = new Direction(ends[0], derivedSeed(seed, 'there'), impairments[0]);
  try {
    const back = new Direction(ends[1], derivedSeed(seed, 'back'), impairments[1]);
    splices.set(splice, { setting, restarts, directions: [there, back] });
  } catch (error) {
    there[Symbol.dispose]();
    throw error;
  }
}

function change(splice: Splice, setting: SpliceSetting): void {
  const { seed } = splice.setting;
  splice.directions.forEach((direction, side) => direction.moveTo(setting.ends[side === 0 ? 0 : 1]));
  splice.setting = { ...setting, seed };
  const now = performance.now();
  splice.directions.forEach(({ way }, side) => way.set(setting.impairments[side === 0 ? 0 : 1], now));
}

type Handlers = {
  readonly [M in keyof WireApi]: (
    params: WireApi[M]['params'],
  ) => WireApi[M]['result'] | Promise<WireApi[M]['result']>;
};

const handlers: Handlers = {
  set: (setting) => {
    const splice = splices.get(setting.splice);
    if (splice === undefined) open(setting, 0);
    else change(splice, setting);
    keep();
    pass();
    return null;
  },
  drain: async ({ splice, ms }) => {
    const end = performance.now() + ms;
    // What the kernel has led here may take a moment to be seen; what it lost on that way never is.
    for (let waited = 0; ; waited += drainLookMs) {
      const { directions = [] } = splices.get(splice) ?? {};
      for (const direction of directions) direction.collect();
      const isBehind = waited < seenMs && directions.some((direction) => direction.isBehind);
      if (!isBehind && directions.every(({ way }) => way.queued === 0)) return true;
      if (performance.now() > end) return false;
      await new Promise((resolve) => void setTimeout(resolve, drainLookMs));
    }
  },
  close: ({ splice }) => {
    for (const direction of splices.get(splice)?.directions ?? []) direction[Symbol.dispose]();
    if (splices.delete(splice)) keep();
    return null;
  },
  show: () => [...splices.values()].map(state),
};

function state({ setting, restarts, directions: [there, back] }: Splice): SpliceState {
  const { splice, seed } = setting;
  return {
    splice,
    seed,
    impairments: [there.way.impairment, back.way.impairment],
    counts: [there.counts, back.counts],
    queued: [there.way.queued, back.way.queued],
    restarts,
  };
}

/** What the file beside the socket holds. */
interface Kept {
  readonly setting: SpliceSetting;
  readonly restarts: number;
}

/** Notes how splices are to be. Whoever reads sees all of it or nothing. */
function keep(): void {
  const kept: Kept[] = [...splices.values()].map(({ setting, restarts }) => ({ setting, restarts }));
  writeFileSync(`${settingsFile}.new`, JSON.stringify(kept));
  renameSync(`${settingsFile}.new`, settingsFile);
}

/** Opens the splices of the wire that was here before. */
function goOn(): void {
  let kept: readonly Kept[];
  try {
    kept = JSON.parse(readFileSync(settingsFile, 'utf8')) as readonly Kept[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  for (const { setting, restarts } of kept) {
    try {
      open(setting, restarts + 1);
    } catch (error) {
      // Its interfaces went in the meantime; it is set again when they are made again.
      process.stderr.write(`${setting.splice}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  keep();
}

function answer(method: string, params: RpcParams): unknown {
  if (!Object.hasOwn(handlers, method)) throw new O7sError('ENOTSUP', `there is no method ${method}`);
  // Only the orchestrator can reach the socket.
  const handler = handlers[method as keyof WireApi] as (given: RpcParams) => unknown;
  return handler(params);
}

process.umask(0o077);
dedicateProcess();
// Of a lab's wires one may read: the kernel gives this name to one process of a network, and takes it back from a dead one.
const lock = createServer().once('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error;
  // One that does not answer is about to be there, or about to be gone: whoever started this one tries again.
  const other = connect(path, () => other.write('{"jsonrpc":"2.0","id":1,"method":"show","params":{}}\n'));
  other.once('data', () => process.exit(0));
  other.once('error', () => process.exit(1)).once('close', () => process.exit(1));
});
lock.listen('\0o7s-wire', () => {
  rmSync(path, { force: true });
  goOn();
  createServer((socket) => void new RpcConnection(socket, answer)).listen(path);
});
