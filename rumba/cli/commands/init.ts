/** `o7s-testbed init`: a topology to begin with, and a test for it. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { packageRoot } from '../../installation.ts';
import { formatOption } from '../options.ts';
import { firstTest, firstTopology } from '../starters.ts';

interface InitArguments {
  example: string | undefined;
  folder: string;
  force: boolean;
  format: 'table' | 'json';
}

export const init: CommandModule<object, InitArguments> = {
  command: 'init [example]',
  describe: 'Write a topology.ts to begin with, and a test beside it',
  builder: (yargs) =>
    yargs
      .positional('example', {
        type: 'string',
        choices: examples(),
        describe: 'An example to begin with; else two nodes, with a word on every line',
      })
      .option('folder', {
        alias: 'C',
        type: 'string',
        default: '.',
        requiresArg: true,
        describe: 'Where to write; made where it is missing',
      })
      .option('force', { type: 'boolean', default: false, describe: 'Write over files that are there' })
      .option('format', formatOption)
      .example('$0 init', 'topology.ts and topology.test.ts in this folder')
      .example('$0 init line-of-n -C lab', 'one of the examples, in another folder'),
  handler: ({ example, folder, force, format }) => {
    const files = {
      'topology.ts': example === undefined ? firstTopology : exampleText(example),
      'topology.test.ts': firstTest(example === undefined),
    };
    const taken = Object.keys(files).find((name) => existsSync(join(folder, name)));
    if (taken !== undefined && !force) {
      throw new TestbedError('EUSAGE', `${join(folder, taken)} is there already`, {
        hint: 'write elsewhere with -C FOLDER, or over it with --force',
      });
    }
    mkdirSync(folder, { recursive: true });
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    } catch (error) {
      // A half of one is worse than none; what was there before is not ours to remove.
      if (taken === undefined)
        for (const name of Object.keys(files)) rmSync(join(folder, name), { force: true });
      throw error;
    }
    const written = Object.keys(files).map((name) => join(folder, name));
    process.stdout.write(format === 'json' ? `${JSON.stringify(written)}\n` : `${written.join('\n')}\n`);
    const place = relative('.', folder);
    const inFolder = place === '' ? '' : `cd ${place}; `;
    process.stderr.write(`next: ${inFolder}npx o7s-testbed up, npx o7s-testbed test\n`);
  },
};

function examples(): string[] {
  return readdirSync(`${packageRoot}topologies`)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -'.ts'.length))
    .toSorted();
}

/** An example, whose comments name the file it becomes. */
function exampleText(name: string): string {
  return readFileSync(`${packageRoot}topologies/${name}.ts`, 'utf8').replaceAll(`${name}.ts`, 'topology.ts');
}
