/** Manages a node of any runtime, by its `irm` (irmd-and-irm.md 11). */
import {
  type BalancePolicy,
  type BootstrapConfig,
  type IpcpInfo,
  type IpcpType,
  ipcpTypes,
} from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import type { CommandResult, LabNode } from '../testbeds/testbed.ts';
import type { Membership, NodeManager, RunningIpcp } from './manager.ts';

/** An IPCP as `irm ipcp list` shows it. */
export interface ListedIpcp extends RunningIpcp {
  readonly name: string;
}

/** Where the prototype shows what an IPCP knows, if it was built with that (irmd-and-irm.md 13). */
const metricsFolder = '/tmp/ouroboros';

/** How long an irmd has to answer that is there, in milliseconds. */
const answerMs = 3_000;

/** How long a command of `irm` may take, in milliseconds: some wait for ever for an irmd that is at a loss. */
const commandMs = 30_000;

/** Tells of processes $@ which run: not those that have ended and that their parent has not collected. */
const running = `for pid; do
  read -r stat 2>/dev/null <"/proc/$pid/stat" || continue
  case \${stat##*) } in [ZX]*) ;; *) echo "$pid" ;; esac
done`;

export class IrmManager implements NodeManager {
  readonly #node: LabNode;
  readonly #signal: AbortSignal;

  constructor(node: LabNode, signal: AbortSignal) {
    this.#node = node;
    this.#signal = signal;
  }

  /** Whether the node's irmd answers. While an IPCP of one that has ended lives, `irm` waits for ever. */
  async isReady(): Promise<boolean> {
    const late = AbortSignal.timeout(answerMs);
    try {
      const { code } = await this.#node.run(['irm', 'ipcp', 'list'], AbortSignal.any([this.#signal, late]));
      return code === 0;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (late.aborted) return false;
      throw error;
    }
  }

  async bootstrap(
    { ipcp, type, layer }: Membership,
    config: BootstrapConfig,
    autobind: boolean,
  ): Promise<void> {
    const found = await this.#find(ipcp);
    if (found?.layer === layer) return;
    const options = Object.entries(config).flatMap(([word, value]: [string, string | number | undefined]) => {
      if (value === undefined) return [];
      return [word, word === 'ethertype' ? value.toString(16) : String(value)];
    });
    const flags = autobind ? ['autobind'] : [];
    await this.#irm('ipcp', 'bootstrap', 'name', ipcp, 'layer', layer, 'type', type, ...options, ...flags);
  }

  async enroll({ ipcp, type, layer }: Membership, destination: string): Promise<void> {
    const found = await this.#find(ipcp);
    if (found?.layer === layer) return;
    // What a try before left of it is in no state for another.
    if (found !== undefined) await this.destroy(ipcp);
    // The prototype asks a layer only for names that its own node knows.
    await this.createName(destination, undefined);
    const words = ['name', ipcp, 'type', type, 'layer', layer, 'dst', destination, 'autobind'];
    await this.#irm('ipcp', 'enroll', ...words);
  }

  async connect(ipcp: string, type: IpcpType, destination: string): Promise<void> {
    await this.createName(destination, undefined);
    await this.#irm('ipcp', 'connect', 'name', ipcp, 'dst', destination, ...componentWords(type));
  }

  async disconnect(ipcp: string, type: IpcpType, destination: string): Promise<void> {
    await this.#irm('ipcp', 'disconnect', 'name', ipcp, 'dst', destination, ...componentWords(type));
  }

