/** Programs on the Python binding, run on a node. */
import { fileURLToPath } from 'node:url';
import type { Finished, Running } from './command.ts';
import type { TestNode } from './node.ts';
import { until } from './until.ts';

const programs = fileURLToPath(new URL('../fixtures/python/programs.py', import.meta.url));
/** For programs that import the binding. */
export const pythonEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  PYTHONPATH: fileURLToPath(new URL('../../runtime/bindings/python3', import.meta.url)),
  PYTHONDONTWRITEBYTECODE: '1',
};

export function runPython(node: TestNode, ...words: string[]): Promise<Finished> {
  return node.run('python3', [programs, ...words], { env: pythonEnvironment });
}

/** One that serves: it has said that it is ready. */
export async function startPython(node: TestNode, ...words: string[]): Promise<Running> {
  const running = node.spawn('python3', [programs, ...words], { env: pythonEnvironment });
  await until(`${words.join(' ')} to be ready`, () => {
    if (running.child.exitCode !== null) throw new Error(`${running.stdout}${running.stderr}`);
    return running.stdout.startsWith('ready\n');
  });
  return running;
}
