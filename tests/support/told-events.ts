/** What `irm events --json` prints, each line held against the schema of docs/events.md. */
import * as v from 'valibot';
import { eventSchema } from '../../runtime/irmd/event-schema.ts';
import type { IrmEvent, IrmSnapshot } from '../../runtime/lib/index.ts';
import { program } from './command.ts';
import type { TestNode } from './node.ts';
import { until } from './until.ts';

export type Told = IrmEvent | IrmSnapshot;

/** A running `irm events --json` and what it has printed. */
export async function listen(node: TestNode, ...words: string[]): Promise<() => Told[]> {
  const running = node.spawn(program('irm'), ['events', '--json', ...words]);
  const told = (): Told[] =>
    running.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => v.parse(eventSchema, JSON.parse(line)) as Told);
  await until('the snapshot', () => told().length > 0);
  return told;
}

type Of<Event, T = Told> = T extends { readonly event: infer E } ? (Event extends E ? T : never) : never;

export function findEvent<const Event extends Told['event']>(
  told: readonly Told[],
  event: Event,
  matches: (found: Of<Event>) => boolean = () => true,
): Of<Event> | undefined {
  return told.find((each) => each.event === event && matches(each as Of<Event>)) as Of<Event> | undefined;
}
