/** ocbr: sends packets from a client to a server at a constant bit rate. Source: tools.md 4. */
import { allocFlow, type Flow, O7sError } from '../../lib/index.ts';
import { megabits } from '../quantities.ts';
import { Sender } from '../sender.ts';
import { showLine } from '../terminal.ts';
import {
  errorEvent,
  exitOnSignals,
  explain,
  type Report,
  reporter,
  runTool,
  stopOnSignals,
} from '../tool.ts';
import { type CbrEvent, cbrText } from './events.ts';
import { writeSequence } from './message.ts';
import { type CbrOptions, parseCbrOptions } from './options.ts';
import { serveCbr } from './server.ts';

/** What the manual shows for a failed allocation: -1 as a status. */
const failedStatus = 255;

async function runClient(options: CbrOptions, report: Report<CbrEvent>): Promise<number> {
  const { serverName: server, durationS, rate, flood, spin, qos } = options;
  const stop = stopOnSignals();
  report({ type: 'started', server, durationS, rate, bytes: options.size, flood });
  let flow: Flow;
  try {
    flow = await allocFlow(server, { qos, signal: stop });
  } catch (error) {
    fail(report, 'allocate', error);
    return failedStatus;
  }
  const size = Math.min(options.size, flow.maxMessageBytes);
  if (size < options.size) report({ type: 'note', text: `Packet size truncated to ${size} bytes.\n` });
  const sender = new Sender({
    flow,
    size,
    gapMs: flood ? 0 : (size * 8000) / rate,
    durationMs: durationS * 1000,
    spin,
    stop,
    stamp: flood ? () => {} : writeSequence,
  });
  {
    using _live = showLine(() => progress(sender, size, durationS));
    const error = await sender.run();
    if (error !== undefined) fail(report, 'send', error);
  }
  const { sent: packets, elapsedMs } = sender;
  const bytes = packets * size;
  report({ type: 'sent', packets, bytes, elapsedMs, mbps: megabits(bytes, elapsedMs) });
  await flow.close();
  return 0;
}

function fail(report: Report<CbrEvent>, during: 'allocate' | 'send', error: unknown): void {
  if (!(error instanceof O7sError)) throw error;
  report({ ...errorEvent(error), during });
  explain('ocbr', error);
}

function progress({ sent, elapsedMs }: Sender, size: number, durationS: number): string {
  const seconds = `${Math.floor(elapsedMs / 1000)} of ${durationS} s`;
  return `${seconds}: ${sent} packets, ${megabits(sent * size, elapsedMs).toFixed(4)} Mb/s`;
}

void runTool('ocbr', parseCbrOptions, async (options, notes) => {
  const report = reporter(options.json, cbrText);
  for (const text of notes) report({ type: 'note', text });
  if (!options.listen) return runClient(options, report);
  exitOnSignals();
  await serveCbr(options, report);
  return 1;
});
