/**
 * The package as a stranger has it: packed by npm, laid out as npm lays it out, and used from elsewhere with the system's
 * Node alone. What it depends on comes from our own node_modules, and no registry is asked.
 */
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { namespacesMissing } from '../support/namespaces.ts';
import { freshLab } from './cli.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What building, packing and a lab may take on a machine that has other work, in ms. */
const timeout = 300_000;

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly man: readonly string[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { dev?: boolean; devOptional?: boolean }>>;
}

let place = '';
/** The folder of a user who installed the package there, and what `npm install --global` made. */
let own = '';
let everywhere = '';

beforeAll(async () => {
  if (missing !== undefined) return;
  place = await mkdtemp(join(tmpdir(), 'o7s-package-'));
  own = join(place, 'own');
  everywhere = join(place, 'global');
  const file = join(place, await pack());
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  // What npm installs for those who use the package: not what it is developed with.
  const needed = Object.entries(lock.packages).flatMap(([path, { dev, devOptional }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    const isNeeded = !dev && !devOptional && existsSync(join(root, path));
    return name !== undefined && isNeeded ? [name] : [];
  });
  await install(file, join(own, 'node_modules'), needed);
  await link(join(own, 'node_modules'), join(own, 'node_modules/.bin'));
  await install(file, join(everywhere, 'lib/node_modules'), []);
  const nested = join(everywhere, 'lib/node_modules/o7s-testbed/node_modules');
  for (const name of needed) await linkPackage(name, nested);
  await link(join(everywhere, 'lib/node_modules'), join(everywhere, 'bin'));
  await rm(join(everywhere, 'bin/node'));
  await mkdir(join(nested, '.bin'));
  await symlink(join(root, 'node_modules/.bin/node'), join(nested, '.bin/node'));
}, timeout);

afterAll(() => rm(place, { recursive: true, force: true }));

/** What lies in the repository and is no part of it. */
const notSource: ReadonlySet<string> = new Set([
  '.git',
  '.o7s',
  'bench-results',
  'coverage',
  'dist',
  'node_modules',
]);

/** Packs what is in the repository, and gives the name of the file. */
async function pack(): Promise<string> {
  const source = join(place, 'source');
  const isSource = (path: string): boolean => !notSource.has(relative(root, path));
  await cp(root, source, { recursive: true, filter: isSource });
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
  execFileSync('npm', ['pack', '--silent', '--offline', '--pack-destination', place], {
    cwd: source,
    stdio: 'pipe',
  });
  return 'o7s-testbed-0.1.0.tgz';
}

async function install(file: string, modules: string, needed: readonly string[]): Promise<void> {
  const target = join(modules, 'o7s-testbed');
  await mkdir(target, { recursive: true });
  execFileSync('tar', ['xzf', file, '--strip-components=1', '-C', target]);
  for (const name of needed) await linkPackage(name, modules);
}

async function linkPackage(name: string, modules: string): Promise<void> {
  await mkdir(dirname(join(modules, name)), { recursive: true });
  await symlink(join(root, 'node_modules', name), join(modules, name));
}

/** Puts the programs of the package, and Node, where npm puts them. */
async function link(modules: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, path] of Object.entries(manifest(modules).bin)) {
    await symlink(relative(folder, join(modules, 'o7s-testbed', path)), join(folder, name));
  }
  await symlink(join(root, 'node_modules/.bin/node'), join(folder, 'node'));
}

const manifest = (modules: string): Manifest =>
  JSON.parse(readFileSync(join(modules, 'o7s-testbed/package.json'), 'utf8')) as Manifest;

