/** Somebody who follows a page of the documentation: does all that its blocks say, in an empty folder. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, statSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { cli, freshLab, program, startProcess } from '../netns/cli.ts';
import { type Block, commandsOf, place, root } from './documentation.ts';
import { Screen } from './screen.ts';
import { until } from './until.ts';

/** ms to wait for what a page says to come; the machine may be busy. */
const patienceMs = 60_000;

/** Labs that pages presuppose: made for the first block that does, and down when all pages are read. */
const labs = new Map<string, Promise<string>>();

/** Pages share labs of examples, which they leave as they were; one to be set up by hand is the page's own. */
function labOf(topology: string, page: string): Promise<string> {
  const example = `${root}topologies/${topology}.ts`;
  const [key, file] = existsSync(example)
    ? [topology, example]
    : [`${page} ${topology}`, `${root}tests/fixtures/topologies/${topology}.ts`];
  const known = labs.get(key);
  if (known !== undefined) return known;
  const made = (async () => {
    const lab = freshLab();
    expect(await cli(['up', file, '--lab', lab])).toMatchObject({ code: 0 });
    return lab;
  })();
  labs.set(key, made);
  return made;
}

afterAll(async () => {
  for (const lab of labs.values()) await cli(['down', '--lab', await lab]);
});

/** What only ends by a signal, or by the end of a lab. */
const isEndless = (command: string): boolean =>
  /^(npx )?o7s-testbed (events|capture a-b|logs -F|tui)/.test(command) && !command.includes('|');

/**
 * What a reader does whose server, started a moment ago in another terminal, is not bound to its name yet: asks again,
 * and for nothing else. Defines the command `allocated`.
 */
const allocated = `allocated() {
  for attempt in 1 2 3 4 5 6 7 8 9 last; do
    code=0; said=$("$@" 2>&1) || code=$?
    case $attempt$said in last*) ;; *'Failed to allocate flow'*) sleep 1; continue;; esac
    printf '%s\\n' "$said"; return $code
  done
}`;

/** Programs that serve until they are ended. */
const isServer = (command: string): boolean => /^(irmd --stdout|oping -l)/.test(command);

interface Running {
  readonly stdout: () => string;
  /** Ends it as Ctrl-C does, with all it has started; gives the exit code, null where a signal ended it. */
  readonly interrupt: () => Promise<number | null>;
}

