/** One layer: its members, who is a neighbour of whom, routes, directory, and who enrolled with whom. */
import type { Model } from '../model.ts';
import type { Row, Table } from '../table.ts';
import { bold, clock, dim, type Line, plain } from '../text.ts';
import { layersOf, markOf, type Member, membersOf, nodeOfAddress, nodeOfIpcp } from './layers.ts';
import type { LayerSection, Subject, View } from './view.ts';

export const layerView: View = {
  table: (model, subject) => {
    const layer = shownLayer(model, subject);
    if (layer === undefined)
      return { columns: [{ title: 'MEMBER' }], rows: [], empty: 'there are no layers yet' };
    return sections[subject.section](model, layer);
  },
  details,
};

/** The layer that is shown: the one that was chosen, or the first. */
export function shownLayer(model: Model, { layer }: Subject): string | undefined {
  return layer ?? layersOf(model)[0]?.name;
}

const sections: Readonly<Record<LayerSection, (model: Model, layer: string) => Table>> = {
  members: (model, layer) => ({
    columns: [
      { title: 'NODE' },
      { title: 'IPCP' },
      { title: 'STATE' },
      { title: 'ADDRESS' },
      { title: 'DEVICE' },
      { title: 'NEIGHBOURS', align: 'right' },
      { title: 'ROUTES', align: 'right' },
      { title: 'FLOWS', align: 'right' },
    ],
    rows: membersOf(model, layer).map((member): Row => {
      const { node, ipcp, found } = member;
      const { symbol, text, colour } = markOf(found);
      const connections = [...(found?.adjacencies.values() ?? [])].filter(
        ({ component }) => component === 'dt',
      );
      const up = connections.filter((each) => each.up).length;
      const flows = [...(model.nodes.get(node)?.flows.values() ?? [])].filter(
        (flow) => flow.ipcp === found?.pid,
      );
      const device = found?.device ?? '-';
      return {
        key: node,
        node,
        cells: [
          { text: node },
          { text: ipcp },
          { text: `${symbol} ${text}`, colour },
          { text: found?.address ?? '-' },
          found?.linkUp === false ? { text: `${device} down`, colour: 'red' } : { text: device },
          {
            text: up === connections.length ? String(up) : `${up}/${connections.length}`,
            by: up,
            colour: up < connections.length ? 'red' : undefined,
          },
          { text: String(found?.routes.size ?? 0), by: found?.routes.size ?? 0 },
          { text: String(flows.length), by: flows.length },
        ],
      };
    }),
    empty: 'the layer has no members',
  }),

  adjacencies: (model, layer) => {
    const members = membersOf(model, layer);
    const named = nodeOfAddress(members);
    const asked = nodeOfIpcp(members);
    return {
      columns: [
        { title: 'NODE' },
        { title: 'NEIGHBOUR' },
        { title: 'STATE' },
        { title: 'COMPONENT' },
        { title: 'ADDRESS' },
        { title: 'ASKED FOR' },
        { title: 'RUNTIME' },
      ],
      rows: members.flatMap(({ node, found }) =>
        [...(found?.adjacencies.values() ?? [])].map(
          ({ id, component, peer, destination, up, prototype }): Row => ({
            key: `${node} ${id}`,
            node,
            cells: [
              { text: node },
              { text: named(peer) ?? asked(destination) ?? '-' },
              { text: up ? '● up' : '✗ down', colour: up ? 'green' : 'red' },
              { text: component },
              { text: peer ?? '-' },
              { text: destination ?? '-' },
              { text: prototype ? 'prototype' : 'ours' },
            ],
          }),
        ),
      ),
      empty: 'no neighbours; layers over a link have none',
    };
  },

  routes: (model, layer) => {
    const members = membersOf(model, layer);
    const named = nodeOfAddress(members);
    return {
      columns: [
        { title: 'NODE' },
        { title: 'DESTINATION' },
        { title: 'LINKS', align: 'right' },
        { title: 'NEXT HOP' },
        { title: 'ALTERNATES', stretches: true },
      ],
      rows: members.flatMap(({ node, found }) =>
        [...(found?.routes.values() ?? [])].map(({ address, links, via }): Row => {
          const [first = '-', ...others] = via.map((each) => named(each) ?? each);
          return {
            key: `${node} ${address}`,
            node,
            cells: [
              { text: node },
              { text: named(address) ?? address },
              { text: String(links), by: links },
              { text: first },
              { text: others.join(' ') || '-' },
            ],
          };
        }),
      ),
      empty: 'no routes; only unicast layers have them',
    };
  },

  directory: (model, layer) => ({
    columns: [
      { title: 'NAME' },
      { title: 'NODE' },
      { title: 'IPCP' },
      { title: 'SERVED BY', stretches: true },
    ],
    rows: membersOf(model, layer).flatMap(({ node, ipcp, found }) =>
      (found?.registered ?? []).map((name): Row => {
        const processes = [...(model.nodes.get(node)?.processes.values() ?? [])];
        const serving = processes.filter(({ names }) => names.includes(name));
        const text = serving.map(({ pid, program }) => `${program} ${pid}`).join(', ');
        return {
          key: `${node} ${name}`,
          node,
          cells: [
            { text: name },
            { text: node },
            { text: ipcp },
            text === '' ? { text: 'no process', colour: 'yellow' } : { text },
          ],
        };
      }),
    ),
    empty: 'no names are registered',
  }),

  enrolment: (model, layer) => {
    const members = membersOf(model, layer);
    const columns = [{ title: 'MEMBER' }, { title: 'STATE' }, { title: 'ADDRESS' }, { title: 'SINCE' }];
    const parents = parentsOf(model, layer, members);
    if (parents === undefined) return { columns, rows: [], empty: 'nobody enrols in a layer over a link' };
    const rows: Row[] = [];
    const seen = new Set<string>();
    const walk = (member: Member, indent: string, joint: string): void => {
      if (seen.has(member.node)) return;
      seen.add(member.node);
      const { symbol, text, colour } = markOf(member.found);
      const joined = member.found?.joined;
      rows.push({
        key: member.node,
        node: member.node,
        cells: [
          { text: `${indent}${joint}${member.node}` },
          { text: `${symbol} ${text}`, colour },
          { text: member.found?.address ?? '-' },
          { text: joined ? clock(joined.at) : '-', by: joined?.at },
        ],
      });
      const below = members.filter(({ node }) => parents.get(node) === member.node);
      const inner = joint === '' ? '' : indent + (joint.startsWith('└') ? '   ' : '│  ');
      below.forEach((each, at) => walk(each, inner, at === below.length - 1 ? '└─ ' : '├─ '));
    };
    for (const member of members) if (!parents.has(member.node)) walk(member, '', '');
    // Who enrolled with somebody that is not known any more.
    for (const member of members) walk(member, '', '');
    return { columns, rows, empty: 'the layer has no members' };
  },
};

