/** Gives links and interfaces their names, and interfaces their MAC addresses. */
import { hashName } from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import type { Link } from './link.ts';
import { distinct } from './listed.ts';
import { type Node, nodeOf, type Port } from './node.ts';
import type { TopologyLink, TopologyLinkEnd } from './topology.ts';

/** All links as they are wired; an interface takes one link. */
export function wire(links: readonly Link[], nodes: ReadonlySet<Node>): Map<Link, TopologyLink> {
  const titles = nameLinks(links);
  const title = (link: Link): string => titles.get(link) ?? link.name;
  const interfaces = new Interfaces();
  for (const link of links) {
    for (const end of link.ends) {
      if (!nodes.has(nodeOf(end))) {
        throw new TestbedError(
          'ETOPOLOGY',
          `link ${title(link)} ends in node ${nodeOf(end).name}, which is not listed`,
          { hint: 'add it to nodes of the topology' },
        );
      }
      if (end.kind === 'port') interfaces.take(end, title(link));
    }
  }
  return new Map(
    links.map((link) => {
      const wireEnd = (end: Node | Port): TopologyLinkEnd => {
        const { name: node } = nodeOf(end);
        const device = end.kind === 'port' ? end.interface : interfaces.next(end, title(link));
        const mac = (end.kind === 'port' ? end.mac : undefined) ?? macOf(node, device);
        return { node, interface: device, mac };
      };
      const bad = link.impairments === undefined ? {} : { impairments: link.impairments };
      const wired: TopologyLink =
        link.kind === 'lan'
          ? { kind: 'lan', name: link.name, mtu: link.mtu, ends: link.ends.map(wireEnd), ...bad }
          : {
              kind: 'eth',
              name: title(link),
              mtu: link.mtu,
              ends: [wireEnd(link.ends[0]), wireEnd(link.ends[1])],
              ...bad,
            };
      refuseDoubleMac(wired);
      return [link, wired];
    }),
  );
}

/** Which interfaces of which nodes are taken, and by which link. */
class Interfaces {
  readonly #taken = new Map<string, string>();
  readonly #nextIndex = new Map<Node, number>();

  /** Takes the one a port names. */
  take({ node, interface: name }: Port, user: string): void {
    const key = `${node.name} ${name}`;
    const other = this.#taken.get(key);
    if (other !== undefined) {
      throw new TestbedError(
        'ETOPOLOGY',
        `interface ${name} of node ${node.name} ends link ${other} and link ${user}`,
        { hint: 'give each link an interface of its own' },
      );
    }
    if (name === 'lo') {
      throw new TestbedError(
        'ETOPOLOGY',
        `link ${user} ends in interface lo of node ${node.name}, the loopback`,
        { hint: 'choose another name' },
      );
    }
    this.#taken.set(key, user);
  }

  /** Takes the first of e1, e2, ... that is free. */
  next(node: Node, user: string): string {
    for (let index = this.#nextIndex.get(node) ?? 1; ; index++) {
      if (this.#taken.has(`${node.name} e${index}`)) continue;
      this.#nextIndex.set(node, index + 1);
      this.#taken.set(`${node.name} e${index}`, user);
      return `e${index}`;
    }
  }
}

/** The names that were given, and for the others the first of a-b, a-b-2, a-b-3, ... that is free. */
function nameLinks(links: readonly Link[]): Map<Link, string> {
  distinct(
    links.filter((link) => link.isNamed),
    'link',
  );
  const used = new Set(links.filter((link) => link.isNamed).map((link) => link.name));
  const titles = new Map<Link, string>();
  for (const link of links) {
    let title = link.name;
    for (let count = 2; !link.isNamed && used.has(title); count++) title = `${link.name}-${count}`;
    used.add(title);
    titles.set(link, title);
  }
  return titles;
}

function refuseDoubleMac({ name: link, kind, ends }: TopologyLink): void {
  const seen = new Map<string, TopologyLinkEnd>();
  for (const end of ends) {
    const other = seen.get(end.mac);
    if (other !== undefined) {
      const who =
        kind === 'lan' ? `${other.node} and ${end.node} in LAN ${link}` : `both ends of link ${link}`;
      throw new TestbedError('ETOPOLOGY', `${who} have the MAC address ${end.mac}`, {
        hint: 'give each one of its own',
      });
    }
    seen.set(end.mac, end);
  }
}

/** An interface has the same address whatever else there is: locally administered, "o", and a hash of its place. */
function macOf(node: string, device: string): string {
  const digits = hashName(`${node} ${device}`, 'SHA3_256').toString('hex', 0, 4);
  return `02:6f:${digits.match(/../g)?.join(':')}`;
}
