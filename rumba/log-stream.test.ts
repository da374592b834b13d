import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type LogOptions, logLines, type LogSource, type PlacedLine } from './log-stream.ts';
import { listLogs, readLog } from './testbeds/log-files.ts';
import { logChunkBytes } from './testbeds/logs.ts';

/** Nodes whose logs are files of a folder, and how many bytes of them were read. */
class Logs {
  readonly #folder: string;
  read = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Logs> {
    const folder = await mkdtemp(join(tmpdir(), 'o7s-logs-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    return new Logs(folder);
  }

  async add(node: string, log: string, text: string): Promise<void> {
    await mkdir(join(this.#folder, node), { recursive: true });
    await appendFile(join(this.#folder, node, `${log}.log`), text);
  }

  async replace(node: string, log: string, text: string): Promise<void> {
    await writeFile(join(this.#folder, node, `${log}.log`), text);
  }

  node(name: string): LogSource {
    const folder = join(this.#folder, name);
    const logs = async () => listLogs(folder);
    const readPart = async (log: string, from: number): Promise<Buffer> => {
      const part = await readLog(folder, log, from);
      this.read += part.length;
      return part;
    };
    return { name, logs, readLog: readPart };
  }
}

const signal = new AbortController().signal;
const record = (seconds: number, text: string): string =>
  `${JSON.stringify({ time: new Date(seconds * 1_000).toISOString(), component: 'irmd', level: 'II', text })}\n`;

const texts = (lines: readonly PlacedLine[]): string[] =>
  lines.map(({ node, log, text }) => `${node} ${log} ${text}`);

async function all(nodes: readonly LogSource[], options: Partial<LogOptions> = {}): Promise<PlacedLine[]> {
  return await Array.fromAsync(logLines(() => nodes, { follow: false, signal, ...options }));
}

/** Follows logs; `until` gives the lines that came until one has a text, and fails where none comes. */
function following(nodes: () => readonly LogSource[], options: Partial<LogOptions> = {}) {
  const end = new AbortController();
  const stop = AbortSignal.any([end.signal, AbortSignal.timeout(30_000)]);
  const lines = logLines(nodes, { follow: true, everyMs: 5, signal: stop, ...options });
  onTestFinished(async () => {
    end.abort();
    await lines.return();
  });
  return async (text: string): Promise<PlacedLine[]> => {
    const came: PlacedLine[] = [];
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`no line ${text} came after ${texts(came).join(', ')}`);
      came.push(value);
      if (value.text === text) return came;
    }
  };
}

test('lines of several logs are merged by time; one without goes with that before it', async () => {
  const logs = await Logs.make();
  await logs.add('a', 'irmd', record(1, 'one') + 'of one\n' + record(5, 'five'));
  await logs.add('b', 'irmd', record(2, 'two') + record(6, 'six'));
  await logs.add('b', 'server', 'not complete');
  const nodes = [logs.node('a'), logs.node('b')];
  expect(texts(await all(nodes))).toEqual([
    'a irmd one',
    'a irmd of one',
    'b irmd two',
    'a irmd five',
    'b irmd six',
    'b server not complete',
  ]);
  expect(texts(await all(nodes, { log: 'server' }))).toEqual(['b server not complete']);
});

test('lines that two daemons wrote in another order than they looked at the clock are put in order', async () => {
  const logs = await Logs.make();
  await logs.add(
    'a',
    'irmd',
    record(1, 'one') + record(3, 'three') + record(2, 'two') + 'of two\n' + record(4, 'four'),
  );
  await logs.add('b', 'irmd', record(2.5, 'between'));
  expect(texts(await all([logs.node('a'), logs.node('b')]))).toEqual([
    'a irmd one',
    'a irmd two',
    'a irmd of two',
    'b irmd between',
    'a irmd three',
    'a irmd four',
  ]);
  // What is much too late stays where it is.
  const many = Array.from({ length: 100 }, (_, index) => record(10 + index, `n${index}`)).join('');
  await logs.add('c', 'irmd', many + record(5, 'late') + record(200, 'last'));
  const late = texts(await all([logs.node('c')])).indexOf('c irmd late');
  expect(late).toBeGreaterThan(50);
});

test('a log longer than what is read at a time, with characters of several bytes and a line that is cut', async () => {
  const logs = await Logs.make();
  const count = Math.ceil((2.5 * logChunkBytes) / 'line 00000 é€😀\n'.length);
  const lines = Array.from({ length: count }, (_, at) => `line ${String(at).padStart(5, '0')} é€😀`);
  await logs.add('a', 'x', lines.join('\n'));
  expect((await all([logs.node('a')])).map(({ text }) => text)).toEqual(lines);
});

test('of logs only the newest bytes are read; what is left out is told', async () => {
  const logs = await Logs.make();
  const lines = Array.from({ length: 100_000 }, (_, at) => `line ${String(at).padStart(6, '0')}`);
  const text = lines.map((line) => `${line}\n`).join('');
  await logs.add('a', 'x', text);
  const came = await all([logs.node('a')], { newestBytes: 1_000 });
  // What is left of the line in which the newest bytes begin is left out, too.
  expect(came.map((line) => line.text)).toEqual(lines.slice(-83));
  expect(came.map(({ leftOut }) => leftOut)).toEqual([text.length - 83 * 12, ...Array(82).fill(undefined)]);
  expect(logs.read).toBe(1_000);
});

test('followed logs: of what comes between two looks too only the newest bytes', async () => {
  const logs = await Logs.make();
  await logs.add('a', 'x', 'first\n');
  const node = logs.node('a');
  let isHeld = false;
  const until = following(() => (isHeld ? [] : [node, logs.node('b')]), { newestBytes: 1_000 });
  await logs.add('b', 'x', 'of another\n');
  expect((await until('first')).at(-1)?.leftOut).toBeUndefined();
  isHeld = true;
  await logs.add('a', 'x', `${'lost\n'.repeat(100_000)}last\n`);
  isHeld = false;
  const came = await until('last');
  const kept = came.filter(({ node: of, text }) => of === 'a' && text === 'lost').length;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThanOrEqual(200);
  expect(came.reduce((sum, { leftOut = 0 }) => sum + leftOut, 0)).toBe((100_000 - kept) * 5);
});

test('followed logs: a line that is not complete waits; what was there at first is told', async () => {
  const logs = await Logs.make();
  await logs.add('a', 'x', 'one\ntw');
  let isCaughtUp = false;
  const until = following(() => [logs.node('a')], { onCaughtUp: () => void (isCaughtUp = true) });
  expect(texts(await until('one'))).toEqual(['a x one']);
  expect(isCaughtUp).toBe(false);
  await logs.add('a', 'x', 'o\n');
  expect(texts(await until('two'))).toEqual(['a x two']);
  expect(isCaughtUp).toBe(true);
});

test('followed logs: those of nodes that come later, of one that was made again, and one that was emptied', async () => {
  const logs = await Logs.make();
  await logs.add('a', 'x', 'one\n');
  let nodes = ['a'];
  const until = following(() => nodes.map((name) => logs.node(name)));
  expect(texts(await until('one'))).toEqual(['a x one']);
  await logs.add('b', 'y', 'late\n');
  nodes = ['a', 'b'];
  expect(texts(await until('late'))).toEqual(['b y late']);
  // Its log has as many bytes as before.
  nodes = ['b'];
  await logs.add('b', 'y', 'a is gone\n');
  await until('a is gone');
  await logs.add('b', 'y', 'once more\n');
  await until('once more');
  await logs.replace('a', 'x', 'two\n');
  nodes = ['a', 'b'];
  expect(texts(await until('two'))).toEqual(['a x two']);
  await logs.replace('a', 'x', '!\n');
  expect(texts(await until('!'))).toEqual(['a x !']);
});
