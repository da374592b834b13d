/** `irm log-level`: how much irmd and its IPCPs log, from now on. */
import { type LogLevel, logLevels } from '../../lib/index.ts';
import { atIrmd, type Command, say } from './command.ts';

const usage = `Usage: irm log-level [${logLevels.join('|')}]
`;

export const logLevel: Command = {
  usage,
  first: logLevels,
  keywords: {},
  run: async ([word, extra], context) => {
    if (word === 'help' && extra === undefined) {
      context.out(usage);
      return 0;
    }
    const level: LogLevel | undefined = logLevels.find((known) => known === word);
    if ((word !== undefined && level === undefined) || extra !== undefined) return say(context, usage);
    return atIrmd(context, async (irmd) => {
      const now = await irmd.logLevel(level);
      context.result({ level: now });
      if (level === undefined && !context.json) context.out(`${now}\n`);
    });
  },
};
