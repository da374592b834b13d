/** What happened, in order: events, lines of logs, and commands. */
import type { Level } from '../model.ts';
import { bold, clock, type Colour, coloured, duration, type Line, moment, plain } from '../text.ts';
import type { View } from './view.ts';

const levelColours: Readonly<Record<Level, Colour | undefined>> = {
  good: 'green',
  bad: 'red',
  plain: undefined,
};
const logColours: Readonly<Record<string, Colour>> = { EE: 'red', WW: 'yellow', DB: 'grey' };

/** Number of a row among all there ever were. */
const numbered = (total: number, count: number, at: number): string => String(total - count + at);

export const eventsView: View = {
  table: ({ events: { rows, total } }) => ({
    columns: [{ title: 'TIME' }, { title: 'NODE' }, { title: 'EVENT' }, { title: 'WHAT', stretches: true }],
    rows: rows.map(({ at, node, kind, text, level }, order) => ({
      key: numbered(total, rows.length, order),
      node: node || undefined,
      cells: [
        { text: clock(at), by: at },
        { text: node || '-' },
        { text: kind, colour: levelColours[level] },
        { text },
      ],
    })),
    empty: 'nothing happened yet',
    tails: true,
  }),
  details: ({ events: { rows, total } }, key) => {
    const row = rows[Number(key) - total + rows.length];
    if (row === undefined) return [[plain('the event is not kept any more')]];
    return [
      [bold(row.kind), plain(`  ${moment(row.at)}  ${row.node === '' ? '' : `node ${row.node}`}`)],
      [],
      [plain(row.text)],
    ];
  },
};

export const logsView: View = {
  table: ({ logs: { rows, total } }, { logsOf }) => ({
    columns: [
      { title: 'TIME' },
      { title: 'NODE' },
      { title: 'LOG' },
      { title: 'LEVEL' },
      { title: 'TEXT', stretches: true },
    ],
    rows: rows.flatMap(({ at, node, log, level, text }, order) =>
      logsOf !== undefined && node !== logsOf
        ? []
        : [
            {
              key: numbered(total, rows.length, order),
              node,
              cells: [
                { text: clock(at), by: at },
                { text: node },
                { text: log },
                { text: level, colour: logColours[level] },
                { text, colour: logColours[level] },
              ],
            },
          ],
    ),
    empty: logsOf === undefined ? 'no logs yet' : `no logs of node ${logsOf} yet`,
    tails: true,
  }),
  details: ({ logs: { rows, total } }, key) => {
    const row = rows[Number(key) - total + rows.length];
    if (row === undefined) return [[plain('the line is not kept any more')]];
    return [
      [bold(`log ${row.log} of node ${row.node}`), plain(`  ${moment(row.at)}`)],
      [],
      [plain(row.text)],
    ];
  },
};

export const commandsView: View = {
  table: ({ commands: { rows, total } }) => ({
    columns: [
      { title: 'TIME' },
      { title: 'NODE' },
      { title: 'TOOK', align: 'right' },
      { title: 'COMMAND', stretches: true },
    ],
    rows: rows.map(({ at, node, command, ms, error }, order) => ({
      key: numbered(total, rows.length, order),
      node: node || undefined,
      cells: [
        { text: clock(at), by: at },
        { text: node || '-' },
        { text: ms === null ? '-' : duration(Math.round(ms)), by: ms ?? -1 },
        error === null ? { text: command } : { text: `${command}: ${error}`, colour: 'red' as const },
      ],
    })),
    empty: 'no commands yet',
    tails: true,
  }),
  details: ({ commands: { rows, total } }, key) => {
    const row = rows[Number(key) - total + rows.length];
    if (row === undefined) return [[plain('the command is not kept any more')]];
    const lines: Line[] = [
      [bold(row.node === '' ? 'the testbed' : `node ${row.node}`), plain(`  ${moment(row.at)}`)],
      [],
      [plain(row.command)],
    ];
    if (row.error !== null) lines.push([], [coloured('red', row.error)]);
    return lines;
  },
};
