/** The node image: what it is made of, and building it from this installation. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { TestbedError } from '../../errors.ts';
import { packageRoot, packageVersion } from '../../installation.ts';
import { lockImages } from '../../lock.ts';
import { findBases } from './base-image.ts';
import { type Engine, engineFailure, statusOf } from './engine.ts';
import { labels } from './labels.ts';
import { pack, type TarFile } from './tar.ts';

/** What nodes run unless told otherwise. */
export const nodeImage = `o7s-testbed/node:${packageVersion}`;

/** What the image is built on where no base was made on this machine. */
const publicBase = 'node:24-bookworm-slim';

/** The folders of koffi that are needed only to compile it. */
const koffiSources = new Set(['doc', 'lib', 'vendor']);

export interface BuildOptions {
  signal: AbortSignal;
  onProgress: (line: string) => void;
  /** The image to build on; by default the newest base made on this machine, else the public one. */
  base?: string | undefined;
  tag?: string | undefined;
}

/** An image of ours. */
export interface OwnImage {
  readonly tag: string;
  readonly id: string;
  readonly kind: 'node' | 'base';
  readonly version: string | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly bytes: number;
}

/** Builds the node image unless the one that is there was built of the same files. */
export async function ensureNodeImage(engine: Engine, options: BuildOptions): Promise<void> {
  if ((await isCurrent(engine)) === true) return;
  await using _lock = await lockImages(engine.address, options.signal);
  const state = await isCurrent(engine);
  if (state === true) return;
  const why = state === undefined ? 'is missing' : 'is of another build';
  options.onProgress(`the image ${nodeImage} ${why}, building it`);
  await build(engine, options);
}

/** Whether the node image was built of this installation's files; undefined when there is none. */
export async function isCurrent(engine: Engine): Promise<boolean | undefined> {
  const found = await inspectImage(engine, nodeImage);
  // One without this label was built by hand, and is left as it is.
  const content = found?.Config.Labels?.[labels.content];
  return found === undefined ? undefined : !content || content === contentHash(contextFiles());
}

/** Builds the node image; resolves with its tag. */
export async function buildNodeImage(engine: Engine, options: BuildOptions): Promise<string> {
  await using _lock = await lockImages(engine.address, options.signal);
  return await build(engine, options);
}

/** Two at a time would remove what the other builds on. */
async function build(engine: Engine, options: BuildOptions): Promise<string> {
  const { signal, onProgress, tag = nodeImage } = options;
  const base = options.base ?? (await findBases(engine))[0]?.tag ?? publicBase;
  await requireSameMachine(engine);
  const files = contextFiles();
  const what = `build image ${tag} on ${base}`;
  try {
    const stream = await engine.docker.buildImage(Readable.from([pack(files)]), {
      t: tag,
      buildargs: { BASE: base },
      labels: { [labels.content]: contentHash(files), [labels.version]: packageVersion },
      rm: true,
      forcerm: true,
      abortSignal: signal,
    });
    await followBuild(engine, stream, { what, onProgress, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TestbedError) throw error;
    throw engine.failure(what, error);
  }
  await removeReplaced(engine);
  return tag;
}

/** All images of ours, newest first. */
export async function listImages(engine: Engine): Promise<OwnImage[]> {
  const filters = { label: [labels.image] };
  const found = await engine.request('list images', engine.docker.listImages({ filters }));
  return found
    .flatMap((image) =>
      (image.RepoTags ?? ['<none>:<none>']).map((tag): OwnImage => ({
        tag: tag === '<none>:<none>' ? image.Id.replace('sha256:', '').slice(0, 12) : tag,
        id: image.Id,
        kind: image.Labels[labels.image] === 'base' ? 'base' : 'node',
        version: image.Labels[labels.version] || undefined,
        createdAt: new Date(image.Created * 1000).toISOString(),
        bytes: image.Size,
      })),
    )
    .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt) || a.tag.localeCompare(b.tag));
}

/** Removes an image of ours by its tag. Throws EUSAGE for one that is not ours. */
export async function removeImage(engine: Engine, tag: string): Promise<void> {
  const own = await listImages(engine);
  if (!own.some((image) => image.tag === tag)) {
    throw new TestbedError('EUSAGE', `there is no image ${tag} of o7s-testbed`, {
      hint: `there is ${own.map((image) => image.tag).join(', ') || 'none'}`,
    });
  }
  await engine.request(`remove image ${tag}`, engine.docker.getImage(tag).remove());
}

