/** `irm ipcp ...`. Source: irmd-and-irm.md 11.4 to 11.9. */
import { isIPv4, isIPv6 } from 'node:net';
import {
  type BootstrapConfig,
  type HashAlgorithm,
  hashAlgorithms,
  type IpcpInfo,
  type IpcpType,
  ipcpTypes,
  isOfType,
  nameBytesMax,
  O7sError,
  settledType,
} from '../../lib/index.ts';
import { type Command, type CommandContext, type CommandGroup, failed } from './command.ts';
import { matchesPattern, matchWord, parseParameters } from './grammar.ts';

const createUsage = `Usage: irm ipcp create
                name <IPCP name>
                type <type>

A type is one of ${ipcpTypes.join(', ')}; udp is udp4 or udp6, as the address in bootstrap is.
`;

const create: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['type', 'name'] });
  if (given.kind === 'unknown') return unknownWord(given.word, 'irm ipcp create', context);
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  const typeWord = given.kind === 'parsed' ? given.values.get('type')?.at(-1) : undefined;
  if (name === undefined || typeWord === undefined) return usage(createUsage, context);
  const type = ipcpTypes.find((known) => known === typeWord);
  if (type === undefined) {
    context.out(`IPCP type "${typeWord}" is unknown.\n`);
    return usage(createUsage, context);
  }
  return silently(context, async () => {
    await (await context.irmd()).createIpcp(name, type);
  });
};

const destroyUsage = `Usage: irm ipcp destroy
                name <IPCP name>
`;

const destroy: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['name'] });
  if (given.kind === 'unknown') return unknownWord(given.word, 'irm ipcp destroy', context);
  const name = given.kind === 'parsed' ? given.values.get('name')?.at(-1) : undefined;
  if (name === undefined) return usage(destroyUsage, context);
  return silently(context, async () => {
    const irmd = await context.irmd();
    const ipcps = await irmd.listIpcps();
    if (ipcps.length === 0) throw new O7sError('EIPCP', 'there are no IPCPs');
    const ipcp = ipcps.find((known) => known.name === name);
    if (ipcp !== undefined) await irmd.destroyIpcp(ipcp.pid);
  });
};

/** All options of the manual, in the order in which shortened words are tried; those not used here are refused. */
const bootstrapWords = [
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
] as const;
type BootstrapWord = (typeof bootstrapWords)[number];
const bootstrapOffered: readonly BootstrapWord[] = [
  'type',
  'layer',
  'name',
  'hash',
  'ip',
  'dns',
  'device',
  'ethertype',
  'port',
  'autobind',
];

const bootstrapTypes: readonly IpcpType[] = [
  'unicast',
  'broadcast',
  'udp4',
  'udp6',
  'eth-dix',
  'eth-llc',
  'local',
];

const bindable: readonly IpcpType[] = ['unicast', 'broadcast'];

const bootstrapUsage = `Usage: irm ipcp bootstrap
                name <IPCP name>
                layer <layer name>
                [type <type>]

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

An algorithm is one of ${hashAlgorithms.join(', ')}.
`;

const bootstrap: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: bootstrapWords, flags: ['autobind'] });
  if (given.kind === 'unknown') {
    context.out(`Unknown option: "${given.word}".\n`);
    return 1;
  }
  if (given.kind === 'incomplete') return usage(bootstrapUsage, context);
  const last = (word: BootstrapWord): string | undefined => given.values.get(word)?.at(-1);
  const absent = [...given.values.keys()].find((word) => !bootstrapOffered.includes(word));
  if (absent !== undefined) {
    context.out(`Unknown option: "${given.spelling.get(absent) ?? absent}".\n`);
    return 1;
  }
  const name = last('name');
  const layer = last('layer');
  if (name === undefined || layer === undefined) return usage(bootstrapUsage, context);
  if (Buffer.byteLength(layer) > nameBytesMax) {
    context.out('Layer name too long.\n\n');
    return usage(bootstrapUsage, context);
  }
  const typeWord = last('type');
  const ip = last('ip');
  const asked = typeWord === undefined ? undefined : bootstrapType(typeWord);
  const type = asked === undefined ? undefined : settledType(asked, ip);
  if (typeWord !== undefined && type === undefined) return usage(bootstrapUsage, context);

  const hash = last('hash');
  if (hash !== undefined && !isHash(hash)) {
    context.out(`Unknown parameter for ${given.spelling.get('hash') ?? 'hash'}: "${hash}".\n`);
    return 1;
  }
  const ethertypeWord = last('ethertype');
  const ethertype = ethertypeWord === undefined ? undefined : parseEthertype(ethertypeWord);
  if (ethertypeWord !== undefined && ethertype === undefined) {
    context.out(`Invalid Ethertype: "${ethertypeWord}".\nRecommended range: 0xA000-0xEFFF.\n`);
    return 1;
  }
  const dns = last('dns');
  const complaint = type === undefined ? undefined : addressComplaint(type, ip, dns);
  if (complaint !== undefined) {
    context.out(complaint);
    return usage(bootstrapUsage, context);
  }
  const portWord = last('port');
  const port = portWord === undefined ? undefined : Number(portWord);
  if (port !== undefined && !(/^\d+$/.test(portWord ?? '') && port >= 1 && port <= 0xffff)) {
    return say(context, `Invalid port: "${portWord}".\n`);
  }
  const config: BootstrapConfig = { dev: last('device'), ethertype, hash, ip, dns, port };

  return silently(context, async () => {
    const irmd = await context.irmd().catch((error: unknown) => {
      // The manual has a text for this case alone.
      if (type === undefined) context.out(`No IPCPs matching ${name} found.\n\n`);
      throw error;
    });
    const matching = (await irmd.listIpcps()).filter((ipcp) => matchesPattern(ipcp.name, name));
    if (type !== undefined && !matching.every((ipcp) => mayBecome(ipcp.type, type))) {
      return say(context, 'Types do not match.\n\n');
    }
    const targets = matching.map(({ pid, type: known }) => ({ pid, type: settledType(known, ip) }));
    if (targets.length === 0) {
      if (type === undefined) return say(context, `No IPCPs matching ${name} found.\n\n`);
      if (lacksRequired(type, config)) return usage(bootstrapUsage, context);
      targets.push({ pid: await irmd.createIpcp(name, type), type });
    }
    for (const target of targets) {
      if (lacksRequired(target.type, config)) return usage(bootstrapUsage, context);
      const fault = addressComplaint(target.type, ip, dns);
      if (fault !== undefined) {
        context.out(fault);
        return usage(bootstrapUsage, context);
      }
      // Only IPCPs that accept flows of their own can serve a name.
      if (given.values.has('autobind') && !bindable.includes(target.type)) {
        context.out('Can not bind this IPCP type,autobind disabled.\n\n');
      }
      await irmd.bootstrapIpcp(target.pid, layer, config);
    }
    return 0;
  });
};

