/** `o7s-testbed graph`: draws a topology, or one of its layers. */
import { mkdir, writeFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { dot } from '../../graph/dot.ts';
import { type Drawing, drawLayer, drawPhysical, drawStack } from '../../graph/drawing.ts';
import { mermaid } from '../../graph/mermaid.ts';
import { svg } from '../../graph/svg.ts';
import type { Topology } from '../../model/topology.ts';
import { recordOf } from '../../orchestrate.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { loadTopology } from '../load-topology.ts';
import { labOption, parseSet, setOption } from '../options.ts';

const formats = { dot, mermaid, svg } as const;
const endings = { dot: 'dot', mermaid: 'mmd', svg: 'svg' } as const;

interface GraphArguments {
  file: string | undefined;
  lab: string | undefined;
  set: string[];
  layer: string | undefined;
  stack: boolean;
  all: boolean;
  format: keyof typeof formats;
  output: string | undefined;
}

export const graph: CommandModule<object, GraphArguments> = {
  command: 'graph [file]',
  describe: 'Draw a topology, or one of its layers: of a file, else of a running lab',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'Topology file; else a lab that runs' })
      .option('lab', labOption)
      .option('set', setOption)
      .option('layer', {
        type: 'string',
        requiresArg: true,
        describe: 'Draw this layer, not nodes and links',
      })
      .option('stack', { type: 'boolean', default: false, describe: 'Draw which layer is over which' })
      .option('all', { type: 'boolean', default: false, describe: 'Draw everything, into the folder of -o' })
      .option('format', {
        alias: 'f',
        choices: ['dot', 'mermaid', 'svg'] as const,
        default: 'dot' as const,
        describe: 'Form of the output',
      })
      .option('output', {
        alias: 'o',
        type: 'string',
        requiresArg: true,
        describe: 'File to write, with --all folder; else standard output',
      })
      .conflicts('layer', 'stack')
      .example('$0 graph line.ts -f svg -o line.svg', 'a picture of nodes and links')
      .example('$0 graph --layer net -f mermaid', 'a layer of the running lab, for Markdown')
      .example('$0 graph line.ts --all -f svg -o pictures', 'nodes and links, the stack, and every layer'),
  handler: async ({ file, lab, set, layer, stack, all, format, output }) => {
    const { topology, off } = file === undefined ? await ofLab(lab) : await ofFile(file, set);
    const write = formats[format];
    if (all) {
      if (layer !== undefined || stack) {
        throw new TestbedError('EUSAGE', '--all draws every layer, and --layer or --stack one thing');
      }
      const folder = output ?? 'graphs';
      const drawings: [string, Drawing][] = [
        ['physical', drawPhysical(topology, off)],
        ['stack', drawStack(topology)],
        ...topology.layers.map(({ name }): [string, Drawing] => [
          `layer-${name}`,
          drawLayer(topology, name, off),
        ]),
      ];
      await mkdir(folder, { recursive: true });
      for (const [name, drawing] of drawings) {
        await writeFile(`${folder}/${name}.${endings[format]}`, await write(drawing));
      }
      process.stderr.write(`${drawings.length} drawings are in ${folder}\n`);
      return;
    }
    const drawing = stack
      ? drawStack(topology)
      : layer === undefined
        ? drawPhysical(topology, off)
        : drawLayer(topology, layer, off);
    const text = await write(drawing);
    if (output === undefined) process.stdout.write(text);
    else await writeFile(output, text);
  },
};

async function ofFile(file: string, set: string[]): Promise<{ topology: Topology; off: Set<string> }> {
  const { topology } = await loadTopology(file, { set: parseSet(set) });
  return { topology, off: new Set() };
}

async function ofLab(name: string | undefined): Promise<{ topology: Topology; off: Set<string> }> {
  const lab = chooseLab(await labsOfUser(), name);
  const { topology, stopped = [] } = await recordOf(lab);
  const there = new Set(lab.nodes().map((node) => node.name));
  const off = topology.nodes
    .map((node) => node.name)
    .filter((each) => !there.has(each) || stopped.includes(each));
  return { topology, off: new Set(off) };
}
