/**
 * The plan: a topology as a graph of steps. Each step can be done again without harm, names the steps it
 * has to wait for, and says how a person would do it.
 */
import { basename } from 'node:path';
import type { BootstrapConfig, IpcpType } from '../../runtime/lib/index.ts';
import type { Topology, TopologyLayer, TopologyLink, TopologyMember } from '../model/topology.ts';
import { commandLine } from './command-line.ts';

/** What a step does, as data. */
export type Action =
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'link'; readonly link: TopologyLink }
  | { readonly kind: 'irmd'; readonly node: string }
  | {
      readonly kind: 'bootstrap';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly layer: string;
      readonly config: BootstrapConfig;
    }
  | { readonly kind: 'register'; readonly node: string; readonly name: string; readonly ipcp: string }
  | {
      readonly kind: 'serve';
      readonly node: string;
      readonly name: string;
      readonly command: readonly string[];
      /** Name of the server's log, one for each server of a node. */
      readonly log: string;
    };

export interface Step {
  readonly id: string;
  /** Steps that must be done before. */
  readonly after: readonly string[];
  readonly phase: string;
  /** The node it happens on; absent for what lies between nodes. */
  readonly node?: string;
  readonly text: string;
  /** The command line that does it on the node, where there is one. */
  readonly command?: string;
  readonly action: Action;
}

export interface Plan {
  /** In the order in which they are shown; their steps may overlap. */
  readonly phases: readonly string[];
  readonly steps: readonly Step[];
}

/** The steps that build a topology from nothing. */
export function plan(topology: Topology): Plan {
  const steps = [
    ...topology.nodes.map((node) => nodeStep(node.name)),
    ...topology.links.map(linkStep),
    ...topology.nodes.map((node) => irmdStep(node.name)),
    ...topology.layers.flatMap((layer) => layer.members.map((member) => bootstrapStep(layer, member))),
    ...topology.registrations.map(registerStep),
    ...serveSteps(topology),
  ];
  return { phases: [...new Set(steps.map((step) => step.phase))], steps };
}

function nodeStep(node: string): Step {
  return {
    id: `node ${node}`,
    after: [],
    phase: 'nodes',
    node,
    text: `node ${node}`,
    action: { kind: 'node', node },
  };
}

function linkStep(link: TopologyLink): Step {
  const [from, to] = link.ends;
  return {
    id: `link ${link.name}`,
    after: [`node ${from.node}`, `node ${to.node}`],
    phase: 'links',
    text: `link ${link.name}: ${from.node} ${from.interface} to ${to.node} ${to.interface}, MTU ${link.mtu}`,
    action: { kind: 'link', link },
  };
}

function irmdStep(node: string): Step {
  return {
    id: `irmd ${node}`,
    after: [`node ${node}`],
    phase: 'irmd',
    node,
    text: `irmd on ${node}`,
    command: 'irmd --stdout',
    action: { kind: 'irmd', node },
  };
}

function bootstrapStep(layer: TopologyLayer, member: TopologyMember): Step {
  const { node, ipcp } = member;
  const { ethertype, hash } = layer;
  const options = ['dev', member.interface];
  if (ethertype !== undefined) options.push('ethertype', `0x${ethertype.toString(16).toUpperCase()}`);
  if (hash !== undefined) options.push('hash', hash);
  return {
    id: `ipcp ${ipcp}`,
    after: [`irmd ${node}`, `link ${layer.link}`],
    phase: `layer ${layer.name}`,
    node,
    text: `IPCP ${ipcp} on ${node}`,
    command: `irm ipcp bootstrap name ${ipcp} layer ${layer.name} type ${layer.kind} ${options.join(' ')}`,
    action: {
      kind: 'bootstrap',
      node,
      ipcp,
      type: layer.kind,
      layer: layer.name,
      config: { dev: member.interface, ethertype, hash },
    },
  };
}

function registerStep(registration: Topology['registrations'][number]): Step {
  const { name, node, ipcp } = registration;
  return {
    id: `register ${name} ${ipcp}`,
    after: [`ipcp ${ipcp}`],
    phase: 'names',
    node,
    text: `name ${name} at ${ipcp}`,
    command: `irm name register ${commandLine([name])} ipcp ${ipcp}`,
    action: { kind: 'register', node, name, ipcp },
  };
}

function serveSteps(topology: Topology): Step[] {
  const logs = new Set<string>();
  return topology.servers.map(({ node, name, command }, index) => {
    const program = basename(command[0] ?? '').replaceAll(/[^\w.-]/g, '_');
    let log = program;
    for (let count = 2; logs.has(`${node} ${log}`); count++) log = `${program}-${count}`;
    logs.add(`${node} ${log}`);
    const names = topology.registrations.filter((each) => each.node === node && each.name === name);
    return {
      id: `server ${index + 1} ${name} ${node}`,
      after: [`irmd ${node}`, ...names.map((each) => `register ${name} ${each.ipcp}`)],
      phase: 'servers',
      node,
      text: `server ${name} on ${node}`,
      command: `${commandLine(command)} & irm bind process $! name ${commandLine([name])}`,
      action: { kind: 'serve', node, name, command, log },
    };
  });
}
