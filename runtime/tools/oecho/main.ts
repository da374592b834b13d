/** oecho: sends a message to a server, which sends it back. Source: tools.md 2. */
import { acceptFlow, allocFlow, type Flow, O7sError } from '../../lib/index.ts';
import { errorEvent, explain, type Report, reporter, runTool } from '../tool.ts';
import { type EchoEvent, echoText } from './events.ts';
import { parseEchoOptions } from './options.ts';

const serverName = 'oecho';
const message = Buffer.from('Client says hi!\0');
/** How long the other end may take to say something, ms: one that never does must not hold up those behind it. */
const patienceMs = 10_000;
/** What the manual shows for any failure of the client: -1 as a status. */
const failedStatus = 255;

type Step = Extract<EchoEvent, { type: 'error' }>['during'];

/** Does one step; a failure is told, and gives nothing. */
async function attempt<T>(
  report: Report<EchoEvent>,
  during: Step,
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    report({ ...errorEvent(error), during });
    explain('oecho', error);
    return undefined;
  }
}

/** Text up to its NUL. */
function textOf(packet: Buffer): string {
  const end = packet.indexOf(0);
  return packet.toString('utf8', 0, end === -1 ? packet.length : end);
}

async function runClient(report: Report<EchoEvent>): Promise<number> {
  const flow = await attempt(report, 'allocate', () => allocFlow(serverName));
  if (flow === undefined) return failedStatus;
  try {
    const sentAt = performance.now();
    const sent = await attempt(report, 'write', async () => (await flow.write(message), true));
    if (sent === undefined) return failedStatus;
    const reply = await attempt(report, 'read', () => flow.read({ timeout: patienceMs }));
    if (reply === undefined) return failedStatus;
    report({ type: 'reply', text: textOf(reply), rttMs: performance.now() - sentAt });
    return 0;
  } finally {
    await flow.close();
  }
}

async function serve(report: Report<EchoEvent>, flow: Flow): Promise<void> {
  const request = await attempt(report, 'read', () => flow.read({ timeout: patienceMs }));
  if (request !== undefined) {
    report({ type: 'message', fd: flow.fd, text: textOf(request) });
    await attempt(report, 'write', () => flow.write(request));
  }
  await flow.close();
}

/** Serves one client at a time, until there is no irmd to bring any. */
async function runServer(report: Report<EchoEvent>): Promise<number> {
  report({ type: 'started' });
  for (;;) {
    const flow = await attempt(report, 'accept', () => acceptFlow());
    if (flow === undefined) return 0;
    report({ type: 'flow', fd: flow.fd });
    await serve(report, flow);
  }
}

void runTool('oecho', parseEchoOptions, ({ listen, json }) => {
  const report = reporter(json, echoText);
  return listen ? runServer(report) : runClient(report);
});
