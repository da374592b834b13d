/** What every command of `irm` is made of. */
import { type IrmClient, O7sError } from '../../lib/index.ts';

export interface Output {
  /** Text of the manual: standard output. */
  out(text: string): void;
  /** What the manual does not print: why something failed, on standard error. */
  explain(error: O7sError): void;
  /** What is done otherwise than was asked, on standard error. */
  note(text: string): void;
}

export interface CommandContext extends Output {
  /** Connects to irmd on first use. */
  irmd(): Promise<IrmClient>;
}

/** Runs with the words behind the command; resolves with the exit status. */
export type Command = (words: readonly string[], context: CommandContext) => Promise<number>;

/** Commands by word, in the order in which shortened words are tried. A word without a command is reserved. */
export interface CommandGroup {
  readonly words: readonly string[];
  readonly commands: Readonly<Record<string, Command>>;
  readonly usage: string;
  /** What an unknown word is pointed to. */
  readonly help: string;
}

const noDaemon = 'Failed to communicate with the Ouroboros IPC Resource Manager daemon.\n';

/** What a command does when irmd refuses: explains it, says what the manual says, fails. */
export function failed(error: O7sError, context: Output, text = ''): number {
  context.out(error.code === 'EIRMD' && text === '' ? noDaemon : text);
  if (error.code !== 'EIRMD') context.explain(error);
  return 1;
}

/** Prints a text of the manual for a command that fails. */
export function say(context: Output, text: string): number {
  context.out(text);
  return 1;
}

/** Runs something whose failure the manual leaves without a text. */
export async function silently(context: Output, run: () => Promise<number | void>): Promise<number> {
  try {
    return (await run()) ?? 0;
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    context.explain(error);
    return 1;
  }
}
