/** oping's client. Source: tools.md 1.3. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Flow, O7sError, type WaitOptions } from '../../lib/index.ts';
import { pingType, readPing, writeRequest } from './message.ts';
import type { PingOptions } from './options.ts';
import { formatTime, PingStatistics } from './statistics.ts';

export interface PingRun {
  readonly flow: Flow;
  readonly name: string;
  readonly options: PingOptions;
  /** Ends the run; statistics follow all the same. */
  readonly stop: AbortSignal;
  readonly print: (text: string) => void;
}

const nsPerUs = 1000n;
/** Busy reads between two looks at signals and timers. */
const spinsPerTurn = 1000;
/** Replies between two looks at signals and timers. */
const repliesPerTurn = 64;

/** Pings until all replies are there, nothing comes any more, or it is stopped. */
export async function ping(run: PingRun): Promise<void> {
  const { flow, name, options, print } = run;
  const statistics = new PingStatistics();
  if (!options.quiet) {
    const how = options.floodBusy ? ', busy-poll' : '';
    print(`Pinging ${name} with ${options.size} bytes of data (${options.count} packets${how}):\n\n`);
  }
  const startedAt = performance.now();
  if (options.floodBusy) await floodBusily(run, statistics);
  else if (options.flood) await flood(run, statistics);
  else await pingAtIntervals(run, statistics);
  print(statistics.format(name, performance.now() - startedAt));
  await flow.close();
}

/** Whole microseconds since a request was sent, in ms. */
function roundTrip(sentAt: bigint): number {
  return Number((process.hrtime.bigint() - sentAt) / nsPerUs) / 1000;
}

function printReply(run: PingRun, bytes: number, id: number, rtt: number, late: boolean): void {
  const { name, options, print } = run;
  if (options.quiet) return;
  const stamp = options.timeOfDay ? `[${(Date.now() / 1000).toFixed(6)}] ` : '';
  const note = late ? ' [out-of-order]' : '';
  print(`${stamp}${bytes} bytes from ${name}: seq=${id} ${formatTime(rtt)}${note}\n`);
}

async function pingAtIntervals(run: PingRun, statistics: PingStatistics): Promise<void> {
  const { flow, options, stop, print } = run;
  const { count, interval, size } = options;
  const patienceMs = (Math.floor(interval / 1000) + 2) * 1000;
  const request = Buffer.alloc(size);

  let timer: NodeJS.Timeout | undefined;
  const ended = new AbortController();
  const halt = (): void => ended.abort();
  stop.addEventListener('abort', halt, { once: true });
  const sendNext = (): void => {
    if (ended.signal.aborted || statistics.sent >= count) return;
    timer = setTimeout(() => {
      writeRequest(request, statistics.sent, process.hrtime.bigint());
      flow.write(request).then(
        () => {
          statistics.sent += 1;
          sendNext();
        },
        () => {
          // What is sent while the device below is down is lost like on any other link.
          if (!flow.released) {
            statistics.sent += 1;
            return sendNext();
          }
          print('Failed to send packet.\n');
          halt();
        },
      );
    }, interval);
  };
  sendNext();

  let expected = 0;
  while (statistics.received < count) {
    let reply: Buffer;
    try {
      reply = await readThroughOutages(flow, { timeout: patienceMs, signal: ended.signal });
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      if (error.code !== 'ECANCELED') print('Server timed out.\n');
      break;
    }
    const message = readPing(reply);
    if (message === undefined || message.type !== pingType.reply) {
      print(`Invalid message on fd ${flow.fd}.\n`);
    } else if (message.id >= count) {
      print('Invalid id.\n');
    } else {
      const rtt = roundTrip(message.clock);
      const late = message.id < expected;
      if (late) statistics.outOfOrder += 1;
      else expected = message.id + 1;
      statistics.add(rtt);
      printReply(run, reply.length, message.id, rtt, late);
    }
  }
  halt();
  clearTimeout(timer);
  stop.removeEventListener('abort', halt);
}

/** Reads a message, also one that comes only after the device below was down for a while. */
async function readThroughOutages(flow: Flow, options: WaitOptions): Promise<Buffer> {
  for (;;) {
    try {
      return await flow.read(options);
    } catch (error) {
      if (flow.released || !(error instanceof O7sError) || error.code !== 'EFLOWDOWN') throw error;
      await flow.untilUp(options);
    }
  }
}

async function flood(run: PingRun, statistics: PingStatistics): Promise<void> {
  const { flow, options, stop, print } = run;
  const request = Buffer.alloc(options.size);
  for (let id = 0; id < options.count && !stop.aborted; id += 1) {
    const sentAt = process.hrtime.bigint();
    writeRequest(request, id, sentAt);
    let reply: Buffer | undefined;
    try {
      await flow.write(request);
      statistics.sent += 1;
      for (reply = flow.readBlocking(); reply === undefined && !stop.aborted; reply = flow.readBlocking()) {
        await nextTurn();
      }
    } catch {
      print('Failed to read packet.\n');
      return;
    }
    if (reply !== undefined) countReply(run, statistics, reply, id, sentAt);
    if (id % repliesPerTurn === 0) await nextTurn();
  }
}

async function floodBusily(run: PingRun, statistics: PingStatistics): Promise<void> {
  const { flow, options, stop, print } = run;
  const request = Buffer.alloc(options.size);
  for (let id = 0; id < options.count && !stop.aborted; id += 1) {
    const sentAt = process.hrtime.bigint();
    writeRequest(request, id, sentAt);
    let reply: Buffer | undefined;
    try {
      await flow.write(request);
      flow.flush();
      statistics.sent += 1;
      for (let spins = 1; reply === undefined && !stop.aborted; spins += 1) {
        reply = flow.tryRead();
        if (spins % spinsPerTurn === 0) await nextTurn();
      }
    } catch {
      print('Failed to read packet.\n');
      return;
    }
    if (reply !== undefined) countReply(run, statistics, reply, id, sentAt);
  }
}

/** A reply of another type counts as lost. */
function countReply(
  run: PingRun,
  statistics: PingStatistics,
  reply: Buffer,
  id: number,
  sentAt: bigint,
): void {
  if (readPing(reply)?.type !== pingType.reply) return;
  const rtt = roundTrip(sentAt);
  statistics.add(rtt);
  printReply(run, run.options.size, id, rtt, false);
}
