/** What every command of `irm` is made of. */
import { type IrmClient, O7sError } from '../../lib/index.ts';

export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Text of the manual: standard output. */
  out(text: string): void;
  /** What the manual does not print: why something failed. */
  explain(error: O7sError): void;
  /** What is done otherwise than was asked, on standard error. */
  note(text: string): void;
  /** A result for a script, one JSON value; shown where `--json` asked for it. */
  result(value: unknown): void;
}

export interface CommandContext extends Output {
  /** Connects to irmd on first use. */
  irmd(): Promise<IrmClient>;
}

/** What a word stands for, so that it can be completed: something of the node, or one of a few words. */
export type Kind = 'ipcp' | 'layer' | 'name' | 'file' | 'pid' | 'text' | 'flag' | readonly string[];

export interface Command {
  readonly usage: string;
  /** What comes first, where that is no keyword. */
  readonly first?: Kind;
  /** What the value of each keyword is. */
  readonly keywords: Readonly<Record<string, Kind>>;
  /** Runs with the words behind the command; resolves with the exit status. */
  run(words: readonly string[], context: CommandContext): Promise<number>;
}

/** Commands by word, in the order in which shortened words are tried. */
export interface CommandGroup {
  readonly commands: Readonly<Record<string, Command>>;
  readonly usage: string;
  /** What an unknown word is pointed to. */
  readonly help: string;
}

const noDaemon = 'Failed to communicate with the Ouroboros IPC Resource Manager daemon.\n';

/** What a command does when irmd refuses: explains it, says what the manual says, fails. */
export function failed(error: unknown, context: Output, text = ''): number {
  if (!(error instanceof O7sError)) throw error;
  context.out(error.code === 'EIRMD' && text === '' ? noDaemon : text);
  if (error.code !== 'EIRMD' || context.json) context.explain(error);
  return 1;
}

/** Prints a text of the manual for a command that fails. */
export function say(context: Output, text: string): number {
  context.out(text);
  if (context.json) context.explain(faultIn(text));
  return 1;
}

/** The same as a script gets it: what stands in front of the usage, or that the usage is something else. */
function faultIn(text: string): O7sError {
  const at = text.indexOf('Usage: ');
  const complaint = text.slice(0, at === -1 ? text.length : at).trim();
  if (complaint !== '') return new O7sError('EINVAL', complaint.replaceAll('\n', ' '));
  const [, words = ''] = /^Usage: irm ((?:[a-z-]+ ?)*)/.exec(text.slice(at)) ?? [];
  return new O7sError('EINVAL', 'a word is missing or wrong', { hint: `irm help ${words}`.trim() });
}

/** Does something at irmd that succeeds without a word. */
export async function atIrmd(
  context: CommandContext,
  work: (irmd: IrmClient) => Promise<number | void>,
): Promise<number> {
  try {
    return (await work(await context.irmd())) ?? 0;
  } catch (error) {
    return failed(error, context);
  }
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