const listUsage = `Usage: irm ipcp list
                [name <IPCP name>]
                [type <type>]
                [layer <layer name>]
`;

const list: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['type', 'name', 'layer'] });
  if (given.kind === 'unknown') return unknownWord(given.word, 'irm ipcp list', context);
  if (given.kind === 'incomplete') return usage(listUsage, context);
  const [type, name, layer] = (['type', 'name', 'layer'] as const).map((word) =>
    given.values.get(word)?.at(-1),
  );
  const asked = ipcpTypes.find((known) => known === type);
  if (type !== undefined && asked === undefined) return usage(listUsage, context);
  try {
    const ipcps = await (await context.irmd()).listIpcps();
    const shown = ipcps.filter(
      (ipcp) =>
        (asked === undefined || isOfType(ipcp.type, asked)) &&
        (name === undefined || matchesPattern(ipcp.name, name)) &&
        (layer === undefined || matchesPattern(ipcp.layer ?? '', layer)),
    );
    context.out(shown.length === 0 ? 'No IPCPs in system.\n\n' : ipcpTable(shown));
    return 0;
  } catch (error) {
    return failed(error as O7sError, context);
  }
};

export const ipcpGroup: CommandGroup = {
  words: ['create', 'destroy', 'bootstrap', 'enroll', 'connect', 'disconnect', 'list', 'help'],
  commands: { create, destroy, bootstrap, list },
  usage: `Usage: irm ipcp [OPERATION]

where OPERATION = {create destroy bootstrap list help}
`,
  help: 'irm ipcp help',
};

function ipcpTable(ipcps: readonly IpcpInfo[]): string {
  const line = '+---------+----------------------+------------+----------------------+\n';
  const row = (cells: readonly [string, string, string, string]): string => {
    const [pid, name, type, layer] = cells;
    return `| ${pid.padStart(7)} | ${name.padStart(20)} | ${type.padStart(10)} | ${layer.padStart(20)} |\n`;
  };
  const rows = ipcps.map(({ pid, name, type, layer }) =>
    row([String(pid), name, type, layer ?? 'Not enrolled.']),
  );
  return `${line}${row(['pid', 'name', 'type', 'layer'])}${line}${rows.join('')}${line}\n`;
}

/** A type by a word that may be shortened. What is short for both udp4 and udp6 is udp. */
function bootstrapType(word: string): IpcpType | undefined {
  const type = matchWord(word, bootstrapTypes);
  return type === 'udp4' && word !== 'udp4' ? 'udp' : type;
}

/** Whether an IPCP of a type may be bootstrapped as another: one created as udp has no family yet. */
function mayBecome(known: IpcpType, type: IpcpType): boolean {
  return isOfType(known, type) || (known === 'udp' && isOfType(type, 'udp'));
}

/** What is wrong with the addresses of a udp layer; undefined when nothing is. */
function addressComplaint(
  type: IpcpType,
  ip: string | undefined,
  dns: string | undefined,
): string | undefined {
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

function isHash(word: string): word is HashAlgorithm {
  return hashAlgorithms.some((known) => known === word);
}

/** A number of hexadecimal digits, with or without 0x, in the range an Ethernet type may have. */
function parseEthertype(word: string): number | undefined {
  if (!/^(0[xX])?[0-9a-fA-F]{1,4}$/.test(word)) return undefined;
  const value = Number.parseInt(word, 16);
  return value >= 0x0600 && value <= 0xfffe ? value : undefined;
}

function unknownWord(word: string, command: string, context: CommandContext): number {
  return say(context, `"${word}" is unknown, try "${command}".\n`);
}

function usage(text: string, context: CommandContext): number {
  return say(context, text);
}

function say(context: CommandContext, text: string): number {
  context.out(text);
  return 1;
}

/** Runs something whose failure the manual leaves without a text. */
async function silently(context: CommandContext, run: () => Promise<number | void>): Promise<number> {
  try {
    return (await run()) ?? 0;
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    context.explain(error);
    return 1;
  }
}
