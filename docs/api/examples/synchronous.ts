import { acceptFlow, allocFlow, dataQos, type Flow } from 'o7s-testbed/lib';
import { serveHere } from './serve-here.ts';

/** Adds up what comes; the other end is waited for, step by step. */
async function serve(flow: Flow): Promise<void> {
  let sum = 0;
  for await (const message of flow.messages({ timeout: 10_000 })) {
    sum += message.readInt32BE();
    const answer = Buffer.alloc(4);
    answer.writeInt32BE(sum);
    await flow.write(answer, { timeout: 1000 });
  }
  await flow.close();
}

async function ask(flow: Flow): Promise<void> {
  const giveUp = AbortSignal.timeout(10_000);
  const message = Buffer.alloc(4);
  for (let number = 1; number <= 10; number += 1) {
    message.writeInt32BE(number);
    await flow.write(message, { signal: giveUp });
    // Into memory of our own, and no more than it holds: what follows comes with the next call.
    const bytes = await flow.readInto(message, { signal: giveUp });
    if (bytes === 4 && number === 10) console.log(message.readInt32BE());
    // A message that filled the memory exactly is followed by its end.
    await flow.readInto(message, { signal: giveUp });
  }
  await flow.close();
}

await serveHere('sum');
const [flow, served] = await Promise.all([allocFlow('sum', { qos: dataQos }), acceptFlow()]);
await Promise.all([serve(served), ask(flow)]);
