/** What docs/tools.md says of the events that a tool prints with `--json`. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Tool } from './command.ts';

interface Documented {
  readonly required: ReadonlySet<string>;
  readonly optional: ReadonlySet<string>;
}

const page = readFileSync(new URL('../../docs/tools.md', import.meta.url), 'utf8');

/** Fields of each type of event of a tool. */
function documentedEvents(tool: Tool): ReadonlyMap<string, Documented> {
  const section = new RegExp(`\\n## ${tool}\\n(.*?)(?=\\n## |$)`, 's').exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)`\s*\|[^|]*\|([^|]*)\|$/gm)];
  return new Map(
    rows.map(([, type = '', fields = '']) => {
      // Values that a field may have stand in brackets behind it.
      const names = [...fields.replaceAll(/\([^)]*\)/g, '').matchAll(/`(\w+)(\??)`/g)];
      const of = (mark: string): Set<string> =>
        new Set(names.filter(([, , optional]) => optional === mark).map(([, name = '']) => name));
      return [type, { required: of(''), optional: of('?') }];
    }),
  );
}

/** The events in what a tool printed, each of which must be as the page says. */
export function eventsOf(tool: Tool, output: string): Record<string, unknown>[] {
  const documented = documentedEvents(tool);
  const events = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown> & { type: string });
  for (const event of events) {
    const known = documented.get(event.type);
    expect(known, `docs/tools.md, ${tool}: ${event.type}`).toBeDefined();
    const fields = Object.keys(event).filter((name) => name !== 'type');
    expect(fields.filter((name) => known?.optional.has(name) !== true).toSorted()).toEqual(
      [...(known?.required ?? [])].toSorted(),
    );
  }
  return events;
}
