/** `irm bind ...` and `irm unbind ...`. Source: irmd-and-irm.md 11.10 to 11.12. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type IpcpInfo, type IrmClient, O7sError } from '../../lib/index.ts';
import { type Command, type CommandContext, type CommandGroup, failed } from './command.ts';
import { matchesPattern, parseParameters } from './grammar.ts';

const bindProgramUsage = `Usage: irm bind program
                <program>
                name <name>
`;

// The word behind `bind` is at the same time the keyword of the first value.
const bindProgram: Command = async (words, context) => {
  const given = parseParameters(['program', ...words], { keywords: ['name', 'program'] });
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm bind program".\n`);
  const program = given.kind === 'parsed' ? given.values.get('program')?.at(-1) : undefined;
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  if (program === undefined || name === undefined) return say(context, bindProgramUsage);
  const path = findProgram(program);
  if (path === undefined) return say(context, `${program} does not exist.\n`);
  const refused = `Cannot execute ${program}, please check permissions.\n`;
  if (!isExecutable(path)) return say(context, refused);
  try {
    await (await context.irmd()).bindProgram(path, name);
    return 0;
  } catch (error) {
    return failed(error as O7sError, context, isNoDaemon(error) ? '' : refused);
  }
};

const bindProcessUsage = `Usage: irm bind process
                <pid>
                name <name>
`;

const bindProcess: Command = async (words, context) => {
  const given = parseParameters(['process', ...words], { keywords: ['name', 'process'] });
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm bind process".\n`);
  const word = given.kind === 'parsed' ? given.values.get('process')?.at(-1) : undefined;
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  if (word === undefined || name === undefined) return say(context, bindProcessUsage);
  const pid = parsePid(word);
  if (pid === undefined || !(pid > kernelPidMax || isAlive(pid))) {
    return say(context, `"${word}" is not a valid process id.\n`);
  }
  return orExplain(context, async () => (await context.irmd()).bindProcess(pid, name));
};

const bindIpcpUsage = `Usage: irm bind ipcp
                <IPCP name>
                name <name>
`;

const bindIpcp: Command = async (words, context) => {
  const given = parseParameters(['ipcp', ...words], { keywords: ['name', 'ipcp'] });
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm bind ipcp".\n`);
  const ipcp = given.kind === 'parsed' ? given.values.get('ipcp')?.at(-1) : undefined;
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  if (ipcp === undefined || name === undefined) return say(context, bindIpcpUsage);
  return forIpcps(context, ipcp, (irmd, pid) => irmd.bindProcess(pid, name));
};

const unbindUsage = (what: string, value: string): string => `Usage: irm unbind ${what}
                <${value}>
                [name <name> (default: all)]
`;

const unbindProgram: Command = async (words, context) => {
  const given = parseParameters(['program', ...words], { keywords: ['name', 'program'] });
  if (given.kind === 'unknown')
    return say(context, `"${given.word}" is unknown, try "irm unbind program".\n`);
  const program = given.kind === 'parsed' ? given.values.get('program')?.at(-1) : undefined;
  if (given.kind !== 'parsed' || program === undefined)
    return say(context, unbindUsage('program', 'program'));
  const name = given.values.get('name')?.at(-1);
  return orExplain(context, async () => (await context.irmd()).unbindProgram(program, name));
};

const unbindProcess: Command = async (words, context) => {
  const given = parseParameters(['process', ...words], { keywords: ['name', 'process'] });
  if (given.kind === 'unknown')
    return say(context, `"${given.word}" is unknown, try "irm unbind process".\n`);
  const word = given.kind === 'parsed' ? given.values.get('process')?.at(-1) : undefined;
  const pid = word === undefined ? undefined : parsePid(word);
  if (given.kind !== 'parsed' || pid === undefined) return say(context, unbindUsage('process', 'pid'));
  const name = given.values.get('name')?.at(-1);
  return orExplain(context, async () => (await context.irmd()).unbindProcess(pid, name));
};

const unbindIpcp: Command = async (words, context) => {
  const given = parseParameters(['ipcp', ...words], { keywords: ['name', 'ipcp'] });
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm unbind ipcp".\n`);
  const ipcp = given.kind === 'parsed' ? given.values.get('ipcp')?.at(-1) : undefined;
  if (given.kind !== 'parsed' || ipcp === undefined) return say(context, unbindUsage('ipcp', 'IPCP name'));
  const name = given.values.get('name')?.at(-1);
  return forIpcps(context, ipcp, (irmd, pid) => irmd.unbindProcess(pid, name));
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
  return orExplain(context, async () => {
    for (const { pid } of matching) await work(irmd, pid);
  });
}

const words = ['program', 'process', 'ipcp', 'help'];

export const bindGroup: CommandGroup = {
  words,
  commands: { program: bindProgram, process: bindProcess, ipcp: bindIpcp },
  usage: 'Usage: irm bind [OPERATION]\n\nwhere OPERATION = {program process ipcp help}\n',
  help: 'irm bind help',
};

export const unbindGroup: CommandGroup = {
  words,
  commands: { program: unbindProgram, process: unbindProcess, ipcp: unbindIpcp },
  usage: 'Usage: irm unbind [OPERATION]\n\nwhere OPERATION = {program process ipcp help}\n',
  help: 'irm unbind help',
};

/** A program as the manual finds it: relative to this folder, else in PATH. */
function findProgram(program: string): string | undefined {
  try {
    return realpathSync(program);
  } catch {
    if (program.includes('/')) return undefined;
  }
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    if (!isAbsolute(folder)) return undefined;
    const path = join(folder, program);
    if (isExecutable(path)) return path;
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

function say(context: CommandContext, text: string): number {
  context.out(text);
  return 1;
}

async function orExplain(context: CommandContext, run: () => Promise<void>): Promise<number> {
  try {
    await run();
    return 0;
  } catch (error) {
    return failed(error as O7sError, context);
  }
}
