/** `o7s-testbed image`: the images of the docker testbed. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { DockerImages } from '../../testbeds/docker/images.ts';
import { interruptible } from '../interrupt.ts';
import { formatOption } from '../options.ts';
import { table } from '../table.ts';

interface BuildArguments {
  base: string | undefined;
  tag: string | undefined;
}

const build: CommandModule<object, BuildArguments> = {
  command: 'build',
  describe: 'Build the node image from this installation',
  builder: (yargs) =>
    yargs
      .option('base', {
        type: 'string',
        requiresArg: true,
        describe: 'Image to build on; else the newest of "image base", else the public one of Node',
      })
      .option('tag', { type: 'string', requiresArg: true, describe: 'Name of the image' })
      .example('$0 image build', 'what "up" does by itself where it is missing')
      .example('$0 image build --base debian:bookworm --tag lab/node:1', 'on a base of your own'),
  handler: async ({ base, tag }) => {
    await made((options) => new DockerImages().build({ ...options, base, tag }));
  },
};

const makeBase: CommandModule = {
  command: 'base',
  describe: 'Make a base for the node image from Debian packages, without pulling any image',
  builder: (yargs) => yargs.example('sudo $0 image base', 'takes root and debootstrap, and no registry'),
  handler: async () => {
    await made((options) => new DockerImages().makeBase(options));
  },
};

interface LsArguments {
  format: 'table' | 'json';
}

const ls: CommandModule<object, LsArguments> = {
  command: 'ls',
  describe: 'List the images of o7s-testbed',
  builder: (yargs) =>
    yargs.option('format', formatOption).example('$0 image ls', 'node images and their bases'),
  handler: async ({ format }) => {
    const images = await new DockerImages().list();
    if (format === 'json') {
      process.stdout.write(`${JSON.stringify(images)}\n`);
      return;
    }
    const rows = images.map(({ tag, kind, version, createdAt, bytes }) => [
      tag,
      kind,
      version ?? '-',
      createdAt,
      `${Math.round(bytes / 1e6)} MB`,
    ]);
    process.stdout.write(table(['IMAGE', 'KIND', 'VERSION', 'CREATED', 'SIZE'], rows));
  },
};

interface RmArguments {
  image: string[];
  all: boolean;
}

const rm: CommandModule<object, RmArguments> = {
  command: 'rm [image..]',
  describe: 'Remove images of o7s-testbed',
  builder: (yargs) =>
    yargs
      .positional('image', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Names of images',
      })
      .option('all', { type: 'boolean', default: false, describe: 'All of them, bases too' })
      .example('$0 image rm --all', 'the engine keeps nothing of ours'),
  handler: async ({ image, all }) => {
    const images = new DockerImages();
    const tags = all ? (await images.list()).map((each) => each.tag) : image;
    if (tags.length === 0 && !all) {
      throw new TestbedError('EUSAGE', 'there is no image to remove', {
        hint: 'name it: o7s-testbed image rm IMAGE, or all with --all',
      });
    }
    for (const tag of tags) {
      await images.remove(tag);
      process.stderr.write(`image ${tag} is removed\n`);
    }
  },
};

export const image: CommandModule = {
  command: 'image',
  describe: 'Build, list and remove the images of the docker testbed',
  builder: (yargs) =>
    yargs
      .command(build)
      .command(ls)
      .command(rm)
      .command(makeBase)
      .demandCommand(1, 'there is no command')
      .example('$0 image build', 'the node image, from this installation'),
  handler: () => {},
};

/** Makes an image, telling how it goes; its name is the data. */
async function made(
  make: (options: { signal: AbortSignal; onProgress: (line: string) => void }) => Promise<string>,
): Promise<void> {
  using interrupt = interruptible((exitCode) => process.exit(exitCode));
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const tag = await make({ signal: interrupt.signal, onProgress });
  process.stdout.write(`${tag}\n`);
}
