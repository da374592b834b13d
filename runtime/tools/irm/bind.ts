/** `irm bind ...` and `irm unbind ...`. Source: irmd-and-irm.md 11.10 to 11.12. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type IpcpInfo, type IrmClient, O7sError } from '../../lib/index.ts';
import { atIrmd, type Command, type CommandContext, type CommandGroup, failed, say } from './command.ts';
import { matchesPattern, parseParameters, valuesOf } from './grammar.ts';

const keywords = { name: 'name' } as const;

const bindProgram: Command = {
  usage: `Usage: irm bind program
                <program>
                name <name>
                [auto] [-- <argument>...]

With auto the program is started when a flow to the name is asked for and nobody accepts.
`,
  first: 'file',
  keywords: { ...keywords, auto: 'flag', '--': 'text' },
  run: async (words, context) => {
    const end = words.indexOf('--');
    const own = end === -1 ? words : words.slice(0, end);
    // The word behind `bind` is at the same time the keyword of the first value.
    const given = parseParameters(['program', ...own], {
      keywords: ['name', 'program'],
      exactFlags: ['auto'],
    });
    if (given.kind === 'unknown') return say(context, unknown(given.word, 'bind program'));
    const [program, name] = valuesOf(given, ['program', 'name']);
    if (program === undefined || name === undefined) return say(context, bindProgram.usage);
    const found = findProgram(program);
    if (found === undefined) return say(context, `${program} does not exist.\n`);
    const { path } = found;
    const refused = `Cannot execute ${found.isHere ? path : program}, please check permissions.\n`;
    if (!isExecutable(path)) return say(context, refused);
    const auto = given.kind === 'parsed' && given.values.has('auto');
    const args = end === -1 ? [] : words.slice(end + 1);
    if (!auto && args.length > 0) context.note('without auto the arguments behind -- are not used');
    try {
      await (await context.irmd()).bindProgram(path, name, auto ? { auto: args } : {});
      return 0;
    } catch (error) {
      return failed(error, context, isNoDaemon(error) ? '' : refused);
    }
  },
};

const bindProcess: Command = {
  usage: `Usage: irm bind process
                <pid>
                name <name>
`,
  first: 'pid',
  keywords,
  run: async (words, context) => {
    const given = parseParameters(['process', ...words], { keywords: ['name', 'process'] });
    if (given.kind === 'unknown') return say(context, unknown(given.word, 'bind process'));
    const [word, name] = valuesOf(given, ['process', 'name']);
    if (word === undefined || name === undefined) return say(context, bindProcess.usage);
    const pid = parsePid(word);
    const invalid = `"${word}" is not a valid process id.\n`;
    if (pid === undefined || (pid <= kernelPidMax && !isAlive(pid))) return say(context, invalid);
    return atIrmd(context, async (irmd) => {
      const isIpcp = async (): Promise<boolean> => (await irmd.listIpcps()).some((ipcp) => ipcp.pid === pid);
      if (pid > kernelPidMax && !(await isIpcp())) return say(context, invalid);
      return irmd.bindProcess(pid, name);
    });
  },
};

const bindIpcp: Command = {
  usage: `Usage: irm bind ipcp
                <IPCP name>
                name <name>
`,
  first: 'ipcp',
  keywords,
  run: async (words, context) => {
    const given = parseParameters(['ipcp', ...words], { keywords: ['name', 'ipcp'] });
    if (given.kind === 'unknown') return say(context, unknown(given.word, 'bind ipcp'));
    const [ipcp, name] = valuesOf(given, ['ipcp', 'name']);
    if (ipcp === undefined || name === undefined) return say(context, bindIpcp.usage);
    return forIpcps(context, ipcp, (irmd, pid) => irmd.bindProcess(pid, name));
  },
};

const unbindUsage = (what: string, value: string): string => `Usage: irm unbind ${what}
                <${value}>
                [name <name> (default: all)]
`;

const unbindProgram: Command = {
  usage: unbindUsage('program', 'program'),
  first: 'file',
  keywords,
  run: async (words, context) => {
    const given = parseParameters(['program', ...words], { keywords: ['name', 'program'] });
    if (given.kind === 'unknown') return say(context, unknown(given.word, 'unbind program'));
    const [program, name] = valuesOf(given, ['program', 'name']);
    if (program === undefined) return say(context, unbindProgram.usage);
    return atIrmd(context, (irmd) => irmd.unbindProgram(program, name));
  },
};

const unbindProcess: Command = {
  usage: unbindUsage('process', 'pid'),
  first: 'pid',
  keywords,
  run: async (words, context) => {
    const given = parseParameters(['process', ...words], { keywords: ['name', 'process'] });
    if (given.kind === 'unknown') return say(context, unknown(given.word, 'unbind process'));
    const [word, name] = valuesOf(given, ['process', 'name']);
    if (word === undefined) return say(context, unbindProcess.usage);
    const pid = parsePid(word);
    if (pid === undefined) {
      // The prototype says nothing.
      context.note(`"${word}" is not a valid process id`);
      return 1;
    }
    return atIrmd(context, (irmd) => irmd.unbindProcess(pid, name));
  },
};

const unbindIpcp: Command = {
  usage: unbindUsage('ipcp', 'IPCP name'),
  first: 'ipcp',
  keywords,
  run: async (words, context) => {
    const given = parseParameters(['ipcp', ...words], { keywords: ['name', 'ipcp'] });
    if (given.kind === 'unknown') return say(context, unknown(given.word, 'unbind ipcp'));
    const [ipcp, name] = valuesOf(given, ['ipcp', 'name']);
    if (ipcp === undefined) return say(context, unbindIpcp.usage);
    return forIpcps(context, ipcp, (irmd, pid) => irmd.unbindProcess(pid, name));
  },
};

/** Does something for each IPCP of a name. Without one, and without a daemon, the manual says that all is well. */
async function forIpcps(
  context: CommandContext,
  name: string,
  work: (irmd: IrmClient, pid: number) => Promise<void>,
): Promise<number> {
  let irmd: IrmClient;
  let ipcps: readonly IpcpInfo[];
  try {
    irmd = await context.irmd();
    ipcps = await irmd.listIpcps();
  } catch (error) {
    context.explain(error as O7sError);
    return 0;
  }
  const matching = ipcps.filter((ipcp) => matchesPattern(ipcp.name, name));
  return atIrmd(context, async () => {
    for (const { pid } of matching) await work(irmd, pid);
  });
}

