/**
 * What a live view draws from: the events of a lab, and beside them what was measured, logged and done. A run bundle
 * keeps them as `events.ndjson`, one object a line.
 */
import type { LabEvent } from '../events.ts';
import type { Topology } from '../model/topology.ts';

/** Times are ms since 1970. */
export type LiveEvent =
  | LabEvent
  /** What the lab is to be, as soon as it is known. */
  | { readonly event: 'topology'; readonly at: number; readonly topology: Topology }
  | PhaseEvent
  /** Something the testbed did: a step of a deployment, or what the view was asked for. */
  | CommandEvent
  | InterfacesEvent
  | LogEvent
  | ImpairmentEvent
  | CaptureEvent;

export interface PhaseEvent {
  readonly event: 'phase';
  readonly at: number;
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export interface CommandEvent {
  readonly event: 'command';
  readonly at: number;
  /** The node it ran on; null for what the testbed did by itself. */
  readonly node: string | null;
  /** As typed, or what was done in words. */
  readonly command: string;
  /** How long it took; null where that is not known. */
  readonly ms: number | null;
  /** Why it failed; null when it did not. */
  readonly error: string | null;
}

/** What the interfaces of a node have carried since they were made. */
export interface InterfacesEvent {
  readonly event: 'interfaces';
  readonly at: number;
  readonly node: string;
  readonly interfaces: Readonly<Record<string, InterfaceCounters>>;
}

export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txDropped: number;
}

export interface LogEvent {
  readonly event: 'log';
  readonly at: number;
  readonly node: string;
  readonly log: string;
  /** EE, WW, II or DB, where the line says. */
  readonly level?: string | undefined;
  readonly text: string;
}

/** What a link is made to do to frames, in words such as `delay 10 ms`; empty for nothing. */
export interface ImpairmentEvent {
  readonly event: 'impairment';
  readonly at: number;
  readonly link: string;
  readonly text: string;
}

/** A capture that the view was asked for has begun, or is over. */
export interface CaptureEvent {
  readonly event: 'capture';
  readonly at: number;
  readonly link: string;
  /** Absolute path. */
  readonly file: string;
  readonly isOver: boolean;
  /** At its end: that frames were lost, or why it ended by itself; null for nothing. */
  readonly complaint: string | null;
}

/** What can be done to a lab from its view. All reject with an error whose message is one line. */
export interface LiveActions {
  /** Gives the terminal of this process to a shell on the node; resolves when the shell has ended. */
  shell(node: string): Promise<void>;
  stopNode(node: string): Promise<void>;
  startNode(node: string): Promise<void>;
  destroyIpcp(node: string, pid: number): Promise<void>;
  setLink(link: string, state: 'up' | 'down'): Promise<void>;
  /** Starts a capture on a link, or ends the one that runs; resolves with the file when one has started. */
  capture(link: string): Promise<string | undefined>;
}

/** A lab to look at, or what is left of one. */
export interface LiveSource {
  readonly title: string;
  /** Events in order; ends when there is nothing more to come. */
  events(signal: AbortSignal): AsyncIterable<LiveEvent>;
  /** Asks for the logs of the nodes, which are not followed before. */
  followLogs(): void;
  /** Absent for a replay. */
  readonly actions?: LiveActions | undefined;
  /** Of a replay: its clock can be set. */
  readonly replay?: ReplayControl | undefined;
}

export interface ReplayControl {
  /** Seconds of the run in one second. */
  setSpeed(factor: number): void;
  setPaused(paused: boolean): void;
  /** Hands everything over that is left. */
  toEnd(): void;
}

export interface ViewOptions {
  readonly readOnly: boolean;
  /** What Ctrl-C does; by default the view closes. */
  readonly onInterrupt?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

/** The view as the command line loads it: resolves when it was closed. */
export interface ViewModule {
  readonly view: (source: LiveSource, options: ViewOptions) => Promise<void>;
}
