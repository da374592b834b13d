/** Nodes and what joins them: the list of nodes, and their drawing. */
import { drawing } from '../drawing.ts';
import { keyOf, type Model, type NodeModel } from '../model.ts';
import type { Cell, Row } from '../table.ts';
import { bitRate, bold, type Colour, coloured, dim, type Line, plain } from '../text.ts';
import { conditionColour, layersOf, markOf, membersOf } from './layers.ts';
import type { View } from './view.ts';

export const topologyView: View = {
  table: (model) => ({
    columns: [
      { title: 'NODE' },
      { title: 'STATE' },
      { title: 'IPCPS' },
      { title: 'FLOWS', align: 'right' },
      { title: 'RECEIVES', align: 'right' },
      { title: 'SENDS', align: 'right' },
      { title: 'NEIGHBOURS', stretches: true },
    ],
    rows: [...model.nodes.values()].map((node) => rowOf(model, node)),
    empty: 'no nodes yet',
  }),
  details: (model, name) => nodeDetails(model, name),
};

function rowOf(model: Model, node: NodeModel): Row {
  const { there, wanted } = ipcpCount(model, node);
  const { rx, tx } = nodeRates(model, node.name);
  const cells: Cell[] = [
    { text: node.name },
    { text: node.condition, colour: conditionColour(node.condition) },
    { text: `${there}/${wanted}`, by: there, colour: there < wanted ? 'yellow' : undefined },
    { text: String(node.flows.size), by: node.flows.size },
    rateCell(rx),
    rateCell(tx),
    { text: neighboursOf(model, node.name).join(' ') },
  ];
  return { key: node.name, node: node.name, cells };
}

/** The IPCPs of a node that are up, and how many there are or are to be. */
export function ipcpCount(
  { topology }: Model,
  { name, ipcps }: NodeModel,
): { there: number; wanted: number } {
  const layers = topology?.layers.filter(({ members }) => members.some(({ node }) => node === name)) ?? [];
  const there = [...ipcps.values()].filter(
    ({ state, crashed }) => state === 'operational' && !crashed,
  ).length;
  return { there, wanted: Math.max(layers.length, ipcps.size) };
}

/** What all interfaces of a node carry; undefined where nothing was measured. */
function nodeRates({ rates }: Model, node: string): { rx: number | undefined; tx: number | undefined } {
  let rx: number | undefined;
  let tx: number | undefined;
  const own = keyOf(node, '');
  for (const [key, rate] of rates) {
    if (!key.startsWith(own)) continue;
    rx = (rx ?? 0) + (rate.rx.at(-1) ?? 0);
    tx = (tx ?? 0) + (rate.tx.at(-1) ?? 0);
  }
  return { rx, tx };
}

const rateCell = (rate: number | undefined): Cell =>
  rate === undefined ? { text: '-', by: -1 } : { text: bitRate(rate), by: rate };

function neighboursOf({ topology }: Model, node: string): string[] {
  const links = topology?.links.filter(({ ends }) => ends.some((end) => end.node === node)) ?? [];
  return [...new Set(links.flatMap(({ ends }) => ends.map((end) => end.node)))].filter(
    (name) => name !== node,
  );
}

/** The nodes drawn, or undefined where they do not fit. */
export function drawnTopology(
  model: Model,
  selected: string | undefined,
  width: number,
  height: number,
): Line[] | undefined {
  if (model.topology === undefined || model.topology.links.length === 0) return undefined;
  const links = new Map(model.topology.links.map((link) => [link.name, link]));
  return drawing(model.topology, {
    width,
    height,
    boxOf: (name) => {
      const node = model.nodes.get(name);
      if (node === undefined) return { name, text: '', colour: 'grey', selected: false };
      const { there, wanted } = ipcpCount(model, node);
      const flows = node.flows.size === 0 ? '' : ` ⇄${node.flows.size}`;
      const isRunning = node.condition === 'running';
      return {
        name,
        text: isRunning
          ? `● ${there}/${wanted}${flows}`
          : `${node.condition === 'starting' ? '◌' : '✗'} ${node.condition}`,
        colour: isRunning && there < wanted ? 'yellow' : conditionColour(node.condition),
        selected: name === selected,
      };
    },
    linkColour: (name): Colour | undefined => {
      const ends = links.get(name)?.ends ?? [];
      if (ends.some(({ node }) => model.nodes.get(node)?.condition === 'ended')) return 'red';
      const wrong = model.impairments.get(name) ?? '';
      if (wrong !== '') return isDown(wrong) ? 'red' : 'yellow';
      const moves = ends.some(
        (end) => (model.rates.get(keyOf(end.node, end.interface))?.tx.at(-1) ?? 0) > 10_000,
      );
      return moves ? 'cyan' : undefined;
    },
  });
}

/** Whether what is wrong with a link is that it has no carrier. */
export const isDown = (impairment: string): boolean => /(^|: )down\b/.test(impairment);

export function nodeDetails(model: Model, name: string): Line[] {
  const node = model.nodes.get(name);
  if (node === undefined) return [[plain(`there is no node ${name}`)]];
  const ipcps = [...node.ipcps.values()];
  const missing = layersOf(model).flatMap(({ name: layer }) =>
    membersOf(model, layer).filter((member) => member.node === name && member.found === undefined),
  );
  const interfaces =
    model.topology?.links.flatMap((link) =>
      link.ends.filter((end) => end.node === name).map((end) => ({ link, end })),
    ) ?? [];
  const heading = (text: string): Line => [bold(text)];
  return [
    [bold(`node ${name}  `), coloured(conditionColour(node.condition), node.condition)],
    [],
    heading('INTERFACES'),
    ...interfaces.map(({ link, end }): Line => {
      const rate = model.rates.get(keyOf(name, end.interface));
      const others = link.ends
        .filter((other) => other !== end)
        .map((other) => `${other.node}:${other.interface}`);
      const addresses = end.addresses?.join(' ') ?? '';
      return [
        plain(`  ${end.interface}  ${end.mac}  to ${others.join(' ')}  ${addresses}`),
        dim(`  in ${bitRate(rate?.rx.at(-1) ?? 0)}, out ${bitRate(rate?.tx.at(-1) ?? 0)}`),
      ];
    }),
    [],
    heading('IPCPS'),
    ...ipcps.map((ipcp): Line => {
      const { symbol, text, colour } = markOf(ipcp);
      const layer = ipcp.layer === null ? '' : ` in layer ${ipcp.layer}`;
      return [
        { text: `  ${symbol} `, colour },
        plain(`${ipcp.name} (${ipcp.type})${layer}, pid ${ipcp.pid}, `),
        { text, colour },
      ];
    }),
    ...missing.map((member): Line => [coloured('red', `  ○ ${member.ipcp} is missing`)]),
    [],
    heading('PROCESSES'),
    ...[...node.processes.values()].map(({ pid, program, names }): Line => [
      plain(`  ${pid} ${program}`),
      dim(names.length === 0 ? '' : `  serves ${names.join(', ')}`),
    ]),
    [],
    heading('FLOWS'),
    ...[...node.flows.values()].map(({ flowId, name: to, ends, up, layer }): Line => [
      coloured(up ? 'green' : 'red', up ? '  ● ' : '  ✗ '),
      plain(`${flowId} to ${to}${layer === null ? '' : ` through ${layer}`}`),
      dim(`  held by ${ends.map(({ pid, program }) => `${program} ${pid}`).join(', ')}`),
    ]),
  ];
}
