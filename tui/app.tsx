/** The view as ink shows it. */
import { Box, type Key as InkKey, Text, useApp, useInput, useStdin, useWindowSize } from 'ink';
import { memo, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { LiveActions, LiveSource } from '../rumba/index.ts';
import { bodyRows, frame } from './frame.ts';
import { captureText } from './model.ts';
import { type Effect, type Fault, firstState, type Key, press, type ScreenState } from './screen.ts';
import type { Store } from './store.ts';

export interface AppProps {
  readonly store: Store;
  readonly source: LiveSource;
  readonly readOnly: boolean;
  readonly colour: boolean;
  readonly onInterrupt: (() => void) | undefined;
}

export function App({ store, source, readOnly, colour, onInterrupt }: AppProps): React.JSX.Element {
  const { exit, suspendTerminal } = useApp();
  const { stdin } = useStdin();
  const { columns, rows } = useWindowSize();
  const live = useSyncExternalStore(store.subscribe, store.model);
  const [state, setState] = useState<ScreenState>(firstState);
  // What is shown while it stands still.
  const [frozen, setFrozen] = useState(live);
  const { actions, replay } = source;
  const isReplay = replay !== undefined;
  const model = state.isPaused && !isReplay ? frozen : live;
  // Keys come faster than frames: each is pressed on what the one before left.
  const current = useRef(state);
  const height = Math.max(4, rows - 1);

  const say = useCallback((text: string, isBad: boolean): void => {
    setState((before) => (current.current = { ...before, message: { text, isBad } }));
  }, []);

  const attempt = useCallback(
    (what: string, work: () => Promise<string>): void => {
      say(`${what} ...`, false);
      work().then(
        (done) => say(done, false),
        (error: unknown) => say(error instanceof Error ? error.message : String(error), true),
      );
    },
    [say],
  );

  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case 'quit':
        return exit();
      case 'interrupt':
        return onInterrupt === undefined ? exit() : onInterrupt();
      case 'logs':
        return source.followLogs();
      case 'pause':
        setFrozen(live);
        return replay?.setPaused(effect.isPaused);
      case 'speed':
        return replay?.setSpeed(effect.factor);
      case 'end':
        return replay?.toEnd();
      case 'shell': {
        const { node } = effect;
        if (actions === undefined) return;
        return attempt(`shell on ${node}`, async () => {
          store.hold(true);
          try {
            await suspendTerminal(async () => {
              await stopReading(stdin);
              await actions.shell(node);
            });
          } finally {
            store.hold(false);
          }
          return `back from node ${node}`;
        });
      }
      case 'capture': {
        const { link } = effect;
        if (actions === undefined) return;
        return attempt(`capture on link ${link}`, async () => {
          const file = await actions.capture(link);
          return file === undefined
            ? `capture on link ${link} has ended`
            : `capturing link ${link} into ${file}`;
        });
      }
      case 'fault': {
        const { fault } = effect;
        if (actions === undefined) return;
        return attempt(fault.text, async () => {
          await carryOut(fault, actions);
          return `${fault.text}: done`;
        });
      }
    }
  };

  useInput((input, inkKey) => {
    for (const key of keysOf(input, inkKey)) {
      const canAct = actions !== undefined;
      const setting = { readOnly, isReplay, canAct, pageRows: bodyRows(height) - 1, columns };
      const [next, effect] = press(current.current, key, model, setting);
      current.current = next;
      setState(next);
      if (effect !== undefined) perform(effect);
    }
  });

  useEffect(() => {
    if (live.lab.condition === 'ended') say('the lab has ended; q quits', true);
  }, [live.lab.condition, say]);

  // It may end by itself, and with something to complain of.
  useEffect(() => {
    if (live.capture !== undefined) say(captureText(live.capture), live.capture.complaint !== null);
  }, [live.capture, say]);

  const lines = frame(model, state, { columns, rows: height, colour, readOnly, isReplay });
  return (
    <Box flexDirection="column" width={columns} height={height}>
      {lines.map((text, at) => (
        // eslint-disable-next-line react/no-array-index-key -- a line is its place on the screen
        <ScreenLine key={at} text={text} />
      ))}
    </Box>
  );
}

/** One line, drawn anew only when it is another. */
const ScreenLine = memo(({ text }: { readonly text: string }) => <Text wrap="truncate">{text || ' '}</Text>);

async function carryOut({ action }: Fault, actions: LiveActions): Promise<void> {
  switch (action.kind) {
    case 'stop':
      return await actions.stopNode(action.node);
    case 'start':
      return await actions.startNode(action.node);
    case 'destroy':
      return await actions.destroyIpcp(action.node, action.pid);
    case 'link':
      return await actions.setLink(action.link, action.state);
  }
}

/** ink lets go of the keys, but Node reads on: what is typed would be lost to the other program. */
async function stopReading(stdin: NodeJS.ReadableStream): Promise<void> {
  // The end of listening and the pause each take effect a turn later.
  await nextTurn();
  stdin.pause();
  await nextTurn();
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What ink makes of the bytes of a terminal, as keys: characters that came at once are one key each. */
function keysOf(input: string, key: InkKey): Key[] {
  const named = (name: Key['name']): Key[] => [{ name, text: '' }];
  if (key.ctrl && input === 'c') return named('interrupt');
  if (key.upArrow) return named('up');
  if (key.downArrow) return named('down');
  if (key.leftArrow) return named('left');
  if (key.rightArrow) return named('right');
  if (key.pageUp) return named('pageUp');
  if (key.pageDown) return named('pageDown');
  if (key.home) return named('home');
  if (key.end) return named('end');
  if (key.return) return named('enter');
  if (key.escape) return named('escape');
  if (key.tab) return named(key.shift ? 'backTab' : 'tab');
  if (key.backspace || key.delete) return named('erase');
  if (key.ctrl || key.meta) return [];
  return Array.from(input, (text): Key =>
    text === '\r' ? { name: 'enter', text: '' } : { name: 'text', text },
  );
}
