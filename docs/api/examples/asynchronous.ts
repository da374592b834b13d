import { setTimeout as delay } from 'node:timers/promises';
import { acceptFlow, allocFlow, dataQos, FlowSet } from 'o7s-testbed/lib';
import { serveHere } from './serve-here.ts';

/** Answers all flows from one loop, until so many have gone. */
async function serve(count: number): Promise<void> {
  using flows = new FlowSet();
  for (let taken = 0; taken < count; taken += 1) flows.add(await acceptFlow({ timeout: 10_000 }));
  for await (const { flow, type } of flows.events({ timeout: 10_000 })) {
    if (type === 'packet') {
      // One event says that there is something to read; while anything is left, it comes again.
      const message = flow.tryRead();
      if (message !== undefined) await flow.write(message);
    } else if (type === 'end' || type === 'dealloc' || type === 'peer') {
      await flow.close();
      if (flows.size === 0) return;
    }
  }
}

async function ask(index: number): Promise<string> {
  await using flow = await allocFlow('many', { qos: dataQos, timeout: 10_000 });
  await delay(10 * index);
  await flow.write(Buffer.from(`answer ${index}`));
  return (await flow.read({ timeout: 10_000 })).toString();
}

await serveHere('many');
const [, ...answers] = await Promise.all([serve(3), ask(1), ask(2), ask(3)]);
console.log(answers.join(', '));
