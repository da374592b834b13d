/** Two nodes with all their daemons, each in a network namespace, on one cable and in one layer of a kind. */
import { hashName } from '../../runtime/lib/names.ts';
import type { LinkKind } from './link-rig.ts';
import { NamespacePair } from './namespaces.ts';
import { TestNode } from './node.ts';
import { OwnHosts } from './own-hosts.ts';

export type IpcpdMode = 'shared' | 'process';

/** Addresses of the two ends; a node of the pair is `a` or `b`. */
export const addresses = {
  a: { udp4: '10.0.0.1', udp6: 'fd00::1' },
  b: { udp4: '10.0.0.2', udp6: 'fd00::2' },
} as const;

/** The words that make the layer on an end. */
export function bootstrapWords(kind: LinkKind, end: 'a' | 'b', more = ''): string {
  const where = kind === 'udp4' || kind === 'udp6' ? `ip ${addresses[end][kind]}` : 'dev eth0';
  return `ipcp bootstrap type ${kind} name e0 layer lan ${where} ${more}`;
}

/** What a udp layer looks a name up as. */
export function hostNameOf(name: string): string {
  return hashName(name, 'MD5').toString('hex');
}

export class LinkNet implements AsyncDisposable {
  readonly a: TestNode;
  readonly b: TestNode;
  readonly pair: NamespacePair;
  readonly hosts: OwnHosts;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    a: TestNode,
    b: TestNode,
    pair: NamespacePair,
    hosts: OwnHosts,
    stack: AsyncDisposableStack,
  ) {
    this.a = a;
    this.b = b;
    this.pair = pair;
    this.hosts = hosts;
    this.#stack = stack;
  }

  static async start(mode: IpcpdMode = 'shared', mtu = 1500): Promise<LinkNet> {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await NamespacePair.make({ mtu }));
    const hosts = stack.use(new OwnHosts());
    for (const end of ['a', 'b'] as const) {
      await pair[end].run('ip', 'addr', 'add', `${addresses[end].udp4}/24`, 'dev', 'eth0');
      await pair[end].run('ip', 'addr', 'add', `${addresses[end].udp6}/64`, 'dev', 'eth0', 'nodad');
    }
    const nodes = [pair.a, pair.b].map(({ launch }) => stack.use(TestNode.empty(hosts.around(launch))));
    const [a, b] = nodes;
    if (a === undefined || b === undefined) throw new Error('two nodes were to start');
    await Promise.all(nodes.map((node) => node.startIrmd('--ipcpd', mode)));
    return new LinkNet(a, b, pair, hosts, stack.move());
  }

  /** Both nodes in one layer; for udp layers, the names are at `b`. */
  async join(kind: LinkKind, names: readonly string[], more = ''): Promise<void> {
    const { udp4, udp6 } = addresses.b;
    this.hosts.set(Object.fromEntries(names.map((name) => [hostNameOf(name), [udp4, udp6]])));
    for (const end of ['a', 'b'] as const) await this[end].manage(bootstrapWords(kind, end, more));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
