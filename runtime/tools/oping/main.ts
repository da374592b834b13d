/** oping: checks that a server answers, and how fast. Source: tools.md 1. */
import { allocFlow, type Flow, O7sError } from '../../lib/index.ts';
import {
  errorEvent,
  exitOnSignals,
  explain,
  type Report,
  reporter,
  runTool,
  stopOnSignals,
} from '../tool.ts';
import { ping } from './client.ts';
import { type PingEvent, pingText } from './events.ts';
import { parsePingOptions, type PingOptions } from './options.ts';
import { servePings } from './server.ts';

async function runClient(options: PingOptions, report: Report<PingEvent>): Promise<number> {
  const stop = stopOnSignals();
  let flow: Flow;
  try {
    flow = await allocFlow(options.serverName, { qos: options.qos, signal: stop });
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    report({ ...errorEvent(error), during: 'allocate' });
    explain('oping', error);
    return 1;
  }
  await ping({ flow, options, stop, report });
  return 0;
}

void runTool('oping', parsePingOptions, async (options, notes) => {
  const report = reporter(options.json, pingText);
  for (const text of notes) report({ type: 'note', text });
  if (!options.listen) return runClient(options, report);
  exitOnSignals();
  await servePings(options, report);
  // Only a busy server ends by itself; the others end because irmd is gone.
  return options.busy ? 0 : 1;
});
