/** Starts ipcpd, and speaks to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Duplex } from 'node:stream';
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

/** How long ipcpd may take to end after it was told to, in ms. */
const endMs = 5000;
/** How long ipcpd may take until it answers, in ms; one that is slower is stuck. */
const startMs = 20_000;
/** A program that dies sooner than this after its start is not started again at once, in ms. */
const respawnPauseMs = 1000;

/** Calls that only ask for something. */
const asking: ReadonlySet<string> = new Set<keyof DataPlaneApi>(['name.query', 'flow.allocate', 'flow.join']);

const program = fileURLToPath(new URL('./ipcpd.mjs', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly control: RpcConnection;
  readonly socket: Promise<string>;
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
    try {
      return (await control.call(method, params)) as DataPlaneApi[M]['result'];
    } catch (error) {
      if (!control.closed) throw error;
      throw new O7sError('EIPCP', 'the data plane crashed', { cause: error });
    }
  }

  /** Ends ipcpd and waits until it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const { child, control } = this.#running;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
    control.close();
    await ended;
    clearTimeout(timer);
  }

  /** Kills ipcpd; resolves when that is reported. */
  async kill(): Promise<void> {
    const { child } = this.#running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await ended;
  }

  #start(): Running {
    const { log, logArguments, handler, onCrash, respawn } = this.#options;
    const startedAt = Date.now();
    const runDirectory = process.env['O7S_RUN_DIR'];
    const child = spawn(process.execPath, ['--expose-gc', program, ...logArguments()], {
      env: runDirectory === undefined ? {} : { O7S_RUN_DIR: runDirectory },
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
    const link = child.stdio[3] as Duplex;
    const control = new RpcConnection(link, answer, () => {}, rpcLineBytesMax, true);
    child.once('error', (error) =>
      ready.reject(new O7sError('EIPCP', `cannot start ipcpd: ${error.message}`)),
    );
    child.once('exit', (code, signal) => {
      clearTimeout(stuck);
      ready.reject(new O7sError('EIPCP', 'the data plane crashed'));
      control[Symbol.dispose]();
      // One that was killed could not remove its socket.
      ready.promise.then(
        (socket) => rmSync(socket, { force: true }),
        () => {},
      );
      if (this.#stopping) return;
      log.error(`ipcpd ${child.pid} ended with ${signal ?? `status ${code}`}; its IPCPs and flows are gone.`);
      onCrash(this);
      if (!respawn) return;
      const pause = Date.now() - startedAt < respawnPauseMs ? respawnPauseMs : 0;
      setTimeout(() => {
        if (!this.#stopping) this.#running = this.#start();
      }, pause).unref();
    });
    return { child, control, socket: ready.promise };
  }
}