  async destroy(ipcp: string): Promise<void> {
    if ((await this.#find(ipcp)) !== undefined) await this.#irm('ipcp', 'destroy', 'name', ipcp);
  }

  async createName(name: string, balance: BalancePolicy | undefined): Promise<void> {
    await this.#irm('name', 'create', name, ...(balance === undefined ? [] : ['lb', balance]));
  }

  async register(name: string, ipcp: string): Promise<void> {
    // `name register` succeeds where nothing matches.
    if ((await this.#find(ipcp)) === undefined) throw this.#failure(`there is no IPCP ${ipcp}`);
    await this.#irm('name', 'register', name, 'ipcp', ipcp);
  }

  async unregister(name: string, ipcp: string): Promise<void> {
    await this.#run('name', 'unregister', name, 'ipcp', ipcp);
  }

  async bindProcess(pid: number, name: string): Promise<boolean> {
    return (await this.#run('bind', 'process', String(pid), 'name', name)).code === 0;
  }

  async isComplete({ type, ipcp }: Membership, wanted: number): Promise<boolean> {
    if (type !== 'unicast') return true;
    const folder = `${metricsFolder}/${ipcp}/lsdb`;
    const script = '[ -d "$1" ] || exit 9; ls "$1"';
    const { code, stdout } = await this.#node.run(['sh', '-c', script, 'sh', folder], this.#signal);
    // Each adjacency is an entry, from either end: SRC--DST.
    const members = new Set(
      stdout.split('\n').flatMap((entry) => (entry.includes('--') ? entry.split('--') : [])),
    );
    return code !== 0 || members.size > wanted;
  }

  async ipcps(): Promise<ReadonlyMap<string, RunningIpcp>> {
    const listed = await this.#list();
    // The prototype goes on listing an IPCP that was killed.
    const { stdout } = await this.#node.run(
      ['sh', '-c', running, 'sh', ...listed.map(({ pid }) => String(pid))],
      this.#signal,
    );
    const alive = new Set(stdout.split('\n').map(Number));
    return new Map(listed.filter(({ pid }) => alive.has(pid)).map((each) => [each.name, each]));
  }

  /** The IPCPs that run, by name, as our irmd would tell of them; undefined where the node's irmd does not answer. */
  async infos(): Promise<ReadonlyMap<string, IpcpInfo> | undefined> {
    if (!(await this.isReady())) return undefined;
    const found = [...(await this.ipcps())];
    const untold = { address: null, device: null, joined: null };
    return new Map(
      found.map(([name, { pid, type, layer }]) => {
        const state = layer === undefined ? ('boot' as const) : ('operational' as const);
        return [name, { name, pid, hostPid: pid, type, layer: layer ?? null, state, ...untold }];
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #list(): Promise<ListedIpcp[]> {
    return parseIpcpList((await this.#irm('ipcp', 'list')).stdout);
  }

  /** An IPCP that runs. One that was killed is destroyed, so that it can be made anew. */
  async #find(name: string): Promise<ListedIpcp | undefined> {
    const found = (await this.#list()).find((each) => each.name === name);
    if (found === undefined || (await this.ipcps()).has(name)) return found;
    await this.#irm('ipcp', 'destroy', 'name', name);
    return undefined;
  }

  async #irm(...words: string[]): Promise<CommandResult> {
    const result = await this.#run(...words);
    if (result.code === 0) return result;
    const said = (result.stderr || result.stdout).trim().split('\n')[0];
    throw this.#failure(said || `irm ${words.slice(0, 2).join(' ')} ended with code ${result.code}`);
  }

  async #run(...words: string[]): Promise<CommandResult> {
    const late = AbortSignal.timeout(commandMs);
    try {
      return await this.#node.run(['irm', ...words], AbortSignal.any([this.#signal, late]));
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!late.aborted) throw error;
      const what = `irm ${words.slice(0, 2).join(' ')}`;
      throw new TestbedError('ETIMEDOUT', `${what} did not end in ${commandMs / 1000} s`, {
        hint: `start its irmd again: o7s-testbed restart ${this.#node.name}`,
      });
    }
  }

  #failure(text: string): TestbedError {
    return new TestbedError('EFAILED', text);
  }
}

// A broadcast IPCP has the one component only.
function componentWords(type: IpcpType): string[] {
  return type === 'unicast' ? [] : ['component', 'dt'];
}

/** The rows of `irm ipcp list`: pid, name, type and layer between bars. */
function parseIpcpList(text: string): ListedIpcp[] {
  return text.split('\n').flatMap((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [pid = '', name = '', type = '', layer = ''] = cells;
    const known = ipcpTypes.find((each) => each === type);
    if (cells.length !== 4 || !/^\d+$/.test(pid) || known === undefined) return [];
    return [{ pid: Number(pid), name, type: known, layer: layer === 'Not enrolled.' ? undefined : layer }];
  });
}
