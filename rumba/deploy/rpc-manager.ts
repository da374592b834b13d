/** Manages a node of our runtime, by the RPC of its irmd. */
import {
  type BalancePolicy,
  type BootstrapConfig,
  type ErrorCode,
  type IpcpInfo,
  type IpcpType,
  type IrmClient,
  O7sError,
} from '../../runtime/lib/index.ts';
import type { Membership, NodeManager, RunningIpcp } from './manager.ts';

/** What connections of a layer over others are for, and how metrics name it. */
const components = [
  { component: 'mgmt', title: 'Management' },
  { component: 'dt', title: 'Data Transfer' },
] as const;

interface Connection {
  readonly component: string;
  readonly destination: string | null;
  readonly up: boolean;
}

export class RpcManager implements NodeManager {
  readonly #irm: IrmClient;
  readonly #connect: () => Promise<IrmClient>;
  /**
   * Processes that have announced themselves, once somebody asked for one. Servers of one node are waited for at the same
   * time: there is one connection for all of them.
   */
  #announced: Promise<Announced> | undefined;

  private constructor(irm: IrmClient, connect: () => Promise<IrmClient>) {
    this.#irm = irm;
    this.#connect = connect;
  }

  /** `connect` gives a connection to the node's irmd each time. */
  static async over(connect: () => Promise<IrmClient>): Promise<RpcManager> {
    return new RpcManager(await connect(), connect);
  }

  async bootstrap(
    { ipcp, type, layer }: Membership,
    config: BootstrapConfig,
    autobind: boolean,
  ): Promise<void> {
    const found = await this.#find(ipcp);
    if (found?.layer !== layer) {
      const pid = found?.pid ?? (await this.#irm.createIpcp(ipcp, type));
      await this.#irm.bootstrapIpcp(pid, layer, config);
    }
    if (autobind) await this.#bindTo(ipcp, layer);
  }

  async enroll({ ipcp, type, layer }: Membership, destination: string): Promise<void> {
    const found = await this.#find(ipcp);
    if (found?.layer !== layer) {
      const pid = found?.pid ?? (await this.#irm.createIpcp(ipcp, type));
      await this.#irm.enrollIpcp(pid, destination, layer);
    }
    await this.#bindTo(ipcp, layer);
  }

  async connect(ipcp: string, type: IpcpType, destination: string): Promise<void> {
    const { pid } = await this.#ipcp(ipcp);
    const made = (await this.#connections(pid)).filter((each) => each.destination === destination);
    for (const { component, title } of componentsOf(type)) {
      // One that is there may lead to an IPCP that was killed since, which is not noticed at once.
      if (made.some((each) => each.component === title))
        await unless('ENOENT', this.#irm.disconnectIpcp(pid, destination, component));
      await this.#irm.connectIpcp(pid, destination, component);
    }
  }

  async disconnect(ipcp: string, type: IpcpType, destination: string): Promise<void> {
    const { pid } = await this.#ipcp(ipcp);
    for (const { component } of componentsOf(type).toReversed()) {
      await unless('ENOENT', this.#irm.disconnectIpcp(pid, destination, component));
    }
  }

  async destroy(ipcp: string): Promise<void> {
    const found = await this.#find(ipcp);
    if (found !== undefined) await this.#irm.destroyIpcp(found.pid);
  }

  async createName(name: string, balance: BalancePolicy | undefined): Promise<void> {
    await this.#irm.createName(name, balance === undefined ? {} : { policy: balance });
  }

  async register(name: string, ipcp: string): Promise<void> {
    await this.#irm.registerName(name, (await this.#ipcp(ipcp)).pid);
  }

  async unregister(name: string, ipcp: string): Promise<void> {
    await unless('ENAME', this.#irm.unregisterName(name, (await this.#ipcp(ipcp)).pid));
  }

  async bindProcess(pid: number, name: string): Promise<boolean> {
    // irmd takes asking for a process it does not know for a fault.
    this.#announced ??= this.#connect().then((irm) => new Announced(irm));
    const announced = await this.#announced;
    if (announced.hasEnded) throw new O7sError('EIRMD', 'irmd has ended');
    if (!announced.has(pid)) return false;
    await unless('EEXIST', this.#irm.bindProcess(pid, name));
    return true;
  }

  async isComplete({ type, ipcp }: Membership, wanted: number): Promise<boolean> {
    const { pid } = await this.#ipcp(ipcp);
    if (type !== 'unicast') return (await this.#connections(pid)).filter(({ up }) => up).length >= wanted;
    const { routes, directory } = await this.#irm.ipcpMetrics(pid, ['routes', 'directory']);
    const { isJoined } = directory as { readonly isJoined: boolean };
    return (routes as readonly unknown[]).length >= wanted && (isJoined || wanted === 0);
  }

  async ipcps(): Promise<ReadonlyMap<string, RunningIpcp>> {
    const found = await this.#irm.listIpcps();
    return new Map(
      found.map(({ name, pid, type, layer }) => [name, { pid, type, layer: layer ?? undefined }]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const announced = await this.#announced?.catch(() => undefined);
    await announced?.[Symbol.asyncDispose]();
    await this.#irm[Symbol.asyncDispose]();
  }

  /** Lets an IPCP serve its name and that of its layer. */
  async #bindTo(ipcp: string, layer: string): Promise<void> {
    const { pid } = await this.#ipcp(ipcp);
    for (const name of [ipcp, layer]) await unless('EEXIST', this.#irm.bindProcess(pid, name));
  }

  async #connections(pid: number): Promise<readonly Connection[]> {
    const { connections } = await this.#irm.ipcpMetrics(pid, ['connections']);
    return connections as readonly Connection[];
  }

  async #ipcp(name: string): Promise<IpcpInfo> {
    const found = await this.#find(name);
    if (found === undefined) throw new O7sError('ENOENT', `there is no IPCP ${name}`);
    return found;
  }

  async #find(name: string): Promise<IpcpInfo | undefined> {
    return (await this.#irm.listIpcps()).find((each) => each.name === name);
  }
}

/** The processes that irmd tells of. */
class Announced implements AsyncDisposable {
  readonly #irm: IrmClient;
  readonly #pids = new Set<number>();
  readonly #follow: Promise<void>;
  #hasEnded = false;

  constructor(irm: IrmClient) {
    this.#irm = irm;
    this.#follow = this.#take()
      .catch(() => {})
      .finally(() => (this.#hasEnded = true));
  }

  /** Whether irmd tells nothing any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  has(pid: number): boolean {
    return this.#pids.has(pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#irm[Symbol.asyncDispose]();
    await this.#follow;
  }

  async #take(): Promise<void> {
    for await (const event of this.#irm.events()) {
      if (event.event === 'snapshot') for (const { pid } of event.processes) this.#pids.add(pid);
      else if (event.event === 'process.added') this.#pids.add(event.pid);
      else if (event.event === 'process.removed') this.#pids.delete(event.pid);
    }
  }
}

function componentsOf(type: IpcpType): readonly (typeof components)[number][] {
  return type === 'unicast' ? components : components.filter(({ component }) => component === 'dt');
}

/** Waits for something that may have been done already, which an error of this code tells. */
async function unless(code: ErrorCode, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof O7sError) || error.code !== code) throw error;
  }
}
