/**
 * A lab: one process that is the first of a PID namespace, in namespaces of every other kind too. All
 * else lives inside: when that process ends, the kernel ends every process of the lab, and with the
 * last of them go the namespaces, the links and the files.
 */
import { spawn } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TestbedError } from '../../errors.ts';
import { captureBundle, wireBundle } from '../../installation.ts';
import { type LinkState, portAt, Wiring } from '../../links/wiring.ts';
import type { ImpairedBy, Impairments } from '../../model/impairment.ts';
import type { TopologyCable, TopologyLink, TopologyLinkEnd, TopologyNode } from '../../model/topology.ts';
import { poll } from '../../poll.ts';
import { connectWire, type WireClient, wireCommand, wireOf } from '../../wire/client.ts';
import type { Lab, LabChange, LabRecord, NodeLimits, Opened } from '../testbed.ts';
import { environment, runCommand, runWithProc } from './command.ts';
import { limit, removeGroups } from './control-groups.ts';
import { enter, enterNetwork, unshare } from './namespaces.ts';
import { NetnsNode, openedChild } from './node.ts';
import {
  identify,
  isAlive,
  isEnding,
  nodeMark,
  processesOf,
  type ProcessId,
  signalProcess,
} from './processes.ts';
import * as scripts from './scripts.ts';

/** How long the kernel may take to end a lab, in milliseconds. */
const destroyMs = 20_000;

/** How often a lab is looked at that is watched, in milliseconds. */
const watchMs = 100;

export class NetnsLab implements Lab {
  readonly testbed = 'netns';
  readonly name: string;
  readonly #init: ProcessId;
  readonly #nodes: Map<string, NetnsNode>;
  readonly #wiring: Wiring;
  /** What keeps a lab up that is being made; absent in one that was found. */
  #hold: Writable | undefined;

