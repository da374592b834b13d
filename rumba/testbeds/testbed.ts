/** What a testbed is: something that makes labs of nodes and links, and finds them again. */
import type { Readable, Writable } from 'node:stream';
import type { IrmClient } from '../../runtime/lib/index.ts';
import type { LinkState } from '../links/wiring.ts';
import type { ImpairedBy, Impairments } from '../model/impairment.ts';
import type {
  Topology,
  TopologyCable,
  TopologyLink,
  TopologyLinkEnd,
  TopologyNode,
} from '../model/topology.ts';
import type { Check } from './check.ts';

export interface Testbed {
  readonly name: string;
  /**
   * Gets ready what labs are made of. Rejects with EENVIRONMENT where labs, or nodes as these are to be, cannot be made.
   */
  prepare(options: PrepareOptions): Promise<void>;
  /**
   * Makes an empty lab. It belongs to this process, whose end, be it by SIGKILL, ends it too, until
   * `keep()`. Rejects with EENVIRONMENT where the machine does not allow it, EFAILED when a lab of this name exists.
   */
  createLab(name: string, signal: AbortSignal, options?: LabOptions): Promise<Lab>;
  /** The labs of this user, by name. */
  labs(): Promise<Lab[]>;
  /**
   * Removes what is left of this user's labs that were never completed and whose maker is gone, and of
   * those that lost what holds them together; with `all` every lab too. Tells what it removed.
   */
  clean(all: boolean): Promise<Removed[]>;
  /** Looks at what the testbed needs. */
  check(): Promise<Check[]>;
}

/** Something that `clean` removed. */
export interface Removed {
  readonly lab: string;
  readonly testbed: string;
  /** In words, for example `container o7s-x-a`. */
  readonly what: string;
}

export interface PrepareOptions {
  signal: AbortSignal;
  /** Called with a line of text now and then, where it takes long. */
  onProgress: (line: string) => void;
  /** The image that nodes are to run unless they have one of their own, where nodes run an image. */
  image?: string | undefined;
  /** The nodes that are to be made. */
  nodes?: readonly TopologyNode[] | undefined;
}

export interface LabOptions {
  /** Name of the topology, noted where the testbed has room for it. */
  topology?: string | undefined;
  /** The image that nodes run; the testbed's own by default. */
  image?: string | undefined;
}

