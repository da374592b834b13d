/** oping's command line. Source: tools.md 1.1. */

export interface PingOptions {
  listen: boolean;
  poll: boolean;
  busy: boolean;
  serverName: string | undefined;
  count: number;
  /** ms. */
  interval: number;
  size: number;
  flood: boolean;
  floodBusy: boolean;
  quiet: boolean;
  timeOfDay: boolean;
}

export type ParsedOptions =
  | { readonly kind: 'run'; readonly options: PingOptions; readonly notes: readonly string[] }
  /** Something to say, and the usage behind it. */
  | { readonly kind: 'usage'; readonly text: string; readonly status: number }
  | { readonly kind: 'refused'; readonly text: string };

export const pingUsage = `Usage: oping [OPTION]...
Checks liveness between a client and a server, and reports the round trip time.

  -l, --listen               Run as a server
      --poll                 Server: poll without sleeping
      --busy                 Server: serve one flow, reading in a busy loop

  -n, --server-name <name>   Name of the server
  -c, --count <number>       Number of packets (default: until stopped)
  -d, --duration <time>      Length of the test; sets the count
  -i, --interval <time>      Time between packets (default: 1s)
  -s, --size <bytes>         Size of a packet, 64 to 1500 (default: 64)
  -q, --qos <raw>            Service asked for (default: raw)
  -f, --flood                Send the next packet right after the reply
  -F, --flood-busy           The same, reading in a busy loop
  -Q, --quiet                Print only the statistics
  -D, --timeofday            Print the time of day before each line
      --help                 Show this text

A time is a number of ms, or has a unit: ms, s, m, h, d.
`;

/** Known cubes whose flows need what these end points lack. */
const laterCubes: ReadonlySet<string> = new Set(['best', 'video', 'voice', 'data']);
const sizeMin = 64;
const sizeMax = 1500;
const intervalMax = 10_000;
const countMax = 2_147_483_647;
const unitMs: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time in ms, or the unit that is unknown. */
export function parseTime(text: string): number | { readonly unknownUnit: string } {
  const [, digits = '', unit = ''] = /^\s*(\d*)(.*)$/s.exec(text) ?? [];
  const factor = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined;
  return factor === undefined ? { unknownUnit: unit } : Number(digits) * factor;
}

/** A number at the beginning of a text; what follows is ignored. */
function leadingNumber(text: string): number {
  return Number(/^\s*-?\d+/.exec(text)?.[0] ?? 0);
}

const withValue = new Map([
  ['-n', 'name'],
  ['--server-name', 'name'],
  ['-c', 'count'],
  ['--count', 'count'],
  ['-d', 'duration'],
  ['--duration', 'duration'],
  ['-i', 'interval'],
  ['--interval', 'interval'],
  ['-s', 'size'],
  ['--size', 'size'],
  ['-q', 'qos'],
  ['--qos', 'qos'],
] as const);

const flags = new Map<string, keyof PingOptions>([
  ['-l', 'listen'],
  ['--listen', 'listen'],
  ['--poll', 'poll'],
  ['--busy', 'busy'],
  ['-f', 'flood'],
  ['--flood', 'flood'],
  ['-F', 'floodBusy'],
  ['--flood-busy', 'floodBusy'],
  ['-Q', 'quiet'],
  ['--quiet', 'quiet'],
  ['-D', 'timeOfDay'],
  ['--timeofday', 'timeOfDay'],
]);

export function parsePingOptions(args: readonly string[]): ParsedOptions {
  const options: PingOptions = {
    listen: false,
    poll: false,
    busy: false,
    serverName: undefined,
    count: countMax,
    interval: 1000,
    size: sizeMin,
    flood: false,
    floodBusy: false,
    quiet: false,
    timeOfDay: false,
  };
  let duration: number | undefined;
  let qos = 'raw';
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const flag = flags.get(arg);
    if (flag !== undefined) {
      Object.assign(options, { [flag]: true });
      continue;
    }
    const option = withValue.get(arg as '-n');
    const value = args[at + 1];
    if (option === undefined || value === undefined) {
      return { kind: 'usage', text: '', status: arg === '--help' ? 0 : 1 };
    }
    at += 1;
    if (option === 'name') options.serverName = value;
    else if (option === 'count') options.count = leadingNumber(value);
    else if (option === 'size') options.size = leadingNumber(value);
    else if (option === 'qos') qos = value;
    else {
      const time = parseTime(value);
      if (typeof time !== 'number')
        return { kind: 'refused', text: `Unknown time unit: ${time.unknownUnit}.\n` };
      if (option === 'interval') options.interval = time;
      else duration = time;
    }
  }
  const notes: string[] = [];
  if (options.listen) return { kind: 'run', options, notes };

  if (laterCubes.has(qos)) notes.push(`QoS cube ${qos} is not offered by this version, defaulting to raw.\n`);
  else if (qos !== 'raw') notes.push('Unknown QoS cube, defaulting to raw.\n');
  if (options.serverName === undefined) return { kind: 'usage', text: 'No server specified.\n', status: 1 };
  if (options.interval > intervalMax) {
    notes.push('Ping interval truncated to 10s.\n');
    options.interval = intervalMax;
  }
  if (options.size > sizeMax) notes.push(`Packet size truncated to ${sizeMax} bytes.\n`);
  if (options.size < sizeMin) notes.push(`Packet size set to ${sizeMin} bytes.\n`);
  options.size = Math.min(sizeMax, Math.max(sizeMin, options.size));
  if (duration !== undefined) {
    options.count = options.interval === 0 ? duration * 10 : Math.floor(duration / options.interval);
  }
  return { kind: 'run', options, notes };
}
