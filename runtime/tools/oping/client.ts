/** oping's client. Source: tools.md 1.3. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Flow, O7sError } from '../../lib/index.ts';
import { showLine } from '../terminal.ts';
import { errorEvent, explain, type Report } from '../tool.ts';
import type { PingEvent } from './events.ts';
import { pingType, readPing, writeRequest } from './message.ts';
import type { PingOptions } from './options.ts';
import { PingStatistics } from './statistics.ts';

export interface PingRun {
  readonly flow: Flow;
  readonly options: PingOptions;
  /** Ends the run; statistics follow all the same. */
  readonly stop: AbortSignal;
  readonly report: Report<PingEvent>;
}

const nsPerUs = 1000n;
/** Busy reads between two looks at signals and timers. */
const spinsPerTurn = 1000;
/** Replies between two looks at signals and timers. */
const repliesPerTurn = 64;

/** Pings until all replies are there, nothing comes any more, or it is stopped. */
export async function ping(run: PingRun): Promise<void> {
  const { flow, options, report } = run;
  const { serverName: server, size, count, quiet, floodBusy } = options;
  const statistics = new PingStatistics();
  if (!quiet) report({ type: 'started', server, bytes: size, count, busy: floodBusy });
  const startedAt = performance.now();
  {
    using _live = quiet ? showLine(() => progress(statistics)) : undefined;
    if (floodBusy) await floodBusily(run, statistics);
    else if (options.flood) await flood(run, statistics);
    else await pingAtIntervals(run, statistics);
  }
  report(statistics.summary(server, performance.now() - startedAt));
  await flow.close();
}

function progress({ sent, received, mean }: PingStatistics): string {
  const average = received === 0 ? '' : `, ${mean.toFixed(3)} ms on average`;
  return `${sent} sent, ${received} received${average}`;
}

/** Whole microseconds since a request was sent, in ms. */
function roundTrip(sentAt: bigint): number {
  return Number((process.hrtime.bigint() - sentAt) / nsPerUs) / 1000;
}

function reportReply(run: PingRun, bytes: number, seq: number, rttMs: number, outOfOrder: boolean): void {
  const { options, report } = run;
  if (options.quiet) return;
  const reply = { type: 'reply', server: options.serverName, bytes, seq, rttMs, outOfOrder } as const;
  report(options.timeOfDay ? { ...reply, at: Date.now() / 1000 } : reply);
}

async function pingAtIntervals(run: PingRun, statistics: PingStatistics): Promise<void> {
  const { flow, options, stop, report } = run;
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
        (error: unknown) => {
          // What is sent while the device below is down is lost like on any other link.
          if (!flow.released) {
            statistics.sent += 1;
            return sendNext();
          }
          if (!ended.signal.aborted) fail(run, 'send', error);
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
      reply = await flow.readThroughOutages({ timeout: patienceMs, signal: ended.signal });
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      if (error.code === 'ECANCELED') break;
      report({ type: 'serverTimedOut' });
      if (error.code !== 'ETIMEDOUT') explain('oping', error);
      break;
    }
    const message = readPing(reply);
    if (message === undefined || message.type !== pingType.reply) {
      report({ type: 'invalidMessage', fd: flow.fd });
    } else if (message.id >= count) {
      report({ type: 'foreignId', seq: message.id });
    } else {
      const rtt = roundTrip(message.clock);
      const late = message.id < expected;
      if (late) statistics.outOfOrder += 1;
      else expected = message.id + 1;
      statistics.add(rtt);
      reportReply(run, reply.length, message.id, rtt, late);
    }
  }
  halt();
  clearTimeout(timer);
  stop.removeEventListener('abort', halt);
}

function fail({ report }: PingRun, during: 'send' | 'read', error: unknown): void {
  if (!(error instanceof O7sError)) throw error;
  report({ ...errorEvent(error), during });
  explain('oping', error);
}

async function flood(run: PingRun, statistics: PingStatistics): Promise<void> {
  const { flow, options, stop } = run;
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
    } catch (error) {
      return fail(run, 'read', error);
    }
    if (reply !== undefined) countReply(run, statistics, reply, id, sentAt);
    if (id % repliesPerTurn === 0) await nextTurn();
  }
}

async function floodBusily(run: PingRun, statistics: PingStatistics): Promise<void> {
  const { flow, options, stop } = run;
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
    } catch (error) {
      return fail(run, 'read', error);
    }
    if (reply !== undefined) countReply(run, statistics, reply, id, sentAt);
    if (id % repliesPerTurn === 0) await nextTurn();
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
  reportReply(run, run.options.size, id, rtt, false);
}
