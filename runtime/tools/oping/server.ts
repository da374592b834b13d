/** oping's server. Source: tools.md 1.4. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Flow, O7sError } from '../../lib/index.ts';
import { acceptFlows, FlowServer, sendOver } from '../flow-server.ts';
import { showLine } from '../terminal.ts';
import { errorEvent, type Report } from '../tool.ts';
import type { PingEvent } from './events.ts';
import { pingHeaderBytes, pingType } from './message.ts';
import type { PingOptions } from './options.ts';

/** A flow without traffic for longer is released; ms. */
const idleMs = 10_000;
const idleCheckMs = 1000;
/** Busy reads between two looks at signals and timers. */
const spinsPerTurn = 1000;
/** How long to wait for another request right where the last was answered, ms. */
const lingerMs = 20;

type PingReport = Report<PingEvent>;

/** Serves until irmd is gone; busily, one flow until it goes down. */
export async function servePings(options: PingOptions, report: PingReport): Promise<void> {
  const flows = acceptFlows((error) => report({ ...errorEvent(error), during: 'accept' }));
  if (options.busy) {
    for await (const flow of flows) return serveBusily(flow, report);
    return;
  }
  report({ type: 'listening' });
  const server = new FlowServer();
  /** When each flow brought its last request. */
  const lastAt = new Map<Flow, number>();
  let requests = 0;
  using _live = options.quiet ? showLine(() => `${server.size} flows, ${requests} requests`) : undefined;
  const forget = (flow: Flow, type: 'idle' | 'released'): void => {
    lastAt.delete(flow);
    report({ type, fd: flow.fd });
  };
  setInterval(() => {
    const now = performance.now();
    for (const [flow, at] of lastAt) {
      if (now - at <= idleMs) continue;
      server.drop(flow);
      forget(flow, 'idle');
    }
  }, idleCheckMs).unref();
  void server.run(options.poll ? 0 : lingerMs);
  for await (const flow of flows) {
    report({ type: 'flow', fd: flow.fd, busy: false });
    lastAt.set(flow, performance.now());
    server.add(flow, {
      message: (message) => {
        lastAt.set(flow, performance.now());
        requests += 1;
        return answer(flow, message, options.quiet, report);
      },
      ended: () => forget(flow, 'released'),
    });
  }
}

/** Sends a request back as the reply it asks for. */
function answer(flow: Flow, message: Buffer, quiet: boolean, report: PingReport): Promise<void> | undefined {
  if (message.length < pingHeaderBytes || message.readUInt32BE(0) !== pingType.request) {
    report({ type: 'invalidMessage', fd: flow.fd });
    return undefined;
  }
  if (!quiet) report({ type: 'request', fd: flow.fd, bytes: message.length });
  message.writeUInt32BE(pingType.reply, 0);
  return sendOver(flow, message, () => report({ type: 'answerLost', fd: flow.fd }));
}

/** Answers one flow in a busy loop until it goes down. */
async function serveBusily(flow: Flow, report: PingReport): Promise<void> {
  report({ type: 'flow', fd: flow.fd, busy: true });
  try {
    for (let spins = 1; ; spins += 1) {
      const message = flow.tryRead();
      if (message !== undefined) {
        await answer(flow, message, true, report);
        flow.flush();
      }
      if (spins % spinsPerTurn === 0) await nextTurn();
    }
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    await flow.close();
  }
}
