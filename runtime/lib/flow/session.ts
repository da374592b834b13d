/** A process' connection to its irmd, and the calls that make flows. Source: application-api.md 3. */
import { randomBytes, randomFillSync } from 'node:crypto';
import { basename, extname } from 'node:path';
import { O7sError } from '../errors.ts';
import { startPacketsAmong } from '../frct/limits.ts';
import { checkName } from '../names.ts';
import { flowDescriptorMax, flowDescriptorMin } from '../limits.ts';
import { LowestFree } from '../lowest-free.ts';
import { KernelError } from '../os/libc.ts';
import { connectUnix, UnixStream } from '../os/unix-socket.ts';
import { applicationSocket } from '../paths.ts';
import { qosFromJson, qosToJson, type QosSpec, rawQos } from '../qos.ts';
import type { ApplicationApi, FlowGrant } from '../rpc/api.ts';
import type { FlowReport } from '../rpc/events.ts';
import { RpcClient } from '../rpc/client.ts';
import { DeadlineTimer, monotonicNow } from '../time/timer.ts';
import { EndPoint } from './end-point.ts';
import { Flow } from './flow.ts';
import { FrameWriter, frameKind, tokenBytes } from './framing.ts';
import { protectionFor } from './protection.ts';
import { FlowRendezvous } from './rendezvous.ts';
import { timeoutMax, timeoutOf, type WaitOptions } from './waiters.ts';

export interface AllocOptions extends WaitOptions {
  /** What the flow asks for; raw when absent. In force at both ends. */
  readonly qos?: QosSpec | undefined;
}

export interface SessionOptions {
  /** irmd's socket for applications. */
  readonly path?: string | undefined;
  /** The program this process counts as, for bindings; by default the name of its script. */
  readonly program?: string | undefined;
  /** Ends the wait for irmd. */
  readonly signal?: AbortSignal | undefined;
}

/** How long the other end of a direct flow may take to connect, in ms. */
const directPatienceMs = 2000;

/** The program a process counts as: its script without folder and extension. */
function programName(script: string | undefined = process.argv[1]): string {
  if (script === undefined) return basename(process.argv0);
  const extension = extname(script);
  return basename(script, ['.js', '.mjs', '.cjs', '.ts', '.mts'].includes(extension) ? extension : '');
}

/** The sessions of this process; it takes leave of all when it ends. */
const sessions = new Set<Session>();

function leaveAll(): void {
  for (const session of sessions) session.leave();
}

/** A process' connection to the irmd of its node. `allocFlow` and the like share one; a program that needs several opens them. */
export class Session implements Disposable {
  /** The pid irmd knows this process by. */
  readonly pid: number;
  readonly #rpc: RpcClient<ApplicationApi>;
  readonly #timer = new DeadlineTimer();
  readonly #flows = new Map<number, Flow>();
  readonly #descriptors = new LowestFree(flowDescriptorMin, flowDescriptorMax - 1);
  /** Aborted when the session is disposed. */
  readonly #over = new AbortController();
  /** irmd's numbers of them. */
  readonly #flowIds = new Map<Flow, number>();
  #rendezvous: FlowRendezvous | undefined;

  private constructor(rpc: RpcClient<ApplicationApi>, pid: number) {
    this.#rpc = rpc;
    this.pid = pid;
    if (sessions.size === 0) process.once('exit', leaveAll);
    sessions.add(this);
  }

