/** Starts ipcpd, and speaks to it. */
import { ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { rmSync } from 'node:fs';
import { type Duplex, PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { O7sError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { nodeRequestsMax, rpcLineBytesMax } from '../lib/limits.ts';
import { RpcConnection, type RpcHandler } from '../lib/rpc/connection.ts';
import type { DataPlaneApi } from '../lib/rpc/data-plane-api.ts';
import type { DataPlanePort } from './registry.ts';

export interface DataPlaneOptions {
  readonly log: Logger;
  /** Arguments that give ipcpd's log the form of irmd's now. */
  readonly logArguments: () => readonly string[];
  /** Answers what ipcpd asks, once it is ready. */
  readonly handler: RpcHandler;
  /** ipcpd ended without being told to. */
  readonly onCrash: (plane: DataPlane) => void;
  /** Whether one that crashed is followed by an empty one. */
  readonly respawn: boolean;
}

/** How long ipcpd may take to answer, in ms: most it does at once, some it does over the network. */
const answerMs = 10_000;
const answerMsOf: Readonly<Partial<Record<keyof DataPlaneApi, number>>> = {
  'ipcp.bootstrap': 20_000,
  'ipcp.enroll': 60_000,
  'ipcp.connect': 60_000,
  'name.register': 20_000,
  // What asks for these has limits of its own.
  'name.query': 60_000,
  'flow.allocate': 60_000,
};
/** How long ipcpd may take to end after it was told to, in ms. */
const endMs = 5000;
/** How long ipcpd may take until it answers, in ms; one that is slower is stuck. */
const startMs = 20_000;
/** A program that dies sooner than this after its start is not started again at once, in ms. */
const respawnPauseMs = 1000;

/** Calls that only ask for something. */
const asking: ReadonlySet<string> = new Set<keyof DataPlaneApi>(['name.query', 'flow.allocate', 'flow.join']);

const folder = fileURLToPath(new URL('.', import.meta.url));
const starter = `${folder}start.cjs`;
const program = `${folder}ipcpd.cjs`;

/** What ipcpd is to know of the environment: where its sockets go, and what is kept of it for its next start. */
const passedOn = ['O7S_RUN_DIR', 'NODE_COMPILE_CACHE', 'XDG_CACHE_HOME', 'HOME'] as const;

interface Running {
  readonly child: ChildProcess;
  readonly control: RpcConnection;
  readonly socket: Promise<string>;
  /** Resolves when it runs no more, or could not be started. */
  readonly ended: Promise<void>;
}

/** A Node process; whatever is in the way of its start comes as its event `error`. */
function spawned(words: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(process.execPath, words, options);
  } catch (error) {
    const none = new ChildProcess();
    process.nextTick(() => none.emit('error', error));
    return none;
  }
}

export class DataPlane implements DataPlanePort {
  readonly #options: DataPlaneOptions;
  #running: Running;
  #socket = '';
  #stopping = false;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#running = this.#start();
  }

  get pid(): number {
    return this.#running.child.pid ?? 0;
  }

  /** Where applications pick up their flows; empty before ipcpd was ready once. */
  get socket(): string {
    return this.#socket;
  }

  /** Resolves when ipcpd answers. Rejects with EIPCP when it does not start. */
  async ready(): Promise<void> {
    await this.#running.socket;
  }

  async call<M extends keyof DataPlaneApi>(
    method: M,
    params: DataPlaneApi[M]['params'],
  ): Promise<DataPlaneApi[M]['result']> {
    const { control, socket } = this.#running;
    await socket;
    if (asking.has(method) && control.pendingCalls >= nodeRequestsMax) {
      throw new O7sError('EAGAIN', `the data plane has ${control.pendingCalls} requests open`, {
        hint: 'ask for fewer flows at once',
      });
    }
    const limitMs = answerMsOf[method] ?? answerMs;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), limitMs);
    try {
      return (await control.call(method, params, { signal: late.signal })) as DataPlaneApi[M]['result'];
    } catch (error) {
      if (control.closed) throw new O7sError('EIPCP', 'the data plane crashed', { cause: error });
      if (!late.signal.aborted) throw error;
      const what = method.slice(method.indexOf('.') + 1);
      this.#options.log.warn(`IPCP ${what} timed out after ${limitMs} ms.`);
      throw new O7sError('ETIMEDOUT', `ipcpd ${this.pid} did not answer ${method} within ${limitMs} ms`, {
        hint: `look whether it is stopped; \`kill -9 ${this.pid}\` ends it with its IPCPs`,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends ipcpd, at once where it does not answer anyway, and waits until it is gone. */
  async stop(answers = true): Promise<void> {
    this.#stopping = true;
    const { child, control, ended } = this.#running;
    const timer = setTimeout(() => child.kill('SIGKILL'), answers ? endMs : 0);
    control.close();
    await ended;
    clearTimeout(timer);
  }

  /** Kills ipcpd; resolves when that is reported. */
  async kill(): Promise<void> {
    const { child, ended } = this.#running;
    child.kill('SIGKILL');
    await ended;
  }

  #start(): Running {
    const { log, logArguments, handler, onCrash, respawn } = this.#options;
    const startedAt = Date.now();
    const child = spawned([starter, 'ipcpd', ...logArguments()], {
      env: Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    if (child.pid !== undefined) log.info(`Instantiated ${program} as process ${child.pid}.`);
    const ready = Promise.withResolvers<string>();
    // Who waits for it is told by its own call; nobody may be waiting.
    ready.promise.catch(() => {});
    const stuck = setTimeout(() => {
      log.error(`ipcpd ${child.pid} failed to boot.`);
      child.kill('SIGKILL');
    }, startMs);
    const answer: RpcHandler = (method, params, signal) => {
      if (method !== 'dataPlane.ready') return handler(method, params, signal);
      clearTimeout(stuck);
      this.#socket = String(params['socket']);
      ready.resolve(this.#socket);
      return null;
    };
    // Without descriptors to make pipes of there are none.
    const link = ((child.stdio as ChildProcess['stdio'] | undefined)?.[3] ?? new PassThrough()) as Duplex;
    const control = new RpcConnection(link, answer, () => {}, rpcLineBytesMax, true);
    const ended = Promise.withResolvers<void>();
    const over = (why: string): void => {
      clearTimeout(stuck);
      ended.resolve();
      ready.reject(new O7sError('EIPCP', 'the data plane crashed'));
      control[Symbol.dispose]();
      // One that was killed could not remove its socket.
      ready.promise.then(
        (socket) => rmSync(socket, { force: true }),
        () => {},
      );
      if (this.#stopping) return;
      log.error(why);
      onCrash(this);
      if (!respawn) return;
      const pause = Date.now() - startedAt < respawnPauseMs ? respawnPauseMs : 0;
      setTimeout(() => {
        if (!this.#stopping) this.#running = this.#start();
      }, pause).unref();
    };
    child.once('error', (error) => {
      // Of a child that runs it tells something else.
      if (child.pid !== undefined) return;
      ready.reject(new O7sError('EIPCP', `cannot start ipcpd: ${error.message}`));
      over(`Failed to spawn ipcpd: ${error.message}.`);
    });
    child.once('exit', (code, signal) =>
      over(`ipcpd ${child.pid} ended with ${signal ?? `status ${code}`}; its IPCPs and flows are gone.`),
    );
    return { child, control, socket: ready.promise, ended: ended.promise };
  }
}
