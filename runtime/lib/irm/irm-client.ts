/**
 * Management of a node: everything `irm` does, as calls. Source: application-api.md 7.
 *
 * Every call rejects with an O7sError whose code is the one irmd gave: EIRMD when irmd is gone, EIPCPSTATE
 * for an IPCP in the wrong state, ENAME for an unknown name, ENOENT for an unknown pid or program. With a signal that
 * aborts, it rejects with ECANCELED at once, and irmd is told: what has begun there may still come to pass.
 */
import type { LogLevel } from '../log.ts';
import { managementSocket } from '../paths.ts';
import { type QosSpec, qosToJson, rawQos } from '../qos.ts';
import type {
  BalancePolicy,
  BootstrapConfig,
  ComponentName,
  IpcpInfo,
  IpcpType,
  ManagementApi,
  NameFiles,
  NameInfo,
  RibFile,
} from '../rpc/api.ts';
import type { IrmCounters, IrmEvent, IrmSnapshot } from '../rpc/events.ts';
import { connectSocket, RpcClient, type RpcClientHooks, type RpcStream } from '../rpc/client.ts';

/** Events that wait for whoever goes through them. */
const changesMax = 4096;

/** Of every call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What `irm` does, as calls: IPCPs, names and bindings of a node, and what happens on it. Takes the right to manage it. */
export class IrmClient implements AsyncDisposable {
  readonly #rpc: RpcClient<ManagementApi>;
  /** Changes that were told and not taken yet. */
  readonly #changes: (IrmEvent | IrmSnapshot)[] = [];
  /** Events that were thrown away because nobody took them in time. */
  #dropped = 0;
  #onChange: () => void = () => {};