/** With whom each node enrolled, or is to enrol; undefined for a layer in which nobody does. */
function parentsOf(
  { topology }: Model,
  layer: string,
  members: readonly Member[],
): ReadonlyMap<string, string> | undefined {
  const wanted = topology?.layers.find(({ name }) => name === layer);
  const parents = new Map<string, string>();
  if (wanted !== undefined && 'enrolments' in wanted) {
    for (const { node, with: parent } of wanted.enrolments) parents.set(node, parent);
  }
  const named = nodeOfIpcp(members);
  for (const { node, found } of members) {
    const parent = named(found?.joined?.destination ?? null);
    if (parent !== undefined && parent !== node) parents.set(node, parent);
  }
  const isStacked = (wanted !== undefined && 'enrolments' in wanted) || parents.size > 0;
  return isStacked ? parents : undefined;
}

function details(model: Model, key: string, subject: Subject): Line[] {
  const layer = shownLayer(model, subject) ?? '';
  const members = membersOf(model, layer);
  const words = key.split(' ');
  const member = members.find(({ node }) => node === words[0]);
  if (member?.found === undefined) return [[plain(`node ${words[0]} has no member of layer ${layer}`)]];
  const { node, ipcp, found } = member;
  const { text, colour } = markOf(found);
  const named = nodeOfAddress(members);
  const figures = (values: Readonly<Record<string, number>> | undefined): Line[] => {
    const moved = Object.entries(values ?? {}).filter(([, value]) => value !== 0);
    return moved.length === 0
      ? [[dim('  none')]]
      : moved.map(([name, value]) => [plain(`  ${name} ${value}`)]);
  };
  const joined =
    found.joined === null
      ? 'not in a layer'
      : found.joined.by === 'bootstrap'
        ? `bootstrapped at ${clock(found.joined.at)}`
        : `enrolled with ${found.joined.destination ?? '?'} at ${clock(found.joined.at)}`;
  return [
    [bold(`${ipcp} of layer ${layer} on node ${node}  `), { text, colour }],
    [
      plain(
        `${found.type}, pid ${found.pid}, process ${found.hostPid}, address ${found.address ?? '-'}, device ${found.device ?? '-'}`,
      ),
    ],
    [plain(joined)],
    [],
    [bold('ROUTES')],
    ...[...found.routes.values()].map(({ address, links, via }): Line => [
      plain(
        `  ${named(address) ?? address}  ${links} links  by ${via.map((each) => named(each) ?? each).join(', ')}`,
      ),
    ]),
    [],
    [bold('NAMES')],
    [plain(`  ${found.registered.join(', ') || 'none'}`)],
    [],
    [bold('HOLDS')],
    ...figures(found.counts?.gauges),
    [],
    [bold('COUNTED')],
    ...figures(found.counts?.counters),
  ];
}
