/** The command line `o7s-testbed`. Data goes to standard output, everything else to standard error. */
import yargs, { type Argv } from 'yargs';
import { packageVersion } from '../installation.ts';
import { capture } from './commands/capture.ts';
import { clean } from './commands/clean.ts';
import { cp } from './commands/cp.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { events } from './commands/events.ts';
import { exec } from './commands/exec.ts';
import { graph } from './commands/graph.ts';
import { image } from './commands/image.ts';
import { init } from './commands/init.ts';
import { inspect } from './commands/inspect.ts';
import { link } from './commands/link.ts';
import { logs } from './commands/logs.ts';
import { ls } from './commands/ls.ts';
import { kill, pause, restart, resume, start, stop } from './commands/nodes.ts';
import { run } from './commands/run.ts';
import { test } from './commands/test.ts';
import { tui } from './commands/tui.ts';
import { up } from './commands/up.ts';
import { validate } from './commands/validate.ts';
import { complete } from './completion.ts';
import { execWords } from './exec-words.ts';
import { failure, usageError } from './failure.ts';
import { closeInherited } from './inherited.ts';
import { refuseTwice, withVariables } from './options.ts';

/** Options and words that may have several values. */
const arrayOptions = new Set(['set', 'node', 'n', 'nodes', 'image', 'files', 'event', 'e', 'links']);

const words = execWords(process.argv.slice(2));
// What yargs writes a script for.
if (words[0] === 'completion' && (words[1] === 'bash' || words[1] === 'zsh')) process.env['SHELL'] = words[1];

const cli: Argv = yargs(words)
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
  .command(withVariables(init))
  .command(withVariables(validate))
  .command(withVariables(graph))
  .command(withVariables(up))
  .command(withVariables(down))
  .command(withVariables(ls))
  .command(withVariables(inspect))
  .command(withVariables(exec))
  .command(withVariables(cp))
  .command(withVariables(logs))
  .command(withVariables(events))
  .command(withVariables(tui))
  .command(link)
  .command(withVariables(capture))
  .command(withVariables(stop))
  .command(withVariables(start))
  .command(withVariables(restart))
  .command(withVariables(kill))
  .command(withVariables(pause))
  .command(withVariables(resume))
  .command(withVariables(run))
  .command(withVariables(test))
  .command(image)
  .command(withVariables(doctor))
  .command(withVariables(clean))
  .command(
    'completion [shell]',
    'Write a script that completes commands: source <(o7s-testbed completion bash)',
    (built) =>
      built
        .positional('shell', {
          choices: ['bash', 'zsh'] as const,
          describe: 'The shell; else that of the variable SHELL',
        })
        .example('$0 completion bash >>~/.bashrc', 'for bash')
        .example('$0 completion zsh >>~/.zshrc', 'for zsh'),
    () => void cli.showCompletionScript(),
  )
  .completion(
    'completions',
    false,
    (current: string, argv: unknown, filter: () => void, done: (found: string[]) => void) => {
      const { lab } = argv as { lab?: string };
      const typed = words.slice(words.indexOf('--get-yargs-completions') + 2);
      void complete(typed, current, lab).then(
        (names) => (names === undefined ? filter() : done(names.filter((name) => name.startsWith(current)))),
        () => done([]),
      );
    },
  )
  .epilogue('An option may be a variable too: --lab x is O7S_TESTBED_LAB=x.')
  .demandCommand(1, 'there is no command')
  .strict()
  .strictCommands()
  .wrap(Math.min(110, process.stdout.columns || 110))
  .version(packageVersion)
  .alias('help', 'h')
  .locale('en')
  // What completes a line ends at once, before the line is judged.
  .exitProcess(words[0] === '--get-yargs-completions')
  .fail((message, error) => {
    // An error of ours comes by itself; what is left is yargs refusing its arguments.
    if (error !== undefined && error !== null && error.name !== 'YError') throw error;
    throw usageError(message ?? error?.message);
  });

// A reader that stops reading, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(tell(error));
});
// Nor is one that wants to hear no more of how it goes: what was begun is done.
process.stderr.on('error', () => {});

closeInherited();
try {
  await cli.parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}

/** Says what went wrong; gives the exit code. */
function tell(error: unknown): number {
  const { text, details, exitCode } = failure(error);
  process.stderr.write([`o7s-testbed: ${text}`, ...details.map((line) => `  ${line}`), ''].join('\n'));
  return exitCode;
}
