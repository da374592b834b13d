/** The command line: picks the command, shows its error, sets the exit code. */
import yargs from 'yargs';
import { packageVersion } from '../installation.ts';
import { clean } from './commands/clean.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { events } from './commands/events.ts';
import { exec } from './commands/exec.ts';
import { image } from './commands/image.ts';
import { ls } from './commands/ls.ts';
import { up } from './commands/up.ts';
import { failure, usageError } from './failure.ts';
import { closeInherited } from './inherited.ts';
import { refuseTwice, withVariables } from './options.ts';

/** Options and words that may have several values. */
const arrayOptions = new Set(['set', 'node', 'n', 'nodes', 'image', 'files']);

const cli = yargs(process.argv.slice(2))
  .scriptName('o7s-testbed')
  .usage('$0 COMMAND: multi-node Ouroboros networks on this machine')
  .parserConfiguration({
    'populate--': true,
    // A word of a command stays as it was typed: 007 is no 7.
    'parse-positional-numbers': false,
    'camel-case-expansion': false,
    'greedy-arrays': false,
  })
  .middleware((given) => refuseTwice(given, arrayOptions))
  .command(withVariables(up))
  .command(withVariables(down))
  .command(withVariables(ls))
  .command(withVariables(exec))
  .command(withVariables(events))
  .command(image)
  .command(withVariables(doctor))
  .command(withVariables(clean))
  .demandCommand(1, 'there is no command')
  .strict()
  .strictCommands()
  .version(packageVersion)
  .alias('help', 'h')
  .locale('en')
  .exitProcess(false)
  .fail((message, error) => {
    // An error of ours comes by itself; what is left is yargs refusing its arguments.
    if (error !== undefined && error !== null && error.name !== 'YError') throw error;
    throw usageError(message ?? error?.message);
  });

// A reader that stops reading, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

closeInherited();
try {
  await cli.parseAsync();
} catch (error) {
  const { text, details, exitCode } = failure(error);
  process.stderr.write([`o7s-testbed: ${text}`, ...details.map((line) => `  ${line}`), ''].join('\n'));
  process.exitCode = exitCode;
}
