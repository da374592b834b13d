/**
 * The tree of the prototype's RIB: a file for each thing an IPCP or a process counts, with its labels and places, so that
 * what reads that tree reads this one. Pure. Source: irmd-and-irm.md 13, unicast-layer.md 11, with Q-23 to Q-26 fixed.
 */
import type { IpcpInfo, RibFile, RibValues } from '../lib/rpc/api.ts';
import type { FlowReport, FrctReport } from '../lib/rpc/events.ts';

/** What an IPCP over others knows, by parts (`ipcp.metrics`); those of another type lack some or all. */
export interface RibMetrics {
  readonly address?: string;
  readonly settings?: { readonly congestion: string };
  readonly neighbours?: readonly (Counts & { readonly address: string })[];
  readonly components?: { readonly ageMs: number; readonly 'flow-allocator': Counts; readonly dht: Counts };
  readonly adjacencies?: readonly { readonly address: string; readonly component: string }[];
  readonly lsdb?: readonly {
    readonly source: string;
    readonly destination: string;
    readonly seqno: number;
    readonly ageMs: number;
  }[];
  readonly directory?: Counts & {
    readonly id: string;
    readonly address: string;
    readonly database: readonly DatabaseKey[];
  };
  readonly flows?: readonly UnicastFlowFacts[];
}

type Counts = Readonly<Record<string, unknown>>;

interface DatabaseKey {
  readonly key: string;
  /** Registered here: when it was stored last, s since 1970. */
  readonly own: { readonly storedAt: number } | null;
  /** Brought by others; `expires` in s since 1970. */
  readonly foreign: readonly { readonly address: string; readonly expires: number }[];
}

interface UnicastFlowFacts extends Counts {
  /** Of 64 bits, in decimal digits. */
  readonly eid: string;
  readonly peerEid: string | null;
  readonly remote: string;
  readonly ageMs: number;
  readonly congestion: Counts | null;
}

export interface RibState {
  /** ms since 1970. */
  readonly at: number;
  readonly ipcps: readonly { readonly info: IpcpInfo; readonly metrics: RibMetrics }[];
  readonly processes: readonly { readonly pid: number; readonly flows: readonly FlowReport[] }[];
}

