/**
 * The configuration file: TOML, read into the steps that it asks for, in their order. Pure. Source: irmd-and-irm.md 2.
 */
import { parse, type TomlValue, TomlError } from 'smol-toml';
import { isIPv4, isIPv6 } from 'node:net';
import { hashAlgorithms } from '../lib/names.ts';
import type { BalancePolicy, BootstrapConfig, IpcpType } from '../lib/rpc/api.ts';

/** A name, and what is bound to it. */
export interface NameStep {
  readonly kind: 'name';
  readonly name: string;
  readonly policy: BalancePolicy;
  /** By the word of the file. */
  readonly files: ReadonlyMap<FileKey, string>;
  readonly programs: readonly { readonly path: string; readonly auto: readonly string[] | null }[];
}

export interface IpcpStep {
  readonly kind: 'ipcp';
  readonly type: IpcpType;
  readonly name: string;
  readonly bootstrap: { readonly layer: string; readonly config: BootstrapConfig } | undefined;
  /** The name of a member of the layer to join. */
  readonly enrol: string | undefined;
  readonly autobind: boolean;
  /** Names to register with it. */
  readonly reg: readonly string[];
  /** Names of members to connect to. */
  readonly conn: readonly string[];
}

export type ConfigurationStep = NameStep | IpcpStep;

/** What is to be said of a file that can be carried out. */
export interface Remark {
  /** It asks for what contradicts itself; else for what nobody knows. */
  readonly isFault: boolean;
  readonly text: string;
}

export interface Configuration {
  readonly steps: readonly ConfigurationStep[];
  /** What is in the file and means nothing. */
  readonly remarks: readonly Remark[];
}

export class ConfigurationFault extends Error {
  override readonly name = 'ConfigurationFault';
  /** Whether the file is no TOML at all. */
  readonly unreadable: boolean;

  constructor(message: string, unreadable = false) {
    super(message);
    this.unreadable = unreadable;
  }
}

const ipcpKinds = ['local', 'eth-llc', 'eth-dix', 'udp', 'udp4', 'udp6', 'broadcast', 'unicast'] as const;
type Ipcp = (typeof ipcpKinds)[number];

export const fileKeys = [
  'server_enc_file',
  'server_crt_file',
  'server_key_file',
  'client_enc_file',
  'client_crt_file',
  'client_key_file',
] as const;
export type FileKey = (typeof fileKeys)[number];

const commonKeys = ['bootstrap', 'enrol', 'autobind', 'reg', 'conn'] as const;
const unicastKeys = [
  ...['directory', 'dht_alpha', 'dht_k', 'dht_t_expire', 'dht_t_refresh', 'dht_t_replicate'],
  ...['routing', 'ls_t_recalc', 'ls_t_update', 'ls_t_timeo'],
  ...['addr-auth', 'addr_auth', 'congestion', 'addr_size', 'eid_size', 'max_ttl'],
] as const;
const ownKeys: Readonly<Record<Ipcp, readonly string[]>> = {
  local: ['hash'],
  'eth-llc': ['hash', 'dev'],
  'eth-dix': ['hash', 'dev', 'ethertype'],
  udp: ['ip', 'port', 'dns'],
  udp4: ['ip', 'port', 'dns'],
  udp6: ['ip', 'port', 'dns'],
  broadcast: [],
  unicast: unicastKeys,
};

/**
 * Reads a configuration file.
 *
 * @throws ConfigurationFault with what is wrong, each in a line.
 */
export function readConfiguration(text: string): Configuration {
  const remarks: Remark[] = [];
  const steps: ConfigurationStep[] = [];
  for (const [kind, entries] of Object.entries(parsed(text))) {
    const ipcp = ipcpKinds.find((each) => each === kind);
    if ((ipcp === undefined && kind !== 'name') || !isTable(entries)) {
      throw new ConfigurationFault(`Unkown toplevel key: ${kind}.`);
    }
    for (const [name, value] of Object.entries(entries)) {
      if (!isTable(value)) throw new ConfigurationFault(`[${kind}] ${name} is no table.`);
      const table = new Table(`${kind}.${name}`, value);
      steps.push(ipcp === undefined ? readName(name, table) : readIpcp(ipcp, name, table, remarks));
      for (const key of table.unread) {
        remarks.push({ isFault: false, text: `Unknown key ${key} in [${kind}.${name}] is ignored.` });
      }
    }
  }
  return { steps, remarks };
}