export async function inspectImage(
  engine: Engine,
  tag: string,
): Promise<Dockerode.ImageInspectInfo | undefined> {
  try {
    return await engine.request(`look at image ${tag}`, engine.docker.getImage(tag).inspect());
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Shows each step and waits for the end. An engine tells of a failure in the stream. */
async function followBuild(
  engine: Engine,
  stream: NodeJS.ReadableStream,
  options: { what: string; onProgress: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const { what, onProgress, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const show = (event: { stream?: string; status?: string; id?: string }): void => {
    const step = /^Step (\d+\/\d+) : (.*)/.exec(event.stream ?? '');
    if (step !== null) onProgress(`image ${step[1]} ${(step[2] ?? '').slice(0, 70)}`);
    // Layers that are pulled come by the hundred; their ends are enough.
    else if (/^(Pull complete|Status: )/.test(event.status ?? '')) {
      onProgress(`image ${[event.id, event.status].filter(Boolean).join(': ')}`);
    }
  };
  engine.docker.modem.followProgress(
    stream,
    (error: (Error & { error?: string }) | null, events: readonly { error?: string }[]) => {
      const text =
        error?.message ?? error?.error ?? events?.find((event) => event.error !== undefined)?.error;
      if (text === undefined) resolve();
      else reject(buildFailure(what, text));
    },
    show,
  );
  await promise.catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

function buildFailure(what: string, text: string): TestbedError {
  if (
    /pull access denied|no such host|manifest unknown|not found: manifest|dial tcp|i\/o timeout|TLS/i.test(
      text,
    )
  ) {
    return new TestbedError('EENVIRONMENT', `cannot ${what}: the base cannot be had: ${text.trim()}`, {
      hint: `make one from Debian packages (sudo npx o7s-testbed image base), or name one (o7s-testbed image build --base IMAGE)`,
    });
  }
  return engineFailure(what, text);
}

/** Removes the node images that lost their name to a newer one. */
async function removeReplaced(engine: Engine): Promise<void> {
  const filters = { dangling: ['true'], label: [`${labels.image}=node`] };
  for (const { Id } of await engine.request('list images', engine.docker.listImages({ filters }))) {
    // A lab that runs may still need it; `image ls` shows it.
    await engine.docker
      .getImage(Id)
      .remove()
      .catch(() => {});
  }
}

/** The native part of the runtime comes from this installation, so both have to be of one kind. */
async function requireSameMachine(engine: Engine): Promise<void> {
  const { Arch } = await engine.request('tell its version', engine.docker.version());
  const own = { x64: 'amd64', arm64: 'arm64', arm: 'arm' }[process.arch as string] ?? process.arch;
  if (Arch !== own) {
    throw new TestbedError(
      'EENVIRONMENT',
      `the Docker engine runs on ${Arch}, this installation is for ${own}`,
      {
        hint: 'build the image with o7s-testbed on a machine like the engine',
      },
    );
  }
}

/** Everything the image is built from, in the layout of a checkout. */
function contextFiles(): TarFile[] {
  if (!existsSync(`${packageRoot}dist/bundle/irmd.cjs`)) {
    throw new TestbedError('EENVIRONMENT', `${packageRoot}dist/bundle/irmd.cjs is missing`, {
      hint: `run: npm --prefix ${packageRoot} run build`,
    });
  }
  const koffi = packageFolder('koffi', `${packageRoot}package.json`);
  const native = `@koromix/koffi-linux-${process.arch}`;
  return [
    { path: 'Dockerfile', mode: 0o644, bytes: readFileSync(`${packageRoot}Dockerfile`) },
    ...folder('dist/bin', `${packageRoot}dist/bin`),
    ...folder('dist/bundle', `${packageRoot}dist/bundle`),
    ...folder('dist/python3', `${packageRoot}dist/python3`),
    ...folder('dist/man', `${packageRoot}dist/man`),
    ...folder('node_modules/koffi', koffi, koffiSources),
    ...folder(`node_modules/${native}`, packageFolder(native, `${koffi}/package.json`)),
  ];
}

function contentHash(files: readonly TarFile[]): string {
  return createHash('sha256').update(pack(files)).digest('hex').slice(0, 16);
}

/** Where npm put a package that another one needs: beside it, or further up. */
function packageFolder(name: string, from: string): string {
  const places = createRequire(from).resolve.paths(name) ?? [];
  const found = places
    .map((place) => `${place}/${name}`)
    .find((place) => existsSync(`${place}/package.json`));
  if (found === undefined) {
    throw new TestbedError('EENVIRONMENT', `the package ${name} is not installed`, {
      hint: 'run npm install without --omit=optional',
    });
  }
  return found;
}

function folder(path: string, place: string, without: ReadonlySet<string> = new Set()): TarFile[] {
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => !without.has(entry.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const [inside, outside] = [`${path}/${entry.name}`, `${place}/${entry.name}`];
      if (statSync(outside).isDirectory()) return folder(inside, outside);
      const mode = (statSync(outside).mode & 0o100) === 0 ? 0o644 : 0o755;
      return [{ path: inside, mode, bytes: readFileSync(outside) }];
    });
}
