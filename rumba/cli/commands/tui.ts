/** `o7s-testbed tui`: a lab on the whole screen, live or from a recording. */
import type { CommandModule } from 'yargs';
import { labSource } from '../../live/lab-source.ts';
import { replaySource } from '../../live/replay.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { labOption } from '../options.ts';
import { checkTerminal, loadView } from '../view.ts';

interface TuiArguments {
  lab: string | undefined;
  replay: string | undefined;
  'read-only': boolean;
}

export const tui: CommandModule<object, TuiArguments> = {
  command: 'tui',
  describe: 'Show a lab on the whole screen: topology, layers, flows, links, events and logs',
  builder: (yargs) =>
    yargs
      .option('lab', labOption)
      .option('replay', {
        type: 'string',
        requiresArg: true,
        describe: 'Show what was kept instead: the folder of a run, or what "events" wrote',
      })
      .option('read-only', { type: 'boolean', default: false, describe: 'Without keys that change anything' })
      .example('$0 tui', 'the only lab there is; ? shows the keys')
      .example('$0 tui --lab x --read-only', 'on a screen that others can reach')
      .example('$0 events >run.ndjson; $0 tui --replay run.ndjson', 'later'),
  handler: async ({ lab, replay, 'read-only': readOnly }) => {
    checkTerminal('tui');
    const { view } = await loadView();
    const source =
      replay === undefined ? await labSource(chooseLab(await labsOfUser(), lab)) : replaySource(replay);
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    await view(source, { readOnly, signal: interrupt.signal });
    interrupt.signal.throwIfAborted();
  },
};
