/** Nodes by layers: how each IPCP is. */
import type { Model } from '../model.ts';
import type { Cell } from '../table.ts';
import { conditionColour, layersOf, markOf, membersOf } from './layers.ts';
import { nodeDetails } from './topology.ts';
import type { View } from './view.ts';

export const gridView: View = {
  table: (model) => {
    const layers = layersOf(model);
    const members = layers.map(
      ({ name }) => new Map(membersOf(model, name).map((member) => [member.node, member])),
    );
    return {
      columns: [{ title: 'NODE' }, ...layers.map(({ name }) => ({ title: name }))],
      rows: [...model.nodes.values()].map((node) => ({
        key: node.name,
        node: node.name,
        cells: [
          { text: node.name, colour: conditionColour(node.condition) },
          ...members.map((of): Cell => {
            const member = of.get(node.name);
            if (member === undefined) return { text: '·', colour: 'grey' };
            const { symbol, text, colour } = markOf(member.found);
            return { text: text === 'operational' ? symbol : `${symbol} ${text}`, colour };
          }),
        ],
      })),
      empty: 'no nodes yet',
    };
  },
  details: (model: Model, key) => nodeDetails(model, key),
};
