/** oping's server. Source: tools.md 1.4. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { acceptFlow, type Flow, FlowSet, O7sError } from '../../lib/index.ts';
import { pingHeaderBytes, pingType } from './message.ts';
import type { PingOptions } from './options.ts';

/** A flow without traffic for longer is released; ms. */
const idleMs = 10_000;
const idleCheckMs = 1000;
/** Busy reads between two looks at signals and timers. */
const spinsPerTurn = 1000;
/** How long to wait for another request right where the last was answered, ms. */
const lingerMs = 20;
/** Answers between two turns of the event loop. */
const answersPerTurn = 64;

type Print = (text: string) => void;

/** Serves until irmd is gone. */
export async function servePings(options: PingOptions, print: Print): Promise<void> {
  if (options.busy) return serveOneBusily(print);
  print('Ouroboros ping server started.\n');
  const server = new PingServer(options, print);
  void server.run();
  for (;;) {
    const flow = await nextFlow(print);
    if (flow === undefined) return;
    print(`New flow ${flow.fd}.\n`);
    server.add(flow);
  }
}

/** The next flow; undefined when there is no irmd to bring one. */
async function nextFlow(print: Print): Promise<Flow | undefined> {
  for (;;) {
    try {
      return await acceptFlow();
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      print(`Failed to accept flow: ${-error.errno} \n`);
      if (error.code === 'EIRMD') return undefined;
    }
  }
}

/** Answers requests of any number of flows. */
class PingServer {
  readonly #options: PingOptions;
  readonly #print: Print;
  readonly #flows = new FlowSet();
  /** When each flow brought its last request. */
  readonly #lastAt = new Map<Flow, number>();

  constructor(options: PingOptions, print: Print) {
    this.#options = options;
    this.#print = print;
    setInterval(() => this.#dropIdle(), idleCheckMs).unref();
  }

  add(flow: Flow): void {
    this.#lastAt.set(flow, performance.now());
    this.#flows.add(flow);
  }

  async run(): Promise<void> {
    for (;;) {
      let events = await this.#flows.wait();
      // While requests come one upon another, the next is waited for right here.
      for (let answered = 0; events.length > 0 && answered < answersPerTurn; answered += events.length) {
        for (const { flow, type } of events) {
          if (type === 'dealloc' || type === 'peer') this.#drop(flow);
          else this.#answerAll(flow);
        }
        events = this.#flows.waitBlocking(this.#options.poll ? 0 : lingerMs);
      }
      await nextTurn();
    }
  }

  #answerAll(flow: Flow): void {
    try {
      for (let message = flow.tryRead(); message !== undefined; message = flow.tryRead()) {
        this.#lastAt.set(flow, performance.now());
        answer(flow, message, this.#options.quiet, this.#print);
      }
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      // A flow whose device is down goes on when it is up again.
      if (flow.released) this.#drop(flow);
    }
  }

  #dropIdle(): void {
    const now = performance.now();
    for (const [flow, lastAt] of this.#lastAt) {
      if (now - lastAt <= idleMs) continue;
      this.#print(`Flow ${flow.fd} timed out.\n`);
      this.#drop(flow);
    }
  }

  #drop(flow: Flow): void {
    this.#flows.delete(flow);
    this.#lastAt.delete(flow);
    void flow.close();
  }
}

/** Sends a request back as the reply it asks for. What the flow cannot take now is lost, as on any link. */
function answer(flow: Flow, message: Buffer, quiet: boolean, print: Print): void {
  if (message.length < pingHeaderBytes || message.readUInt32BE(0) !== pingType.request) {
    print(`Invalid message on fd ${flow.fd}.\n`);
    return;
  }
  if (!quiet) print(`Received ${message.length} bytes on fd ${flow.fd}.\n`);
  message.writeUInt32BE(pingType.reply, 0);
  if (!flow.tryWrite(message)) print(`Error writing to flow (fd ${flow.fd}).\n`);
}

/** One flow only, in a busy loop, until it goes down. */
async function serveOneBusily(print: Print): Promise<void> {
  const flow = await nextFlow(print);
  if (flow === undefined) return;
  print(`New flow ${flow.fd} (busy-poll).\n`);
  try {
    for (let spins = 1; ; spins += 1) {
      const message = flow.tryRead();
      if (message !== undefined) {
        answer(flow, message, true, print);
        flow.flush();
      }
      if (spins % spinsPerTurn === 0) await nextTurn();
    }
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    await flow.close();
  }
}
