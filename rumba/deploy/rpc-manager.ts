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
import type { Membership, NodeManager } from './manager.ts';

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

  constructor(irm: IrmClient) {
    this.#irm = irm;
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
    const made = (await this.#connections(pid)).filter((each) => each.destination === destination && each.up);
    for (const { component, title } of componentsOf(type)) {
      if (!made.some((each) => each.component === title))
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
    try {
      await unless('EEXIST', this.#irm.bindProcess(pid, name));
      return true;
    } catch (error) {
      if (error instanceof O7sError && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  async isComplete({ type, ipcp }: Membership, wanted: number): Promise<boolean> {
    const { pid } = await this.#ipcp(ipcp);
    if (type !== 'unicast') return (await this.#connections(pid)).filter(({ up }) => up).length >= wanted;
    const { routes, directory } = await this.#irm.ipcpMetrics(pid, ['routes', 'directory']);
    const { isJoined } = directory as { readonly isJoined: boolean };
    return (routes as readonly unknown[]).length >= wanted && (isJoined || wanted === 0);
  }

  async ipcps(): Promise<ReadonlyMap<string, string | undefined>> {
    return new Map((await this.#irm.listIpcps()).map(({ name, layer }) => [name, layer ?? undefined]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
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
