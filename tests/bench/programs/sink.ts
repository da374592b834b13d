/**
 * Takes flows and writes to a file, a line for each, what arrived: packets, bytes and the time between
 * the first and the last of them. A process of its own, started in a node: `sink.ts FILE`.
 */
import { appendFileSync } from 'node:fs';
import { acceptFlow, type Flow, O7sError } from '../../../runtime/lib/index.ts';

/** A flow that brings nothing for this long is over, should its release get lost; ms. */
const silenceMs = 30_000;
const [file = '/dev/stdout'] = process.argv.slice(2);

async function drain(flow: Flow): Promise<void> {
  let packets = 0;
  let bytes = 0;
  let first = 0;
  let last = 0;
  try {
    for (;;) {
      // What came together is taken together, and then another flow has its turn.
      let message: Buffer | undefined = await flow.read({ timeout: silenceMs });
      while (message !== undefined) {
        packets += 1;
        bytes += message.length;
        message = flow.waiting > 0 ? flow.tryRead() : undefined;
      }
      last = performance.now();
      if (first === 0) first = last;
    }
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
  }
  appendFileSync(file, `${JSON.stringify({ packets, bytes, ms: last - first })}\n`);
  await flow.close();
}

for (;;) void drain(await acceptFlow());
