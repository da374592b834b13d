import { acceptFlow, allocFlow, dataQos, O7sError } from 'o7s-testbed/lib';
import { serveHere } from './serve-here.ts';

async function serve(): Promise<void> {
  await using flow = await acceptFlow({ timeout: 10_000 });
  for await (const message of flow) await flow.write(Buffer.from(message.toString().toUpperCase()));
}

async function ask(): Promise<void> {
  await using flow = await allocFlow('shout', { qos: dataQos, timeout: 10_000 });
  await flow.write(Buffer.from('hello'));
  console.log((await flow.read({ timeout: 5000 })).toString());
}

await serveHere('shout');
await Promise.all([serve(), ask()]);
try {
  await allocFlow('nobody');
} catch (error) {
  if (!(error instanceof O7sError)) throw error;
  console.log(error.code, error.errno);
}
