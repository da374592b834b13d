/** `irm ipcp bootstrap`. Source: irmd-and-irm.md 11.6, 14. */
import { isIPv4, isIPv6 } from 'node:net';
import {
  type BootstrapConfig,
  congestionPolicies,
  hashAlgorithms,
  type IpcpInfo,
  type IpcpType,
  type IrmClient,
  isOfType,
  nameBytesMax,
  routingPolicies,
  settledType,
} from '../../lib/index.ts';
import { type Command, type CommandContext, say, silently } from './command.ts';
import { matchesPattern, matchWord, parseParameters } from './grammar.ts';

/** In the order in which shortened words are tried; `fd` is the manual's alone, `if` the tutorial's of 2018 for device. */
const words = [
  'type',
  'layer',
  'name',
  'hash',
  'ip',
  'dns',
  'device',
  'ethertype',
  'addr',
  'eid',
  'ttl',
  'port',
  'autobind',
  'addr_auth',
  'directory',
  'dht_alpha',
  'dht_k',
  'dht_t_expire',
  'dht_t_refresh',
  'dht_t_replicate',
  'routing',
  'ls_t_timeo',
  'ls_t_update',
  'ls_t_recalc',
  'congestion',
  'fd',
  'if',
] as const;
type Word = (typeof words)[number];

/** In the order in which shortened types are tried. */
const types: readonly IpcpType[] = ['unicast', 'broadcast', 'udp4', 'udp6', 'eth-dix', 'eth-llc', 'local'];
/** Those that accept flows of their own, and so can serve names. */
const bindable: readonly IpcpType[] = ['unicast', 'broadcast'];

const usage = `Usage: irm ipcp bootstrap
                name <IPCP name>
                layer <layer name>
                [type <type>]

A type is one of ${types.join(', ')}; udp is udp4 or udp6, as the address is.

For a type unicast:
                [hash <algorithm> (default: SHA3_256)]
                [addr_auth <flat>]
                [directory <DHT>]
                [routing <${routingPolicies.join('|')}> (default: link_state)]
                [congestion <${congestionPolicies.join('|')}> (default: mb-ecn)]
                [addr <bytes of an address> (only 4)]
                [eid <bytes of an endpoint id> (8, whatever is given)]
                [ttl <links> (default: 60)]
                [dht_alpha <members asked at once, 1-10> (default: 3)]
                [dht_k <members that keep a name, 1-20> (default: 8)]
                [dht_t_expire <s, 10-86400> (default: 86400)]
                [dht_t_refresh <s, 3-3600> (default: 900)]
                [dht_t_replicate <s, 3-3600> (default: 900)]
                [ls_t_recalc <s> (default: 4)]
                [ls_t_update <s> (default: 15)]
                [ls_t_timeo <s> (default: 60)]
                [autobind]
For a type broadcast:
                [autobind]
For a type udp4 or udp6, or udp, which is either, as the address is:
                ip <address>
                [port <number> (default: 3435)]
                [dns <address of a DNS server> (default: hosts file and name servers of the system)]
For a type eth-llc:
                dev <interface>
                [hash <algorithm> (default: SHA3_256)]
For a type eth-dix:
                dev <interface>
                [ethertype <0600-FFFE, hexadecimal> (default: A000)]
                [hash <algorithm> (default: SHA3_256)]
For a type local:
                [hash <algorithm> (default: SHA3_256)]

An algorithm is one of ${hashAlgorithms.join(', ')}. With autobind the IPCP serves its own name and that of its layer.
`;

/** Options whose value is one of a few words. */
const choices = {
  hash: hashAlgorithms,
  addr_auth: ['flat'],
  directory: ['DHT'],
  routing: routingPolicies,
  congestion: congestionPolicies,
} as const;

/** Options whose value is a number; irmd knows their ranges. */
const numbers = [
  'addr',
  'eid',
  'ttl',
  'dht_alpha',
  'dht_k',
  'dht_t_expire',
  'dht_t_refresh',
  'dht_t_replicate',
  'ls_t_timeo',
  'ls_t_update',
  'ls_t_recalc',
] as const;

/** Sizes of the manual's `fd`, in bytes. */
const fdSizes = [2, 4, 8];

/** What the options say, or what is wrong with them. */
type Read<T> = { readonly value: T } | { readonly complaint: string };

