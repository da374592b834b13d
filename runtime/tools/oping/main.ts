/** oping: checks that a server answers, and how fast. Source: tools.md 1. */
import { allocFlow, O7sError } from '../../lib/index.ts';
import { announceTool, explain, print } from '../tool.ts';
import { ping } from './client.ts';
import { parsePingOptions, pingUsage, type PingOptions } from './options.ts';
import { servePings } from './server.ts';

process.title = 'oping';

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
    explain('oping', error);
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
  if (!(await announceTool('oping'))) return 1;
  for (const note of notes) print(note);
  return options.listen ? runServer(options) : runClient(options.serverName ?? '', options);
}

process.exit(await run());
