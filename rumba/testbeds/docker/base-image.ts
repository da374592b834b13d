/** A base for the node image, made on this machine from Debian's packages, without any image of others. */
import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TestbedError } from '../../errors.ts';
import { packageRoot } from '../../installation.ts';
import type { Engine } from './engine.ts';
import { labels } from './labels.ts';

const repository = 'o7s-testbed/base';
const debian = 'bookworm';

export interface BaseOptions {
  signal: AbortSignal;
  onProgress: (line: string) => void;
}

/** The bases made on this machine, newest first. */
export async function findBases(engine: Engine): Promise<{ tag: string }[]> {
  const filters = { reference: [repository] };
  const found = await engine.request('list images', engine.docker.listImages({ filters }));
  return found
    .toSorted((a, b) => b.Created - a.Created)
    .flatMap((image) => (image.RepoTags ?? []).map((tag) => ({ tag })));
}

/** Makes a base image: minimal Debian, iproute2, ping and the Node of this installation. Resolves with its tag. */
export async function makeBase(engine: Engine, { signal, onProgress }: BaseOptions): Promise<string> {
  const { node, version } = ownNode();
  if (process.geteuid?.() !== 0) {
    throw new TestbedError('EENVIRONMENT', 'making a base image takes root, for debootstrap', {
      hint: 'run: sudo npx o7s-testbed image base',
    });
  }
  const tag = `${debian}-${version}`;
  const place = await mkdtemp(join(tmpdir(), 'o7s-base-'));
  try {
    onProgress(`base: Debian ${debian} with iproute2 and ping`);
    await debootstrap(place, signal);
    // Nothing of this is read again.
    for (const rest of ['var/cache/apt/archives', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale']) {
      for (const name of await readdir(join(place, rest)).catch(() => [])) {
        await rm(join(place, rest, name), { recursive: true, force: true });
      }
    }
    const target = join(place, 'usr/local/bin/node');
    await copyFile(node, target);
    await chmod(target, 0o755);
    onProgress(`base: importing ${repository}:${tag}`);
    await importFolder(engine, place, tag, signal);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
  return `${repository}:${tag}`;
}

async function debootstrap(place: string, signal: AbortSignal): Promise<void> {
  const words = ['--variant=minbase', '--include=iproute2,iputils-ping', debian, place];
  // Its own tools lie there, out of the PATH of an ordinary shell.
  const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const child = spawn('debootstrap', words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH },
    signal,
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await promise.catch((error: unknown) => {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new TestbedError('EENVIRONMENT', 'the program debootstrap is missing', {
      hint: 'install it: apt-get install debootstrap',
    });
  });
  if (code === 0) return;
  const lines = (await output).flatMap((part) => part.trim().split('\n'));
  const line = lines.findLast((each) => each.startsWith('E:')) ?? lines.at(-1) ?? `exit code ${code}`;
  throw new TestbedError('EFAILED', `debootstrap failed: ${line}`);
}

async function importFolder(engine: Engine, place: string, tag: string, signal: AbortSignal): Promise<void> {
  const words = ['--create', '--numeric-owner', '--directory', place, '.'];
  const tar = spawn('tar', words, { stdio: ['ignore', 'pipe', 'ignore'], signal });
  tar.on('error', () => {});
  const changes = [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `LABEL ${labels.image}=base`,
    'CMD ["sh"]',
  ];
  const what = `import ${repository}:${tag}`;
  const stream = await engine.request(
    what,
    engine.docker.importImage(tar.stdout, { repo: repository, tag, changes, abortSignal: signal }),
  );
  const answer = await text(stream);
  const failure = /"error":\s*"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1];
  if (failure !== undefined) throw engine.failure(what, new Error(failure));
}

/** The Node that npm installed with this package. */
function ownNode(): { node: string; version: string } {
  const name = `node-linux-${process.arch}`;
  try {
    const require = createRequire(`${packageRoot}package.json`);
    const manifest = require.resolve(`${name}/package.json`);
    const node = join(dirname(manifest), 'bin', 'node');
    const { version } = require(`${name}/package.json`) as { version: string };
    if (existsSync(node)) return { node, version };
  } catch {
    // The next line says so.
  }
  throw new TestbedError('EENVIRONMENT', `the package ${name} is not installed`, {
    hint: 'run npm install without --omit=optional',
  });
}
