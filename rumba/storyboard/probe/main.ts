/**
 * `story-ping NAME COUNT INTERVAL-MS QOS`: pings a server of `oping -l` at fixed times, whatever comes of it, and prints
 * one line of JSON: when each packet was sent, ms since 1970, and how long its answer took, null for none.
 */
import { allocFlow, O7sError, qosByName, type QosName } from '../../../runtime/lib/index.ts';
import type { ProbeReport } from '../ping.ts';

/** Of a message, as `oping` has it (tools.md 1.2). */
const messageBytes = 64;
const request = 0;
const reply = 1;
/** How long the last answers may take, ms. */
const lastMs = 1_000;
const allocateMs = 10_000;

const [name = '', countText, intervalText, qosName = 'raw'] = process.argv.slice(2);
const [count, interval] = [Number(countText), Number(intervalText)];
const sent: number[] = [];
const answers: (number | null)[] = [];
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());

const now = (): number => performance.timeOrigin + performance.now();

try {
  await ping();
} catch (error) {
  if (!(error instanceof O7sError)) throw error;
  report({ samples: [], error: error.message });
  process.exitCode = 1;
}

async function ping(): Promise<void> {
  const qos = qosByName[qosName as QosName];
  const flow = await allocFlow(name, { qos, timeout: allocateMs, signal: ended.signal });
  const reading = read();
  const begun = now();
  for (let id = 0; id < count && !ended.signal.aborted && !flow.released; id += 1) {
    await until(begun + id * interval);
    const message = Buffer.alloc(messageBytes);
    message.writeUInt32BE(request, 0);
    message.writeUInt32BE(id, 4);
    sent.push(now());
    answers.push(null);
    // What cannot leave is lost, as on any other link.
    await flow.write(message).catch(() => {});
  }
  const end = now() + lastMs;
  while (now() < end && !ended.signal.aborted && answers.includes(null)) await until(now() + 5);
  ended.abort();
  await reading;
  await flow.close();
  report({ samples: sent.map((at, id) => [at, answers[id] ?? null]) });

  async function read(): Promise<void> {
    try {
      for (;;) {
        const message = await flow.readThroughOutages({ signal: ended.signal });
        const id =
          message.length < 8 || message.readUInt32BE(0) !== reply ? undefined : message.readUInt32BE(4);
        const at = id === undefined ? undefined : sent[id];
        if (id !== undefined && at !== undefined) answers[id] ??= now() - at;
      }
    } catch (error) {
      // Nothing more comes: what has no answer is lost.
      if (!(error instanceof O7sError)) throw error;
    }
  }
}

async function until(at: number): Promise<void> {
  const ms = at - now();
  if (ms > 0) await new Promise((resolve) => void setTimeout(resolve, ms));
}

function report(what: ProbeReport): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
