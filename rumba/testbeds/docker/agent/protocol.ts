/**
 * What the command line and the agent in a lab's helper say to each other: one JSON object a line. The
 * command line asks; both send the bytes of streams, which lead to sockets in the nodes.
 */
import type { LinkState } from '../../../links/wiring.ts';
import type { ImpairedBy, Impairments } from '../../../model/impairment.ts';
import type { TopologyCable, TopologyLink, TopologyLinkEnd } from '../../../model/topology.ts';
import type { TestbedErrorCode } from '../../../errors.ts';
import type { LabRecord, LogFile } from '../../testbed.ts';

/** A program started on a node. */
export interface StartedProgram {
  /** Its number in the node. */
  readonly pid: number;
  /** Clock ticks since boot; null when it had ended before it could be looked at. */
  readonly startTime: number | null;
}

/** `init` is always the first process of a node's container, as the host numbers it. */
export interface AgentApi {
  /** Takes a node over, which ends by itself otherwise. `irmd` tells whether the node has that program. */
  adopt: { params: { node: string; init: number }; result: { irmd: boolean } };
  /** Joins two nodes; `inits` are theirs, in the order of the link's ends. */
  addCable: { params: { link: TopologyCable; inits: readonly [number, number] }; result: null };
  addLan: { params: { name: string; mtu: number }; result: null };
  removeLan: { params: { name: string }; result: null };
  plug: {
    params: { lan: { name: string; mtu: number }; end: TopologyLinkEnd; init: number };
    result: null;
  };
  impair: {
    params: {
      link: TopologyLink;
      impairments: Impairments;
      options: { seed: number; node?: string | undefined; by?: ImpairedBy | undefined };
    };
    result: null;
  };
  setLink: { params: { link: TopologyLink; state: 'up' | 'down'; node: string | undefined }; result: null };
  linkStates: { params: { links: readonly TopologyLink[]; mend: boolean }; result: readonly LinkState[] };
  removeInterface: { params: { init: number; device: string }; result: null };
  /** The words are those of `ip address`. */
  addAddress: { params: { node: string; init: number; words: readonly string[] }; result: null };
  removeAddress: { params: { node: string; init: number; words: readonly string[] }; result: null };
  setInterfaces: { params: { init: number; state: 'up' | 'down' }; result: null };
  start: { params: { init: number; log: string; command: readonly string[] }; result: StartedProgram };
  alive: { params: { init: number } & StartedProgram; result: boolean };
  /** Ends the program that was started with this log. */
  end: { params: { node: string; init: number; log: string }; result: null };
  /** The logs whose programs run. */
  programs: { params: { init: number }; result: readonly string[] };
  endAll: { params: { node: string; init: number; graceMs: number }; result: null };
  /** Sends every program of a node a signal. */
  signalAll: { params: { init: number; name: NodeJS.Signals }; result: null };
  logs: { params: { init: number }; result: readonly LogFile[] };
  /** Bytes of a log, in base64. */
  readLog: { params: { init: number; name: string; from: number }; result: string };
  /** From here on the lab stays when the connection ends. */
  keep: { params: { record: LabRecord }; result: null };
  save: { params: { record: LabRecord }; result: null };
  /** Connects stream `stream` to a socket of a node. */
  connect: { params: { init: number; path: string; stream: number }; result: null };
}

export type AgentMethod = keyof AgentApi;

/** An error of the orchestrator; `errno` where the kernel gave one. */
export interface AgentError {
  readonly code: TestbedErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly errno?: string;
}

/**
 * How many bytes of a stream each side may send before the other has passed them on: a stream that is not read holds up
 * nothing but itself, and fills nobody's memory.
 */
export const windowBytes: number = 256 * 1024;

export type ToAgent =
  | { readonly id: number; readonly method: AgentMethod; readonly params: AgentApi[AgentMethod]['params'] }
  /** The caller waits no longer. */
  | { readonly cancel: number }
  | StreamMessage
  | TakenMessage;

export type FromAgent =
  /** First of all, with the version of the agent. */
  | { readonly ready: string }
  | { readonly id: number; readonly result: AgentApi[AgentMethod]['result'] }
  | { readonly id: number; readonly error: AgentError }
  | StreamMessage
  | TakenMessage;

/** Bytes of a stream in base64; null for its end. */
export interface StreamMessage {
  readonly stream: number;
  readonly data: string | null;
}

/** How many more bytes of a stream were passed on. */
export interface TakenMessage {
  readonly stream: number;
  readonly taken: number;
}

/** Where the agent keeps what `keep` gave it. */
export const recordFile = '/var/lib/o7s-testbed/lab.json';

/** Longest line that either side takes, in bytes. */
const lineBytesMax = 16 * 1024 * 1024;

/** Cuts a stream of bytes into JSON objects. */
export class LineReader<Message> {
  readonly #take: (message: Message) => void;
  #partial: Buffer[] = [];
  #partialBytes = 0;

  constructor(take: (message: Message) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...this.#partial, chunk.subarray(from, end)]);
      this.#partial = [];
      this.#partialBytes = 0;
      from = end + 1;
      this.#take(JSON.parse(line.toString('utf8')) as Message);
    }
    if (from === chunk.length) return;
    this.#partial.push(chunk.subarray(from));
    this.#partialBytes += chunk.length - from;
    if (this.#partialBytes > lineBytesMax)
      throw new Error('the other side of the agent sent a line without an end');
  }
}
