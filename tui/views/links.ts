/** Links: what they carry, and what is done to it. */
import { keyOf, type Model, type Rates } from '../model.ts';
import type { Row } from '../table.ts';
import { bitRate, bold, coloured, type Line, plain, quantity, sparkline } from '../text.ts';
import { isDown } from './topology.ts';
import type { View } from './view.ts';

const barWidth = 16;

export const linksView: View = {
  table: (model) => ({
    columns: [
      { title: 'LINK' },
      { title: 'FROM' },
      { title: 'TO' },
      { title: 'SENDS', align: 'right' },
      { title: 'LATELY' },
      { title: 'DROPPED', align: 'right' },
      { title: 'IMPAIRMENT', stretches: true },
    ],
    rows: (model.topology?.links ?? []).flatMap((link) =>
      link.ends.map((end): Row => {
        const rates = model.rates.get(keyOf(end.node, end.interface));
        const others = link.ends.filter((other) => other !== end);
        const [other] = others;
        const sends = rates?.tx.at(-1) ?? 0;
        const dropped = (rates?.txDropped ?? 0) + (rates?.rxDropped ?? 0);
        const impairment = model.impairments.get(link.name) ?? '';
        const isOff = link.ends.some(({ node }) => model.nodes.get(node)?.condition === 'ended');
        return {
          key: `${link.name} ${end.node} ${end.interface}`,
          node: end.node,
          cells: [
            { text: link.name },
            { text: `${end.node}:${end.interface}` },
            {
              text:
                other === undefined || others.length > 1
                  ? `LAN of ${link.ends.length}`
                  : `${other.node}:${other.interface}`,
            },
            { text: rates === undefined ? '-' : bitRate(sends), by: sends },
            { text: sparkline(rates?.tx ?? [], barWidth), by: sends, colour: 'cyan' },
            { text: String(dropped), by: dropped, colour: dropped > 0 ? 'yellow' : undefined },
            isOff
              ? { text: 'an end is gone', colour: 'red' }
              : {
                  text: impairment || '-',
                  colour: impairment === '' ? undefined : isDown(impairment) ? 'red' : 'yellow',
                },
          ],
        };
      }),
    ),
    empty: 'no links',
  }),
  details,
};

function details(model: Model, key: string): Line[] {
  const [name = ''] = key.split(' ');
  const link = model.topology?.links.find((each) => each.name === name);
  if (link === undefined) return [[plain(`there is no link ${name}`)]];
  const impairment = model.impairments.get(name) ?? '';
  return [
    [bold(`link ${name}  `), plain(`${link.kind === 'lan' ? 'LAN' : 'cable'}, MTU ${link.mtu} bytes`)],
    [impairment === '' ? plain('not impaired') : coloured('yellow', impairment)],
    [],
    ...link.ends.flatMap((end): Line[] => {
      const rates = model.rates.get(keyOf(end.node, end.interface));
      return [
        [bold(`${end.node}:${end.interface}`), plain(`  ${end.mac}  ${end.addresses?.join(' ') ?? ''}`)],
        ...direction('sends', rates?.tx, rates?.txBytes, rates),
        ...direction('receives', rates?.rx, rates?.rxBytes, rates),
        [],
      ];
    }),
  ];
}

function direction(
  word: string,
  samples: readonly number[] | undefined,
  bytes: number | undefined,
  rates: Rates | undefined,
): Line[] {
  if (samples === undefined || bytes === undefined || rates === undefined)
    return [[plain(`  ${word}: not measured`)]];
  const most = Math.max(0, ...samples);
  const now = bitRate(samples.at(-1) ?? 0);
  return [
    [plain(`  ${word.padEnd(8)} ${now}, at most ${bitRate(most)}, ${quantity(bytes, 'B')} in all`)],
    [plain('           '), coloured('cyan', sparkline(samples, 60).trimStart())],
  ];
}
