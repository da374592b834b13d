/** The calls of an application, over one session a process that is opened at the first of them. */
import type { Flow } from './flow.ts';
import { type AllocOptions, Session } from './session.ts';
import type { WaitOptions } from './waiters.ts';

let session: Promise<Session> | undefined;

/** The session of this process; one that irmd left behind is replaced. */
function current(): Promise<Session> {
  const opening: Promise<Session> = (session ?? Promise.reject(new Error('no session yet'))).then(
    (known) => (known.closed ? Session.open() : known),
    () => Session.open(),
  );
  session = opening;
  return opening;
}

/**
 * Makes this process known to irmd, so that it can be bound to names before its first call. The calls below do so
 * by themselves.
 *
 * @throws O7sError EIRMD when no irmd answers.
 */
export async function announce(): Promise<void> {
  await current();
}

/**
 * Requests a flow to whoever accepts for a name; see `Session.allocFlow`.
 *
 * ```ts
 * await using flow = await allocFlow('echo');
 * await flow.write(Buffer.from('hello'));
 * console.log((await flow.read()).toString());
 * ```
 */
export async function allocFlow(name: string, options: AllocOptions = {}): Promise<Flow> {
  return (await current()).allocFlow(name, options);
}

/**
 * Joins a broadcast layer; see `Session.joinFlow`.
 *
 * ```ts
 * await using flow = await joinFlow('news');
 * await flow.write(Buffer.from('hello, everybody'));
 * ```
 */
export async function joinFlow(layer: string, options: WaitOptions = {}): Promise<Flow> {
  return (await current()).joinFlow(layer, options);
}

/**
 * Takes the next flow for any name this process, or its program, is bound to; see `Session.acceptFlow`.
 *
 * ```ts
 * for (;;) {
 *   const flow = await acceptFlow();
 *   for await (const message of flow) await flow.write(message);
 * }
 * ```
 */
export async function acceptFlow(options: WaitOptions = {}): Promise<Flow> {
  return (await current()).acceptFlow(options);
}
