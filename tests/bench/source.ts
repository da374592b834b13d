/** Sends packets of a size to a name for some seconds, as fast as its node takes them: `source.ts NAME SIZE SECONDS`. */
import { allocFlow } from '../../runtime/lib/index.ts';

const [name = '', size = '64', seconds = '2'] = process.argv.slice(2);
const flow = await allocFlow(name);
const message = Buffer.alloc(Number(size));
const end = performance.now() + Number(seconds) * 1000;
let packets = 0;
while (performance.now() < end) {
  for (let count = 0; count < 64; count += 1) {
    if (!flow.tryWrite(message)) await flow.write(message);
    packets += 1;
  }
}
await flow.close();
console.log(JSON.stringify({ packets }));
