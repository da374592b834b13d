/** `o7s-testbed cp`: files and folders to, from and between nodes. */
import type { CommandModule } from 'yargs';
import { copy, type Place } from '../../copy.ts';
import { TestbedError } from '../../errors.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { labOption } from '../options.ts';

interface CpArguments {
  files: string[];
  lab: string | undefined;
}

export const cp: CommandModule<object, CpArguments> = {
  command: 'cp <files..>',
  describe: 'Copy files or folders to, from or between nodes: cp SOURCE... TARGET',
  builder: (yargs) =>
    yargs
      .positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Sources and last the target; NODE:PATH is on a node, * in place of NODE all of them',
      })
      .option('lab', labOption)
      .example('$0 cp app.js a:/root/', 'to a node')
      .example('$0 cp a:/run/o7s-testbed/irmd.log .', 'from a node')
      .example('$0 cp a:/etc/ouroboros b:/etc/', 'from one to another')
      .example("$0 cp data '*:/root/'", 'to all nodes'),
  handler: async ({ files, lab }) => {
    const target = files.at(-1) ?? '';
    const sources = files.slice(0, -1);
    if (sources.length === 0) {
      throw new TestbedError('EUSAGE', `there is no target to copy ${target} to`, {
        hint: 'write: o7s-testbed cp SOURCE... TARGET',
      });
    }
    if (!files.some((text) => /^[^/:]+:/.test(text))) {
      throw new TestbedError('EUSAGE', 'neither source nor target is on a node', {
        hint: 'write a place on a node as NODE:PATH',
      });
    }
    const chosen = chooseLab(await labsOfUser(), lab);
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    // Several things go into a folder.
    const folder = sources.length > 1 && !target.endsWith('/') ? `${target}/` : target;
    for (const source of sources) {
      const [from, ...others] = places(source, chosen);
      if (from === undefined || others.length > 0) {
        throw new TestbedError('EUSAGE', `the source ${source} is on several nodes`, {
          hint: 'name one of them',
        });
      }
      await Promise.all(places(folder, chosen).map((to) => copy(from, to, interrupt.signal)));
    }
  },
};

/** What `NODE:PATH`, `*:PATH` or `PATH` names. */
function places(text: string, lab: Lab): Place[] {
  const [, name, path = ''] = /^([^/:]+):(.*)$/s.exec(text) ?? [];
  if (name === undefined) return [{ node: undefined, path: text || '.' }];
  if (!path.startsWith('/')) {
    throw new TestbedError('EUSAGE', `the path of ${text} is relative`, {
      hint: `a path on a node begins with a slash: ${name}:/${path}`,
    });
  }
  const nodes = name === '*' ? lab.nodes() : [lab.node(name)];
  return nodes.map((node) => ({ node, path }));
}
