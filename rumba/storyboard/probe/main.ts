/**
 * `story-ping NAME COUNT INTERVAL-MS QOS`: pings a server of `oping -l` at fixed times, whatever comes of it, and prints
 * one line of JSON (`ProbeReport`). While there is no flow, each packet that is due is lost; a flow that is lost is asked for
 * again all the while.
 */
import { allocFlow, type Flow, O7sError, qosByName, type QosName } from '../../../runtime/lib/index.ts';
import type { ProbeReport } from '../ping.ts';

/** Of a message, as `oping` has it (tools.md 1.2). */
const messageBytes = 64;
const request = 0;
const reply = 1;
/** How long the last answers may take, ms. */
const lastMs = 1_000;
/** How long the first flow may take, ms: as often as it is refused, or not heard of for a while, it is asked for again. */
const firstMs = 15_000;
const attemptMs = 5_000;
/** How long one that replaces a lost one may, and the pause before it is asked for again, ms. */
const againMs = 2_000;
const pauseMs = 100;

const [name = '', countText, intervalText, qosName = 'raw'] = process.argv.slice(2);
const [count, interval] = [Number(countText), Number(intervalText)];
const sent: number[] = [];
const answers: (number | null)[] = [];
/** Nothing more is to be sent. */
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
/** Nothing more is to be received. */
const ended = new AbortController();

let flow: Flow | undefined;
let flowsLost = 0;

const now = (): number => performance.timeOrigin + performance.now();

async function run(): Promise<void> {
  try {
    await ping(await firstFlow());
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    report({ samples: [], flowsLost, error: error.message });
    process.exitCode = 1;
  }
}

void run();

async function ping(first: Flow): Promise<void> {
  const receiving = receive(first);
  const begun = now();
  for (let id = 0; id < count && !stopped.signal.aborted; id += 1) {
    await until(begun + id * interval);
    sent.push(now());
    answers.push(null);
    send(id);
  }
  stopped.abort();
  const end = now() + lastMs;
  while (now() < end && answers.includes(null)) await until(now() + 5);
  ended.abort();
  await receiving;
  report({ samples: sent.map((at, id) => [at, answers[id] ?? null]), flowsLost });
}

/** What cannot leave now is lost, as on any other link: the next packet is due all the same. */
function send(id: number): void {
  const message = Buffer.alloc(messageBytes);
  message.writeUInt32BE(request, 0);
  message.writeUInt32BE(id, 4);
  try {
    flow?.tryWrite(message);
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
  }
}

/** Takes answers from one flow after another, until the pings end. */
async function receive(first: Flow): Promise<void> {
  for (let next: Flow | undefined = first; next !== undefined; next = await another()) {
    flow = next;
    await read(next);
    flow = undefined;
    // Nobody waits for what the other end of a flow that is over has not acknowledged.
    await next.close({ timeout: pauseMs });
    if (ended.signal.aborted) return;
    flowsLost += 1;
  }
}

async function read(from: Flow): Promise<void> {
  try {
    for (;;) {
      const message = await from.readThroughOutages({ signal: ended.signal });
      const id =
        message.length < 8 || message.readUInt32BE(0) !== reply ? undefined : message.readUInt32BE(4);
      const at = id === undefined ? undefined : sent[id];
      if (id !== undefined && at !== undefined) answers[id] ??= now() - at;
    }
  } catch (error) {
    // Nothing more comes on this one.
    if (!(error instanceof O7sError)) throw error;
  }
}

/** A busy machine may be too late for the second in which a layer has to find a name. */
async function firstFlow(): Promise<Flow> {
  const end = now() + firstMs;
  for (;;) {
    try {
      return await allocate(attemptMs);
    } catch (error) {
      if (!(error instanceof O7sError) || stopped.signal.aborted || now() > end - attemptMs) throw error;
      await until(now() + pauseMs);
    }
  }
}

async function another(): Promise<Flow | undefined> {
  while (!stopped.signal.aborted) {
    try {
      return await allocate(againMs);
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      await until(now() + pauseMs);
    }
  }
  return undefined;
}

async function allocate(timeout: number): Promise<Flow> {
  return await allocFlow(name, { qos: qosByName[qosName as QosName], timeout, signal: stopped.signal });
}

async function until(at: number): Promise<void> {
  const ms = at - now();
  if (ms > 0) await new Promise((resolve) => void setTimeout(resolve, ms));
}

function report(what: ProbeReport): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
