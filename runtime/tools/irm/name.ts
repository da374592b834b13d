/** `irm name ...`. Source: irmd-and-irm.md 11.13 to 11.16. */
import { realpathSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import {
  balancePolicies,
  type IpcpInfo,
  nameBytesMax,
  type NameFiles,
  type NameInfo,
} from '../../lib/index.ts';
import { atIrmd, type Command, type CommandGroup, failed, say, silently } from './command.ts';
import { matchesPattern, matchWord, parseParameters, valuesOf } from './grammar.ts';

/** Longest path of a file, in bytes. */
const pathBytesMax = 511;

/** The manual's words for the files of a name, and whose they are. */
const fileWords = {
  sencpath: ['server', 'encryption'],
  scrtpath: ['server', 'certificate'],
  skeypath: ['server', 'key'],
  cencpath: ['client', 'encryption'],
  ccrtpath: ['client', 'certificate'],
  ckeypath: ['client', 'key'],
} as const;
type FileWord = keyof typeof fileWords;
const fileKeywords = Object.keys(fileWords) as FileWord[];

const create: Command = {
  usage: `Usage: irm name create
                <name>
                [lb <policy> (default: round-robin)]
                [sencpath <enc.conf of the server>]
                [scrtpath <certificate of the server>]
                [skeypath <key of the server>]
                [cencpath <enc.conf of the client>]
                [ccrtpath <certificate of the client>]
                [ckeypath <key of the client>]

A policy is one of ${balancePolicies.join(', ')}. Files that are not given are those of the configuration folder.
`,
  first: 'text',
  keywords: {
    lb: balancePolicies,
    ...(Object.fromEntries(fileKeywords.map((word) => [word, 'file'])) as Record<FileWord, 'file'>),
  },
  run: async ([name, ...words], context) => {
    const { usage } = create;
    if (name === undefined) return say(context, usage);
    if (tooLong(name)) return say(context, `Name too long.\n${usage}`);
    const given = parseParameters(words, { keywords: ['lb', ...fileKeywords] });
    if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm name create".\n`);
    if (given.kind === 'incomplete') return say(context, usage);
    const [policyWord = 'round-robin'] = valuesOf(given, ['lb']);
    // The configuration file of the prototype calls it spill.
    const known = policyWord === 'spill' ? 'spillover' : policyWord;
    const policy = balancePolicies.find((each) => each === known);
    if (policy === undefined) return say(context, usage);
    const files: { -readonly [S in keyof NameFiles]: Record<string, string> } = {};
    for (const word of fileKeywords) {
      const path = given.values.get(word)?.at(-1);
      if (path === undefined) continue;
      if (Buffer.byteLength(path) > pathBytesMax) return say(context, `File path too long: ${path}.\n`);
      const [side, file] = fileWords[word];
      try {
        (files[side] ??= {})[file] = realpathSync(path);
      } catch (error) {
        return say(context, `Failed to check path ${path}: ${reasonOf(error)}\n.${usage}`);
      }
    }
    return atIrmd(context, (irmd) => irmd.createName(name, { policy, files }));
  },
};

const destroy: Command = {
  usage: 'Usage: irm name destroy\n                <name>\n',
  first: 'name',
  keywords: {},
  run: async ([name, extra], context) => {
    if (name === undefined) return say(context, destroy.usage);
    if (extra !== undefined) return say(context, `"${extra}" is unknown, try "irm name destroy".\n`);
    return atIrmd(context, (irmd) => irmd.destroyName(name));
  },
};

const targetsUsage = (operation: string): string => `Usage: irm name ${operation}
                <name>
                [ipcp <IPCP name>]...
                [layer <layer name>]...

At least one IPCP or layer; * stands for any text.
`;

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

/** The longest list of IPCPs, and of layers. */
const targetsMax = 128;

function tooMany(layers: readonly string[], names: readonly string[]): string | undefined {
  if (names.length > targetsMax) return 'Too many IPCPs specified.\n';
  return layers.length > targetsMax ? 'Too many layers specified.\n' : undefined;
}

const targetKinds = { layer: 'layer', ipcp: 'ipcp' } as const;

export const register: Command = {
  usage: targetsUsage('register'),
  first: 'name',
  keywords: targetKinds,
  run: async ([name, ...words], context) => {
    const { usage } = register;
    const given = targetRules(words);
    if (given.kind === 'unknown')
      return say(context, `"${given.word}" is unknown, try "irm name register".\n`);
    if (name === undefined || given.kind === 'incomplete' || given.values.size === 0) {
      return say(context, usage);
    }
    if (tooLong(name)) return say(context, `Name too long.\n${usage}`);
    const layers = given.values.get('layer') ?? [];
    const names = given.values.get('ipcp') ?? [];
    const excess = tooMany(layers, names);
    if (excess !== undefined) return say(context, excess);
    try {
      const irmd = await context.irmd();
      const ipcps = await irmd.listIpcps();
      if (ipcps.length === 0) return say(context, 'Failed to list IPCPs.\n');
      const targets = ipcps.filter((one) => isTarget(one, layers, names));
      // To register it creates it, too.
      if (targets.length === 0) await irmd.createName(name, { policy: 'spillover' });
      for (const ipcp of targets) {
        try {
          await irmd.registerName(name, ipcp.pid);
        } catch (error) {
          return failed(error, context, `Failed to register with ${ipcp.layer ?? ipcp.name}\n`);
        }
      }
      return 0;
    } catch (error) {
      return failed(error, context, 'Failed to list IPCPs.\n');
    }
  },
};

const unregister: Command = {
  usage: targetsUsage('unregister'),
  first: 'name',
  keywords: targetKinds,
  run: async ([name, ...words], context) => {
    const given = targetRules(words);
    if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm unregister".\n`);
    if (name === undefined || given.kind === 'incomplete' || given.values.size === 0) {
      return say(context, unregister.usage);
    }
    const layers = given.values.get('layer') ?? [];
    const names = given.values.get('ipcp') ?? [];
    const excess = tooMany(layers, names);
    if (excess !== undefined) return say(context, excess);
    return silently(context, async () => {
      const irmd = await context.irmd();
      for (const ipcp of await irmd.listIpcps()) {
        if (isTarget(ipcp, layers, names)) await irmd.unregisterName(name, ipcp.pid);
      }
    });
  },
};

const list: Command = {
  usage: `Usage: irm name list
                [<beginning of names>]
`,
  first: 'name',
  keywords: {},
  run: async (words, context) => {
    // The prototype wants the word `list` once more in front of the prefix; the manual does not.
    const [prefix = '', extra] = words.length === 2 && words[0] === 'list' ? words.slice(1) : words;
    if (extra !== undefined) return say(context, `"${extra}" is unknown, try "irm name list".\n`);
    return atIrmd(context, async (irmd) => {
      const names = (await irmd.listNames()).filter(({ name }) => name.startsWith(prefix));
      if (context.json) context.result(names);
      else context.out(names.length === 0 ? 'No names in system.\n\n' : nameTable(names));
    });
  },
};

export const nameGroup: CommandGroup = {
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

/** An error of the system in words: `No such file or directory`. */
function reasonOf(error: unknown): string {
  const { errno = 0, message } = error as NodeJS.ErrnoException;
  const [, text = message] = getSystemErrorMap().get(errno) ?? [];
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
