/** oping's server. Source: tools.md 1.4. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { acceptFlow, type Flow, O7sError } from '../../lib/index.ts';
import { pingHeaderBytes, pingType } from './message.ts';
import type { PingOptions } from './options.ts';

/** A flow without traffic for longer is released; ms. */
const idleMs = 10_000;
const idleCheckMs = 1000;
/** Busy reads between two looks at signals and timers. */
const spinsPerTurn = 1000;

type Print = (text: string) => void;

/** Serves until irmd is gone. */
export async function servePings(options: PingOptions, print: Print): Promise<void> {
  if (options.busy) return serveOneBusily(print);
  print('Ouroboros ping server started.\n');
  for (;;) {
    const flow = await nextFlow(print);
    if (flow === undefined) return;
    print(`New flow ${flow.fd}.\n`);
    void serve(flow, options, print);
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

async function serve(flow: Flow, options: PingOptions, print: Print): Promise<void> {
  let lastAt = performance.now();
  const idleCheck = setInterval(() => {
    if (performance.now() - lastAt <= idleMs) return;
    print(`Flow ${flow.fd} timed out.\n`);
    void flow.close();
  }, idleCheckMs);
  try {
    for (;;) {
      try {
        const message = options.poll ? await pollRead(flow) : await flow.read();
        lastAt = performance.now();
        await answer(flow, message, options.quiet, print);
      } catch (error) {
        if (flow.released) throw error;
        // The device below is down: the flow goes on when it is up again.
        await flow.untilUp();
      }
    }
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    await flow.close();
  } finally {
    clearInterval(idleCheck);
  }
}

/** Reads without sleeping; other flows have their turn in between. */
async function pollRead(flow: Flow): Promise<Buffer> {
  for (;;) {
    const message = flow.tryRead();
    if (message !== undefined) return message;
    await nextTurn();
  }
}

/** Sends a request back as the reply it asks for. */
async function answer(flow: Flow, message: Buffer, quiet: boolean, print: Print): Promise<void> {
  if (message.length < pingHeaderBytes || message.readUInt32BE(0) !== pingType.request) {
    print(`Invalid message on fd ${flow.fd}.\n`);
    return;
  }
  if (!quiet) print(`Received ${message.length} bytes on fd ${flow.fd}.\n`);
  message.writeUInt32BE(pingType.reply, 0);
  await flow.write(message);
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
        await answer(flow, message, true, print);
        flow.flush();
      }
      if (spins % spinsPerTurn === 0) await nextTurn();
    }
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    await flow.close();
  }
}
