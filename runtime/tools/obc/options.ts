/** obc's command line. Source: tools.md 5. */

export interface ObcOptions {
  readonly layer: string;
  readonly message: string;
  readonly listen: boolean;
}

export type ParsedOptions =
  | { readonly kind: 'run'; readonly options: ObcOptions }
  | { readonly kind: 'usage'; readonly text: string; readonly status: number };

export const obcUsage = `Usage: obc [OPTION]...
Sends a message to everybody in a broadcast layer, or prints what others send.

  -n, --name <layer>     Name of the broadcast layer
  -m, --message <text>   Text to send (default: "Ouroboros multicast rocks!")
  -l, --listen           Print what others send
      --help             Show this text
`;

const messageDefault = 'Ouroboros multicast rocks!';

/** Reads the arguments from left to right; the last of each counts. */
export function parseObcOptions(args: readonly string[]): ParsedOptions {
  let layer: string | undefined;
  let message = messageDefault;
  let listen = false;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at];
    const value = args[at + 1];
    if (word === '-l' || word === '--listen') {
      listen = true;
    } else if ((word === '-n' || word === '--name') && value !== undefined) {
      layer = value;
      at += 1;
    } else if ((word === '-m' || word === '--message') && value !== undefined) {
      message = value;
      at += 1;
    } else {
      return { kind: 'usage', text: '', status: 0 };
    }
  }
  if (layer === undefined) return { kind: 'usage', text: 'Please specify a name.\n\n', status: 1 };
  return { kind: 'run', options: { layer, message, listen } };
}
