/** The entry of the view: what the command line loads. */
import { render } from 'ink';
import type { LiveSource, ViewOptions } from '../rumba/index.ts';
import { App } from './app.tsx';
import { Store } from './store.ts';

/** Shows a lab until it is told to end, by a key or by the signal. What the source rejects with it rejects with too. */
export async function view(
  source: LiveSource,
  { readOnly, onInterrupt, signal }: ViewOptions,
): Promise<void> {
  const store = new Store();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const shown = render(
    <App
      store={store}
      source={source}
      readOnly={readOnly}
      colour={!process.env['NO_COLOR']}
      onInterrupt={onInterrupt}
    />,
    {
      alternateScreen: true,
      incrementalRendering: true,
      exitOnCtrlC: false,
      interactive: true,
      patchConsole: false,
      maxFps: 20,
    },
  );
  const close = (): void => shown.unmount();
  signal.addEventListener('abort', close, { once: true });
  let failure: unknown;
  const follow = async (): Promise<void> => {
    try {
      for await (const event of source.events(stop)) store.push(event);
    } catch (error) {
      if (stop.aborted) return;
      failure = error;
      close();
    }
  };
  const following = follow();
  try {
    await shown.waitUntilExit();
  } finally {
    signal.removeEventListener('abort', close);
    ended.abort();
    store.close();
    await following;
  }
  if (failure !== undefined) throw failure as Error;
}
