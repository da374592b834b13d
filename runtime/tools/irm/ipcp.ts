/** `irm ipcp ...`. Source: irmd-and-irm.md 11.4 to 11.9. */
import { type IpcpInfo, ipcpTypes, isOfType, O7sError } from '../../lib/index.ts';
import { bootstrap } from './bootstrap.ts';
import { type Command, type CommandGroup, failed, say, silently } from './command.ts';
import { matchesPattern, parseParameters } from './grammar.ts';
import { connect, disconnect, enroll } from './membership.ts';

const createUsage = `Usage: irm ipcp create
                name <IPCP name>
                type <type>

A type is one of ${ipcpTypes.join(', ')}; udp is udp4 or udp6, as the address in bootstrap is.
`;

const create: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['type', 'name'] });
  if (given.kind === 'unknown') return say(context, unknownWord(given.word, 'create'));
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  const typeWord = given.kind === 'parsed' ? given.values.get('type')?.at(-1) : undefined;
  if (name === undefined || typeWord === undefined) return say(context, createUsage);
  const type = ipcpTypes.find((known) => known === typeWord);
  if (type === undefined) {
    context.out(`IPCP type "${typeWord}" is unknown.\n`);
    return say(context, createUsage);
  }
  return silently(context, async () => {
    await (await context.irmd()).createIpcp(name, type);
  });
};

const destroyUsage = `Usage: irm ipcp destroy
                name <IPCP name>
`;

const destroy: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['name'] });
  if (given.kind === 'unknown') return say(context, unknownWord(given.word, 'destroy'));
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  if (name === undefined) return say(context, destroyUsage);
  return silently(context, async () => {
    const irmd = await context.irmd();
    const ipcps = await irmd.listIpcps();
    if (ipcps.length === 0) throw new O7sError('EIPCP', 'there are no IPCPs');
    const ipcp = ipcps.find((known) => known.name === name);
    if (ipcp !== undefined) await irmd.destroyIpcp(ipcp.pid);
  });
};

const listUsage = `Usage: irm ipcp list
                [name <IPCP name>]
                [type <type>]
                [layer <layer name>]
`;

const list: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['type', 'name', 'layer'] });
  if (given.kind === 'unknown') return say(context, unknownWord(given.word, 'list'));
  if (given.kind === 'incomplete') return say(context, listUsage);
  const [type, name, layer] = (['type', 'name', 'layer'] as const).map((word) =>
    given.values.get(word)?.at(-1),
  );
  const asked = ipcpTypes.find((known) => known === type);
  if (type !== undefined && asked === undefined) return say(context, listUsage);
  try {
    const ipcps = await (await context.irmd()).listIpcps();
    const shown = ipcps.filter(
      (ipcp) =>
        (asked === undefined || isOfType(ipcp.type, asked)) &&
        (name === undefined || matchesPattern(ipcp.name, name)) &&
        (layer === undefined || matchesPattern(ipcp.layer ?? '', layer)),
    );
    context.out(shown.length === 0 ? 'No IPCPs in system.\n\n' : ipcpTable(shown));
    return 0;
  } catch (error) {
    return failed(error as O7sError, context);
  }
};

export const ipcpGroup: CommandGroup = {
  words: ['create', 'destroy', 'bootstrap', 'enroll', 'connect', 'disconnect', 'list', 'help'],
  commands: { create, destroy, bootstrap, enroll, connect, disconnect, list },
  usage: `Usage: irm ipcp [OPERATION]

where OPERATION = {create destroy bootstrap enroll connect disconnect list help}
`,
  help: 'irm ipcp help',
};

function ipcpTable(ipcps: readonly IpcpInfo[]): string {
  const line = '+---------+----------------------+------------+----------------------+\n';
  const row = (cells: readonly [string, string, string, string]): string => {
    const [pid, name, type, layer] = cells;
    return `| ${pid.padStart(7)} | ${name.padStart(20)} | ${type.padStart(10)} | ${layer.padStart(20)} |\n`;
  };
  const rows = ipcps.map(({ pid, name, type, layer }) =>
    row([String(pid), name, type, layer ?? 'Not enrolled.']),
  );
  return `${line}${row(['pid', 'name', 'type', 'layer'])}${line}${rows.join('')}${line}\n`;
}

function unknownWord(word: string, operation: string): string {
  return `"${word}" is unknown, try "irm ipcp ${operation}".\n`;
}
