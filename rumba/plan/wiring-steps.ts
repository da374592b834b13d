/** The steps that make nodes, links and addresses. */
import type {
  Topology,
  TopologyCable,
  TopologyLan,
  TopologyLink,
  TopologyLinkEnd,
  TopologyNode,
} from '../model/topology.ts';
import { impairmentText, isPerfect } from '../model/impairment.ts';
import { type Step, step } from './action.ts';
import { commandLine } from './command-line.ts';
import { hostsFile, hostsLines } from './hosts.ts';

export function nodeSteps(node: TopologyNode): Step[] {
  const { name, cpus, memoryBytes, tun, image, runtime } = node;
  const limits = cpus !== undefined || memoryBytes !== undefined;
  // What a node cannot get later.
  const description = {
    name,
    ...(tun === undefined ? {} : { tun }),
    ...(image === undefined ? {} : { image }),
    ...(runtime === undefined ? {} : { runtime }),
  };
  const what = [
    ...(runtime === undefined ? [] : [`of runtime ${runtime.name}`]),
    ...(image === undefined ? [] : [`of image ${image}`]),
  ];
  return [
    step({
      id: `node ${name}`,
      after: [],
      phase: 'nodes',
      node: name,
      text: [`node ${name}`, ...what].join(' '),
      action: { kind: 'node', node: name, description },
    }),
    ...(limits
      ? [
          step({
            id: `limit ${name}`,
            after: [`node ${name}`],
            needs: [`node ${name}`],
            phase: 'nodes',
            node: name,
            text: `limits of ${name}: ${limitText(cpus, memoryBytes)}`,
            action: { kind: 'limit', node: name, cpus, memoryBytes },
          }),
        ]
      : []),
  ];
}

function limitText(cpus: number | undefined, memoryBytes: number | undefined): string {
  const parts = [
    ...(cpus === undefined ? [] : [`${cpus} cpus`]),
    ...(memoryBytes === undefined ? [] : [`${Math.round(memoryBytes / 1e6)} MB`]),
  ];
  return parts.join(', ');
}

export function linkSteps(link: TopologyLink): Step[] {
  const wires = link.kind === 'lan' ? lanSteps(link) : [cableStep(link)];
  return [...wires, ...impairSteps(link, wires), ...addressSteps(link)];
}

function impairSteps(link: TopologyLink, wires: readonly Step[]): Step[] {
  const { name, impairments } = link;
  if (impairments === undefined || impairments.every(isPerfect)) return [];
  const [there, back] = impairments.map(impairmentText);
  const text = there === back ? there : `${there} there, ${back} back`;
  return [
    step({
      id: `impair ${name}`,
      after: wires.map(({ id }) => id),
      needs: wires.map(({ id }) => id),
      phase: 'impairments',
      text: `link ${name}: ${text}`,
      content: JSON.stringify(impairments),
      action: { kind: 'impair', link, impairments },
    }),
  ];
}

function cableStep(link: TopologyCable): Step {
  const [from, to] = link.ends;
  const nodes = [`node ${from.node}`, `node ${to.node}`];
  return step({
    id: `link ${link.name}`,
    after: nodes,
    needs: nodes,
    phase: 'links',
    text: `link ${link.name}: ${from.node} ${from.interface} to ${to.node} ${to.interface}, MTU ${link.mtu}`,
    content: JSON.stringify([link.mtu, link.ends.map(({ node, interface: name, mac }) => [node, name, mac])]),
    action: { kind: 'cable', link },
  });
}

function lanSteps({ name, mtu, ends }: TopologyLan): Step[] {
  const bridge = step({
    id: `lan ${name}`,
    after: [],
    phase: 'links',
    text: `LAN ${name}, MTU ${mtu}`,
    action: { kind: 'lan', lan: name, mtu },
  });
  const plugs = ends.map((end) => {
    const places = [`lan ${name}`, `node ${end.node}`];
    return step({
      id: `plug ${end.node} ${end.interface}`,
      after: places,
      needs: places,
      phase: 'links',
      text: `${end.node} ${end.interface} in LAN ${name}`,
      content: JSON.stringify([name, mtu, end.mac]),
      action: { kind: 'plug', node: end.node, lan: name, mtu, end },
    });
  });
  return [bridge, ...plugs];
}

/** The step that makes an interface of a node. */
export function interfaceId(link: TopologyLink, node: string, device: string): string {
  return link.kind === 'lan' ? `plug ${node} ${device}` : `link ${link.name}`;
}

export function addressId(node: string, device: string, ip: string): string {
  return `address ${node} ${device} ${ip}`;
}

function addressSteps(link: TopologyLink): Step[] {
  return link.ends.flatMap(({ node, interface: device, addresses = [] }: TopologyLinkEnd) =>
    addresses.map((address) => {
      const place = [interfaceId(link, node, device)];
      return step({
        id: addressId(node, device, address.slice(0, address.indexOf('/'))),
        after: place,
        needs: place,
        phase: 'addresses',
        node,
        text: `address ${address} at ${device} of ${node}`,
        command: `ip address add ${addressWords(device, address).join(' ')}`,
        action: { kind: 'address', node, interface: device, address },
      });
    }),
  );
}

/** What `ip address` is told. An IPv6 address is used at once: who else should have it? */
export function addressWords(device: string, address: string): string[] {
  return [address, 'dev', device, ...(address.includes(':') ? ['nodad'] : [])];
}

export function hostsSteps(topology: Topology, node: string): Step[] {
  const lines = hostsLines(topology, node);
  if (lines.length === 0) return [];
  return [
    step({
      id: `hosts ${node}`,
      after: [`node ${node}`],
      needs: [`node ${node}`],
      phase: 'hosts files',
      node,
      text: `hosts file of ${node}`,
      command: `printf '%s\\n' ${commandLine(lines)} >>${hostsFile}`,
      action: { kind: 'hosts', node, lines },
    }),
  ];
}
