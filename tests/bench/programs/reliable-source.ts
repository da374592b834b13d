/**
 * Fills reliable flows to a name, as many at once as asked for, for some seconds: `reliable-source.ts NAME SIZE SECONDS
 * FLOWS`. Ends when all has been acknowledged.
 */
import { allocFlow, dataQos, type Flow } from '../../../runtime/lib/index.ts';

const [name = '', size = '1400', seconds = '3', flowCount = '1'] = process.argv.slice(2);
const message = Buffer.alloc(Number(size));

const flows: Flow[] = [];
while (flows.length < Number(flowCount)) flows.push(await allocFlow(name, { qos: dataQos }));
const end = performance.now() + Number(seconds) * 1000;
await Promise.all(
  flows.map(async (flow) => {
    while (performance.now() < end) if (!flow.tryWrite(message)) await flow.write(message);
    await flow.close();
  }),
);
