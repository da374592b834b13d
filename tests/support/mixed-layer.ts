/**
 * A unicast or broadcast layer whose members are nodes of ours and, where it is installed, of the prototype, over link
 * layers on cables between their namespaces. What is done to a node is the same command on either kind.
 */
import { program as pathOf, run } from './command.ts';
import { hostNameOf, type IpcpdMode } from './link-net.ts';
import { Namespace } from './namespaces.ts';
import { TestNode } from './node.ts';
import { OwnHosts } from './own-hosts.ts';
import { PeerNode } from './peer.ts';
import { until } from './until.ts';

/** What a node runs: our runtime or the prototype. */
export type Runtime = 'ours' | 'peer';

/** A node of ours, with its surroundings. */
interface OurNode {
  readonly node: TestNode;
  readonly namespace: Namespace;
  readonly hosts: OwnHosts;
}

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
  /** Its addresses, likewise, where it has any. */
  readonly addresses = new Map<string, string>();
  readonly #ours: TestNode | undefined;
  readonly #peer: PeerNode | undefined;
  readonly #namespace: Namespace | undefined;
  readonly #hosts: OwnHosts | undefined;
  readonly #hostLines: Record<string, string[]> = {};
  readonly #known = new Set<string>();

  constructor(name: string, node: PeerNode | OurNode) {
    this.name = name;
    const isPeer = node instanceof PeerNode;
    this.runtime = isPeer ? 'peer' : 'ours';
    this.#peer = isPeer ? node : undefined;
    this.#ours = isPeer ? undefined : node.node;
    this.#namespace = isPeer ? undefined : node.namespace;
    this.#hosts = isPeer ? undefined : node.hosts;
    this.pid = isPeer ? node.pid : node.namespace.pid;
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
    if (this.#peer !== undefined) return this.#bounded(25, program, ...args);
    const { status, stdout, stderr } = await this.ours.run(pathOf(program), args);
    return { code: status ?? -1, output: stdout + stderr };
  }

  #bounded(seconds: number, ...command: readonly string[]): Promise<Done> {
    return this.peer.run(['timeout', '-k', '1', String(seconds), ...command]);
  }

  /** Runs `irm` and demands that it succeeds; a prototype's within `limitMs`. */
  async irm(line: string, limitMs?: number): Promise<void> {
    const words = line.split(' ');
    const { code, output } = await (this.#peer === undefined || limitMs === undefined
      ? this.run('irm', ...words)
      : this.#bounded(limitMs / 1000, 'irm', ...words));
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

  /** Lets udp layers of the node find a name. */
  async addHost(address: string, name: string): Promise<void> {
    if (this.#peer !== undefined) return this.#peer.addHost(address, name);
    this.#hostLines[hostNameOf(name)] = [address];
    this.#hosts?.set(this.#hostLines);
  }

  /** Sets the device of the cable to another node down or up. */
  async setLink(to: string, state: 'up' | 'down'): Promise<void> {
    await this.ip('link', 'set', this.device(to), state);
  }

  /** The device of the cable to another node. */
  device(to: string): string {
    const device = this.devices.get(to);
    if (device === undefined) throw new Error(`no cable leads from ${this.name} to ${to}`);
    return device;
  }

  /** Runs `ip` in the node's network namespace, and demands that it succeeds. */
  async ip(...words: readonly string[]): Promise<string> {
    if (this.#namespace !== undefined) return this.#namespace.run('ip', ...words);
    const { status, stdout, stderr } = await run('nsenter', ['-t', String(this.pid), '-n', 'ip', ...words]);
    if (status !== 0)
      throw new Error(`ip ${words.join(' ')} on ${this.name} ended with ${status}: ${stderr}`);
    return stdout;
  }
}

/** Types of IPCP that layers on cables may have. */
export type LinkType = 'eth-dix' | 'eth-llc' | 'udp4' | 'udp6';

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
  /** Of the layers on the cables, `lan1` and so on: all of them, or each of its own; eth-dix when absent. */
  readonly link?: LinkType | readonly LinkType[];
  /** Where the IPCPs of our nodes run. */
  readonly ipcpd?: IpcpdMode;
  /** How long a step of `irm` on a prototype may take, ms. Then the layer fails; without it the step is tried again. */
  readonly stepMs?: number;
  /** Where the prototype is installed; needed when one of the nodes is a prototype. */
  readonly prefix?: string;
}

/** Nodes of ours in line. */
export function lineOfOurs(...names: readonly string[]): Pick<MixedPlan, 'nodes' | 'cables'> {
  const nodes = Object.fromEntries(names.map((name) => [name, 'ours' as const]));
  const cables = names.slice(1).map((name, index) => [names[index] ?? '', name] as const);
  return { nodes, cables };
}

export class MixedLayer implements AsyncDisposable {
  readonly #nodes = new Map<string, MixedNode>();
  /** The layer of each cable, by the names of its ends in either order. */
  readonly #lans = new Map<string, string>();
  readonly #stack = new AsyncDisposableStack();
  readonly #plan: MixedPlan;

  private constructor(plan: MixedPlan) {
    this.#plan = plan;
  }

  /** Builds the nodes and the layer `net`, of IPCPs called `net.<node>`. */
  static async make(plan: MixedPlan): Promise<MixedLayer> {
    const layer = new MixedLayer(plan);
    try {
      await layer.#startAll();
      await Promise.all(plan.cables.map(([a, b], index) => layer.#lay(index, a, b)));
      const [first = ''] = layer.#nodes.keys();
      await layer.bootstrap(first);
      const joined = new Set([first]);
      for (const [a, b] of plan.cables) {
        await layer.announce(b, a);
        if (!joined.has(b)) await layer.enroll(b, a);
        joined.add(b);
        await layer.announce(a, b);
        await layer.connect(b, a);
      }
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

  /** Has `from` connect both components to `to`. */
  async connect(from: string, to: string): Promise<void> {
    await this.node(from).know(`net.${to}`);
    const components = this.#plan.type === 'broadcast' ? (['dt'] as const) : (['mgmt', 'dt'] as const);
    for (const component of components) {
      const line = `ipcp connect name net.${from} dst net.${to} component ${component}`;
      await this.#step(from, line, ({ ours }) =>
        ours.ofIpcp(`net.${from}`, (irmd, { pid }) => irmd.connectIpcp(pid, `net.${to}`, component)),
      );
    }
  }

  /** Makes the IPCP of a node, and with it the layer. */
  async bootstrap(name: string): Promise<void> {
    const { type = 'unicast', options = '' } = this.#plan;
    const words = `ipcp bootstrap type ${type} name net.${name} layer net ${options} autobind`;
    await this.node(name).irm(words.replaceAll(/ +/g, ' ').trim());
  }

  /** Registers the IPCP of the second node in the layer of the cable to the first. */
  async announce(to: string, name: string): Promise<void> {
    const address = this.node(name).addresses.get(to);
    if (address !== undefined) await this.node(to).addHost(address, `net.${name}`);
    const ipcp = `${this.#lans.get(to + name)}.${name}`;
    await this.#step(name, `name register net.${name} ipcp ${ipcp}`, ({ ours }) =>
      ours.ofIpcp(ipcp, (irmd, { pid }) => irmd.registerName(`net.${name}`, pid)),
    );
  }

  /** Has the IPCP of a node enrol with that of another, until that succeeds. */
  async enroll(name: string, at: string): Promise<void> {
    const { type = 'unicast' } = this.#plan;
    const ipcp = `net.${name}`;
    await this.node(name).know(`net.${at}`);
    await this.#step(name, `ipcp enroll type ${type} name ${ipcp} dst net.${at} autobind`, ({ ours }) =>
      ours.managed(async (irmd) => {
        const pid = await irmd.createIpcp(ipcp, type);
        await irmd.enrollIpcp(pid, `net.${at}`);
        for (const each of [ipcp, 'net']) await irmd.bindProcess(pid, each);
      }),
    );
  }

  /** Waits until every node of ours has a route to each other, or, in a broadcast layer, all its neighbours. */
  async converged(): Promise<void> {
    for (const node of this.nodes) {
      if (node.runtime === 'ours')
        await until(`${node.name} to know the layer`, () => this.#isComplete(node));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #isComplete({ name, ours }: MixedNode): Promise<boolean> {
    const { routes, connections } = (await ours.metrics(`net.${name}`)) as {
      readonly routes: readonly unknown[];
      readonly connections: readonly { readonly up: boolean }[];
    };
    if (this.#plan.type !== 'broadcast') return routes.length === this.#nodes.size - 1;
    const cables = this.#plan.cables.filter((cable) => cable.includes(name));
    return connections.filter(({ up }) => up).length === cables.length;
  }

  /** Namespaces one after another, as those of an ordinary user are made within the first; daemons all at once. */
  async #startAll(): Promise<void> {
    const { nodes, ipcpd = 'shared', prefix, processors } = this.#plan;
    const starting: Promise<MixedNode>[] = [];
    let outer: Namespace | undefined;
    for (const [name, runtime] of Object.entries(nodes)) {
      if (runtime === 'peer') {
        if (prefix === undefined) throw new Error('the plan does not say where the prototype is installed');
        starting.push(
          PeerNode.start(prefix, processors).then((peer) => new MixedNode(name, this.#stack.use(peer))),
        );
        continue;
      }
      const namespace = this.#stack.use(await Namespace.make(outer));
      outer ??= namespace;
      const hosts = this.#stack.use(new OwnHosts());
      const node = this.#stack.use(TestNode.empty(hosts.around(namespace.launch)));
      const started = node.startIrmd('--ipcpd', ipcpd);
      starting.push(started.then(() => new MixedNode(name, { node, namespace, hosts })));
    }
    const settled = await Promise.allSettled(starting);
    for (const result of settled) {
      if (result.status === 'rejected') throw result.reason;
      this.#nodes.set(result.value.name, result.value);
    }
  }

  /** Lays a cable, and a layer over it. */
  async #lay(index: number, a: string, b: string): Promise<void> {
    const [near, far] = [this.node(a), this.node(b)];
    const lan = `lan${index + 1}`;
    this.#lans.set(a + b, lan).set(b + a, lan);
    near.devices.set(b, `e${near.devices.size + 1}`);
    far.devices.set(a, `e${far.devices.size + 1}`);
    const ends = [near.device(b), 'type', 'veth', 'peer', 'name', far.device(a), 'netns', String(far.pid)];
    await near.ip('link', 'add', ...ends);
    const { link: links = 'eth-dix' } = this.#plan;
    const link = typeof links === 'string' ? links : (links[index] ?? 'eth-dix');
    for (const [node, to, host] of [
      [near, b, 1],
      [far, a, 2],
    ] as const) {
      const device = node.device(to);
      await node.ip('link', 'set', device, 'up');
      let words = `dev ${device}`;
      if (link.startsWith('udp')) {
        const [address, length] =
          link === 'udp4' ? [`10.9.${index}.${host}`, 24] : [`fd09:${index}::${host}`, 64];
        const flags = link === 'udp6' ? ['nodad'] : [];
        node.addresses.set(to, address);
        await node.ip('address', 'add', `${address}/${length}`, 'dev', device, ...flags);
        words = `ip ${address}`;
      }
      const line = `ipcp bootstrap type ${link} name ${lan}.${node.name} layer ${lan} ${words}`;
      await this.#step(node.name, line, ({ ours }) =>
        ours.managed(async (irmd) => {
          const [key = '', value = ''] = words.split(' ');
          const pid = await irmd.createIpcp(`${lan}.${node.name}`, link);
          await irmd.bootstrapIpcp(pid, lan, { [key]: value });
        }),
      );
    }
  }

  /**
   * Has a node do what a line for `irm` says: a prototype until it succeeds, one of ours at once and without a process
   * for it.
   */
  async #step(name: string, line: string, quickly: (node: MixedNode) => Promise<void>): Promise<void> {
    const node = this.node(name);
    if (node.runtime === 'ours') return quickly(node);
    const { stepMs } = this.#plan;
    if (stepMs !== undefined) return node.irm(line, stepMs);
    await until(
      `irm ${line} on ${name}`,
      async () => (await node.run('irm', ...line.split(' '))).code === 0,
      patienceMs,
    );
  }
}