/** A page that is being followed. */
export class Reader implements AsyncDisposable {
  readonly #folder: string;
  readonly #lab = freshLab();
  readonly #beside: Promise<void>[] = [];
  readonly #servers: Running[] = [];
  #scripts = 0;
  /** What the block before printed. */
  #printed = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async begin(): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), 'o7s-docs-'));
    for (const name of ['docs', 'topologies'])
      cpSync(`${root}${name}`, `${folder}/${name}`, { recursive: true });
    cpSync(`${root}topologies`, folder, { recursive: true });
    await mkdir(`${folder}/node_modules`);
    symlinkSync(root, `${folder}/node_modules/o7s-testbed`);
    symlinkSync(`${root}node_modules/vitest`, `${folder}/node_modules/vitest`);
    await writeFile(`${folder}/package.json`, '{ "type": "module" }\n');
    // A package that was installed has what it exports; a clone has the sources, under a condition of their own.
    const conditions = JSON.stringify(['@o7s/source', 'node', 'import', 'module', 'default']);
    const resolve = `resolve: { conditions: ${conditions} }, ssr: { resolve: { conditions: ${conditions} } }`;
    await writeFile(`${folder}/vitest.config.js`, `export default { ${resolve} };\n`);
    // npx without its start, which takes longer than most commands; what `npm ci` installs is there.
    const own = `case "$1" in o7s-testbed) shift; exec "${process.execPath}" "${program}" "$@";; esac\n`;
    await mkdir(`${folder}/.bin`);
    const scripts = {
      npx: `${own}command=$1; shift; exec "${root}node_modules/.bin/$command" "$@"\n`,
      npm: '[ "$*" = ci ]\n',
      'o7s-testbed': `exec "${process.execPath}" "${program}" "$@"\n`,
    };
    for (const [name, text] of Object.entries(scripts)) {
      await writeFile(`${folder}/.bin/${name}`, `#!/bin/sh\n${text}`);
      await chmod(`${folder}/.bin/${name}`, 0o755);
    }
    await mkdir(`${folder}/.run`);
    await mkdir(`${folder}/.etc`);
    return new Reader(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server.interrupt();
    await Promise.all(this.#beside);
    await cli(['down', '--lab', this.#lab]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async follow(block: Block): Promise<void> {
    const { language, words, text } = block;
    const file = words.get('file');
    if (file !== undefined) {
      await mkdir(dirname(join(this.#folder, file)), { recursive: true });
      await writeFile(join(this.#folder, file), text);
    }
    if (language === 'yaml' && file !== undefined) await this.#workflow(block);
    if (language === 'text' && words.has('output')) {
      for (const line of text.trim().split('\n')) expect(this.#printed, place(block)).toContain(line);
    }
    if (language === 'sh' && !words.has('not-run')) await this.#commands(block);
  }

  async #commands(block: Block): Promise<void> {
    const { words } = block;
    const topology = words.get('lab');
    const lab = topology === undefined ? this.#lab : await labOf(topology, block.page);
    const commands = commandsOf(block.text).map((command) => this.#adapted(command, words.has('dry-run')));
    if (words.has('aside')) {
      const done = this.#script(block, commands, lab);
      // Whoever waits for it hears of a failure; until then it is nobody's.
      done.catch(() => {});
      this.#beside.push(done);
      return;
    }
    if (commands.some((command) => command.includes('o7s-testbed down'))) await Promise.all(this.#beside);
    this.#printed = '';
    let together: string[] = [];
    for (const command of commands) {
      // A shell on a node does what the block says; here, what does not end is to be told to.
      if (words.has('on') || (!isEndless(command) && !isServer(command))) {
        together.push(command);
        continue;
      }
      await this.#script(block, together, lab);
      together = [];
      await (isServer(command) ? this.#serve(command) : this.#watch(command, lab));
    }
    await this.#script(block, together, lab);
  }

  /** As written, but without a second between pings, in folders of the test, and patient with servers that start. */
  #adapted(command: string, isDryRun: boolean): string {
    const quick = command
      .replaceAll(/(oping (?:-n|--name) [^'"|;]*-c \d+)/g, '$1 -i 50ms')
      .replaceAll(/(?<=^|&& )((?:npx )?o7s-testbed exec \w+ -- )?oping -n ping/g, 'allocated $&')
      .replaceAll('/etc/ouroboros', `${this.#folder}/.etc`)
      .replaceAll('/root', this.#folder);
    return isDryRun ? quick.replace(/(o7s-testbed run .*)$/, '$1 --dry-run') : quick;
  }

  #env(lab: string): NodeJS.ProcessEnv {
    return {
      O7S_TESTBED_LAB: lab,
      O7S_TESTBED: 'netns',
      O7S_RUN_DIR: `${this.#folder}/.run`,
      O7S_CONFIG_DIR: `${this.#folder}/.etc`,
      NODE_OPTIONS: '--conditions=@o7s/source',
      PATH: `${this.#folder}/.bin:${root}dist/bin:${root}node_modules/.bin:${process.env['PATH']}`,
    };
  }

  /** Commands as one script; each has to succeed, and each ping to be answered. */
  async #script(block: Block, commands: readonly string[], lab: string): Promise<void> {
    if (commands.length === 0) return;
    const script = [allocated, ...commands].join('\n');
    const on = block.words.get('on');
    // Whatever a block leaves running holds a file, not our pipe, which would not end.
    this.#scripts += 1;
    const output = on === undefined ? `${this.#folder}/.output-${this.#scripts}` : '/run/block';
    const kept = [
      'sh',
      '-c',
      'sh -ec "$1" >"$2" 2>"$2.err"; code=$?; cat "$2"; cat "$2.err" >&2; exit $code',
      'sh',
      script,
      output,
    ];
    const words =
      on === undefined ? kept : [process.execPath, program, 'exec', '--lab', lab, on, '--', ...kept];
    const options = { cwd: this.#folder, env: this.#env(lab) };
    const { code, stdout, stderr } = await startProcess(words, options).outcome;
    if (code !== 0) {
      expect.fail(`${place(block)} ended with ${code}:\n${commands.join('\n')}\n${stdout}${stderr}`);
    }
    this.#printed += stdout;
    for (const [line] of stdout.matchAll(/.*packets transmitted, 0 received.*/g)) {
      expect.fail(`${place(block)}: ${line}`);
    }
  }

  #start(command: string, lab: string): Running {
    const child = spawn('sh', ['-c', `exec ${command}`], {
      cwd: this.#folder,
      env: { ...process.env, ...this.#env(lab) },
      // A process group of its own, as the shell gives each command: Ctrl-C is for all of it.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let read = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (read += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return {
      stdout: () => read,
      interrupt: async () => {
        // A server may be gone already: irmd ends the programs of its flows when it ends itself.
        const isRunning = child.exitCode === null && child.signalCode === null;
        if (!isRunning || child.pid === undefined) return await ended;
        try {
          process.kill(-child.pid, 'SIGINT');
        } catch (error) {
          // The kernel knows of an end before it is told of here.
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
        return await ended;
      },
    };
  }

  async #serve(command: string): Promise<void> {
    const server = this.#start(command.replace(/ *&$/, ''), this.#lab);
    this.#servers.push(server);
    const socket = `${this.#folder}/.run/irm.sock`;
    await until(
      `${command} to serve`,
      () => (command.startsWith('irmd') ? existsSync(socket) : server.stdout() !== ''),
      patienceMs,
    );
  }

  /** A command that shows what happens until it is told to end: it has to show something. */
  async #watch(command: string, lab: string): Promise<void> {
    if (/o7s-testbed tui/.test(command)) {
      const words = ['-c', `cd "${this.#folder}"; exec ${command}`];
      await using screen = new Screen('sh', words, { columns: 100, rows: 30, env: this.#env(lab) });
      await screen.shows(/topology/, patienceMs);
      screen.type('q');
      const { status } = await screen.exited;
      expect(status, `${command}:\n${screen.lines.join('\n')}`).toBe(0);
      return;
    }
    const running = this.#start(command, lab);
    const [, file] = /(?:>|-w )\s*([\w.-]+)/.exec(command) ?? [];
    const hasShown = (): boolean => {
      if (file === undefined) return running.stdout() !== '';
      const path = join(this.#folder, file);
      return existsSync(path) && statSync(path).size > 100;
    };
    await until(
      `${command} to show something`,
      async () => {
        // A cable without traffic has nothing to show.
        if (!hasShown() && command.includes('capture')) {
          await cli(['exec', '--lab', lab, 'a', '--', 'oping', '-n', 'ping.b', '-c', '1']);
        }
        return hasShown();
      },
      patienceMs,
    );
    expect([0, 130], command).toContain(await running.interrupt());
  }

  /** The steps of a workflow, from the first that runs something. */
  async #workflow(block: Block): Promise<void> {
    const { jobs } = parseYaml(block.text) as { jobs: Record<string, { steps: { run?: string }[] }> };
    const steps = Object.values(jobs).flatMap((job) => job.steps.flatMap(({ run }) => run ?? []));
    expect(steps.length, place(block)).toBeGreaterThan(1);
    for (const step of steps) await this.#script(block, commandsOf(step), this.#lab);
  }
}
