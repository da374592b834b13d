/** The local layer: flows between processes of one node, through the data plane. Source: link-ipcps.md 5. */
import type { HashAlgorithm } from '../../lib/names.ts';
import { flowDescriptorMin, messageBytesMax } from '../../lib/limits.ts';
import { LowestFree } from '../../lib/lowest-free.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type Millis, never } from '../../lib/time/clock.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { FlowOutcome, FlowUser, IpcpLog, Layer, LayerEvents, LayerFlow } from '../shell/layer.ts';

class LocalFlow implements LayerFlow {
  readonly headerBytes = 0;
  readonly backlog = 0;
  /** What the log calls it. */
  readonly fd: number;
  readonly #user: FlowUser;
  readonly #counters: LocalLayer['counters'];
  readonly #onEnd: () => void;
  #isOver = false;
  /** The other end, once there is one. */
  peer: LocalFlow | undefined;
  /** Takes back the request this end is waiting for the answer of. */
  withdraw: () => void = () => {};

  constructor(fd: number, user: FlowUser, counters: LocalLayer['counters'], onEnd: () => void) {
    this.fd = fd;
    this.#user = user;
    this.#counters = counters;
    this.#onEnd = onEnd;
  }

  write(packet: Packet): void {
    if (this.peer === undefined) {
      this.#counters.droppedNotOpen += 1;
    } else {
      this.#counters.packets += 1;
      this.peer.#user.deliver(packet);
    }
  }

  deallocate(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.withdraw();
    this.#onEnd();
    const { peer } = this;
    this.peer = undefined;
    if (peer === undefined) return;
    peer.peer = undefined;
    peer.#user.released();
  }
}

interface Pending {
  readonly flow: LocalFlow;
  readonly done: (outcome: FlowOutcome) => void;
}

export class LocalLayer implements Layer {
  readonly hash: HashAlgorithm;
  readonly maxMessageBytes: number = messageBytesMax;
  readonly counters: { packets: number; droppedNotOpen: number } = { packets: 0, droppedNotOpen: 0 };
  readonly #events: LayerEvents;
  readonly #log: IpcpLog;
  readonly #descriptors = new LowestFree(flowDescriptorMin, Number.POSITIVE_INFINITY);
  readonly #names = new Set<string>();
  readonly #pending = new Map<number, Pending>();
  #nextHandle = 1;

  constructor(hash: HashAlgorithm, events: LayerEvents, log: IpcpLog) {
    this.hash = hash;
    this.#events = events;
    this.#log = log.child('ipcpd-local');
  }

  register(hash: Buffer): void {
    this.#names.add(hash.toString('hex'));
  }

  unregister(hash: Buffer): void {
    this.#names.delete(hash.toString('hex'));
    this.#log.info(`Unregistered ${hash.toString('hex', 0, 4)}.`);
  }

  query(hash: Buffer, _now: Millis, done: (known: boolean) => void): void {
    done(this.#names.has(hash.toString('hex')));
  }

  allocate(
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    _now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const flow = this.#flowOf(user);
    this.#log.info(`Pending local allocation request on fd ${flow.fd}.`);
    const handle = this.#nextHandle++;
    this.#pending.set(handle, { flow, done });
    flow.withdraw = () => {
      if (this.#pending.delete(handle)) done({ kind: 'unanswered' });
    };
    this.#events.flowRequested({ handle, hash, qos, piggyback });
    return flow;
  }

  accept(handle: number, piggyback: Buffer, user: FlowUser): LayerFlow | undefined {
    const pending = this.#pending.get(handle);
    if (pending === undefined) return undefined;
    this.#pending.delete(handle);
    const flow = this.#flowOf(user);
    this.#log.info(`Flow allocation completed, fds (${pending.flow.fd}, ${flow.fd}).`);
    flow.peer = pending.flow;
    pending.flow.peer = flow;
    pending.done({ kind: 'accepted', piggyback });
    return flow;
  }

  refuse(handle: number, response: number): void {
    const pending = this.#pending.get(handle);
    this.#pending.delete(handle);
    pending?.done({ kind: 'refused', response });
  }

  close(): void {
    for (const { done } of this.#pending.values()) done({ kind: 'unanswered' });
    this.#pending.clear();
  }

  #flowOf(user: FlowUser): LocalFlow {
    const fd = this.#descriptors.take() ?? 0;
    return new LocalFlow(fd, user, this.counters, () => {
      this.#descriptors.release(fd);
      this.#log.info(`Flow with fd ${fd} deallocated.`);
    });
  }

  nextDeadline(): Millis {
    return never;
  }

  advance(): void {
    // Nothing here waits.
  }
}
