/** `o7s-testbed events`: what happens in a lab, one JSON object a line. */
import type { CommandModule } from 'yargs';
import { labEvents } from '../../events.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';

interface EventsArguments {
  lab: string | undefined;
}

export const events: CommandModule<object, EventsArguments> = {
  command: 'events',
  describe: 'Tell what happens in a lab, one JSON object a line: first all there is, then each change',
  builder: (yargs) =>
    yargs.option('lab', { type: 'string', requiresArg: true, describe: 'Which lab; else the only one' }),
  handler: async ({ lab }) => {
    const chosen = chooseLab(await labsOfUser(), lab);
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    for await (const event of labEvents(chosen, interrupt.signal)) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
    }
    interrupt.signal.throwIfAborted();
  },
};
