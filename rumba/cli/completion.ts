/** What a shell offers for half a command line. */
import { findLabs } from '../testbeds/known.ts';
import { askedTestbed } from './labs.ts';

/** Commands whose words are names of nodes. */
const nodeCommands: ReadonlySet<string> = new Set([
  'events',
  'exec',
  'inspect',
  'logs',
  'start',
  'stop',
  'restart',
  'kill',
  'pause',
  'resume',
  'cp',
]);

/** Names of labs or nodes that fit at the cursor; undefined where something else belongs. */
export async function complete(
  words: readonly string[],
  current: string,
  lab: string | undefined,
): Promise<string[] | undefined> {
  const isLab = words.at(-1) === '--lab' || words.at(-2) === '--lab';
  const [command = ''] = words.filter((word) => !word.startsWith('-'));
  if (!isLab && (!nodeCommands.has(command) || current.startsWith('-') || words.includes('--')))
    return undefined;
  const labs = await findLabs(askedTestbed(), () => {}).catch(() => []);
  if (isLab) return labs.map(({ name }) => name);
  const chosen = labs.filter(({ name }) => lab === undefined || name === lab);
  const names = [...new Set(chosen.flatMap((each) => each.nodes().map(({ name }) => name)))];
  return command === 'cp' ? names.map((name) => `${name}:`) : names;
}