interface Options {
  readonly name: string;
  readonly layer: string;
  readonly type: IpcpType | undefined;
  readonly config: BootstrapConfig;
  readonly autobind: boolean;
  /** What is done otherwise than was asked. */
  readonly notes: readonly string[];
}

export const bootstrap: Command = {
  usage,
  keywords: {
    ...Object.fromEntries(words.filter((word) => word !== 'if').map((word) => [word, 'text'] as const)),
    ...choices,
    type: types,
    layer: 'layer',
    name: 'ipcp',
    autobind: 'flag',
  },
  run: async (given, context) => {
    const options = readOptions(given);
    if ('complaint' in options) return say(context, options.complaint);
    const { notes } = options.value;
    for (const note of notes) context.note(note);
    return silently(context, () => run(options.value, context));
  },
};

async function run(
  { name, layer, type, config, autobind }: Options,
  context: CommandContext,
): Promise<number> {
  const irmd = await context.irmd().catch((error: unknown) => {
    // The manual has a text for this case alone.
    if (type === undefined) context.out(`No IPCPs matching ${name} found.\n\n`);
    throw error;
  });
  const matching = (await irmd.listIpcps()).filter((ipcp) => matchesPattern(ipcp.name, name));
  if (type !== undefined && !matching.every((ipcp) => mayBecome(ipcp.type, type))) {
    return say(context, 'Types do not match.\n\n');
  }
  const targets: Pick<IpcpInfo, 'pid' | 'type' | 'name'>[] = [...matching];
  if (targets.length === 0) {
    if (type === undefined) return say(context, `No IPCPs matching ${name} found.\n\n`);
    if (lacksRequired(type, config)) return say(context, usage);
    targets.push({ pid: await irmd.createIpcp(name, type), type, name });
  }
  for (const target of targets) {
    const settled = settledType(target.type, config.ip);
    if (lacksRequired(settled, config)) return say(context, usage);
    const complaint = addressComplaint(settled, config);
    if (complaint !== undefined) return say(context, `${complaint}${usage}`);
    const binds = autobind && bindable.includes(settled);
    if (autobind && !binds) context.out('Can not bind this IPCP type,autobind disabled.\n\n');
    const bound = binds ? await bind(irmd, target.pid, [target.name, layer], context) : [];
    try {
      await irmd.bootstrapIpcp(target.pid, layer, config);
    } catch (error) {
      for (const each of bound) await irmd.unbindProcess(target.pid, each).catch(() => {});
      throw error;
    }
  }
  return 0;
}

/** Has an IPCP serve names; those that it serves now. */
async function bind(
  irmd: IrmClient,
  pid: number,
  names: readonly string[],
  context: CommandContext,
): Promise<string[]> {
  const bound: string[] = [];
  for (const name of names) {
    try {
      await irmd.bindProcess(pid, name);
      bound.push(name);
    } catch (error) {
      context.out(`Failed to bind ${pid} to ${name}.\n`);
      for (const each of bound) await irmd.unbindProcess(pid, each).catch(() => {});
      throw error;
    }
  }
  return bound;
}

