import { expect, test } from 'vitest';
import { obcText } from './events.ts';
import { obcUsage, parseObcOptions } from './options.ts';

const parsed = (...args: string[]): ReturnType<typeof parseObcOptions> => parseObcOptions(args);

test('a writer sends the text it is given, or the one of the manual', () => {
  expect(parsed('-n', 'bcl')).toMatchObject({
    kind: 'run',
    options: { layer: 'bcl', message: 'Ouroboros multicast rocks!', listen: false, json: false },
  });
  expect(parsed('--message', 'x', '--name', 'a', '-n', 'b', '-m', 'y')).toMatchObject({
    kind: 'run',
    options: { layer: 'b', message: 'y', listen: false },
  });
});

test('a reader listens', () => {
  expect(parsed('-l', '-n', 'bcl')).toMatchObject({ options: { listen: true } });
  expect(parsed('-n', 'bcl', '--listen', '--json')).toMatchObject({ options: { listen: true, json: true } });
});

test('a layer is needed, and what is not known shows the usage', () => {
  for (const args of [['-l'], ['-n'], ['-l', '--name'], ['-n', '']]) {
    expect(parsed(...args)).toEqual({
      kind: 'end',
      text: `Please specify a name.\n\n${obcUsage}`,
      status: 1,
    });
  }
  for (const args of [['--help'], ['-x'], ['-n', 'bcl', 'y'], ['-n', 'bcl', '-m']]) {
    expect(parsed(...args)).toEqual({ kind: 'end', text: obcUsage, status: 0 });
  }
  expect(obcUsage).toBe(`Usage: obc [OPTION]...
Sends a message to everybody in a broadcast layer, or prints what others send.

  -n, --name <layer>     Name of the broadcast layer
  -m, --message <text>   Text to send (default: "Ouroboros multicast rocks!")
  -l, --listen           Print what others send
      --json             Print a JSON object a line instead of text
      --help             Show this text
`);
});

test('the words of the manual', () => {
  expect(obcText({ type: 'message', text: 'hi', bytes: 3 })).toBe('Message is hi.\n');
  expect(obcText({ type: 'sent', bytes: 3 })).toBe('');
});
