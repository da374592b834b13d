import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { acceptFlow, allocFlow, dataQos } from 'o7s-testbed/lib';
import { serveHere } from './serve-here.ts';

/** Sends back what comes, compressed. */
async function serve(): Promise<void> {
  const stream = (await acceptFlow({ timeout: 10_000 })).stream();
  await pipeline(stream, createGzip(), stream);
}

async function ask(): Promise<void> {
  const flow = await allocFlow('squeeze', { qos: dataQos, timeout: 10_000 });
  const stream = flow.stream({ signal: AbortSignal.timeout(10_000) });
  // Cut into messages as long as the flow carries, whatever is written at once.
  stream.end('all work and no play makes jack a dull boy\n'.repeat(100_000));
  const answer = await text(stream.pipe(createGunzip()));
  console.log(`${answer.length} bytes came back`);
}

await serveHere('squeeze');
await Promise.all([serve(), ask()]);
