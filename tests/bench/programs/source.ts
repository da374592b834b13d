/**
 * Sends packets of a size to a name for some seconds, as fast as its node takes them, over one flow or many in turn:
 * `source.ts NAME SIZE SECONDS [FLOWS [QOS]]`. Says `ready` when it has its flows, and how many packets it has sent before it
 * closes them.
 */
import { allocFlow, type Flow, qosByName, type QosName } from '../../../runtime/lib/index.ts';

const [name = '', size = '64', seconds = '2', flowCount = '1', qosName = 'raw'] = process.argv.slice(2);
const qos = qosByName[qosName as QosName];
/** Messages a flow sends before the next has its turn. */
const batch = 64;

const flows: Flow[] = [];
while (flows.length < Number(flowCount)) flows.push(await allocFlow(name, { qos }));
console.log('ready');
const message = Buffer.alloc(Number(size));
const end = performance.now() + Number(seconds) * 1000;
let packets = 0;
while (performance.now() < end) {
  for (const flow of flows) {
    for (let count = 0; count < batch; count += 1) {
      if (!flow.tryWrite(message)) await flow.write(message);
      packets += 1;
    }
    // With many flows a turn of all of them would be more than the node can take at once.
    if (flows.length > 1) flow.flush();
  }
}
console.log(JSON.stringify({ packets }));
console.log('sent');
for (const flow of flows) await flow.close();