/** All files, sorted by path. */
export function ribFiles({ at, ipcps, processes }: RibState): RibFile[] {
  const files = [
    ...ipcps.flatMap(({ info, metrics }) => inFolder(folderName(info.name), ipcpFiles(info, metrics, at))),
    ...processes.flatMap(({ pid, flows }) =>
      flows.flatMap(({ fd, flowId, frct }) =>
        frct === null ? [] : [new Page(`proc.${pid}/${fd ?? flowId}/frct`).frct(frct)],
      ),
    ),
  ];
  return files.map((page) => page.file).toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Files at or below a path; all for an empty one. */
export function ribBelow(files: readonly RibFile[], path: string): RibFile[] {
  const wanted = path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  return files.filter((file) => wanted === '' || file.path === wanted || file.path.startsWith(`${wanted}/`));
}

/** A name as a folder: it may hold what a path gives a meaning to. */
function folderName(name: string): string {
  const safe = name.replaceAll(/[%/]/g, (character) => (character === '%' ? '%25' : '%2F'));
  const isTaken = safe === '.' || safe === '..' || safe.startsWith('proc.');
  return isTaken ? `%${(safe.codePointAt(0) ?? 0).toString(16).toUpperCase()}${safe.slice(1)}` : safe;
}

function inFolder(folder: string, pages: readonly Page[]): Page[] {
  return pages.map((page) => page.below(folder));
}

function ipcpFiles({ type, layer, state }: IpcpInfo, metrics: RibMetrics, at: number): Page[] {
  const {
    address,
    neighbours = [],
    components,
    lsdb = [],
    adjacencies = [],
    directory,
    flows = [],
  } = metrics;
  const congested = metrics.settings?.congestion === 'mb-ecn';
  return [
    new Page('info/_state').line(state, 'state'),
    new Page('info/_type').line(type, 'type'),
    new Page('info/_layer').line(layer ?? '(null)', 'layer'),
    ...(address === undefined || components === undefined
      ? []
      : [
          new Page(`dt.${address}/0`).transfer(
            'flow-allocator',
            components['flow-allocator'],
            at - components.ageMs,
          ),
          new Page(`dt.${address}/1`).transfer('dht', components.dht, at - components.ageMs),
        ]),
    ...neighbours.map((neighbour, index) =>
      new Page(`dt.${address}/${firstFlow + index}`).transfer(
        neighbour.address,
        neighbour,
        at - numberOf(neighbour, 'ageMs'),
      ),
    ),
    ...flows.map((flow) => new Page(`flow-allocator/${lowHalf(flow.eid)}`).flow(flow, congested, at)),
    ...lsdb.map(({ source, destination, seqno, ageMs }) =>
      new Page(`lsdb/${source}--${destination}`)
        .field('src', source, 20)
        .field('dst', destination, 20)
        .field('seqno', seqno, 18)
        .field('upd', timeText(at - ageMs), 0),
    ),
    ...adjacencies.map(({ address: neighbour, component }) => new Page(`lsdb/.${component} ${neighbour}`)),
    ...(directory === undefined
      ? []
      : [new Page('dht/stats').directory(directory), new Page('dht/database').database(directory)]),
  ];
}

/** n-1 flows have numbers from here on, as descriptors have. */
const firstFlow = 64;
const cubes = 3;
const nsPerMs = 1_000_000;
const msPerSecond = 1000;

function numberOf(counts: Counts, name: string): number {
  const value = counts[name];
  return typeof value === 'number' ? value : 0;
}

function lowHalf(eid: string): string {
  return (BigInt(eid) & 0xffff_ffffn).toString();
}

function addressNumber(address: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map((byte) => Number.parseInt(byte, 16));
  return ((d << 24) | (c << 16) | (b << 8) | a) >>> 0;
}

/** `YYYY-MM-DD HH:MM:SS (UTC)` */
function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} (UTC)`;
}

/** A file that is being written. */
class Page {
  #path: string;
  #text = '';
  readonly #values: Record<string, string | number | RibValues> = {};
  #section: Record<string, string | number | RibValues> = this.#values;

  constructor(path: string) {
    this.#path = path;
  }

  get file(): RibFile {
    return { path: this.#path, text: this.#text, values: this.#values };
  }

  below(folder: string): this {
    this.#path = `${folder}/${this.#path}`;
    return this;
  }

  /** A line that is the value alone. */
  line(value: string, name: string): this {
    this.#text += `${value}\n`;
    this.#section[name] = value;
    return this;
  }

  blank(): this {
    this.#text += '\n';
    return this;
  }

  /** A line above those that follow, which are its own. */
  heading(text: string, name: string): this {
    this.#text += `${text}\n`;
    this.#section = {};
    this.#values[name] = this.#section;
    return this;
  }

  /** `label: value`, the label padded to `labelWidth` and the value to the right of `width`. */
  field(label: string, value: string | number, width: number, labelWidth = 0): this {
    this.#text += `${`${label}:`.padEnd(labelWidth)} ${String(value).padStart(width)}\n`;
    this.#section[label.trim()] = value;
    return this;
  }

  /** What data transfer did for a neighbour or a component. Qos cubes are not told apart here: all is under the first. */
  transfer(endPoint: string, counts: Counts, since: number): this {
    this.field('Flow established at', timeText(since), 28)
      .field('Endpoint address', endPoint, 28, 18)
      .field('Queued packets (rx)', 0, 24, 21)
      .field('Queued packets (tx)', numberOf(counts, 'queuedPacketsOut'), 24, 21)
      .blank();
    for (let cube = 0; cube < cubes; cube += 1) {
      this.heading(`Qos cube   ${cube}:`, `Qos cube ${cube}`);
      for (const [label, packets, bytes] of transferCounts) {
        const value = (name: string): number => (cube === 0 ? numberOf(counts, name) : 0);
        this.field(` ${label} (packets)`, value(packets), 20, 26).field(
          ` ${label} (bytes)`,
          value(bytes),
          20,
          26,
        );
      }
    }
    return this;
  }

  flow(flow: UnicastFlowFacts, congested: boolean, at: number): this {
    const row = (label: string, value: string | number): this => this.field(label, value, 20, 33);
    row('Flow established at', timeText(at - flow.ageMs));
    row('Remote address', addressNumber(flow.remote));
    row('Local endpoint ID', flow.eid);
    row('Remote endpoint ID', flow.peerEid ?? 0);
    for (const [label, name] of flowCounts) row(label, numberOf(flow, name));
    const { congestion } = flow;
    if (!congested || congestion === null) return this;
    row('Congestion avoidance algorithm', 'Multi-bit ECN');
    for (const [label, name] of congestionFacts) row(label, numberOf(congestion, name));
    return row('Current congestion regime', String(congestion['regime']));
  }

  directory(facts: Counts & { readonly id: string; readonly address: string }): this {
    this.line(`DHT: ${facts.id.slice(0, 16)}`, 'DHT');
    this.field('  Created', timeText(numberOf(facts, 'created') * msPerSecond), 0);
    this.field('  Address', facts.address, 0);
    this.#text += '  Kademlia parameters:\n';
    for (const [label, name] of kademliaParameters)
      this.field(`     ${label}`, numberOf(facts, name), 11, 42);
    return this.#valueCounts(facts, '  ', 19);
  }

  database(facts: Counts & { readonly database: readonly DatabaseKey[] }): this {
    if (facts.database.length === 0) return this.line('  No entries.', 'entries');
    this.#text += 'DHT database:\n\n';
    this.#valueCounts(facts, '', 11).blank();
    const life = numberOf(facts, 'tExpire');
    for (const { key, own, foreign } of facts.database) {
      const name = key.slice(0, 16);
      this.heading(`Key: K<${name}>`, name);
      this.#text += '  Local entries:\n';
      if (own !== null)
        this.#value(addressNumber(String(facts['address'])), own.storedAt, own.storedAt + life);
      this.#text += '\n  Non-local entries:\n';
      for (const { address, expires } of foreign) this.#value(addressNumber(address), 0, expires);
      this.blank();
    }
    return this;
  }

  frct(report: FrctReport): this {
    const row = (label: string, value: number): this => this.field(label, Math.round(value), 20, 33);
    const ns = (label: string, ms: number): this => row(label, ms * nsPerMs);
    const { sender, receiver, counters } = report;
    ns('Maximum packet lifetime (ns)', report.mplMs);
    ns('Max time to Ack (ns)', report.ackMs);
    ns('Max time to Retransmit (ns)', report.retransmitMs);
    ns('Smoothed rtt (ns)', report.roundTripMs ?? 0);
    ns('RTT standard deviation (ns)', report.deviationMs);
    ns('Retransmit timeout RTO (ns)', report.timeoutMs);
    row('Sender left window edge', sender.left);
    row('Sender right window edge', sender.right);
    ns('Sender inactive (ns)', sender.inactiveMs);
    row('Sender current sequence number', sender.next);
    row('Receiver left window edge', receiver.left);
    row('Receiver right window edge', receiver.right);
    ns('Receiver inactive (ns)', receiver.inactiveMs);
    row('Receiver last ack', receiver.acknowledged);
    row('Number of rtt estimates', report.estimates);
    for (const [label, name] of frctCounts) row(label, counters[name] ?? 0);
    return this;
  }

  #value(value: number, stored: number, expires: number): void {
    const text = `V<${value.toString(16).padStart(16, '0')}>`;
    const times = [stored, expires].map((seconds) => timeText(seconds * msPerSecond));
    this.#text += `    ${text}, t_replicated=${times[0]}, t_exp=${times[1]}\n`;
    this.#section[text] = `t_replicated=${times[0]}, t_exp=${times[1]}`;
  }

  #valueCounts(facts: Counts, indent: string, width: number): this {
    for (const [label, name] of valueCounts) {
      this.field(`${indent}${label}`, numberOf(facts, name), width, indent.length + 29);
    }
    return this;
  }
}