  private constructor(open: (hooks: RpcClientHooks) => RpcClient<ManagementApi>) {
    this.#rpc = open({
      onRequest: (method, params) => {
        if (method === 'event') this.#told(params as unknown as IrmEvent | IrmSnapshot);
      },
      onClose: () => this.#onChange(),
    });
  }

  /** Connects to irmd; `path` is that of its management socket. */
  static async connect(options: { path?: string; signal?: AbortSignal } = {}): Promise<IrmClient> {
    const { path = managementSocket(), signal } = options;
    return IrmClient.over(await connectSocket(path, signal));
  }

  /** Speaks to irmd over a stream that leads to its management socket, and owns the stream from here on. */
  static over(stream: RpcStream): IrmClient {
    return new IrmClient((hooks) => new RpcClient<ManagementApi>(stream, hooks));
  }

  /**
   * All there is on the node, then each change as it happens, until the signal aborts or irmd is gone; with `countersMs`
   * also what IPCPs and flows have counted, so often. Who takes them too slowly misses some: then another snapshot comes,
   * which says how many, and replaces all that was told before. One at a time a client.
   */
  async *events(
    signal?: AbortSignal,
    options: { countersMs?: number | undefined } = {},
  ): AsyncGenerator<IrmSnapshot | IrmEvent, void, void> {
    const subscribe = (): Promise<IrmSnapshot> =>
      this.#rpc.call('events.subscribe', { countersMs: options.countersMs ?? null }, { signal });
    this.#changes.length = 0;
    this.#dropped = 0;
    yield await subscribe();
    const wake = (): void => this.#onChange();
    signal?.addEventListener('abort', wake);
    try {
      while (signal?.aborted !== true) {
        if (this.#dropped > 0) {
          const dropped = this.#dropped + this.#changes.length;
          this.#changes.length = 0;
          this.#dropped = 0;
          const snapshot = await subscribe();
          yield { ...snapshot, dropped };
        }
        const change = this.#changes.shift();
        if (change !== undefined) yield change;
        else if (this.#rpc.closed) return;
        else await this.#rpc.stayingAlive(new Promise<void>((resolve) => (this.#onChange = resolve)));
      }
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  }

  #told(event: IrmEvent | IrmSnapshot): void {
    if (this.#changes.length < changesMax) this.#changes.push(event);
    else this.#dropped += 1;
    this.#onChange();
  }

  /** All there is on the node. */
  snapshot(options: CallOptions = {}): Promise<IrmSnapshot> {
    return this.#rpc.call('node.snapshot', {}, options);
  }

  /**
   * The tree of the RIB at and below a path, all of it without one: what the prototype shows in files.
   *
   * @throws O7sError ENOENT when there is nothing of this path.
   */
  rib(path = '', options: CallOptions = {}): Promise<readonly RibFile[]> {
    return this.#rpc.call('node.rib', { path }, options);
  }

  /** What all IPCPs and flows have counted. */
  counters(options: CallOptions = {}): Promise<IrmCounters> {
    return this.#rpc.call('node.counters', {}, options);
  }

  version(options: CallOptions = {}): Promise<{ version: string; pid: number }> {
    return this.#rpc.call('irmd.version', {}, options);
  }

  /** Creates an IPCP; resolves with its pid. */
  async createIpcp(name: string, type: IpcpType, options: CallOptions = {}): Promise<number> {
    return (await this.#rpc.call('ipcp.create', { name, type }, options)).pid;
  }

  async destroyIpcp(pid: number, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('ipcp.destroy', { pid }, options);
  }

  /** Drops an IPCP as `kill -9` of its process would: no other member of its layer is told. It is reported as crashed. */
  async killIpcp(pid: number, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('ipcp.kill', { pid }, options);
  }

  /** All IPCPs of the node, by type and then pid. */
  listIpcps(options: CallOptions = {}): Promise<readonly IpcpInfo[]> {
    return this.#rpc.call('ipcp.list', {}, options);
  }

  /** What an IPCP did and dropped, by reason, since it was bootstrapped. */
  ipcpCounters(pid: number, options: CallOptions = {}): Promise<Readonly<Record<string, number>>> {
    return this.#rpc.call('ipcp.counters', { pid }, options);
  }

  /** Gives a fresh IPCP its configuration and makes it the first member of a layer. */
  async bootstrapIpcp(
    pid: number,
    layer: string,
    config: BootstrapConfig = {},
    options: CallOptions = {},
  ): Promise<void> {
    await this.#rpc.call('ipcp.bootstrap', { pid, layer, config }, options);
  }

  /**
   * Joins the layer of whoever serves `destination` in a layer below; resolves with the layer's name. `layer` is the one
   * that is wanted: a member of another refuses.
   */
  async enrollIpcp(
    pid: number,
    destination: string,
    layer?: string,
    options: CallOptions = {},
  ): Promise<string> {
    return (await this.#rpc.call('ipcp.enroll', { pid, destination, layer: layer ?? null }, options)).layer;
  }

  /** Connects a component to that of the member that serves `destination` in a layer below. */
  async connectIpcp(
    pid: number,
    destination: string,
    component: ComponentName,
    options: CallOptions & { qos?: QosSpec } = {},
  ): Promise<void> {
    const qos = qosToJson(options.qos ?? rawQos);
    await this.#rpc.call('ipcp.connect', { pid, destination, component, qos }, options);
  }

  /** Ends what `connectIpcp` made. */
  async disconnectIpcp(
    pid: number,
    destination: string,
    component: ComponentName,
    options: CallOptions = {},
  ): Promise<void> {
    await this.#rpc.call('ipcp.disconnect', { pid, destination, component }, options);
  }

  /**
   * What an IPCP knows, all of it or some parts: neighbours, connections, routes, lsdb, directory and flows of a unicast
   * one, neighbours and connections of a broadcast one.
   */
  ipcpMetrics(
    pid: number,
    parts?: readonly string[],
    options: CallOptions = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.#rpc.call('ipcp.metrics', { pid, parts: parts ?? null }, options);
  }

  /** Creates a name; an existing one is left as it is. */
  async createName(
    name: string,
    options: CallOptions & { policy?: BalancePolicy; files?: NameFiles } = {},
  ): Promise<void> {
    const { policy = 'round-robin', files } = options;
    await this.#rpc.call('name.create', { name, policy, files }, options);
  }

  async destroyName(name: string, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('name.destroy', { name }, options);
  }

  listNames(options: CallOptions = {}): Promise<readonly NameInfo[]> {
    return this.#rpc.call('name.list', {}, options);
  }

  /** Registers a name in the layer of an IPCP, creating the name when it is missing. */
  async registerName(name: string, pid: number, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('name.register', { name, pid }, options);
  }

  async unregisterName(name: string, pid: number, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('name.unregister', { name, pid }, options);
  }

  /**
   * Binds every later process of a program, given by the absolute path of its executable, to a name. With `auto` irmd
   * starts it with these arguments when a flow to the name is asked for and nobody accepts.
   */
  async bindProgram(
    program: string,
    name: string,
    options: CallOptions & { auto?: readonly string[] } = {},
  ): Promise<void> {
    await this.#rpc.call('program.bind', { program, name, auto: options.auto ?? null }, options);
  }

  /** Takes a binding back; without a name, all of the program's. */
  async unbindProgram(program: string, name?: string, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('program.unbind', { program, name: name ?? null }, options);
  }

  /** Binds a running process to a name. Fails with ENOENT until the process has announced itself. */
  async bindProcess(pid: number, name: string, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('process.bind', { pid, name }, options);
  }

  async unbindProcess(pid: number, name?: string, options: CallOptions = {}): Promise<void> {
    await this.#rpc.call('process.unbind', { pid, name: name ?? null }, options);
  }

  /** Sets how much irmd and its IPCPs log, from now on, where a level is given; resolves with the level in force. */
  async logLevel(level?: LogLevel, options: CallOptions = {}): Promise<LogLevel> {
    return (await this.#rpc.call('log.level', { level: level ?? null }, options)).level;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rpc[Symbol.dispose]();
  }
}
