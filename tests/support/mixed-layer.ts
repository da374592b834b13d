/**
 * A unicast or broadcast layer whose members are nodes of ours and of the prototype, over eth-dix layers on cables
 * between their namespaces. What is done to a node is the same command on either kind.
 */
import { execFileSync } from 'node:child_process';
import { program as pathOf } from './command.ts';
import { Namespace } from './namespaces.ts';
import { TestNode } from './node.ts';
import { joinNamespaces, PeerNode } from './peer.ts';
import { until } from './until.ts';

/** What a node runs: our runtime or the prototype. */
export type Runtime = 'ours' | 'peer';

/** The end of a command. */
export interface Done {
  readonly code: number;
  readonly output: string;
}

/** Two prototypes miss each other's messages, and take 20 s to notice (unicast-layer.md 2.4), ms. */
const patienceMs = 90_000;

/** A node of either kind. */
export class MixedNode {
  readonly name: string;
  readonly runtime: Runtime;
  /** A process in its namespace. */
  readonly pid: number;
  /** Its devices, by the node at the other end. */
  readonly devices = new Map<string, string>();
  readonly #ours: TestNode | undefined;
  readonly #peer: PeerNode | undefined;
  readonly #known = new Set<string>();

  constructor(name: string, pid: number, node: TestNode | PeerNode) {
    this.name = name;
    this.pid = pid;
    this.runtime = node instanceof TestNode ? 'ours' : 'peer';
    this.#ours = node instanceof TestNode ? node : undefined;
    this.#peer = node instanceof PeerNode ? node : undefined;
  }

