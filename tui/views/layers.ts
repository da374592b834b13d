/** What is known of layers and their members, for all views. */
import { type IpcpModel, keyOf, type Model, type NodeModel } from '../model.ts';
import type { Colour } from '../text.ts';

export interface LayerFacts {
  readonly name: string;
  readonly kind: string;
  /** Over others, not over a link. */
  readonly stacked: boolean;
}

export interface Member {
  readonly node: string;
  readonly ipcp: string;
  /** Absent where it should be and is not. */
  readonly found: IpcpModel | undefined;
}

/** The layers that there are or are to be, those over others first. */
export function layersOf({ topology, nodes }: Model): LayerFacts[] {
  const layers = new Map<string, LayerFacts>();
  const add = (name: string, kind: string): void => {
    const stacked = kind === 'unicast' || kind === 'broadcast';
    if (!layers.has(name)) layers.set(name, { name, kind, stacked });
  };
  for (const { name, kind } of topology?.layers ?? []) add(name, kind);
  for (const { ipcps } of nodes.values()) {
    for (const { layer, type } of ipcps.values()) if (layer !== null) add(layer, type);
  }
  return [...layers.values()].toSorted((one, other) => Number(other.stacked) - Number(one.stacked));
}

/** The members of a layer, those that are missing too, by node. */
export function membersOf(model: Model, layer: string): Member[] {
  const members = new Map<string, Member>();
  for (const { node, ipcp } of model.topology?.layers.find(({ name }) => name === layer)?.members ?? []) {
    members.set(keyOf(node, ipcp), { node, ipcp, found: ipcpNamed(model.nodes.get(node), ipcp) });
  }
  for (const { name: node, ipcps } of model.nodes.values()) {
    for (const found of ipcps.values()) {
      if (found.layer === layer) members.set(keyOf(node, found.name), { node, ipcp: found.name, found });
    }
  }
  return [...members.values()];
}

function ipcpNamed(node: NodeModel | undefined, name: string): IpcpModel | undefined {
  // One that crashed may have been made anew under its name.
  const all = [...(node?.ipcps.values() ?? [])].filter((ipcp) => ipcp.name === name);
  return all.find(({ crashed }) => !crashed) ?? all[0];
}

export interface Mark {
  readonly symbol: string;
  readonly text: string;
  readonly colour: Colour | undefined;
}

/** How an IPCP is, as a symbol and in a word. */
export function markOf(ipcp: IpcpModel | undefined): Mark {
  if (ipcp === undefined) return { symbol: '○', text: 'missing', colour: 'red' };
  if (ipcp.crashed) return { symbol: '✗', text: 'crashed', colour: 'red' };
  if (ipcp.state === 'operational') return { symbol: '●', text: 'operational', colour: 'green' };
  if (ipcp.state === 'boot') return { symbol: '◌', text: 'boot', colour: 'yellow' };
  return { symbol: '✗', text: ipcp.state, colour: 'red' };
}

export function conditionColour(condition: NodeModel['condition']): Colour {
  return ({ running: 'green', starting: 'yellow', lost: 'red', ended: 'red' } as const)[condition];
}

/** The node whose member has an address, for all members of a layer. */
export function nodeOfAddress(members: readonly Member[]): (address: string | null) => string | undefined {
  const nodes = new Map(
    members.flatMap(({ node, found }) => (found?.address ? [[found.address, node]] : [])),
  );
  return (address) => (address === null ? undefined : nodes.get(address));
}

/** The node of the layer's member that a name leads to: names of IPCPs are theirs. */
export function nodeOfIpcp(members: readonly Member[]): (ipcp: string | null) => string | undefined {
  const nodes = new Map(members.map(({ node, ipcp }) => [ipcp, node]));
  return (ipcp) => (ipcp === null ? undefined : nodes.get(ipcp));
}