const transferCounts = [
  ['sent', 'packetsOut', 'bytesOut'],
  ['rcvd', 'packetsIn', 'bytesIn'],
  ['local sent', 'localPacketsOut', 'localBytesOut'],
  ['local rcvd', 'localPacketsIn', 'localBytesIn'],
  ['dropped ttl', 'droppedTtlPackets', 'droppedTtlBytes'],
  ['failed writes', 'failedWritePackets', 'failedWriteBytes'],
  ['failed nhop', 'droppedNoRoutePackets', 'droppedNoRouteBytes'],
] as const;

const flowCounts = [
  ['Sent (packets)', 'sentPackets'],
  ['Sent (bytes)', 'sentBytes'],
  ['Send failed (packets)', 'sendFailedPackets'],
  ['Send failed (bytes)', 'sendFailedBytes'],
  ['Received (packets)', 'receivedPackets'],
  ['Received (bytes)', 'receivedBytes'],
  ['Receive failed (packets)', 'receiveFailedPackets'],
  ['Receive failed (bytes)', 'receiveFailedBytes'],
  ['Sent flow updates (packets)', 'sentUpdates'],
  ['Received flow updates (packets)', 'receivedUpdates'],
] as const;

const congestionFacts = [
  ['Upstream congestion level', 'upstreamLevel'],
  ['Upstream packet counter', 'upstreamPackets'],
  ['Downstream congestion level', 'downstreamLevel'],
  ['Downstream packet counter', 'downstreamPackets'],
  ['Congestion window size (ns)', 'windowNs'],
  ['Packets in this window', 'windowPackets'],
  ['Bytes in this window', 'windowBytes'],
  ['Max bytes in this window', 'windowBytesMax'],
] as const;

const kademliaParameters = [
  ['Number of concurrent requests (alpha)', 'alpha'],
  ['Number of replicas (k)', 'k'],
  ['Expiry time for values (s)', 'tExpire'],
  ['Refresh time for contacts (s)', 'tRefresh'],
  ['Replication time for values (s)', 'tReplicate'],
] as const;

const valueCounts = [
  ['Number of keys', 'keys'],
  ['Number of local values', 'ownValues'],
  ['Number of non-local values', 'foreignValues'],
] as const;

const frctCounts = [
  ['Number of pkt retransmissions', 'retransmissions'],
  ['Number of rtt probes', 'probes'],
  ['Number of duplicates received', 'droppedDuplicate'],
  ['Number of delayed acks received', 'ignoredAck'],
  ['Number of rendez-vous sent', 'rendezvousSent'],
  ['Number of packets out of window', 'droppedOutsideWindow'],
  ['Number of packets out of rqueue', 'droppedNoRoom'],
] as const;
