/** `irm name ...`. Source: irmd-and-irm.md 11.13 to 11.16. */
import {
  type BalancePolicy,
  balancePolicies,
  type IpcpInfo,
  type NameInfo,
  nameBytesMax,
  O7sError,
} from '../../lib/index.ts';
import { type Command, type CommandContext, type CommandGroup, failed } from './command.ts';
import { matchesPattern, matchWord, parseParameters } from './grammar.ts';

const createUsage = `Usage: irm name create
                <name>
                [lb <policy> (default: round-robin)]

A policy is one of ${balancePolicies.join(', ')}.
`;

const create: Command = async ([name, ...words], context) => {
  if (name === undefined) return say(context, createUsage);
  if (tooLong(name)) return say(context, `Name too long.\n${createUsage}`);
  const given = parseParameters(words, { keywords: ['lb'] });
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm name create".\n`);
  if (given.kind === 'incomplete') return say(context, createUsage);
  const policyWord = given.values.get('lb')?.at(-1) ?? 'round-robin';
  const policy: BalancePolicy | undefined = balancePolicies.find((known) => known === policyWord);
  if (policy === undefined) return say(context, createUsage);
  return withIrmd(context, async (irmd) => irmd.createName(name, { policy }));
};

const destroy: Command = async ([name, ...words], context) => {
  if (name === undefined) return say(context, 'Usage: irm name destroy\n                <name>\n');
  const [extra] = words;
  if (extra !== undefined) return say(context, `"${extra}" is unknown, try "irm name destroy".\n`);
  return withIrmd(context, async (irmd) => irmd.destroyName(name));
};

const registerUsage = `Usage: irm name register
                <name>
                [ipcp <IPCP name>]...
                [layer <layer name>]...

At least one IPCP or layer; * stands for any text.
`;

const unregisterUsage = registerUsage.replace('register', 'unregister');

/** Which IPCPs the words behind a name mean; undefined when they do not say. */
function targetRules(words: readonly string[]): ReturnType<typeof parseParameters<'layer' | 'ipcp'>> {
  // The manual lets several values follow one keyword; the keywords themselves begin a new group.
  const pairs: string[] = [];
  let keyword: string | undefined;
  for (const word of words) {
    const expectsValue = pairs.length % 2 === 1;
    if (expectsValue) pairs.push(word);
    else if (matchWord(word, ['layer', 'ipcp']) !== undefined || keyword === undefined) {
      keyword = word;
      pairs.push(word);
    } else pairs.push(keyword, word);
  }
  return parseParameters(pairs, { keywords: ['layer', 'ipcp'] });
}

function isTarget(ipcp: IpcpInfo, layers: readonly string[], names: readonly string[]): boolean {
  const { layer, name } = ipcp;
  return (
    (layer !== null && layers.some((pattern) => matchesPattern(layer, pattern))) ||
    names.some((pattern) => matchesPattern(name, pattern))
  );
}

const register: Command = async ([name, ...words], context) => {
  const given = targetRules(words);
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm name register".\n`);
  if (name === undefined || given.kind === 'incomplete' || given.values.size === 0) {
    return say(context, registerUsage);
  }
  if (tooLong(name)) return say(context, `Name too long.\n${registerUsage}`);
  const layers = given.values.get('layer') ?? [];
  const names = given.values.get('ipcp') ?? [];
  try {
    const irmd = await context.irmd();
    const ipcps = await irmd.listIpcps();
    if (ipcps.length === 0) return say(context, 'Failed to list IPCPs.\n');
    await irmd.createName(name, { policy: 'spillover' });
    for (const ipcp of ipcps.filter((one) => isTarget(one, layers, names))) {
      try {
        await irmd.registerName(name, ipcp.pid);
      } catch (error) {
        return failed(error as O7sError, context, `Failed to register with ${ipcp.layer ?? ipcp.name}\n`);
      }
    }
    return 0;
  } catch (error) {
    return failed(error as O7sError, context, 'Failed to list IPCPs.\n');
  }
};

const unregister: Command = async ([name, ...words], context) => {
  const given = targetRules(words);
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm unregister".\n`);
  if (name === undefined || given.kind === 'incomplete' || given.values.size === 0) {
    return say(context, unregisterUsage);
  }
  const layers = given.values.get('layer') ?? [];
  const names = given.values.get('ipcp') ?? [];
  try {
    const irmd = await context.irmd();
    for (const ipcp of await irmd.listIpcps()) {
      if (isTarget(ipcp, layers, names)) await irmd.unregisterName(name, ipcp.pid);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    context.explain(error);
    return 1;
  }
};

const list: Command = async (words, context) => {
  // The prototype wants the word `list` once more in front of the prefix; the manual does not.
  const [prefix = '', extra] = words.length === 2 && words[0] === 'list' ? words.slice(1) : words;
  if (extra !== undefined) return say(context, `"${extra}" is unknown, try "irm name list".\n`);
  try {
    const names = (await (await context.irmd()).listNames()).filter(({ name }) => name.startsWith(prefix));
    context.out(names.length === 0 ? 'No names in system.\n\n' : nameTable(names));
    return 0;
  } catch (error) {
    return failed(error as O7sError, context);
  }
};

export const nameGroup: CommandGroup = {
  words: ['create', 'destroy', 'register', 'unregister', 'list', 'help'],
  commands: { create, destroy, register, unregister, list },
  usage: `Usage: irm name [OPERATION]

where OPERATION = {create destroy register unregister list help}
`,
  // The prototype points here too.
  help: 'irm ipcp help',
};

function nameTable(names: readonly NameInfo[]): string {
  const line = `+${'-'.repeat(52)}+${'-'.repeat(22)}+\n`;
  const row = (name: string, policy: string): string => `| ${name.padStart(50)} | ${policy.padStart(20)} |\n`;
  const rows = names.map(({ name, policy }) => row(name, policy)).join('');
  return `${line}${row('name', 'load-balance policy')}${line}${rows}${line}`;
}

function tooLong(name: string): boolean {
  return Buffer.byteLength(name) > nameBytesMax;
}

function say(context: CommandContext, text: string): number {
  context.out(text);
  return 1;
}

async function withIrmd(
  context: CommandContext,
  run: (irmd: Awaited<ReturnType<CommandContext['irmd']>>) => Promise<void>,
): Promise<number> {
  try {
    await run(await context.irmd());
    return 0;
  } catch (error) {
    return failed(error as O7sError, context);
  }
}