  /**
   * Announces this process to irmd.
   *
   * @throws O7sError EIRMD when no irmd answers, ECANCELED.
   */
  static async open(options: SessionOptions = {}): Promise<Session> {
    const { path = applicationSocket(), program = programName(), signal } = options;
    let session: Session | undefined;
    const rpc = await RpcClient.connect<ApplicationApi>(path, {
      signal,
      onRequest: (method) => {
        if (method !== 'flows.report') throw new O7sError('ENOTSUP', `${method} is not served by a process`);
        return session?.reports() ?? [];
      },
    });
    try {
      const { pid } = await rpc.call('process.announce', { program }, { signal });
      session = new Session(rpc, pid);
      return session;
    } catch (error) {
      rpc[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether irmd has gone; flows that exist go on, new ones need a new session. */
  get closed(): boolean {
    return this.#rpc.closed;
  }

  /**
   * Requests a flow to whoever accepts for a name. Without a timeout irmd gives up after 20 s.
   *
   * @throws O7sError ENAME unknown name, EIPCP no layer serves it, ETIMEDOUT, ECANCELED, ECRYPT and EAUTH from the
   *   handshake, EIRMD without irmd, EBADF out of descriptors or when the handshake cannot be prepared from this node's
   *   files, EMSGSIZE when no packet of the layer can carry it, or what the other end refused with.
   */
  async allocFlow(name: string, options: AllocOptions = {}): Promise<Flow> {
    checkName(name, 'the name');
    const timeoutMs = wholeTimeoutOf(options);
    const params = { name, qos: qosToJson(options.qos ?? rawQos), timeoutMs };
    const grant = await this.#rpc.call('flow.allocate', params, {
      signal: options.signal,
      onLate: this.#giveBack,
    });
    return this.#pickUp(grant, options.signal);
  }

  /**
   * Joins a broadcast layer by its name: what is written goes to all others that have joined, and what they write comes.
   * Nothing is added to messages, not even signs of life. Without a timeout irmd gives up after 20 s.
   *
   * @throws O7sError EIPCP when no IPCP of this node is in such a layer, ENOTALLOC when the layer is of another type,
   *   ETIMEDOUT, ECANCELED, EIRMD.
   */
  async joinFlow(layer: string, options: WaitOptions = {}): Promise<Flow> {
    checkName(layer, 'the layer name');
    const timeoutMs = wholeTimeoutOf(options);
    const grant = await this.#rpc.call(
      'flow.join',
      { layer, timeoutMs },
      { signal: options.signal, onLate: this.#giveBack },
    );
    return this.#pickUp(grant, options.signal);
  }

  /**
   * Takes the next flow for any name this process, or its program, is bound to. Without a timeout it waits
   * without limit. A requester whose handshake fails is refused without a word here: strangers must not be able to end
   * a server.
   *
   * @throws O7sError ETIMEDOUT, ECANCELED; EIRMD without irmd.
   */
  async acceptFlow(options: WaitOptions = {}): Promise<Flow> {
    this.#rendezvous ??= this.#listen();
    const listen = this.#rendezvous.path;
    const timeout = timeoutOf(options);
    const end = timeout === undefined ? undefined : monotonicNow() + timeout;
    for (;;) {
      const timeoutMs = end === undefined ? null : Math.ceil(Math.max(0, end - monotonicNow()));
      const params = { timeoutMs, listen };
      const grant = await this.#rpc.call('flow.accept', params, {
        signal: options.signal,
        onLate: this.#giveBack,
      });
      try {
        return await this.#pickUp(grant, options.signal);
      } catch (error) {
        // A requester that went away before it came is nobody's error here: the next one may come.
        if (!(error instanceof O7sError) || error.code !== 'EFLOWDOWN') throw error;
      }
    }
  }

  /** What this process knows of its ends of flows. */
  reports(): FlowReport[] {
    return [...this.#flowIds].map(([flow, flowId]) => reportOf(flowId, flow));
  }

  /** Drops all flows at once and takes leave of irmd. */
  [Symbol.dispose](): void {
    this.#over.abort();
    sessions.delete(this);
    if (sessions.size === 0) process.off('exit', leaveAll);
    this.leave();
    for (const flow of [...this.#flows.values()]) flow.abort();
    this.#rendezvous?.[Symbol.dispose]();
    this.#timer.close();
    this.#rpc[Symbol.dispose]();
  }

  /** Tells irmd that this process ends, as it was meant to. What is written last leaves at once. */
  leave(): void {
    this.#rpc.notify('process.leave', {});
  }

  /** A flow that was granted when its caller no longer wanted it. */
  readonly #giveBack = (late: unknown): void => {
    const { flowId } = late as FlowGrant;
    this.#rpc.notify('flow.deallocate', { flowId });
  };

  #listen(): FlowRendezvous {
    const path = `@o7s-${this.pid}-${randomBytes(8).toString('hex')}`;
    const rendezvous = new FlowRendezvous(path, 0o600, directPatienceMs);
    rendezvous.unref();
    return rendezvous;
  }

  async #pickUp(grant: FlowGrant, signal: AbortSignal | undefined): Promise<Flow> {
    const qos = qosFromJson(grant.qos);
    let end: EndPoint;
    let flow: Flow;
    try {
      end = new EndPoint({
        qos,
        maxPacketBytes: grant.maxMessageBytes,
        mplMs: grant.mplMs,
        protection: protectionFor(qos, grant.encryption, randomFillSync),
        initialSeqno: randomBytes(4).readInt32BE(0),
        startPackets: startPacketsAmong(this.#flows.size + 1),
        timer: this.#timer,
      });
      flow = this.#makeFlow(grant.flowId, qos, end);
    } catch (error) {
      this.#giveBack(grant);
      throw error;
    }
    try {
      if (grant.connect === null) await this.#awaitPeer(end, grant.token, signal);
      else connectStream(end, grant.connect, grant.token);
    } catch (error) {
      flow.abort();
      if (error instanceof O7sError) throw error;
      throw new O7sError('EFLOWDOWN', 'the flow went down while it was picked up', { cause: error });
    }
    return flow;
  }

  #makeFlow(flowId: number, qos: QosSpec, end: EndPoint): Flow {
    const fd = this.#descriptors.take();
    if (fd === undefined)
      throw new O7sError('EBADF', `this process has ${this.#descriptors.size} flows open`);
    const onClosed = (): void => {
      this.#flows.delete(fd);
      this.#descriptors.release(fd);
      this.#flowIds.delete(flow);
      // irmd learns of the end of the flow from the connection itself if it is gone.
      this.#rpc.notify('flow.deallocate', { flowId });
    };
    const flow: Flow = new Flow({ fd, qos, end, onClosed });
    this.#flows.set(fd, flow);
    this.#flowIds.set(flow, flowId);
    return flow;
  }

  async #awaitPeer(end: EndPoint, token: string, signal: AbortSignal | undefined): Promise<void> {
    const over = signal === undefined ? this.#over.signal : AbortSignal.any([this.#over.signal, signal]);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = (): void => {
      this.#rendezvous?.forget(token);
      reject(new O7sError('ECANCELED'));
    };
    if (over.aborted) throw new O7sError('ECANCELED');
    over.addEventListener('abort', cancel, { once: true });
    this.#rendezvous?.expect(
      token,
      (stream) => {
        end.attach(stream);
        resolve();
        return end;
      },
      () => reject(new O7sError('EFLOWDOWN', 'the other end did not come')),
    );
    try {
      await promise;
    } finally {
      over.removeEventListener('abort', cancel);
    }
  }
}

