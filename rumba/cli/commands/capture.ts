/** `o7s-testbed capture`: the frames of a link, into a file, another program, or as text. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { dissectorFile } from '../../installation.ts';
import { linkNamed } from '../../links/changes.ts';
import { recordOf } from '../../orchestrate.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { labOption } from '../options.ts';

interface CaptureArguments {
  link: string | undefined;
  at: string | undefined;
  lab: string | undefined;
  write: string | undefined;
  duration: number | undefined;
  dissector: boolean;
  '--'?: string[];
}

export const capture: CommandModule<object, CaptureArguments> = {
  command: 'capture [link]',
  describe: 'Capture the frames of a link, in both directions, until Ctrl-C',
  builder: (yargs) =>
    yargs
      .positional('link', { type: 'string', describe: 'Name of the link' })
      .option('at', { type: 'string', requiresArg: true, describe: 'Which end, by its node; else the first' })
      .option('lab', labOption)
      .option('write', {
        alias: 'w',
        type: 'string',
        requiresArg: true,
        describe: 'File to write, as pcap; - for standard output. Else frames are shown as text',
      })
      .option('duration', {
        alias: 'd',
        type: 'number',
        requiresArg: true,
        describe: 'Seconds, in place of Ctrl-C',
      })
      .option('dissector', {
        type: 'boolean',
        default: false,
        describe: 'Print where the dissector for Wireshark is, and do nothing else',
      })
      .example('$0 capture a-b', 'shows frames, by tshark or else tcpdump')
      .example('$0 capture a-b -w a-b.pcap', 'writes them')
      .example('$0 capture a-b -w - -- ether proto 0xa000 | wireshark -k -i -', 'a filter of tcpdump'),
  handler: async ({ link: name, at, lab, write, duration, dissector, '--': filter = [] }) => {
    if (dissector) {
      process.stdout.write(`${dissectorFile}\n`);
      return;
    }
    if (name === undefined)
      throw new TestbedError('EUSAGE', 'no link is named', { hint: 'write: o7s-testbed capture LINK' });
    if (duration !== undefined && !(duration > 0))
      throw new TestbedError('EUSAGE', `--duration ${duration} is no number of seconds`);
    const chosen = chooseLab(await labsOfUser(), lab);
    const link = linkNamed((await recordOf(chosen)).topology, name);
    const file = write === undefined || write === '-' ? undefined : await openFile(write);
    const opened = await chosen.capture(link, at ?? link.ends[0]?.node ?? '');
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    // The terminal's own Ctrl-C reaches the programs of this process group by itself.
    const stop = (): void => void opened.stdin.end();
    interrupt.signal.addEventListener('abort', stop, { once: true });
    let timer: NodeJS.Timeout | undefined;
    // Its first bytes say that it has begun.
    if (duration !== undefined) {
      opened.stdout.once('readable', () => (timer = setTimeout(stop, duration * 1000)));
    }
    opened.stderr.pipe(process.stderr);
    try {
      const target = file ?? process.stdout;
      const tcpdump = ['tcpdump', '--nano', '-r', '-', '-U', '-w', '-', filter.join(' ')];
      if (write === undefined) await shown(opened.stdout, filter);
      else if (filter.length === 0) await pipeline(opened.stdout, target, { end: target !== process.stdout });
      else await filtered(opened.stdout, target, tcpdump);
    } catch (error) {
      // A disk may be full; and a reader that has ended, such as Wireshark, wants no more.
      if (write !== undefined && file?.errored instanceof Error) throw unwritable(write, file.errored);
      if (file !== undefined || (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    } finally {
      clearTimeout(timer);
      stop();
    }
    await opened.ended;
  },
};

async function openFile(path: string): Promise<Writable> {
  try {
    return (await open(path, 'w')).createWriteStream();
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): TestbedError {
  const { code = 'EIO' }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return new TestbedError('EFAILED', `cannot write ${path}: ${code}`, {
    hint: 'write where you may, and there is room',
  });
}

/** As text: by tshark with our dissector where it is there and nothing is to be filtered, else by tcpdump. */
async function shown(frames: Readable, filter: readonly string[]): Promise<void> {
  // tshark reads from a pipe, which what we start has none of.
  const tshark = [
    'sh',
    '-c',
    'cat | "$@"',
    'sh',
    'tshark',
    '-l',
    '-n',
    '-X',
    `lua_script:${dissectorFile}`,
    '-r',
    '-',
  ];
  const tcpdump = ['tcpdump', '-l', '-n', '-e', '-r', '-', filter.join(' ')].filter((word) => word !== '');
  const words = filter.length === 0 && (await isThere('tshark')) ? tshark : tcpdump;
  await filtered(frames, process.stdout, words);
}

async function filtered(
  frames: Readable,
  target: Writable,
  [file = '', ...words]: readonly string[],
): Promise<void> {
  // In a group of its own, so that Ctrl-C ends the capture first and what it wrote is still read.
  const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(missing(file, error)));
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {});
  frames.pipe(child.stdin);
  if (target === process.stdout) child.stdout.pipe(target, { end: false });
  else await pipeline(child.stdout, target);
  const code = await ended;
  if (code !== 0) {
    const reason = complaint.trim().split('\n').at(-1) ?? `exit code ${code}`;
    throw new TestbedError('EFAILED', `${file}: ${reason}`);
  }
}

function missing(program: string, error: NodeJS.ErrnoException): TestbedError {
  return error.code === 'ENOENT'
    ? new TestbedError('EENVIRONMENT', `the program ${program} is missing`, {
        hint: `install it: apt-get install ${program}; or write a file: -w FILE`,
      })
    : new TestbedError('EFAILED', `${program}: ${error.message}`);
}

async function isThere(program: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const child = spawn(program, ['--version'], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
