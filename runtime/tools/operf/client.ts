/** operf's client. Source: tools.md 3.3. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Flow, O7sError } from '../../lib/index.ts';
import { megabits } from '../quantities.ts';
import { Sender } from '../sender.ts';
import { showLine } from '../terminal.ts';
import { errorEvent, explain, type Report } from '../tool.ts';
import type { PerfEvent } from './events.ts';
import { writeSequence, writeTest } from './message.ts';
import type { PerfOptions } from './options.ts';

export interface PerfRun {
  readonly flow: Flow;
  readonly options: PerfOptions;
  readonly stop: AbortSignal;
  readonly report: Report<PerfEvent>;
}

/** From the test message to the first packet, ms. */
const settleMs = 1000;
/** Silence after which a server sends nothing more back, ms. */
const patienceMs = 2000;
/** How often to look whether all has come back, ms. */
const lookMs = 20;

/** One test. The flow is left open. */
export async function measure({ flow, options, stop, report }: PerfRun): Promise<void> {
  const { serverName: server, test, durationMs, rate, flood } = options;
  const size = Math.min(options.size, flow.maxMessageBytes);
  if (size < options.size) report({ type: 'note', text: `Packet size truncated to ${size} bytes.\n` });
  report({ type: 'test', fd: flow.fd, test });
  try {
    await flow.write(writeTest(test));
    await delay(settleMs, undefined, { signal: stop });
  } catch (error) {
    if (error instanceof O7sError) fail(report, error);
    else if (!stop.aborted) throw error;
  }
  report({ type: 'sending', server, bytes: size, durationMs, ...(flood ? {} : { rate }) });
  const gapMs = flood ? 0 : (size * 8000) / rate;
  const sender = new Sender({ flow, size, gapMs, durationMs, stop, stamp: writeSequence });
  const echoes = test === 'bi' ? new EchoReader(flow, size, report) : undefined;
  {
    using _live = showLine(() => progress(sender, size, durationMs, echoes));
    const error = await sender.run();
    if (error !== undefined) fail(report, error);
    const { sent: packets, elapsedMs } = sender;
    const bytes = packets * size;
    report({ type: 'finished', packets, bytes, elapsedMs, mbps: megabits(bytes, elapsedMs) });
    if (echoes === undefined) return;
    await echoes.untilBack(packets, stop);
  }
  const { sent, elapsedMs } = sender;
  const { received } = echoes;
  const lossPercent = sent === 0 ? 0 : 100 - Math.floor((100 * received) / sent);
  const mbps = megabits(received * size, elapsedMs);
  report({ type: 'statistics', server, sent, received, lossPercent, elapsedMs, mbps });
}

function fail(report: Report<PerfEvent>, error: O7sError): void {
  report({ ...errorEvent(error), during: 'send' });
  explain('operf', error);
}

function progress(
  { sent, elapsedMs }: Sender,
  size: number,
  durationMs: number,
  echoes: EchoReader | undefined,
): string {
  const seconds = `${Math.floor(elapsedMs / 1000)} of ${Math.floor(durationMs / 1000)} s`;
  const back = echoes === undefined ? '' : `, ${echoes.received} back`;
  return `${seconds}: ${sent} packets${back}, ${megabits(sent * size, elapsedMs).toFixed(3)} Mb/s`;
}

/** Counts what a server sends back. */
class EchoReader {
  received = 0;
  readonly #flow: Flow;
  readonly #size: number;
  readonly #report: Report<PerfEvent>;
  #lastAt = performance.now();
  #ended = false;

  constructor(flow: Flow, size: number, report: Report<PerfEvent>) {
    this.#flow = flow;
    this.#size = size;
    this.#report = report;
    void this.#read();
  }

  /** Waits until all packets are back, the server is silent, or the run is stopped. */
  async untilBack(sent: number, stop: AbortSignal): Promise<void> {
    this.#lastAt = Math.max(this.#lastAt, performance.now());
    while (this.received < sent && !this.#ended && !stop.aborted) {
      if (performance.now() - this.#lastAt > patienceMs) {
        this.#report({ type: 'serverTimedOut' });
        return;
      }
      await delay(lookMs);
    }
  }

  async #read(): Promise<void> {
    const flow = this.#flow;
    try {
      for (;;) {
        let message: Buffer | undefined = await flow.readThroughOutages();
        while (message !== undefined) {
          this.#count(message);
          message = flow.waiting > 0 ? flow.tryRead() : undefined;
        }
        this.#lastAt = performance.now();
      }
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
    }
    this.#ended = true;
  }

  #count(message: Buffer): void {
    if (message.length === this.#size) this.received += 1;
    else this.#report({ type: 'invalidMessage', fd: this.#flow.fd });
  }
}