/** The timeout of an allocation as irmd takes it: whole ms; null, which it makes 20 s, where the caller says none. */
function wholeTimeoutOf(options: WaitOptions): number | null {
  return options.timeout === undefined ? null : Math.ceil(timeoutOf(options) ?? timeoutMax);
}

function reportOf(flowId: number, { fd, counters, drops, frct }: Flow): FlowReport {
  const { messagesSent, messagesReceived } = counters;
  const report = { flowId, fd, messagesSent, messagesReceived, drops: { ...drops } };
  if (frct === undefined) return { ...report, frct: null };
  const { peerIsOurs: _, roundTripMs, ...state } = frct;
  const measured = roundTripMs === 0 ? null : roundTripMs;
  return { ...report, frct: { ...state, roundTripMs: measured, counters: { ...frct.counters } } };
}

function connectStream(end: EndPoint, path: string, token: string): void {
  let stream: UnixStream;
  try {
    stream = new UnixStream(
      connectUnix(path),
      () => end.onReadable(),
      () => end.onWritable(),
    );
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    throw new O7sError('EFLOWDOWN', error.message, { cause: error });
  }
  const hello = new FrameWriter(tokenBytes);
  hello.push(frameKind.hello, Buffer.from(token, 'hex'));
  hello.flush(stream);
  end.attach(stream);
}