export const bindGroup: CommandGroup = {
  commands: { program: bindProgram, process: bindProcess, ipcp: bindIpcp },
  usage: 'Usage: irm bind [OPERATION]\n\nwhere OPERATION = {program process ipcp help}\n',
  help: 'irm bind help',
};

export const unbindGroup: CommandGroup = {
  commands: { program: unbindProgram, process: unbindProcess, ipcp: unbindIpcp },
  usage: 'Usage: irm unbind [OPERATION]\n\nwhere OPERATION = {program process ipcp help}\n',
  help: 'irm unbind help',
};

function unknown(word: string, operation: string): string {
  return `"${word}" is unknown, try "irm ${operation}".\n`;
}

/** A program as the manual finds it: relative to this folder, which is here, else in PATH. */
function findProgram(program: string): { readonly path: string; readonly isHere: boolean } | undefined {
  try {
    return { path: realpathSync(program), isHere: true };
  } catch {
    if (program.includes('/')) return undefined;
  }
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    if (!isAbsolute(folder)) return undefined;
    const path = join(folder, program);
    if (isExecutable(path)) return { path, isHere: false };
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** IPCPs that share a process have pids above those of the kernel. */
const kernelPidMax = 4_194_304;

function parsePid(word: string): number | undefined {
  return /^[1-9]\d{0,9}$/.test(word) ? Number(word) : undefined;
}

/** Whether a process is there and this user may signal it. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isNoDaemon(error: unknown): boolean {
  return error instanceof O7sError && error.code === 'EIRMD';
}
