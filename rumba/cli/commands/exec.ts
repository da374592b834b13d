/** `o7s-testbed exec`: a command on a node, as if it were run here. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { forwardSignals } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';

interface ExecArguments {
  node: string;
  lab: string | undefined;
  '--'?: string[];
}

export const exec: CommandModule<object, ExecArguments> = {
  command: 'exec <node>',
  describe: 'Run a command on a node: exec NODE -- CMD...',
  builder: (yargs) =>
    yargs
      .positional('node', { type: 'string', demandOption: true, describe: 'Name of the node' })
      .option('lab', { type: 'string', requiresArg: true, describe: 'Which lab; else the only one' }),
  handler: async ({ node, lab, '--': command = [] }) => {
    if (command.length === 0) {
      throw new TestbedError('EUSAGE', `there is no command to run on node ${node}`, {
        hint: `write it after two hyphens: o7s-testbed exec ${node} -- CMD...`,
      });
    }
    const place = chooseLab(await labsOfUser(), lab).node(node);
    // The command may be ended as soon as it runs: whoever does that must not end this process alone.
    let kill = (_signal: NodeJS.Signals): void => {};
    using _forwarding = forwardSignals((signal) => kill(signal));
    const attached = place.attach(command);
    kill = (signal) => attached.kill(signal);
    process.exitCode = await attached.ended;
  },
};
