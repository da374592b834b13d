/** ocbr's server. Source: tools.md 4.4. */
import type { Flow } from '../../lib/index.ts';
import { acceptFlows, type FlowHandler, FlowServer } from '../flow-server.ts';
import { showLine } from '../terminal.ts';
import { errorEvent, type Report } from '../tool.ts';
import type { CbrEvent } from './events.ts';
import type { CbrOptions } from './options.ts';

/** Flows served at once. */
const flowsMax = 10;

/** Serves until no flow can be accepted. */
export async function serveCbr(options: CbrOptions, report: Report<CbrEvent>): Promise<void> {
  const { intervalS, timeoutS } = options;
  report({ type: 'listening', intervalS, timeoutS });
  const server = new FlowServer();
  const tests = new Set<CbrTest>();
  /** Goes on when a flow has ended. */
  let roomMade = (): void => {};
  let total = 0;
  using _live = showLine(() => `${tests.size} flows, ${total} packets`);
  void server.run();
  const flows = acceptFlows((error) => report({ ...errorEvent(error), during: 'accept' }));
  for await (const flow of flows) {
    report({ type: 'flow', fd: flow.fd });
    const test = new CbrTest({
      flow,
      intervalMs: intervalS * 1000,
      timeoutMs: timeoutS * 1000,
      report,
      counted: (packets) => void (total += packets),
      ended: () => {
        tests.delete(test);
        server.drop(flow);
        roomMade();
      },
    });
    tests.add(test);
    server.add(flow, test);
    if (tests.size < flowsMax) continue;
    report({ type: 'full', flows: flowsMax });
    await new Promise<void>((resolve) => (roomMade = resolve));
  }
}

interface CbrTestSetup {
  readonly flow: Flow;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly report: Report<CbrEvent>;
  /** Hears of packets as they are reported. */
  readonly counted: (packets: number) => void;
  readonly ended: () => void;
}

/** Counts what a flow brings, and reports it at each planned end of an interval. */
class CbrTest implements FlowHandler {
  readonly #setup: CbrTestSetup;
  /** Packets and bytes since the last report. */
  #packets = 0;
  #bytes = 0;
  #lastAt: number;
  /** Planned start of the interval. */
  #intervalStart: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(setup: CbrTestSetup) {
    this.#setup = setup;
    this.#lastAt = performance.now();
    this.#intervalStart = this.#lastAt;
    this.#schedule();
  }

  readonly message = (message: Buffer): void => {
    this.#packets += 1;
    this.#bytes += message.length;
  };

  readonly settled = (): void => {
    this.#lastAt = performance.now();
  };

  readonly ended = (): void => {
    this.#setup.report({ type: 'released', fd: this.#setup.flow.fd });
    this.#end();
  };

  /** Sleeps until the end of the interval or of the patience with a silent flow, whichever comes first. */
  #schedule(): void {
    const { intervalMs, timeoutMs } = this.#setup;
    const next = Math.min(this.#intervalStart + intervalMs, this.#lastAt + timeoutMs + 1);
    this.#timer = setTimeout(this.#due, Math.max(1, next - performance.now()));
  }

  readonly #due = (): void => {
    const { flow, intervalMs, timeoutMs, report } = this.#setup;
    const now = performance.now();
    if (now >= this.#intervalStart + intervalMs) {
      this.#tell(now);
      this.#intervalStart += intervalMs;
    }
    if (now - this.#lastAt <= timeoutMs) return this.#schedule();
    report({ type: 'timedOut', fd: flow.fd });
    this.#end();
  };

  #end(): void {
    clearTimeout(this.#timer);
    this.#tell(performance.now());
    this.#setup.ended();
  }

  #tell(now: number): void {
    const { flow, report, counted } = this.#setup;
    const elapsedMs = now - this.#intervalStart;
    const [packets, bytes] = [this.#packets, this.#bytes];
    [this.#packets, this.#bytes] = [0, 0];
    counted(packets);
    const pps = (packets / elapsedMs) * 1000;
    const mbps = (bytes * 8) / (elapsedMs * 1000);
    report({ type: 'report', fd: flow.fd, packets, bytes, elapsedMs, pps, mbps });
  }
}
