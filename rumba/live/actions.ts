/** What a view can do to a lab; each act is noted among its commands. */
import { TestbedError } from '../errors.ts';
import { linkNamed } from '../links/changes.ts';
import type { Recording } from '../links/recording.ts';
import { lockLab } from '../lock.ts';
import { recordOf, start, stop } from '../orchestrate.ts';
import type { Lab } from '../testbeds/testbed.ts';
import { startCapture } from './capture.ts';
import type { CaptureEvent, CommandEvent, LiveActions } from './events.ts';

export interface ActionNotes {
  /** The lab, once it is there. */
  readonly lab: () => Lab | undefined;
  readonly note: (event: CommandEvent | CaptureEvent) => void;
}

/** How long an act may take, in milliseconds. */
const actMs = 60_000;

/**
 * A shell with a terminal of its own, where that can be had: one that controls jobs makes itself the owner of its
 * terminal, and from within a node it could not give ours back.
 */
const shellScript = [
  'shell=$(command -v bash || command -v sh)',
  'echo "node $0: exit leads back to the view"',
  'if command -v script >/dev/null; then exec script -q -c "$shell" /dev/null; fi',
  'exec "$shell"',
].join('\n');

/** Whoever has them disposes of them: a capture that runs ends then. */
export function labActions({ lab: find, note }: ActionNotes): LiveActions & AsyncDisposable {
  let capture: { readonly link: string; readonly running: Recording } | undefined;
  // One is started or ended at a time.
  let changing: Promise<unknown> = Promise.resolve();
  const there = (): Lab => {
    const lab = find();
    if (lab === undefined) throw new TestbedError('EFAILED', 'the lab is not there yet');
    return lab;
  };
  const noted = async <T>(node: string | null, command: string, work: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    const done = (error: string | null): void => {
      note({ event: 'command', at: Date.now(), node, command, ms: performance.now() - since, error });
    };
    try {
      const result = await work();
      done(null);
      return result;
    } catch (error) {
      done(error instanceof Error ? error.message : String(error));
      throw error;
    }
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = changing.then(work);
    changing = done.catch(() => {});
    return done;
  };
  const beginCapture = async (link: string): Promise<string> => {
    const running = await startCapture(there(), link);
    const { file, over } = running;
    capture = { link, running };
    note({ event: 'capture', at: Date.now(), link, file, isOver: false, complaint: null });
    void over.then((complaint) => {
      if (capture?.running === running) capture = undefined;
      note({ event: 'capture', at: Date.now(), link, file, isOver: true, complaint: complaint ?? null });
    });
    return file;
  };
  /** The link that was captured on, if one was. */
  const endCapture = async (): Promise<string | undefined> => {
    if (capture === undefined) return undefined;
    const { link, running } = capture;
    // What it complains of is told with its end.
    await noted(null, `end capture ${link}`, () => running.end()).catch(() => {});
    return link;
  };
  /** Changes the lab when no other command does. */
  const alone = async (work: (lab: Lab, signal: AbortSignal) => Promise<void>): Promise<void> => {
    const signal = AbortSignal.timeout(actMs);
    const holder = 'a view of the lab';
    const onWait = (other: string): void => {
      note({
        event: 'command',
        at: Date.now(),
        node: null,
        command: `wait for ${other}`,
        ms: null,
        error: null,
      });
    };
    await using _lock = await lockLab(there().name, { signal, holder, onWait });
    await work(there(), signal);
  };
  return {
    shell: (node) =>
      noted(node, 'sh', async () => {
        await there().node(node).attach(['sh', '-c', shellScript, node]).ended;
      }),
    stopNode: (node) => noted(null, `stop ${node}`, () => alone((lab, signal) => stop(lab, [node], signal))),
    startNode: (node) =>
      noted(null, `start ${node}`, () => alone((lab, signal) => start(lab, [node], { signal }))),
    destroyIpcp: (node, pid) =>
      noted(node, `irm ipcp destroy pid ${pid}`, async () => {
        await using irm = await there().node(node).irm(AbortSignal.timeout(actMs));
        await irm.destroyIpcp(pid);
      }),
    setLink: (link, state) =>
      noted(null, `link ${state} ${link}`, () =>
        alone(async (lab, signal) => {
          const { topology } = await recordOf(lab);
          await lab.setLink(linkNamed(topology, link), state, undefined, signal);
        }),
      ),
    capture: (link) =>
      inTurn(async () => {
        const before = await endCapture();
        if (before === link) return undefined;
        return await noted(null, `capture ${link}`, () => beginCapture(link));
      }),
    [Symbol.asyncDispose]: () => inTurn(async () => void (await endCapture())),
  };
}
