/** `o7s-testbed events`: what happens in a lab, one JSON object a line. */
import type { CommandModule } from 'yargs';
import { labEvents } from '../../events.ts';
import { findAgain } from '../../testbeds/known.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { labOption, nodesPositional } from '../options.ts';
import { writeTo } from '../output.ts';

interface EventsArguments {
  nodes: string[];
  lab: string | undefined;
  event: string[] | undefined;
}

export const events: CommandModule<object, EventsArguments> = {
  command: 'events [nodes..]',
  describe: 'Tell what happens in a lab, one JSON object a line: first all there is, then each change',
  builder: (yargs) =>
    yargs
      .positional('nodes', nodesPositional)
      .option('lab', labOption)
      .option('event', {
        alias: 'e',
        type: 'string',
        array: true,
        requiresArg: true,
        describe:
          'Only events of this name, or of a group: flow.* for all of flows; more than once for several',
      })
      .example('$0 events', 'the lab, a snapshot of each node, then each change, until the lab is down')
      .example("$0 events b -e 'flow.*'", 'flows of node b, as they come and go')
      .example("$0 events | jq -c 'select(.node) | [.node, .event]'", 'for programs'),
  handler: async ({ nodes, lab, event: wanted }) => {
    const chosen = chooseLab(await labsOfUser(), lab);
    for (const name of nodes) chosen.node(name);
    const isWanted = (event: string): boolean => wanted?.some((each) => matches(event, each)) ?? true;
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    const again = (): Promise<Lab | undefined> => findAgain(chosen);
    for await (const event of labEvents(chosen, interrupt.signal, { nodes, again })) {
      if (!process.stdout.writable) break;
      if (isWanted(event.event))
        await writeTo(process.stdout, `${JSON.stringify(event)}\n`, interrupt.signal);
    }
    interrupt.signal.throwIfAborted();
  },
};

function matches(event: string, wanted: string): boolean {
  return wanted.endsWith('*') ? event.startsWith(wanted.slice(0, -1)) : event === wanted;
}