  /** The node, if it is one of ours. */
  get ours(): TestNode {
    if (this.#ours === undefined) throw new Error(`node ${this.name} is a prototype`);
    return this.#ours;
  }

  /** The node, if it is a prototype. */
  get peer(): PeerNode {
    if (this.#peer === undefined) throw new Error(`node ${this.name} is ours`);
    return this.#peer;
  }

  get log(): string {
    return this.#ours?.log ?? this.#peer?.log ?? '';
  }

  async run(program: 'irm' | 'oping' | 'obc', ...args: readonly string[]): Promise<Done> {
    // Its programs wait without limit for an IPCP that hangs.
    if (this.#peer !== undefined) return this.#peer.run(['timeout', '-k', '1', '25', program, ...args]);
    const { status, stdout, stderr } = await this.ours.run(pathOf(program), args);
    return { code: status ?? -1, output: stdout + stderr };
  }

  /** Runs `irm` and demands that it succeeds. */
  async irm(line: string): Promise<void> {
    const { code, output } = await this.run('irm', ...line.split(' '));
    if (code !== 0) throw new Error(`irm ${line} on ${this.name} ended with ${code}: ${output}\n${this.log}`);
  }

  /** Makes a name known to irmd; the prototype asks for it before it looks for it in layers. */
  async know(name: string): Promise<void> {
    if (this.runtime === 'ours' || this.#known.has(name)) return;
    this.#known.add(name);
    await this.irm(`name create ${name}`);
  }

  /** Starts `oping -l` for a name, known in a layer. */
  async serve(name: string, layer: string): Promise<void> {
    if (this.#peer !== undefined) {
      this.#known.add(name);
      await this.#peer.serve(name, ['oping', '-l'], layer);
      return;
    }
    await this.ours.serve(name);
    await this.irm(`name register ${name} layer ${layer}`);
  }

  /** Starts `obc -l`; what it has printed so far. It ends with the node. */
  async listen(layer: string): Promise<() => string> {
    if (this.#peer === undefined) {
      const reader = this.ours.spawn(pathOf('obc'), ['-n', layer, '-l']);
      await until('obc to listen', () => reader.stdout.includes('New flow.'));
      return () => reader.stdout;
    }
    // Without a line buffer nothing is seen of it before it ends.
    const reader = this.#peer.spawn(['stdbuf', '-oL', 'obc', '-n', layer, '-l']);
    let output = '';
    reader.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await until('obc to listen', () => output.includes('New flow.'));
    return () => output;
  }

  /**
   * Pings a name until it was all answered; the prototype loses some requests for flows and some replies
   * (unicast-layer.md 2.4), which its users try again.
   */
  async ping(name: string, count = 10, limitMs = 60_000): Promise<string> {
    await this.know(name);
    const words = ['-n', name, '-c', String(count), '-i', '20'];
    return until(
      `${this.name} to ping ${name}`,
      async () => {
        const { code, output } = await this.run('oping', ...words);
        return code === 0 && output.includes(` ${count} received`) && output;
      },
      limitMs,
    );
  }

  /** Sets the device of the cable to another node down or up. */
  setLink(to: string, state: 'up' | 'down'): void {
    const device = this.devices.get(to) ?? '';
    execFileSync('nsenter', ['-t', String(this.pid), '-n', 'ip', 'link', 'set', device, state]);
  }
}

export interface MixedPlan {
  /** Nodes by name; the first bootstraps the layer. */
  readonly nodes: Readonly<Record<string, Runtime>>;
  /** Cables, each from a node that is in the layer to one that enrols over it, or is in it already. */
  readonly cables: readonly (readonly [string, string])[];
  readonly type?: 'unicast' | 'broadcast';
  /** Further words of bootstrap. */
  readonly options?: string;
  /** Where prototypes run, as `taskset` lists processors. */
  readonly processors?: string;
}

export class MixedLayer implements AsyncDisposable {
  readonly #nodes = new Map<string, MixedNode>();
  readonly #stack = new AsyncDisposableStack();
  readonly #plan: MixedPlan;

  private constructor(plan: MixedPlan) {
    this.#plan = plan;
  }

  /** Builds the nodes and the layer `net`, of IPCPs called `net.<node>`. */
  static async make(prefix: string, plan: MixedPlan): Promise<MixedLayer> {
    const layer = new MixedLayer(plan);
    try {
      for (const [name, runtime] of Object.entries(plan.nodes)) await layer.#start(prefix, name, runtime);
      const [first = ''] = layer.#nodes.keys();
      const { type = 'unicast', options = '' } = plan;
      const words = `ipcp bootstrap type ${type} name net.${first} layer net ${options} autobind`;
      await layer.node(first).irm(words.replaceAll(/ +/g, ' '));
      const joined = new Set([first]);
      for (const [index, [a, b]] of plan.cables.entries()) await layer.#cable(index, a, b, joined);
    } catch (error) {
      await layer[Symbol.asyncDispose]();
      throw error;
    }
    return layer;
  }

  node(name: string): MixedNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  get nodes(): Iterable<MixedNode> {
    return this.#nodes.values();
  }

  /** Has `from` connect both components to `to`, until that succeeds. */
  async connect(from: string, to: string): Promise<void> {
    const node = this.node(from);
    await node.know(`net.${to}`);
    const components = this.#plan.type === 'broadcast' ? ['dt'] : ['mgmt', 'dt'];
    for (const component of components) {
      await until(
        `${from} to connect ${component} to ${to}`,
        async () => {
          const words = [
            'ipcp',
            'connect',
            'name',
            `net.${from}`,
            'dst',
            `net.${to}`,
            'component',
            component,
          ];
          return (await node.run('irm', ...words)).code === 0;
        },
        patienceMs,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #start(prefix: string, name: string, runtime: Runtime): Promise<void> {
    if (runtime === 'peer') {
      const peer = this.#stack.use(await PeerNode.start(prefix, this.#plan.processors));
      this.#nodes.set(name, new MixedNode(name, peer.pid, peer));
      return;
    }
    const namespace = this.#stack.use(await Namespace.make());
    const ours = this.#stack.use(await TestNode.start(namespace.launch));
    this.#nodes.set(name, new MixedNode(name, namespace.pid, ours));
  }

  /** Lays a cable with its layer; over it `b` enrols, unless it is in the layer already, and is connected. */
  async #cable(index: number, a: string, b: string, joined: Set<string>): Promise<void> {
    const { type = 'unicast' } = this.#plan;
    const [near, far] = [this.node(a), this.node(b)];
    const lan = `lan${index + 1}`;
    for (const [node, other] of [
      [near, b],
      [far, a],
    ] as const) {
      node.devices.set(other, `e${node.devices.size + 1}`);
    }
    joinNamespaces(
      { pid: near.pid, dev: near.devices.get(b) ?? '' },
      { pid: far.pid, dev: far.devices.get(a) ?? '' },
    );
    for (const [node, other] of [
      [near, b],
      [far, a],
    ] as const) {
      const device = node.devices.get(other) ?? '';
      await node.irm(`ipcp bootstrap type eth-dix name ${lan}.${node.name} layer ${lan} dev ${device}`);
    }
    await near.irm(`name register net.${a} layer ${lan}`);
    if (joined.has(b)) {
      await far.irm(`name register net.${b} layer ${lan}`);
      await this.connect(b, a);
      return;
    }
    await far.know(`net.${a}`);
    await until(
      `${b} to enrol with ${a}`,
      async () => {
        const words = ['ipcp', 'enroll', 'type', type, 'name', `net.${b}`, 'dst', `net.${a}`, 'autobind'];
        return (await far.run('irm', ...words)).code === 0;
      },
      patienceMs,
    );
    joined.add(b);
    await far.irm(`name register net.${b} layer ${lan}`);
    await this.connect(b, a);
  }
}