function parsed(text: string): Record<string, TomlValue> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [, reason] = /^Invalid TOML document: (.*)/.exec(error.message) ?? [];
    const what = reason ?? error.message.split('\n', 1)[0];
    throw new ConfigurationFault(`Failed to parse config file: line ${error.line}: ${what}`, true);
  }
}

function isTable(value: TomlValue): value is Record<string, TomlValue> {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

/** A table that remembers which of its keys were asked for. */
class Table {
  readonly #place: string;
  readonly #values: Readonly<Record<string, TomlValue>>;
  readonly #read = new Set<string>();

  constructor(place: string, values: Readonly<Record<string, TomlValue>>) {
    this.#place = place;
    this.#values = values;
  }

  get unread(): string[] {
    return Object.keys(this.#values).filter((key) => !this.#read.has(key));
  }

  has(key: string): boolean {
    return this.#value(key) !== undefined;
  }

  string(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrong(key, 'a string');
  }

  integer(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw this.#wrong(key, 'an integer');
  }

  boolean(key: string): boolean | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#wrong(key, 'a boolean');
  }

  strings(key: string): string[] {
    const value = this.#value(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    throw this.#wrong(key, 'an array of strings');
  }

  #value(key: string): TomlValue | undefined {
    this.#read.add(key);
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }

  #wrong(key: string, wanted: string): ConfigurationFault {
    return new ConfigurationFault(`[${this.#place}] ${key} must be ${wanted}.`);
  }
}

function readName(name: string, table: Table): NameStep {
  const word = table.string('lb') ?? 'spill';
  // The command line has the longer word for the same.
  const policy = word === 'spill' || word === 'spillover' ? 'spillover' : word;
  if (policy !== 'spillover' && policy !== 'round-robin') {
    throw new ConfigurationFault(`Invalid load-balancing policy for ${name}.`);
  }
  const args = table.strings('args');
  const programs = table.strings('prog').map((path, index) => {
    if (!path.startsWith('/')) throw new ConfigurationFault(`[name.${name}] ${path} is no absolute path.`);
    const own = args[index];
    return { path, auto: own === undefined ? null : own.split(' ').filter((part) => part !== '') };
  });
  const files = new Map<FileKey, string>();
  for (const key of fileKeys) {
    const path = table.string(key);
    if (path !== undefined) files.set(key, path);
  }
  return { kind: 'name', name, policy, files, programs };
}

function readIpcp(type: Ipcp, name: string, table: Table, remarks: Remark[]): IpcpStep {
  const layer = table.string('bootstrap');
  const enrol = table.string('enrol');
  const autobind = table.boolean('autobind') ?? false;
  const reg = table.strings('reg');
  const conn = table.strings('conn');
  if (enrol !== undefined && type !== 'unicast' && type !== 'broadcast') {
    throw new ConfigurationFault(`[${type}.${name}] an IPCP of this type does not enrol.`);
  }
  if (layer !== undefined && enrol !== undefined) {
    remarks.push({ isFault: true, text: `Ignoring bootstrap for IPCP ${name}.` });
  }
  const bootstraps = layer !== undefined && enrol === undefined;
  const bootstrap = bootstraps ? { layer, config: readConfig(type, table) } : undefined;
  // Options of a layer that others have configured are known words all the same.
  if (!bootstraps) for (const key of [...commonKeys, ...ownKeys[type]]) table.has(key);
  return { kind: 'ipcp', type, name, bootstrap, enrol, autobind, reg, conn };
}

function readConfig(type: Ipcp, table: Table): BootstrapConfig {
  switch (type) {
    case 'local':
      return { hash: readHash(table) };
    case 'eth-llc':
      return { hash: readHash(table), dev: readDevice(table) };
    case 'eth-dix':
      return { hash: readHash(table), dev: readDevice(table), ethertype: readEthertype(table) };
    case 'udp':
    case 'udp4':
    case 'udp6':
      return readUdp(type, table);
    case 'unicast':
      return readUnicast(table);
    case 'broadcast':
      return {};
  }
}

