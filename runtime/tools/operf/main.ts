/** operf: measures bandwidth between a client and a server. Source: tools.md 3. */
import { allocFlow, type Flow, O7sError } from '../../lib/index.ts';
import { errorEvent, explain, type Report, reporter, runTool, stopOnSignals } from '../tool.ts';
import { measure } from './client.ts';
import { type PerfEvent, perfText } from './events.ts';
import { parsePerfOptions, type PerfOptions } from './options.ts';
import { servePerf } from './server.ts';

async function runClient(options: PerfOptions, report: Report<PerfEvent>): Promise<number> {
  const stop = stopOnSignals();
  let flow: Flow;
  try {
    flow = await allocFlow(options.serverName, { qos: options.qos, signal: stop });
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    report({ ...errorEvent(error), during: 'allocate' });
    explain('operf', error);
    return 1;
  }
  await measure({ flow, options, stop, report });
  await flow.close();
  return 0;
}

void runTool('operf', parsePerfOptions, async (options, notes) => {
  const report = reporter<PerfEvent>(options.json, (event) => perfText(event, options.quiet));
  for (const text of notes) report({ type: 'note', text });
  if (!options.listen) return runClient(options, report);
  await servePerf(options.quiet, report);
  // It ends because irmd is gone.
  return 1;
});
