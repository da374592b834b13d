import { acceptFlow, allocFlow, dataQos, flowFlag, frctFlag, O7sError } from 'o7s-testbed/lib';
import { serveHere } from './serve-here.ts';

await serveHere('managed');
const [flow, served] = await Promise.all([
  allocFlow('managed', { qos: dataQos, timeout: 10_000 }),
  acceptFlow({ timeout: 10_000 }),
]);
const codeOf = (error: unknown): string => (error instanceof O7sError ? error.code : String(error));

// fccntl: timeouts, flags, the QoS in force, what waits.
flow.readTimeout = 50;
console.log(await flow.read().then(String, codeOf));
flow.flags |= flowFlag.readNonBlocking;
console.log(await flow.read().then(String, codeOf));
flow.flags = flowFlag.default;
console.log(flow.frctFlags === (frctFlag.retransmit | frctFlag.resourceControl | frctFlag.linger));
console.log(flow.qos.loss, flow.waiting, flow.unsentBytes);

// A message that no layer could carry is an error to its writer.
console.log(await flow.write(Buffer.alloc(flow.maxMessageBytes + 1)).then(String, codeOf));

// Everything is acknowledged, then the end is told; closing releases the flow.
await served.write(Buffer.from('one'));
await served.finish();
for await (const message of flow) console.log(message.toString());
await Promise.all([flow.close(), served.close()]);
console.log(flow.counters, flow.drops.unacknowledged, flow.up);
