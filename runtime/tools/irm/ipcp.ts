/** `irm ipcp ...`. Source: irmd-and-irm.md 11.4 to 11.9. */
import { type IpcpInfo, ipcpTypes, isOfType, O7sError } from '../../lib/index.ts';
import { bootstrap } from './bootstrap.ts';
import { atIrmd, type Command, type CommandGroup, say, silently } from './command.ts';
import { matchesPattern, parseParameters, valuesOf } from './grammar.ts';
import { connect, disconnect, enroll } from './membership.ts';

const create: Command = {
  usage: `Usage: irm ipcp create
                name <IPCP name>
                type <type>

A type is one of ${ipcpTypes.join(', ')}; udp is udp4 or udp6, as the address in bootstrap is.
`,
  keywords: { type: ipcpTypes, name: 'text' },
  run: async (words, context) => {
    const given = parseParameters(words, { keywords: ['type', 'name'] });
    if (given.kind === 'unknown') return say(context, unknownWord(given.word, 'create'));
    const [name, typeWord] = valuesOf(given, ['name', 'type']);
    if (name === undefined || typeWord === undefined) return say(context, create.usage);
    const type = ipcpTypes.find((known) => known === typeWord);
    if (type === undefined) return say(context, `IPCP type "${typeWord}" is unknown.\n${create.usage}`);
    return silently(context, async () => {
      const pid = await (await context.irmd()).createIpcp(name, type);
      context.result({ pid });
    });
  },
};

const destroy: Command = {
  usage: `Usage: irm ipcp destroy
                name <IPCP name>

* in a name stands for any text.
`,
  keywords: { name: 'ipcp' },
  run: async (words, context) => {
    const given = parseParameters(words, { keywords: ['name'] });
    if (given.kind === 'unknown') return say(context, unknownWord(given.word, 'destroy'));
    const [name] = valuesOf(given, ['name']);
    if (name === undefined) return say(context, destroy.usage);
    return silently(context, async () => {
      const irmd = await context.irmd();
      const ipcps = await irmd.listIpcps();
      if (ipcps.length === 0) throw new O7sError('EIPCP', 'there are no IPCPs');
      for (const { pid } of ipcps.filter((ipcp) => matchesPattern(ipcp.name, name))) {
        await irmd.destroyIpcp(pid);
      }
    });
  },
};

const list: Command = {
  usage: `Usage: irm ipcp list
                [name <IPCP name>]
                [type <type>]
                [layer <layer name>]

* in a name stands for any text.
`,
  keywords: { type: ipcpTypes, name: 'ipcp', layer: 'layer' },
  run: async (words, context) => {
    const given = parseParameters(words, { keywords: ['type', 'name', 'layer'] });
    if (given.kind === 'unknown') return say(context, unknownWord(given.word, 'list'));
    if (given.kind === 'incomplete') return say(context, list.usage);
    const [type, name, layer] = valuesOf(given, ['type', 'name', 'layer']);
    const asked = ipcpTypes.find((known) => known === type);
    if (type !== undefined && asked === undefined) return say(context, list.usage);
    return atIrmd(context, async (irmd) => {
      const shown = (await irmd.listIpcps()).filter(
        (ipcp) =>
          (asked === undefined || isOfType(ipcp.type, asked)) &&
          (name === undefined || matchesPattern(ipcp.name, name)) &&
          (layer === undefined || matchesPattern(ipcp.layer ?? '', layer)),
      );
      if (context.json) context.result(shown);
      else context.out(shown.length === 0 ? 'No IPCPs in system.\n\n' : ipcpTable(shown));
    });
  },
};

export const ipcpGroup: CommandGroup = {
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
