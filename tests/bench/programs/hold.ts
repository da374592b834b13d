/** Many flows that stay: `hold.ts serve`, or `hold.ts ask NAME COUNT`, which says `ready` when it has them. */
import { acceptFlow, allocFlow, announce } from '../../../runtime/lib/index.ts';

const [what, name = '', count = '0'] = process.argv.slice(2);
const held = new Set<object>();
await announce();
if (what === 'serve') {
  console.log('ready');
  for (;;) held.add(await acceptFlow());
}
for (let made = 0; made < Number(count); made += 1) held.add(await allocFlow(name));
console.log('ready');
setInterval(() => {}, 60_000);