function readHash(table: Table): BootstrapConfig['hash'] {
  const word = table.string('hash');
  const known = hashAlgorithms.find((each) => each === word);
  if (word !== undefined && known === undefined)
    throw new ConfigurationFault(`Unknown hash algorithm: ${word}.`);
  return known;
}

function readDevice(table: Table): string {
  const dev = table.string('dev');
  if (dev === undefined) throw new ConfigurationFault('Missing device.');
  return dev;
}

function readEthertype(table: Table): number | undefined {
  const ethertype = table.integer('ethertype');
  if (ethertype !== undefined && (ethertype < 0x0600 || ethertype >= 0xffff)) {
    throw new ConfigurationFault('Ethertype not in valid range.');
  }
  return ethertype;
}

function readUdp(type: 'udp' | 'udp4' | 'udp6', table: Table): BootstrapConfig {
  const [ip, dns, port] = [table.string('ip'), table.string('dns'), table.integer('port')];
  if (ip === undefined) throw new ConfigurationFault('No IP address specified!');
  const six = type === 'udp6' || (type === 'udp' && isIPv6(ip));
  const [family, isAddress] = six ? (['IPv6', isIPv6] as const) : (['IPv4', isIPv4] as const);
  for (const address of [ip, dns]) {
    if (address !== undefined && !isAddress(address)) {
      throw new ConfigurationFault(`Failed to parse ${family} address ${address}.`);
    }
  }
  if (port !== undefined && (port < 1 || port > 0xffff))
    throw new ConfigurationFault(`Invalid port: ${port}.`);
  return { ip, dns, port };
}

const dhtRanges = [
  ['dht_alpha', 1, 10, 'Invalid alpha value'],
  ['dht_k', 1, 20, 'Invalid replication factor'],
  ['dht_t_expire', 10, 86_400, 'Invalid expire time'],
  ['dht_t_refresh', 3, 3600, 'Invalid refresh time'],
  ['dht_t_replicate', 3, 3600, 'Invalid replication time'],
] as const;
const otherRanges = [
  ['ls_t_recalc', 1, 86_400, 'ls_t_recalc'],
  ['ls_t_update', 1, 86_400, 'ls_t_update'],
  ['ls_t_timeo', 1, 86_400, 'ls_t_timeo'],
  ['addr_size', 4, 4, 'addr'],
  ['eid_size', 1, 0xffff_ffff, 'eid'],
  ['max_ttl', 0, 255, 'ttl'],
] as const;

function readUnicast(table: Table): BootstrapConfig {
  const config: Record<string, string | number> = {};
  const directory = table.string('directory');
  if (directory !== undefined && directory.toUpperCase() !== 'DHT') {
    throw new ConfigurationFault(`Invalid directory policy: ${directory}.`);
  }
  for (const [key, least, most, complaint] of dhtRanges) {
    const value = table.integer(key);
    if (value === undefined) continue;
    if (value < least || value > most) {
      throw new ConfigurationFault(`${complaint}: ${value}\nInvalid directory configuration.`);
    }
    config[key] = value;
  }
  for (const [key, least, most, word] of otherRanges) {
    const value = table.integer(key);
    if (value === undefined) continue;
    if (value < least || value > most) {
      throw new ConfigurationFault(`Invalid ${key}: ${value} is not within ${least} to ${most}.`);
    }
    config[word] = value;
  }
  // The command line writes these with an underscore.
  const routing = table.string('routing')?.replace('-', '_');
  if (routing !== undefined) {
    if (!['link_state', 'lfa', 'ecmp'].includes(routing)) {
      throw new ConfigurationFault(`Invalid routing policy: ${routing}.`);
    }
    config['routing'] = routing;
  }
  const auth = table.string('addr-auth') ?? table.string('addr_auth');
  if (auth !== undefined && auth !== 'flat') {
    throw new ConfigurationFault(`Invalid address authority policy: ${auth}.`);
  }
  // In files of the prototype the word for multi-bit ECN is lfa.
  const congestion = table.string('congestion')?.replace(/^lfa$/, 'mb-ecn');
  if (congestion !== undefined) {
    if (congestion !== 'none' && congestion !== 'mb-ecn') {
      throw new ConfigurationFault('Invalid congestion avoidance algorithm.');
    }
    config['congestion'] = congestion;
  }
  return config;
}
