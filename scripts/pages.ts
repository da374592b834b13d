/** The pages of docs/ that are made from schemas. `npm run generate` writes them; a test holds them against the schemas. */
import * as v from 'valibot';
import { changeTypes, countersType, eventTypes, snapshotType } from '../runtime/irmd/event-schema.ts';
import { SchemaTables } from './schema-tables.ts';

const tables = new SchemaTables(eventTypes);

/** docs/events.md */
export function eventsPage(): string {
  return page([
    '# Events',
    `What happens on a node can be followed in three ways, which tell the same:

- \`irm events --json\` prints one JSON object a line, \`irm events\` the changes as lines to read. Counters come each
  second; \`--interval SECONDS\` sets another time, 0 none.
- \`events.subscribe\` on \`irm.sock\` (see [rpc.md](rpc.md)) answers with a snapshot and then sends notifications
  \`event\`, whose parameters are the events below.
- \`IrmClient.events()\` of \`o7s-testbed/lib\` yields them as values of the types \`IrmSnapshot\` and \`IrmEvent\`.`,
    `The first event is a \`snapshot\`. A change follows as soon as irmd knows of it: what commands and processes do at once,
what IPCPs find out (adjacencies, routes, links, whether a flow is up) within a tenth of a second, because an ipcpd tells
what belongs together in one message, ten times a second at most. As long as nobody listens it is not asked for anything.`,
    `For a reader that does not read, irmd holds 1 MiB. What comes then is dropped and counted, and when the reader has caught
up it gets another \`snapshot\` that says how many were \`dropped\`: whoever replaces all it knows by a snapshot is never
wrong for long. Counters are totals: to be told later loses nothing.`,
    `Fields and events are only ever added. This page is made from \`runtime/irmd/event-schema.ts\`, which tests hold against
the types and against the events of running nodes.`,
    '## Events',
    ...[snapshotType, ...changeTypes, countersType].flatMap((type) => [
      `### ${eventsOf(type)
        .map((name) => `\`${name}\``)
        .join(', ')}`,
      v.getDescription(type) ?? '',
      tables.fields(type, ['event', 'at']),
    ]),
    'Each has `event`, its name, and `at`, its moment in ms since 1970.',
    '## Types',
    ...Object.entries(eventTypes).flatMap(([name, type]) => [`### ${name}`, tables.fields(type)]),
  ]);
}

function eventsOf(type: v.GenericSchema): readonly string[] {
  const { event } = (
    type as unknown as { readonly entries: { readonly event: { options: readonly string[] } } }
  ).entries;
  return event.options;
}

function page(paragraphs: readonly string[]): string {
  return `${paragraphs.filter((text) => text !== '').join('\n\n')}\n`;
}
