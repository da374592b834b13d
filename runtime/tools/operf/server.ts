/** operf's server. Source: tools.md 3.4. */
import type { Flow } from '../../lib/index.ts';
import { acceptFlows, type FlowHandler, FlowServer, sendOver } from '../flow-server.ts';
import { megabits } from '../quantities.ts';
import { showLine } from '../terminal.ts';
import { errorEvent, exitOnSignals, type Report } from '../tool.ts';
import type { PerfEvent } from './events.ts';
import { readSequence, readTest, type TestType } from './message.ts';

/** A flow without traffic for longer is released; ms. */
const idleMs = 1000;
const idleCheckMs = 1000;
/** The first packet comes a second after the test message, and then some. */
const firstPacketMs = 2000;

type PerfReport = Report<PerfEvent>;

/** Serves until irmd is gone. `quiet` says nothing of single packets. */
export async function servePerf(quiet: boolean, report: PerfReport): Promise<void> {
  report({ type: 'listening' });
  const server = new FlowServer();
  const tests = new Map<Flow, ServedTest>();
  using _live = quiet ? showLine(() => progress(tests)) : undefined;
  const end = (flow: Flow, type: 'idle' | 'released' | 'invalidTest'): void => {
    const test = tests.get(flow);
    tests.delete(flow);
    server.drop(flow);
    report({ type, fd: flow.fd });
    test?.tell();
  };
  setInterval(() => {
    const now = performance.now();
    for (const [flow, test] of tests) if (now > test.deadline) end(flow, 'idle');
  }, idleCheckMs).unref();
  exitOnSignals(() => tests.forEach((test) => test.tell()));
  void server.run();
  const flows = acceptFlows((error) => report({ ...errorEvent(error), during: 'accept' }));
  for await (const flow of flows) {
    report({ type: 'flow', fd: flow.fd });
    const test = new ServedTest(flow, quiet, report, () => end(flow, 'invalidTest'));
    tests.set(flow, test);
    server.add(flow, { message: test.message, settled: test.settled, ended: () => end(flow, 'released') });
  }
}

function progress(tests: ReadonlyMap<Flow, ServedTest>): string {
  const flows = [...tests.values()].map((test) => {
    return `flow ${test.fd}: ${test.packets} packets, ${test.mbps.toFixed(3)} Mb/s`;
  });
  return flows.length === 0 ? 'no flows' : flows.join('; ');
}

/** The test that a flow is used for. */
class ServedTest implements FlowHandler {
  packets = 0;
  readonly #flow: Flow;
  readonly #quiet: boolean;
  readonly #report: PerfReport;
  readonly #invalid: () => void;
  #test: TestType | undefined;
  #bytes = 0;
  #notReturned = 0;
  /** One past the highest number seen; numbers begin anew at 2^32. */
  #next = 0;
  /** Packets up to that number. */
  #numbered = 0;
  #firstAt = 0;
  #lastAt = performance.now();
  /** Numbers and times of packets not told yet. */
  #untold: (readonly [number, number])[] = [];

  constructor(flow: Flow, quiet: boolean, report: PerfReport, invalid: () => void) {
    this.#flow = flow;
    this.#quiet = quiet;
    this.#report = report;
    this.#invalid = invalid;
  }

  get fd(): number {
    return this.#flow.fd;
  }

  /** Megabits a second from the first packet to the last. */
  get mbps(): number {
    return megabits(this.#bytes, this.#lastAt - this.#firstAt);
  }

  /** When the flow has been silent for too long, on the clock of `performance.now`. */
  get deadline(): number {
    return this.#lastAt + (this.packets === 0 ? firstPacketMs : idleMs);
  }

  readonly message = (message: Buffer): Promise<void> | undefined => {
    if (this.#test === undefined) {
      this.#begin(message);
      return undefined;
    }
    this.packets += 1;
    this.#bytes += message.length;
    const sequence = readSequence(message);
    if (sequence !== undefined) this.#seen(sequence);
    if (this.#test === 'bi') {
      return sendOver(this.#flow, message, () => void (this.#notReturned += 1));
    }
    if (!this.#quiet) this.#untold.push([sequence ?? 0, (performance.timeOrigin + performance.now()) / 1000]);
    return undefined;
  };

  readonly settled = (): void => {
    this.#lastAt = performance.now();
    if (this.packets > 0 && this.#firstAt === 0) this.#firstAt = this.#lastAt;
    if (this.#untold.length === 0) return;
    this.#report({ type: 'packets', fd: this.#flow.fd, packets: this.#untold });
    this.#untold = [];
  };

  /** Tells what came over the flow. */
  tell(): void {
    if (this.#test === undefined) return;
    this.#report({
      type: 'received',
      fd: this.#flow.fd,
      packets: this.packets,
      bytes: this.#bytes,
      missing: Math.max(0, this.#numbered - this.packets),
      notReturned: this.#notReturned,
      elapsedMs: this.#lastAt - this.#firstAt,
      mbps: this.mbps,
    });
  }

  #seen(sequence: number): void {
    const ahead = (sequence - this.#next) | 0;
    if (ahead < 0) return;
    this.#numbered += ahead + 1;
    this.#next = (sequence + 1) >>> 0;
  }

  #begin(message: Buffer): void {
    this.#test = readTest(message);
    if (this.#test === undefined) this.#invalid();
    else this.#report({ type: 'test', fd: this.#flow.fd, test: this.#test });
  }
}
