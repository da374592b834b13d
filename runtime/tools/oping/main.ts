/** oping: checks that a server answers, and how fast. Source: tools.md 1. */
import { writeSync } from 'node:fs';
import { allocFlow, announce, O7sError } from '../../lib/index.ts';
import { ping } from './client.ts';
import { parsePingOptions, pingUsage, type PingOptions } from './options.ts';
import { servePings } from './server.ts';

process.title = 'oping';

function print(text: string): void {
  try {
    writeSync(1, text);
  } catch (error) {
    // Whoever read the output has gone: nobody waits for the rest.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0);
    throw error;
  }
}

async function runClient(name: string, options: PingOptions): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  try {
    const flow = await allocFlow(name, { signal: stop.signal });
    await ping({ flow, name, options, stop: stop.signal, print });
    return 0;
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    print(`Failed to allocate flow: ${-error.errno}.\n`);
    writeSync(2, `oping: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`);
    return 1;
  }
}

async function runServer(options: PingOptions): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(0));
  await servePings(options, print);
  return options.busy ? 0 : 1;
}

async function run(): Promise<number> {
  const parsed = parsePingOptions(process.argv.slice(2));
  if (parsed.kind === 'refused') return (print(parsed.text), 1);
  if (parsed.kind === 'usage') return (print(parsed.text + pingUsage), parsed.status);
  const { options, notes } = parsed;
  try {
    await announce();
  } catch (error) {
    writeSync(2, `FATAL: Could not announce to IRMd.\noping: ${(error as Error).message}\n`);
    return 1;
  }
  for (const note of notes) print(note);
  return options.listen ? runServer(options) : runClient(options.serverName ?? '', options);
}

process.exit(await run());
