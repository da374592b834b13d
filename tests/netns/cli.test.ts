/** The command line as its users have it. Labs have names of their own, so all of this runs beside other tests. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { cliSuite, twoNodes } from '../compliance/cli.ts';
import { cli, folder, freshLab, labInScope, program, startCli, startProcess } from './cli.ts';
import { markedProcesses, traceLab } from './traces.ts';

/** Resolves when nothing of a lab is left. */
async function gone(lab: string): Promise<void> {
  await expect.poll(() => markedProcesses(lab), { timeout: 30_000, interval: 10 }).toEqual([]);
}

cliSuite({ name: 'netns', left: markedProcesses, trace: traceLab });

describe('exec', () => {
  test('runs in the folder it is called from', async () => {
    await using place = await folder({
      'one.ts': `import { node, topology } from 'o7s-testbed';\nexport default topology({ nodes: [node('only')] });\n`,
    });
    await using lab = labInScope();
    const options = { cwd: place.path };
    expect((await cli(['up', 'one.ts', '--lab', lab.name], options)).code).toBe(0);
    const { stdout } = await cli(['exec', '--lab', lab.name, 'only', '--', 'pwd'], options);
    expect(stdout).toBe(`${place.path}\n`);
  });

  test('in a lab that is not there exits 2', async () => {
    const lab = freshLab();
    const { code, stderr } = await cli(['exec', '--lab', lab, 'a', '--', 'true']);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^o7s-testbed: no lab named ${lab} is running[^\n]*\n$`));
  });
});

describe('without --lab', () => {
  // Of a PID namespace of its own, the command line sees only the labs that are made in it.
  const alone = (script: string): string[] => {
    const user = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const isolated = ['unshare', ...user, '--pid', '--fork', '--mount-proc', '--kill-child'];
    return [
      ...isolated,
      'sh',
      '-c',
      `t() { "$0" "$@"; echo "= $?"; }; ${script.replaceAll('t ', `t ${program} `)}`,
      process.execPath,
    ];
  };

  test('with no lab and with several, exits 2 and lists them; with one, takes it; down --all takes all', async () => {
    const script = [
      't down',
      't exec a -- true',
      `t up ${twoNodes} --lab x >/dev/null 2>&1`,
      't exec a -- hostname',
      `t up ${twoNodes} --lab y >/dev/null 2>&1`,
      't exec a -- true',
      't down',
      't down --all',
      't ls',
    ].join('; ');
    const { stdout, stderr } = await startProcess(alone(script)).outcome;
    expect(stderr.split('\n')).toEqual([
      'o7s-testbed: no lab is running; start one with "o7s-testbed up FILE"',
      'o7s-testbed: no lab is running; start one with "o7s-testbed up FILE"',
      'o7s-testbed: several labs are running: x, y; choose one with --lab NAME',
      'o7s-testbed: several labs are running: x, y; choose one with --lab NAME',
      'lab x is down',
      'lab y is down',
      '',
    ]);
    expect(stdout).toBe('= 2\n= 2\na\n= 0\n= 2\n= 2\n= 0\nLAB  TESTBED  STATE  NODES  CREATED  FILE\n= 0\n');
  });
});

/** A Node of this machine that is too old to run the command line itself. */
function olderNode(): string | undefined {
  for (const folder of ['/usr/local/bin', '/usr/bin']) {
    const node = `${folder}/node`;
    if (!existsSync(node)) continue;
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' });
    if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) return node;
  }
  return undefined;
}

describe('up that is ended half-way leaves nothing', () => {
  /** Ten moments spread over what a command takes. */
  const tenths = Array.from({ length: 10 }, (_, index) => index / 10);

  test('by kill -9 at ten moments', async () => {
    await using scope = labInScope();
    const lab = scope.name;
    const startedAt = performance.now();
    expect((await cli(['up', twoNodes, '--lab', lab])).code).toBe(0);
    const took = performance.now() - startedAt;
    await cli(['down', '--lab', lab]);
    for (const part of tenths) {
      const { child, outcome } = startCli(['up', twoNodes, '--lab', lab]);
      await delay(part * took);
      child.kill('SIGKILL');
      await outcome;
      // One that was complete stays, as it should: then this is what ends it.
      await cli(['down', '--lab', lab]);
      await gone(lab);
    }
  });

  test('nor does a down by kill -9 at ten moments, once there is another', async () => {
    await using scope = labInScope();
    const lab = scope.name;
    for (const part of tenths) {
      expect((await cli(['up', twoNodes, '--lab', lab])).code).toBe(0);
      const { child, outcome } = startCli(['down', '--lab', lab]);
      await delay(part * 400);
      child.kill('SIGKILL');
      await outcome;
      expect((await cli(['down', '--lab', lab])).code).toBe(0);
      await gone(lab);
    }
  });

  test('by kill -9 of the older Node that started the pinned one', async ({ skip }) => {
    const older = olderNode();
    if (older === undefined) return skip('this machine has no Node older than the pinned one');
    await using scope = labInScope();
    const lab = scope.name;
    const { child, outcome, written } = startProcess([older, program, 'up', twoNodes, '--lab', lab, '-v']);
    await written('irmd --stdout');
    child.kill('SIGKILL');
    expect((await outcome).code).toBe(137);
    await gone(lab);
  });

  test('by an irmd that ends, whose last words are shown', async () => {
    const end =
      'for each in /proc/[0-9]*; do read -r name <$each/comm; [ "$name" != irmd ] || kill -9 ${each#/proc/}; done; sleep 60';
    await using place = await folder({
      'topology.ts': [
        "import { node, server, topology } from 'o7s-testbed';",
        "const a = node('a');",
        `export default topology({ nodes: [a], servers: [server(a, 'x', ['sh', '-c', ${JSON.stringify(end)}])] });`,
      ].join('\n'),
    });
    const lab = freshLab();
    const { code, stdout, stderr } = await cli(['up', '--lab', lab], { cwd: place.path });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^o7s-testbed: node a: its irmd has ended; by that: [^\n]*\n( {2}a irmd: [^\n]*\n)+$/m,
    );
    expect(markedProcesses(lab)).toEqual([]);
  });

  test('by a server that ends at once, whose last words are shown', async () => {
    await using place = await folder({
      'topology.ts': [
        "import { node, server, topology } from 'o7s-testbed';",
        "const a = node('a');",
        "export default topology({ nodes: [a], servers: [server(a, 'x', ['sh', '-c', 'echo I cannot go on; exit 1'])] });",
      ].join('\n'),
    });
    const lab = freshLab();
    const { code, stdout, stderr } = await cli(['up', '--lab', lab], { cwd: place.path });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(
      'o7s-testbed: server x on node a ended before it was ready; its last words: I cannot go on\n',
    );
    expect(markedProcesses(lab)).toEqual([]);
  });
});

test('a reader that stops listening to how an up goes does not stop it', async () => {
  await using lab = labInScope();
  const script = `"$0" ${program} up ${twoNodes} --lab ${lab.name} -v 2>&1 >/dev/null | head -1`;
  expect((await startProcess(['sh', '-c', script, process.execPath]).outcome).stdout).toMatch(/node [ab]\n$/);
  const again = await cli(['up', twoNodes, '--lab', lab.name]);
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing to change') });
});

test('a dry run shows the plan and makes nothing', async () => {
  const { code, stdout, stderr } = await cli(['up', twoNodes, '--dry-run']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('layer lan\n  a >> irm ipcp bootstrap name lan.a layer lan type eth-dix dev e1\n');
  expect(stdout).toContain('  b >> irm name register ping.b ipcp lan.b\n');
  const json = JSON.parse((await cli(['up', twoNodes, '--dry-run', '-f', 'json'])).stdout) as { lab: string };
  expect(json.lab).toBe('two-nodes');
});

describe('a topology file that is wrong: one line with the place, exit code 2', () => {
  const head = "import { ethLink, node, port, topology } from 'o7s-testbed';\n";
  test.each([
    ['syntax error', `${head}export default {\n  a: = 1,\n};\n`, 't.ts:3: SyntaxError: Expression expected'],
    [
      'no default export',
      `${head}export const a = node('a');\n`,
      't.ts has no default export; end it with: export default topology({ ... })',
    ],
    [
      'another default export',
      'export default { nodes: [] };\n',
      "the default export of t.ts is not a topology; make it with topology({ ... }) from 'o7s-testbed'",
    ],
    [
      'a missing module',
      "import './helper.ts';\n",
      /^t\.ts: Cannot find module '.*\/helper\.ts' imported from .*\/t\.ts$/,
    ],
    [
      'a missing package',
      "import 'no-such-package';\n",
      /^t\.ts: Cannot find package 'no-such-package' imported from .*\/t\.ts$/,
    ],
    [
      'a missing export',
      "import { nod } from 'o7s-testbed';\n",
      "t.ts:1: SyntaxError: The requested module 'o7s-testbed' does not provide an export named 'nod'",
    ],
    [
      'code that throws',
      `${head}\n\nnull.x;\n`,
      "t.ts:4: TypeError: Cannot read properties of null (reading 'x')",
    ],
    [
      'a node used twice',
      `${head}const a = node('a');\nexport default topology({ nodes: [a, a] });\n`,
      't.ts:3: nodes[1] (a) is listed twice; list each once',
    ],
    [
      'a link end used twice',
      `${head}const [a, b] = [node('a'), node('b')];\nconst links = [ethLink(port(a, 'x'), b), ethLink(port(a, 'x'), b)];\nexport default topology({ nodes: [a, b], links });\n`,
      't.ts:4: interface x of node a ends link a-b and link a-b-2; give each link an interface of its own',
    ],
    [
      'a name that is too long',
      `${head}node('n'.repeat(33));\n`,
      `t.ts:2: the node name "${'n'.repeat(33)}" has 33 bytes, 32 is the most`,
    ],
  ])('%s', async (_, content, line) => {
    await using place = await folder({ 't.ts': content });
    const { code, stdout, stderr } = await cli(['up', 't.ts'], { cwd: place.path });
    expect([code, stdout]).toEqual([2, '']);
    const [text, ...rest] = stderr.replace(/^o7s-testbed: /, '').split('\n');
    expect(rest).toEqual(['']);
    if (typeof line === 'string') expect(text).toBe(line);
    else expect(text).toMatch(line);
  });
});

describe('arguments that are wrong: one line, exit code 2', () => {
  test.each([
    [[], 'there is no command; see: o7s-testbed --help'],
    [['fly'], 'unknown command: fly; see: o7s-testbed --help'],
    [['ls', '--colour'], 'unknown argument: colour; see: o7s-testbed --help'],
    [['up', 'nowhere.ts'], 'there is no file nowhere.ts; name the topology: o7s-testbed up FILE'],
    [['up', twoNodes, '--testbed', 'cloud'], 'there is no testbed "cloud"; use one of: docker, netns'],
    [
      ['up', twoNodes, '--lab', 'a/b'],
      'the lab name "a/b" has a character or a place it may not have; allowed are letters, digits, ".", "_" and "-"',
    ],
    [
      ['down', '--all', '--lab', 'x'],
      'arguments lab and all are mutually exclusive; see: o7s-testbed --help',
    ],
  ])('%j', async (words, line) => {
    expect(await cli(words)).toEqual({ code: 2, stdout: '', stderr: `o7s-testbed: ${line}\n` });
  });
});
