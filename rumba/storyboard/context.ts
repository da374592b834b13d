/** What functions of a storyboard are given. */
import type { Shell } from 'zx';
import type { Topology } from '../model/topology.ts';
import type { CommandResult } from '../testbeds/testbed.ts';

/** A node, in a step that is a function. */
export interface StoryNode {
  readonly name: string;
  /** Runs a command to its end. */
  run(command: readonly string[]): Promise<CommandResult>;
  /** The `$` of zx, of which the commands run on the node: `` await node.$`irm ipcp list` ``. */
  readonly $: Shell;
}

/** What a step that is a function gets. */
export interface StoryContext {
  readonly topology: Topology;
  readonly signal: AbortSignal;
  /** A node by name. Throws EUSAGE, listing the nodes there are. */
  node(name: string): StoryNode;
  /** Writes a line into the results of the run. */
  note(text: string): void;
}
