/** Allocates a flow to a name and closes it again, many times: `allocate.ts NAME COUNT`. Prints each time in ms. */
import { allocFlow } from '../../../runtime/lib/index.ts';

const [name = '', count = '100'] = process.argv.slice(2);
const times: number[] = [];
for (let done = 0; done < Number(count); done += 1) {
  const startedAt = performance.now();
  const flow = await allocFlow(name);
  times.push(performance.now() - startedAt);
  await flow.close();
}
console.log(JSON.stringify(times));
