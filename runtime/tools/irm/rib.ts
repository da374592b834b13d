/** `irm rib`: what IPCPs and flows count, as the files of the prototype's RIB. Source: irmd-and-irm.md 13. */
import type { RibFile } from '../../lib/index.ts';
import { type Command, failed, say } from './command.ts';

const usage = `Usage: irm rib
                [<path>]
                [watch]

Without a path, the files there are; with one, the content of the files at and below it. watch shows it each second,
until interrupted. --json prints the values of each file by their labels.
`;
const watchMs = 1000;

export const rib: Command = {
  usage,
  first: 'text',
  keywords: { watch: 'flag' },
  run: async (words, context) => {
    const watches = words.filter((word) => word === 'watch' || word === '--watch').length;
    const [path = '', ...more] = words.filter((word) => word !== 'watch' && word !== '--watch');
    if (more.length > 0 || watches > 1 || path.startsWith('-')) return say(context, usage);
    try {
      const irmd = await context.irmd();
      for (;;) {
        const files = await irmd.rib(path);
        context.result(Object.fromEntries(files.map((file) => [file.path, file.values])));
        if (!context.json) context.out(show(files, path, watches > 0));
        if (watches === 0) return 0;
        await new Promise((resolve) => setTimeout(resolve, watchMs));
      }
    } catch (error) {
      return failed(error, context);
    }
  },
};

function show(files: readonly RibFile[], path: string, isWatched: boolean): string {
  const again = isWatched && process.stdout.isTTY ? clear : '';
  if (path === '') return `${again}${files.map((file) => `${file.path}\n`).join('')}`;
  const [only] = files;
  if (files.length === 1 && only !== undefined) return `${again}${only.text}`;
  return `${again}${files.map((file) => `${file.path}:\n${file.text}\n`).join('')}`;
}

/** Moves a terminal's cursor to its first place and erases all. */
const clear = '\u001b[H\u001b[2J';
