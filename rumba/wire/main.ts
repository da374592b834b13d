/**
 * The wire of a lab: carries the frames of those links that are impaired between interfaces in the lab's network.
 * `wire SOCKET` serves the socket until it is ended. Nothing is decided here: see way.ts.
 */
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { O7sError } from '../../runtime/lib/index.ts';
import { Alarm } from '../../runtime/lib/os/alarm.ts';
import { dedicateProcess } from '../../runtime/lib/os/hot-loop.ts';
import { completeFrames } from '../../runtime/lib/os/interfaces.ts';
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { RpcConnection, type RpcParams } from '../../runtime/lib/rpc/connection.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';
import { derivedSeed } from '../seeded.ts';
import type { SpliceState, WayEnds, WireApi } from './api.ts';
import { Way } from './way.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
/** Packets of no type: a socket that only sends. */
const noType = 0;
const drainLookMs = 5;

const [path = ''] = process.argv.slice(2);
const packets = new PacketPool(addressOf);
const splices = new Map<string, Splice>();

/** One direction: its way, and the sockets at both ends of it. */
class Direction implements Disposable {
  readonly way: Way;
  readonly #in: PacketSocket;
  readonly #out: PacketSocket;

  constructor({ from, to, funnel }: WayEnds, seed: number, way: Way['impairment']) {
    this.way = new Way(seed, way, (frame) => {
      const packet = packets.take(frame.length);
      packet.append(frame, 0, frame.length);
      this.#out.send(packet);
    });
    completeFrames(funnel);
    this.#out = new PacketSocket(to, noType, () => {});
    try {
      this.#in = new PacketSocket(from, everyType, () => this.collect());
    } catch (error) {
      this.#out[Symbol.dispose]();
      throw error;
    }
  }

  get kernelDrops(): number {
    return [this.#in, this.#out].reduce((sum, { losses }) => {
      return sum + losses.droppedQueueFull + losses.droppedTruncated + losses.sendFailed;
    }, 0);
  }

  flush(): void {
    this.#out.flush();
  }

  /** Takes what has come. */
  collect(): void {
    for (;;) {
      // A frame may have come since the one before it was looked at: with an older time it would be under way for less.
      const count = this.#in.receive((frame) =>
        this.way.offer(Buffer.from(frame.bytes()), performance.now()),
      );
      this.#in.release();
      if (count < PacketSocket.batch) break;
      // What has to leave now does not wait for all that has come.
      pass();
    }
    pass();
  }

  [Symbol.dispose](): void {
    this.#in[Symbol.dispose]();
    this.#out[Symbol.dispose]();
  }
}

interface Splice {
  readonly seed: number;
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

type Handlers = {
  readonly [M in keyof WireApi]: (
    params: WireApi[M]['params'],
  ) => WireApi[M]['result'] | Promise<WireApi[M]['result']>;
};

const handlers: Handlers = {
  set: ({ splice, ends, impairments, seed }) => {
    const open = splices.get(splice);
    if (open === undefined) {
      const one = new Direction(ends[0], derivedSeed(seed, 'there'), impairments[0]);
      try {
        splices.set(splice, {
          seed,
          directions: [one, new Direction(ends[1], derivedSeed(seed, 'back'), impairments[1])],
        });
      } catch (error) {
        one[Symbol.dispose]();
        throw error;
      }
    } else {
      const now = performance.now();
      open.directions.forEach(({ way }, side) => way.set(impairments[side === 0 ? 0 : 1], now));
    }
    pass();
    return null;
  },
  drain: async ({ splice, ms }) => {
    const end = performance.now() + ms;
    // What the kernel has only just led here may take a moment to be seen: looked at twice, it is.
    for (let empty = 0; ;) {
      const { directions = [] } = splices.get(splice) ?? {};
      for (const direction of directions) direction.collect();
      empty = directions.every(({ way }) => way.queued === 0) ? empty + 1 : 0;
      if (empty === 2) return true;
      if (performance.now() > end) return false;
      await new Promise((resolve) => void setTimeout(resolve, drainLookMs));
    }
  },
  close: ({ splice }) => {
    for (const direction of splices.get(splice)?.directions ?? []) direction[Symbol.dispose]();
    splices.delete(splice);
    return null;
  },
  show: () => [...splices].map(([splice, open]) => state(splice, open)),
};

function state(splice: string, { seed, directions: [there, back] }: Splice): SpliceState {
  return {
    splice,
    seed,
    impairments: [there.way.impairment, back.way.impairment],
    counts: [there.way.counts, back.way.counts],
    queued: [there.way.queued, back.way.queued],
    kernelDrops: [there.kernelDrops, back.kernelDrops],
  };
}

function answer(method: string, params: RpcParams): unknown {
  if (!Object.hasOwn(handlers, method)) throw new O7sError('ENOTSUP', `there is no method ${method}`);
  // Only the orchestrator can reach the socket.
  const handler = handlers[method as keyof WireApi] as (given: RpcParams) => unknown;
  return handler(params);
}

const server = createServer((socket) => void new RpcConnection(socket, answer));
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error;
  // Another wire was faster, or has died and left its socket.
  const probe = connect(path);
  probe.once('connect', () => process.exit(0));
  probe.once('error', () => {
    rmSync(path, { force: true });
    server.listen(path);
  });
});
process.umask(0o077);
dedicateProcess();
server.listen(path);