/** The folders of PATH in which a stranger has programs: none of ours. */
const systemPath = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.includes('node_modules') && !folder.includes('/npm'))
  .join(':');

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the package with an environment that has nothing of ours. */
function run(bin: string, cwd: string, words: readonly string[]): Ran {
  const env = { PATH: `${bin}:${systemPath}`, HOME: place, O7S_TESTBED: 'netns' };
  const [file = '', ...rest] = words;
  const ran: SpawnSyncReturns<string> = spawnSync(join(bin, file), rest, {
    cwd,
    env,
    encoding: 'utf8',
    timeout,
  });
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

const topology = `import { ethDix, ethLink, node, server, topology } from 'o7s-testbed';

const [a, b] = [node('a'), node('b')];
const cable = ethLink(a, b);
const lan = ethDix('lan', cable);
export default topology({
  nodes: [a, b],
  links: [cable],
  layers: [lan],
  servers: [server(b, 'ping.b', ['oping', '-l'])],
});
`;

test.each(['own', 'global'])('%s: up on a topology file that lies alone', { timeout }, async (how) => {
  const bin = how === 'own' ? join(own, 'node_modules/.bin') : join(everywhere, 'bin');
  const cwd = how === 'own' ? own : join(place, 'alone');
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, 'topology.ts'), topology);
  const lab = freshLab();
  const testbed = (...words: string[]): Ran => run(bin, cwd, ['o7s-testbed', ...words]);
  try {
    expect(testbed('up', '--lab', lab)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^b +e1 +lan\.b +ping\.b$/m),
    });
    const pinged = testbed('exec', '--lab', lab, 'a', '--', 'oping', '-n', 'ping.b', '-c', '2', '-i', '10ms');
    expect(pinged.stdout).toContain('2 packets transmitted, 2 received');
    // The library of the package, by the Node of the package.
    await writeFile(
      join(own, 'client.ts'),
      `import { allocFlow } from 'o7s-testbed/lib';
       await using flow = await allocFlow('ping.b', { timeout: 30_000 });
       console.log('a flow to ping.b, by Node', process.version);`,
    );
    const client = testbed('exec', '--lab', lab, 'a', '--', 'node', join(own, 'client.ts'));
    expect(client).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^a flow to ping\.b, by Node v2[4-9]\./),
    });
  } finally {
    expect(testbed('down', '--lab', lab).code).toBe(0);
  }
});

test('init, and the test beside it', { timeout }, async () => {
  const bin = join(own, 'node_modules/.bin');
  const begun = join(own, 'begun');
  expect(run(bin, own, ['o7s-testbed', 'init', '-C', 'begun'])).toMatchObject({ code: 0 });
  expect(run(bin, begun, ['o7s-testbed', 'test'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('pass 1'),
  });
});

test('editors find the types, which are whole by themselves', { timeout }, async () => {
  await writeFile(join(own, 'typed.ts'), `${topology}node('c');\n`);
  await writeFile(
    join(own, 'wrong.ts'),
    `import { node } from 'o7s-testbed';
     import { allocFlow } from 'o7s-testbed/lib';
     node(5);
     void allocFlow('x', { timeout: 'long' });`,
  );
  const check = (...words: string[]): Ran => {
    const tsc = join(root, 'node_modules/.bin/tsc');
    const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--module', 'nodenext'];
    const ran = spawnSync(tsc, [...options, ...words], { cwd: own, encoding: 'utf8' });
    return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
  };
  expect(check('typed.ts')).toEqual({ code: 0, stdout: '', stderr: '' });
  const { stdout } = check('wrong.ts');
  expect(stdout.match(/^\S+(?=: error)/gm)).toEqual(['wrong.ts(3,11)', 'wrong.ts(4,28)']);
});

test('every program starts, and every page of the manual is there', { timeout }, async () => {
  const modules = join(everywhere, 'lib/node_modules');
  const bin = join(everywhere, 'bin');
  const { bin: programs, man } = manifest(modules);
  for (const name of Object.keys(programs)) {
    const { stdout, stderr } = run(bin, place, [name, name === 'irm' ? 'help' : '--help']);
    expect([name, stdout + stderr]).toEqual([
      name,
      expect.stringMatching(/^(Usage: \w+ \[OP|o7s-testbed COMMAND: )/),
    ]);
    expect(await readlink(join(bin, name))).toMatch(/^\.\.\/lib\/node_modules\/o7s-testbed\//);
  }
  for (const page of man) expect(existsSync(join(modules, 'o7s-testbed', page))).toBe(true);
});
