/** obc: sends a message to everybody in a broadcast layer, or prints what others send. Source: tools.md 5. */
import { type Flow, joinFlow, O7sError } from '../../lib/index.ts';
import { errorEvent, explain, type Report, reporter, runTool } from '../tool.ts';
import { type ObcEvent, obcText } from './events.ts';
import { type ObcOptions, parseObcOptions } from './options.ts';

/** What the manual shows for any failure: -1 as a status. */
const failedStatus = 255;

function fail(
  report: Report<ObcEvent>,
  during: Extract<ObcEvent, { type: 'error' }>['during'],
  error: unknown,
): void {
  if (!(error instanceof O7sError)) throw error;
  report({ ...errorEvent(error), during });
  explain('obc', error);
}

async function send(report: Report<ObcEvent>, flow: Flow, message: string): Promise<number> {
  try {
    const packet = Buffer.from(`${message}\0`);
    await flow.write(packet);
    report({ type: 'sent', bytes: packet.length });
    return 0;
  } catch (error) {
    fail(report, 'write', error);
    return failedStatus;
  } finally {
    await flow.close();
  }
}

async function listen(report: Report<ObcEvent>, flow: Flow): Promise<number> {
  report({ type: 'flow', fd: flow.fd });
  try {
    for (;;) {
      const message = await flow.read();
      const end = message.indexOf(0);
      const text = message.toString('utf8', 0, end === -1 ? message.length : end);
      report({ type: 'message', text, bytes: message.length });
    }
  } catch (error) {
    fail(report, 'read', error);
    return 0;
  }
}

async function run({ layer, message, listen: listens, json }: ObcOptions): Promise<number> {
  const report = reporter(json, obcText);
  if (listens) report({ type: 'started', layer });
  let flow: Flow;
  try {
    flow = await joinFlow(layer);
  } catch (error) {
    fail(report, 'join', error);
    return failedStatus;
  }
  return listens ? listen(report, flow) : send(report, flow, message);
}

void runTool('obc', parseObcOptions, run);
