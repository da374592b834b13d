/**
 * A lab: one process that is the first of a PID namespace, in namespaces of every other kind too. All
 * else lives inside: when that process ends, the kernel ends every process of the lab, and with the
 * last of them go the namespaces, the links and the files.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TestbedError } from '../../errors.ts';
import type { TopologyLink, TopologyNode } from '../../model/topology.ts';
import { poll } from '../../poll.ts';
import type { Lab, LabChange, LabRecord } from '../testbed.ts';
import { runCommand, runWithProc } from './command.ts';
import { enter, enterNetwork, unshare } from './namespaces.ts';
import { addCommand, hasInterface, highestIndex, isConnected, upCommand } from './links.ts';
import { NetnsNode } from './node.ts';
import { identify, isAlive, nodeMark, type ProcessId } from './processes.ts';
import * as scripts from './scripts.ts';

/** How long the kernel may take to end a lab, in milliseconds. */
const destroyMs = 20_000;

/** How often a lab is looked at that is watched, in milliseconds. */
const watchMs = 100;

/** The same for a link to pass frames. */
const connectMs = 5_000;

export class NetnsLab implements Lab {
  readonly testbed = 'netns';
  readonly name: string;
  readonly #init: ProcessId;
  readonly #nodes: Map<string, NetnsNode>;
  /** What keeps a lab up that is being made; absent in one that was found. */
  #hold: Writable | undefined;
  #lastIndex: number | undefined;

  constructor(
    name: string,
    init: ProcessId,
    options: { nodes?: readonly NetnsNode[]; hold?: Writable } = {},
  ) {
    this.name = name;
    this.#init = init;
    this.#nodes = new Map(options.nodes?.map((node) => [node.name, node]));
    this.#hold = options.hold;
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

  async addNode({ name }: TopologyNode, signal: AbortSignal): Promise<void> {
    if (this.#nodes.has(name)) return;
    const words = [nodeMark, this.name, name, String(this.#init.pid)];
    const init = unshare(['sh', '-c', scripts.fork, scripts.nodeInit, ...words], { user: false });
    const { stdout, stderr } = await runWithProc(enter(this.#init.pid, init), signal);
    const pid = Number(stdout);
    if (pid === 0) throw new TestbedError('EFAILED', `cannot make node ${name}: ${firstLine(stderr)}`);
    this.#nodes.set(name, new NetnsNode(name, pid));
  }

  async addLink(link: TopologyLink, signal: AbortSignal): Promise<void> {
    const index = this.#nextIndex();
    const [from, to] = link.ends.map((end, side) => ({
      ...end,
      pid: this.node(end.node).pid,
      index: index + side,
    }));
    if (from === undefined || to === undefined) throw new Error(`link ${link.name} has no two ends`);
    const done = [from, to].every((end) => hasInterface(end.pid, end.interface));
    const commands = [
      ...(done ? [] : [enterNetwork(this.#init.pid, addCommand(from, to, link.mtu))]),
      enterNetwork(to.pid, upCommand(to)),
    ];
    for (const command of commands) {
      const { code, stderr } = await runCommand(command, signal);
      if (code === 0) continue;
      const place = `${from.interface} of ${from.node} to ${to.interface} of ${to.node}`;
      throw new TestbedError('EFAILED', `cannot make link ${link.name} from ${place}: ${firstLine(stderr)}`);
    }
    await poll(() => [from, to].every(isConnected) || undefined, {
      what: `link ${link.name} to come up`,
      deadlineMs: connectMs,
      signal,
    });
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
    // Whoever reads sees all of it or nothing.
    await writeFile(`${this.#recordFile}.new`, JSON.stringify(record));
    await rename(`${this.#recordFile}.new`, this.#recordFile);
    this.#hold.end('keep\n');
    await finished(this.#hold, { readable: false });
    this.#hold = undefined;
    if (!isAlive(this.#init))
      throw new TestbedError('EFAILED', `lab ${this.name} was ended while it was made`);
  }

  async destroy(): Promise<void> {
    if (isAlive(this.#init)) process.kill(this.#init.pid, 'SIGKILL');
    this.#hold?.destroy();
    await poll(() => (isAlive(this.#init) ? undefined : true), {
      what: `lab ${this.name} to end`,
      deadlineMs: destroyMs,
    });
  }

  /** Two numbers that no interface of the lab has, this one and the next. */
  #nextIndex(): number {
    this.#lastIndex ??= Math.max(...[...this.#nodes.values()].map((node) => highestIndex(node.pid)));
    this.#lastIndex += 2;
    return this.#lastIndex - 1;
  }

  get #recordFile(): string {
    return `/proc/${this.#init.pid}/root${scripts.runDirectory}/lab.json`;
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] || 'no reason given';
}
