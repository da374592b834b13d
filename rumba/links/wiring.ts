/** Makes and takes away the links of a lab, wherever its nodes are namespaces of this machine. */
import { TestbedError } from '../errors.ts';
import type { TopologyCable, TopologyLinkEnd } from '../model/topology.ts';
import { poll } from '../poll.ts';
import {
  bridgeCommand,
  bridgeName,
  cableCommand,
  highestIndex,
  interfacesOf,
  isConnected,
  type LinkEnd,
  plugCommand,
  removeCommand,
  removeLanCommand,
  stateCommand,
} from './commands.ts';

/** How long the kernel may take for a link to pass frames, in milliseconds. */
const connectMs = 5_000;

/** How often to choose the numbers of interfaces, and how far apart. */
const numberTries = 4;
const numberStride = 1_000;

export interface Ground {
  /** First process of the lab itself, in whose network the bridges of LANs are. */
  readonly labPid: number;
  /** Runs a command in the network of a process, be it the lab's or a node's. */
  run(
    pid: number,
    command: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly code: number; readonly stderr: string }>;
}

/** A node, and its first process. */
export interface PlacedNode {
  readonly name: string;
  readonly pid: number;
}

export class Wiring {
  readonly #ground: Ground;
  #lastIndex = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Joins two nodes, given by their first processes, and sets both ends up. Does nothing when the link is there. */
  async addCable(link: TopologyCable, pids: readonly [number, number], signal: AbortSignal): Promise<void> {
    const [{ node: a, interface: from }, { node: b, interface: to }] = link.ends;
    const place = `link ${link.name} from ${from} of ${a} to ${to} of ${b}`;
    if (!interfacesOf(pids[0]).includes(from) || !interfacesOf(pids[1]).includes(to)) {
      await this.#make(`make ${place}`, signal, () => {
        return cableCommand(this.#end(link.ends[0], pids[0]), this.#end(link.ends[1], pids[1]), link.mtu);
      });
    } else await this.#do(pids[0], stateCommand(from, 'up'), `set up ${place}`, signal);
    await this.#do(pids[1], stateCommand(to, 'up'), `set up ${place}`, signal);
    await this.#connected(`link ${link.name}`, signal, [
      { pid: pids[0], interface: from },
      { pid: pids[1], interface: to },
    ]);
  }

  async addLan(lan: string, mtu: number, signal: AbortSignal): Promise<void> {
    const { labPid } = this.#ground;
    if (interfacesOf(labPid).includes(bridgeName(lan))) return;
    await this.#do(labPid, bridgeCommand(lan, mtu), `make LAN ${lan}`, signal);
  }

  /** Joins a node to a LAN. */
  async plug(
    lan: { readonly name: string; readonly mtu: number },
    end: TopologyLinkEnd,
    pid: number,
    signal: AbortSignal,
  ): Promise<void> {
    const place = `${end.interface} of ${end.node} to LAN ${lan.name}`;
    if (!interfacesOf(pid).includes(end.interface)) {
      await this.#make(`join ${place}`, signal, () =>
        plugCommand(lan.name, end.node, this.#end(end, pid), lan.mtu),
      );
    }
    await this.#do(pid, stateCommand(end.interface, 'up'), `join ${place}`, signal);
    await this.#connected(`LAN ${lan.name}`, signal, [{ pid, interface: end.interface }]);
  }

  /** Takes an interface of a node away, and with it that at the other end of its link. */
  async remove(device: string, pid: number, signal: AbortSignal): Promise<void> {
    if (!interfacesOf(pid).includes(device)) return;
    await this.#do(pid, removeCommand(device), `take interface ${device} away`, signal);
  }

  async removeLan(lan: string, signal: AbortSignal): Promise<void> {
    await this.#do(this.#ground.labPid, removeLanCommand(lan), `take LAN ${lan} away`, signal);
  }

  /** Gives an interface an address; the words are those of `ip address`. */
  async addAddress(node: PlacedNode, words: readonly string[], signal: AbortSignal): Promise<void> {
    const { code, stderr } = await this.#ground.run(node.pid, ['ip', 'address', 'replace', ...words], signal);
    const [address, , device] = words;
    if (code !== 0) throw failure(`give interface ${device} address ${address}`, code, stderr, node);
  }

  /** Takes an address away, which may be gone already, or with its interface. */
  async removeAddress(node: PlacedNode, words: readonly string[], signal: AbortSignal): Promise<void> {
    const [address = '', , device = ''] = words;
    const command = ['ip', 'address', 'delete', address, 'dev', device];
    const { code, stderr } = await this.#ground.run(node.pid, command, signal);
    if (code === 0 || /Cannot (assign|find)|not found/.test(stderr)) return;
    throw failure(`take address ${address} away`, code, stderr, node);
  }

  /** Sets all interfaces of a node up or down: what those at the other ends see of a machine that is off. */
  async setAll(pid: number, state: 'up' | 'down', signal: AbortSignal): Promise<void> {
    for (const device of interfacesOf(pid)) {
      await this.#do(pid, stateCommand(device, state), `set ${device} ${state}`, signal);
    }
  }

  /** Makes interfaces. Their numbers are chosen anew where one is taken: an interface that is down shows none. */
  async #make(what: string, signal: AbortSignal, command: () => readonly string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { code, stderr } = await this.#ground.run(this.#ground.labPid, command(), signal);
      if (code === 0) return;
      if (tries === numberTries || !/File exists/.test(stderr)) throw failure(what, code, stderr);
      this.#lastIndex += numberStride;
    }
  }

  /** An end with a number that no interface at either end has. */
  #end({ interface: device, mac }: TopologyLinkEnd, pid: number): LinkEnd {
    this.#lastIndex = Math.max(this.#lastIndex, highestIndex(pid)) + 1;
    return { interface: device, mac, pid, index: this.#lastIndex };
  }

  async #do(pid: number, command: readonly string[], what: string, signal: AbortSignal): Promise<void> {
    const { code, stderr } = await this.#ground.run(pid, command, signal);
    if (code !== 0) throw failure(what, code, stderr);
  }

  async #connected(
    what: string,
    signal: AbortSignal,
    ends: readonly Pick<LinkEnd, 'pid' | 'interface'>[],
  ): Promise<void> {
    await poll(() => ends.every(isConnected) || undefined, {
      what: `${what} to come up`,
      deadlineMs: connectMs,
      signal,
    });
  }
}

function failure(what: string, code: number, stderr: string, node?: PlacedNode): TestbedError {
  const place = node === undefined ? '' : `node ${node.name}: `;
  const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
  return new TestbedError('EFAILED', `${place}cannot ${what}: ${reason}`);
}