function readOptions(given: readonly string[]): Read<Options> {
  const parsed = parseParameters(given, { keywords: words, flags: ['autobind'] });
  if (parsed.kind === 'unknown') return { complaint: `Unknown option: "${parsed.word}".\n` };
  if (parsed.kind === 'incomplete') return { complaint: usage };
  const { values, spelling } = parsed;
  const last = (word: Word): string | undefined => values.get(word)?.at(-1);
  const wrong = (word: Word): { complaint: string } => ({
    complaint: `Unknown parameter for ${spelling.get(word) ?? word}: "${last(word)}".\n`,
  });

  const name = last('name');
  const layer = last('layer');
  if (name === undefined || layer === undefined) return { complaint: usage };
  if (Buffer.byteLength(layer) > nameBytesMax) return { complaint: `Layer name too long.\n\n${usage}` };
  if (Buffer.byteLength(last('device') ?? last('if') ?? '') > nameBytesMax) {
    return { complaint: `Device name too long.\n\n${usage}` };
  }
  const typeWord = last('type');
  const ip = last('ip');
  const asked = typeWord === undefined ? undefined : typeOf(typeWord);
  const type = asked === undefined ? undefined : settledType(asked, ip);
  if (typeWord !== undefined && type === undefined) return { complaint: usage };

  const chosen: Record<string, string> = {};
  for (const word of Object.keys(choices) as (keyof typeof choices)[]) {
    const value = last(word);
    if (value === undefined) continue;
    if (!choices[word].some((known) => known === value)) return wrong(word);
    chosen[word] = value;
  }
  const counted: Record<string, number> = {};
  for (const word of numbers) {
    const value = last(word);
    if (value === undefined) continue;
    if (!/^\d{1,9}$/.test(value)) return wrong(word);
    counted[word] = Number(value);
  }
  if (last('fd') !== undefined && !fdSizes.includes(Number(last('fd')))) return wrong('fd');
  if (counted['addr'] !== undefined && counted['addr'] !== 4) {
    return { complaint: `Cannot use ${counted['addr']} byte addresses: the flat policy mandates 4 bytes.\n` };
  }
  const ethertypeWord = last('ethertype');
  const ethertype = ethertypeWord === undefined ? undefined : parseEthertype(ethertypeWord);
  if (ethertypeWord !== undefined && ethertype === undefined) {
    return { complaint: `Invalid Ethertype: "${ethertypeWord}".\nRecommended range: 0xA000-0xEFFF.\n` };
  }
  const portWord = last('port');
  const port = portWord === undefined ? undefined : Number(portWord);
  if (port !== undefined && !(/^\d+$/.test(portWord ?? '') && port >= 1 && port <= 0xffff)) {
    return { complaint: `Invalid port: "${portWord}".\n` };
  }
  const notes: string[] = [];
  const fd = values.has('fd') ? 'fd' : 'eid';
  if (values.has('fd') || (counted['eid'] ?? 8) !== 8)
    notes.push(`endpoint ids have 8 bytes here; ${fd} is ignored`);
  const hashes = type === 'broadcast' ? 'SHA3_256' : 'MD5';
  if (type !== undefined && (type === 'broadcast' || isOfType(type, 'udp')) && chosen['hash'] !== undefined) {
    notes.push(`a ${type} layer always uses ${hashes}; hash is ignored`);
    delete chosen['hash'];
  }
  const config: BootstrapConfig = {
    ...chosen,
    ...counted,
    dev: last('device') ?? last('if'),
    ethertype,
    ip,
    dns: last('dns'),
    port,
  };
  const complaint = type === undefined ? undefined : addressComplaint(type, config);
  if (complaint !== undefined) return { complaint: `${complaint}${usage}` };
  return { value: { name, layer, type, config, autobind: values.has('autobind'), notes } };
}

/** A type by a word that may be shortened. What is short for both udp4 and udp6 is udp. */
function typeOf(word: string): IpcpType | undefined {
  const type = matchWord(word, types);
  return type === 'udp4' && word !== 'udp4' ? 'udp' : type;
}

/** Whether an IPCP of a type may be bootstrapped as another: one created as udp has no family yet. */
function mayBecome(known: IpcpType, type: IpcpType): boolean {
  return isOfType(known, type) || (known === 'udp' && isOfType(type, 'udp'));
}

/** What is wrong with the addresses of a udp layer; undefined when nothing is. */
function addressComplaint(type: IpcpType, { ip, dns }: BootstrapConfig): string | undefined {
  if (!isOfType(type, 'udp')) return undefined;
  // What is no address at all is refused as the family that comes first.
  const [family, isAddress, any] =
    type === 'udp6' ? (['IPv6', isIPv6, /^[0:]*$/] as const) : (['IPv4', isIPv4, /^0\.0\.0\.0$/] as const);
  if (ip !== undefined && !isAddress(ip)) return `Invalid ${family} address: "${ip}".\n`;
  if (ip !== undefined && any.test(ip)) return `Cannot use ${family} address: "${ip}".\n`;
  if (dns !== undefined && !isAddress(dns)) return `Invalid DNS ${family} address: "${dns}".\n`;
  return undefined;
}

function lacksRequired(type: IpcpType, { dev, ip }: BootstrapConfig): boolean {
  if (type === 'eth-dix' || type === 'eth-llc') return dev === undefined;
  return isOfType(type, 'udp') && ip === undefined;
}

/** A number of hexadecimal digits, with or without 0x, in the range an Ethernet type may have. */
function parseEthertype(word: string): number | undefined {
  if (!/^(0[xX])?[0-9a-fA-F]{1,4}$/.test(word)) return undefined;
  const value = Number.parseInt(word, 16);
  return value >= 0x0600 && value <= 0xfffe ? value : undefined;
}