  constructor(
    name: string,
    init: ProcessId,
    options: {
      nodes?: readonly { name: string; pid: number; prefix: string | undefined }[];
      hold?: Writable;
    } = {},
  ) {
    this.name = name;
    this.#init = init;
    this.#wiring = new Wiring({
      labPid: init.pid,
      run: (pid, command, signal) => runCommand(enterNetwork(pid, command), signal),
      wire: (start, signal) => this.#wire(start, signal),
    });
    this.#nodes = new Map(options.nodes?.map((node) => [node.name, this.#node(node)]));
    this.#hold = options.hold;
  }

  async isThere(): Promise<boolean> {
    return isAlive(this.#init) && !isEnding(this.#init);
  }

  async record(): Promise<LabRecord | undefined> {
    try {
      return JSON.parse(await readFile(this.#recordFile, 'utf8')) as LabRecord;
    } catch {
      return undefined;
    }
  }

  async faults(): Promise<string[]> {
    const nodes = (await this.record())?.topology.nodes ?? [];
    return nodes.filter(({ name }) => !this.#nodes.has(name)).map(({ name }) => `node ${name} has ended`);
  }

  async images(): Promise<Record<string, string>> {
    return {};
  }

  async addNode({ name, runtime }: TopologyNode, signal: AbortSignal): Promise<void> {
    if (this.#nodes.has(name)) return;
    const { prefix } = runtime ?? {};
    const words = [nodeMark, this.name, name, String(this.#init.pid), prefix ?? ''];
    const init = unshare(['sh', '-c', scripts.fork, scripts.nodeInit, ...words], { user: false });
    const { stdout, stderr } = await runWithProc(enter(this.#init.pid, init), signal);
    const pid = Number(stdout);
    if (pid === 0) throw new TestbedError('EFAILED', `cannot make node ${name}: ${firstLine(stderr)}`);
    this.#nodes.set(name, this.#node({ name, pid, prefix }));
  }

  async removeNode(name: string, signal: AbortSignal): Promise<void> {
    const found = this.#nodes.get(name);
    const init = found === undefined ? undefined : identify(found.pid);
    this.#nodes.delete(name);
    if (init === undefined) return;
    signalProcess(init.pid, 'SIGKILL');
    const gone = (): true | undefined => (isAlive(init) ? undefined : true);
    await poll(gone, { what: `node ${name} to end`, deadlineMs: destroyMs, signal });
  }

  async limitNode(name: string, limits: NodeLimits, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { pid } = this.node(name);
    limit({ name: this.name, init: this.#init }, name, limits, [pid, ...processesOf(pid)]);
  }

  async addCable(link: TopologyCable, signal: AbortSignal): Promise<void> {
    const [from, to] = link.ends;
    await this.#wiring.addCable(link, [this.node(from.node).pid, this.node(to.node).pid], signal);
  }

  async addLan(name: string, mtu: number, signal: AbortSignal): Promise<void> {
    await this.#wiring.addLan(name, mtu, signal);
  }

  async removeLan(name: string, signal: AbortSignal): Promise<void> {
    await this.#wiring.removeLan(name, signal);
  }

  async plug(lan: { name: string; mtu: number }, end: TopologyLinkEnd, signal: AbortSignal): Promise<void> {
    await this.#wiring.plug(lan, end, this.node(end.node).pid, signal);
  }

  async impair(
    link: TopologyLink,
    impairments: Impairments,
    options: { seed: number; node?: string | undefined; by?: ImpairedBy | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#wiring.impair(link, impairments, options, signal);
  }

  async setLink(
    link: TopologyLink,
    state: 'up' | 'down',
    node: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#wiring.setLink(link, state, node, signal);
  }

  async capture(link: TopologyLink, node: string): Promise<Opened> {
    const words = [process.execPath, captureBundle, portAt(link, node)];
    const [file = '', ...rest] = enterNetwork(this.#init.pid, words);
    return openedChild(spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: environment() }));
  }

  async linkStates(
    links: readonly TopologyLink[],
    signal: AbortSignal,
    { mend = false }: { mend?: boolean } = {},
  ): Promise<LinkState[]> {
    return await this.#wiring.states(links, mend, signal);
  }

  async removeInterface(node: string, device: string, signal: AbortSignal): Promise<void> {
    await this.#wiring.remove(device, this.node(node).pid, signal);
  }

  node(name: string): NetnsNode {
    const node = this.#nodes.get(name);
    if (node === undefined) {
      throw new TestbedError('EUSAGE', `lab ${this.name} has no node ${JSON.stringify(name)}`, {
        hint: `it has ${[...this.#nodes.keys()].toSorted().join(', ') || 'none'}`,
      });
    }
    return node;
  }

  nodes(): NetnsNode[] {
    return [...this.#nodes.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  }

  async *watch(signal: AbortSignal): AsyncGenerator<LabChange, void, void> {
    const running = new Map(this.nodes().map((node) => [node.name, identify(node.pid)]));
    while (!signal.aborted) {
      for (const [node, init] of running) {
        if (init !== undefined && isAlive(init)) continue;
        running.delete(node);
        yield { event: 'node.ended', at: Date.now(), node };
      }
      if (!isAlive(this.#init)) return yield { event: 'lab.ended', at: Date.now() };
      // The end of a process that is not a child can only be asked for.
      await delay(watchMs, undefined, { signal }).catch(() => {});
    }
  }

  async keep(record: LabRecord): Promise<void> {
    if (this.#hold === undefined) throw new Error(`lab ${this.name} is kept already`);
    await this.save(record);
    this.#hold.end('keep\n');
    await finished(this.#hold, { readable: false });
    this.#hold = undefined;
    if (!isAlive(this.#init))
      throw new TestbedError('EFAILED', `lab ${this.name} was ended while it was made`);
  }

  async save(record: LabRecord): Promise<void> {
    // Whoever reads sees all of it or nothing.
    await writeFile(`${this.#recordFile}.new`, JSON.stringify(record));
    await rename(`${this.#recordFile}.new`, this.#recordFile);
  }

  async destroy(): Promise<void> {
    if (isAlive(this.#init)) signalProcess(this.#init.pid, 'SIGKILL');
    this.#hold?.destroy();
    await poll(() => (isAlive(this.#init) ? undefined : true), {
      what: `lab ${this.name} to end`,
      deadlineMs: destroyMs,
    });
    await removeGroups({ name: this.name, init: this.#init });
  }

  /** The wire of the lab is a process in it, which ends with it. */
  async #wire(start: boolean, signal: AbortSignal): Promise<WireClient | undefined> {
    const socket = `${scripts.runDirectory}/wire.sock`;
    const running = async (): Promise<WireClient> => {
      return await connectWire(`/proc/${this.#init.pid}/root${socket}`, signal);
    };
    return await wireOf(running, start, signal, async () => {
      const words = wireCommand([process.execPath, wireBundle], socket);
      const program = ['sh', '-c', scripts.background, scripts.program, 'wire', ...words];
      const { code, stderr } = await runWithProc(enter(this.#init.pid, program), signal);
      if (code !== 0) throw new TestbedError('EFAILED', `cannot start the wire: ${firstLine(stderr)}`);
    });
  }

  #node(parts: { name: string; pid: number; prefix: string | undefined }): NetnsNode {
    return new NetnsNode({ ...parts, wiring: this.#wiring });
  }

  get #recordFile(): string {
    return `/proc/${this.#init.pid}/root${scripts.runDirectory}/lab.json`;
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] || 'no reason given';
}
