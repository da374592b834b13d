/** What a testbed is: something that makes labs of nodes and links, and finds them again. */
import type { IrmClient } from '../../runtime/lib/index.ts';
import type { Topology, TopologyLink, TopologyNode } from '../model/topology.ts';

export interface Testbed {
  readonly name: string;
  /**
   * Makes an empty lab. It belongs to this process, whose end, be it by SIGKILL, ends it too, until
   * `keep()`. Rejects with EENVIRONMENT where the machine does not allow it, EFAILED when a lab of this name exists.
   */
  createLab(name: string, signal: AbortSignal): Promise<Lab>;
  /** The labs of this user, by name. */
  labs(): Promise<Lab[]>;
}

export interface Lab {
  readonly name: string;
  readonly testbed: string;
  /** What `keep()` wrote; undefined for a lab that is still being made. */
  record(): Promise<LabRecord | undefined>;
  /** Adds a node, and does nothing when it is there. */
  addNode(node: TopologyNode, signal: AbortSignal): Promise<void>;
  /** Joins two nodes, sets both interfaces up, and does nothing when the link is there. */
  addLink(link: TopologyLink, signal: AbortSignal): Promise<void>;
  /** A node by name. Throws EUSAGE, listing the nodes there are. */
  node(name: string): LabNode;
  /** From here on the lab stays until it is destroyed. */
  keep(record: LabRecord): Promise<void>;
  /**
   * Ends every process of the lab and takes back all it holds; resolves when that is done. Does
   * nothing to a lab that is gone. Rejects with ETIMEDOUT after 20 s.
   */
  destroy(): Promise<void>;
}

/** What a lab is, for those who find it later. */
export interface LabRecord {
  readonly lab: string;
  /** Absolute path of the topology file. */
  readonly file: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly topology: Topology;
}

export interface LabNode {
  readonly name: string;
  /** A connection to the node's irmd. Rejects with O7sError EIRMD when none answers. */
  irm(signal: AbortSignal): Promise<IrmClient>;
  /** Starts a program that outlives this process; its output goes to a log of that name on the node. */
  start(command: readonly string[], options: { log: string; signal: AbortSignal }): Promise<Program>;
  /** Runs a command attached to the terminal, pipes or files of this process. */
  attach(command: readonly string[]): Attached;
  /** Runs a command to its end and gives what it wrote. */
  run(command: readonly string[], signal?: AbortSignal): Promise<CommandResult>;
}

/** A program started on a node. */
export interface Program {
  /** Its process, as the node numbers it. */
  readonly pid: number;
  alive(): boolean;
  /** The last line of its log that is not blank. */
  lastLogLine(): string | undefined;
}

/** A command that shares the standard streams of this process. */
export interface Attached {
  /** Its exit code; 128 and the signal's number when a signal ended it. */
  readonly ended: Promise<number>;
  /** Sends the command a signal. */
  kill(signal: NodeJS.Signals): void;
}

export interface CommandResult {
  /** As `Attached.ended`. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
