/** ovpn's command line. Source: tools.md 6. */
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type Option, type Parsed, usageText } from '../words.ts';
import { getopt } from './getopt.ts';

export interface VpnOptions extends JsonOption {
  /** What to allocate a flow to; undefined accepts one. */
  serverName: string | undefined;
  address: string;
  mask: string;
}

/** A command line that getopt refuses is answered on standard error. */
export type ParsedVpnOptions = Parsed<VpnOptions> | { readonly kind: 'fault'; readonly text: string };

interface Given extends JsonOption {
  serverName: string | undefined;
  address: string | undefined;
  mask: string | undefined;
}

const options: readonly Option<Given>[] = [
  {
    words: ['-n', '--name'],
    value: 'server',
    help: 'Run as a client of this server',
    set: (given, value) => void (given.serverName = value),
  },
  {
    words: ['-i', '--ip'],
    value: 'IPv4',
    help: 'Address of the tunnel device',
    set: (given, value) => {
      if (readAddress(value) === undefined) return `Invalid IP address: ${value}.\n`;
      given.address = value;
      return undefined;
    },
  },
  {
    words: ['-m', '--mask'],
    value: 'IPv4',
    help: 'Subnet mask of the tunnel device',
    set: (given, value) => {
      if (!isPrefixMask(value)) return `Invalid subnet mask: ${value}.\n`;
      given.mask = value;
      return undefined;
    },
  },
  jsonOption,
];

const isHelp = 'help';
/** What getopt knows: the options above, `--help`, and one that only ends the program. */
const known = [
  ...options.map((option) => ({
    short: option.words.find((word) => !word.startsWith('--'))?.slice(1) ?? '',
    long: option.words.find((word) => word.startsWith('--'))?.slice(2) ?? '',
    takesValue: option.value !== undefined,
    option,
  })),
  { short: 'h', long: isHelp, takesValue: false, option: undefined },
  { short: 'C', takesValue: false, option: undefined },
];

export const vpnCommand: CommandLine<Given> = {
  tool: 'ovpn',
  purpose: 'Sends TCP/IP traffic over Ouroboros: carries the packets of a tunnel device over a flow.',
  groups: [{ options }],
  after: 'Without a name it accepts one flow, for the name that it, or its program, is bound to.\n',
};

export const vpnUsage: string = usageText(vpnCommand);

const withUsage = (text: string): ParsedVpnOptions => ({
  kind: 'end',
  text: `${text}\n${vpnUsage}`,
  status: 1,
});

export function parseVpnOptions(args: readonly string[]): ParsedVpnOptions {
  const given: Given = { serverName: undefined, address: undefined, mask: undefined, json: false };
  const words: string[] = [];
  for (const item of getopt('ovpn', args, known)) {
    if (item.kind === 'fault') return { kind: 'fault', text: item.text };
    if (item.kind === 'word') {
      words.push(item.word);
      continue;
    }
    const { option, long } = item.option;
    if (option === undefined) {
      return long === isHelp
        ? { kind: 'end', text: vpnUsage, status: 0 }
        : { kind: 'end', text: '', status: 1 };
    }
    const text = option.set(given, item.value);
    if (typeof text === 'string') return withUsage(text);
  }
  const { serverName, address, mask, json } = given;
  if (words.length > 0) {
    return withUsage(`Unknown arguments specified: ${words.map((word) => `${word} `).join('')}\n`);
  }
  if (address === undefined) return withUsage('Please specify an IP address.\n');
  if (mask === undefined) return withUsage('Please specify a subnetmask.\n');
  return { kind: 'run', options: { serverName, address, mask, json }, notes: [] };
}

/** The 32 bits of an address in dotted decimals. */
function readAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.reduce((bits, part) => ((bits << 8) | Number(part)) >>> 0, 0);
}

/** Whether a mask is ones and behind them zeros. */
function isPrefixMask(text: string): boolean {
  const bits = readAddress(text);
  if (bits === undefined) return false;
  const zeros = ~bits >>> 0;
  return (zeros & (zeros + 1)) === 0;
}