export interface Lab {
  readonly name: string;
  readonly testbed: string;
  /** False once it was taken down. */
  isThere(): Promise<boolean>;
  /** What `keep()` or `save()` wrote last; undefined for a lab that is still being made. */
  record(): Promise<LabRecord | undefined>;
  /** What of the lab is gone, in words; empty for one that is whole. */
  faults(): Promise<string[]>;
  /** Digests of the images that nodes run, by name; nothing where they run none. */
  images(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Adds a node, with a hosts file of its own, and does nothing when it is there. */
  addNode(node: TopologyNode, signal: AbortSignal): Promise<void>;
  /** Takes a node away with all that runs on it, and the links that end in it. */
  removeNode(name: string, signal: AbortSignal): Promise<void>;
  /** Gives a node its share of time and memory; undefined is all there is. */
  limitNode(name: string, limits: NodeLimits, signal: AbortSignal): Promise<void>;
  /** Joins two nodes, sets both interfaces up, and does nothing when the link is there. */
  addCable(link: TopologyCable, signal: AbortSignal): Promise<void>;
  /** Makes a LAN that nodes can be plugged into, and does nothing when it is there. */
  addLan(name: string, mtu: number, signal: AbortSignal): Promise<void>;
  /** Takes a LAN away, with the interfaces of the nodes in it. */
  removeLan(name: string, signal: AbortSignal): Promise<void>;
  /** Joins a node to a LAN, sets its interface up, and does nothing when that is there. */
  plug(lan: { name: string; mtu: number }, end: TopologyLinkEnd, signal: AbortSignal): Promise<void>;
  /**
   * Makes both directions of a link bad, or good again, while it is in use; of a LAN all ends, or that of one node. The
   * same seed makes the same choices. `by` says what is to impair it, where it is not to be chosen.
   */
  impair(
    link: TopologyLink,
    impairments: Impairments,
    options: { seed: number; node?: string | undefined; by?: ImpairedBy | undefined },
    signal: AbortSignal,
  ): Promise<void>;
  /** Takes the carrier of a link away from its ends, or gives it back; of a LAN from all ends, or that of one node. */
  setLink(
    link: TopologyLink,
    state: 'up' | 'down',
    node: string | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** Frames that pass a node's end of a link, as pcap on standard output, until its standard input ends. */
  capture(link: TopologyLink, node: string): Promise<Opened>;
  /**
   * How links are, and what became of their frames; each end of a LAN for itself. With `mend` what carries impaired links
   * is started again first where it has ended.
   */
  linkStates(
    links: readonly TopologyLink[],
    signal: AbortSignal,
    options?: { mend?: boolean },
  ): Promise<readonly LinkState[]>;
  /** Takes an interface of a node away, with the other end of its cable; does nothing when it is gone. */
  removeInterface(node: string, device: string, signal: AbortSignal): Promise<void>;
  /** A node by name. Throws EUSAGE, listing the nodes there are. */
  node(name: string): LabNode;
  /** The nodes there are, by name. */
  nodes(): readonly LabNode[];
  /** What changes from now on, until the lab has ended, which is the last change, or the signal aborts. */
  watch(signal: AbortSignal): AsyncGenerator<LabChange, void, void>;
  /** From here on the lab stays until it is destroyed. */
  keep(record: LabRecord): Promise<void>;
  /** Replaces the record of a lab that stays. */
  save(record: LabRecord): Promise<void>;
  /**
   * Ends every process of the lab and takes back all it holds; resolves when that is done. Does
   * nothing to a lab that is gone. Rejects with ETIMEDOUT after 20 s.
   */
  destroy(): Promise<void>;
}

/** Something that a testbed saw. Times are ms since 1970. */
export type LabChange =
  | { readonly event: 'node.ended'; readonly at: number; readonly node: string }
  /** The lab cannot be managed any more, although its nodes run. */
  | { readonly event: 'helper.ended'; readonly at: number }
  | { readonly event: 'lab.ended'; readonly at: number };

/** What a lab is, for those who find it later. */
export interface LabRecord {
  readonly lab: string;
  /** Absolute path of the topology file. */
  readonly file: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly topology: Topology;
  /** What the lab was being made into when that was given up: parts of it may be there. */
  readonly pending?: Topology | undefined;
  /** The image that nodes run that have none of their own, where nodes run images. */
  readonly image?: string | undefined;
  /** Nodes that were stopped and are to stay so. */
  readonly stopped?: readonly string[] | undefined;
  /** Parameters that were set, and what the lab was made with: versions by program, images by digest. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

export interface NodeLimits {
  /** Processors' worth of time. */
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
}

export interface LabNode {
  readonly name: string;
  /** Tells it from others that have its name in this lab, made before it or after. */
  readonly id: string;
  /** A connection to the node's irmd, if that is ours. Rejects with O7sError EIRMD when none answers. */
  irm(signal: AbortSignal): Promise<IrmClient>;
  /** Starts a program that outlives this process; its output goes to a log of that name on the node. */
  start(command: readonly string[], options: { log: string; signal: AbortSignal }): Promise<Program>;
  /** Ends a program that was started with a log of that name; does nothing when it has ended. */
  end(log: string, signal: AbortSignal): Promise<void>;
  /** The logs whose programs run. */
  programs(): Promise<readonly string[]>;
  /** Runs a command attached to the terminal, pipes or files of this process. */
  attach(command: readonly string[]): Attached;
  /** Runs a command with pipes of its own. */
  open(command: readonly string[]): Promise<Opened>;
  /** Runs a command to its end and gives what it wrote. */
  run(command: readonly string[], signal?: AbortSignal): Promise<CommandResult>;
  /**
   * An empty folder in which the node's irmd looks for its configuration; `place` is where that of another runtime does.
   */
  configFolder(place: string | undefined, signal: AbortSignal): Promise<string>;
  /** Gives an interface an address, with the words of `ip address`, and takes one away. Either may be done already. */
  addAddress(words: readonly string[], signal: AbortSignal): Promise<void>;
  removeAddress(words: readonly string[], signal: AbortSignal): Promise<void>;
  /** Sets all interfaces up or down: a machine that is off has no carrier for those at the other ends. */
  setInterfaces(state: 'up' | 'down', signal: AbortSignal): Promise<void>;
  /** Ends every program on the node: by SIGTERM, and what is left after `graceMs` by SIGKILL. */
  endAll(graceMs: number, signal: AbortSignal): Promise<void>;
  /** Sends every program on the node a signal. */
  signalAll(name: NodeJS.Signals, signal: AbortSignal): Promise<void>;
  /** The logs on the node, by name. */
  logs(): Promise<readonly LogFile[]>;
  /** A part of a log from a byte on, as much as fits; empty at its end. */
  readLog(name: string, from: number): Promise<Buffer>;
}

export interface LogFile {
  readonly name: string;
  readonly bytes: number;
  /** ms since 1970. */
  readonly modifiedAt: number;
}

/** A program started on a node. */
export interface Program {
  /** Its process, as the node numbers it. */
  readonly pid: number;
  alive(): Promise<boolean>;
}

/** A command that shares the standard streams of this process. */
export interface Attached {
  /** Its exit code; 128 and the signal's number when a signal ended it. */
  readonly ended: Promise<number>;
  /** Sends the command a signal. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** A command with pipes of its own; of one on a node, `kill` ends what it has started, too. */
export interface Opened extends Attached {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export interface CommandResult {
  /** As `Attached.ended`. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
