/** obc: sends a message to everybody in a broadcast layer, or prints what others send. Source: tools.md 5. */
import { type Flow, joinFlow, O7sError } from '../../lib/index.ts';
import { announceTool, explain, print } from '../tool.ts';
import { obcUsage, parseObcOptions } from './options.ts';

process.title = 'obc';

/** What the manual shows for any failure: -1 as a status. */
const failedStatus = 255;
/** Bytes of a message that are shown. */
const shownBytesMax = 256;

async function send(flow: Flow, message: string): Promise<number> {
  try {
    await flow.write(Buffer.from(`${message}\0`));
    return 0;
  } catch (error) {
    print('Failed to write packet.\n');
    explain('obc', error as O7sError);
    return failedStatus;
  } finally {
    await flow.close();
  }
}

async function listen(flow: Flow): Promise<number> {
  print('New flow.\n');
  try {
    for (;;) {
      const message = await flow.read();
      const shown = message.subarray(0, shownBytesMax);
      const end = shown.indexOf(0);
      print(`Message is ${shown.toString('utf8', 0, end === -1 ? shown.length : end)}.\n`);
    }
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    print('Failed to read.\n');
    return 0;
  }
}

async function run(): Promise<number> {
  const parsed = parseObcOptions(process.argv.slice(2));
  if (parsed.kind === 'usage') return (print(parsed.text + obcUsage), parsed.status);
  if (!(await announceTool('obc'))) return 1;
  const { layer, message, listen: listens } = parsed.options;
  if (listens) print('Starting a reader.\n');
  let flow: Flow;
  try {
    flow = await joinFlow(layer);
  } catch (error) {
    print('Failed to join broadcast.\n');
    explain('obc', error as O7sError);
    return failedStatus;
  }
  return listens ? listen(flow) : send(flow, message);
}

process.exit(await run());
