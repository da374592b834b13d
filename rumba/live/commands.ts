/** The commands that made a lab, as events of a view. */
import type { Topology } from '../model/topology.ts';
import { plan } from '../plan/plan.ts';
import type { CommandEvent } from './events.ts';

/** Those of the plan of a topology. How long they took was not noted. */
export function commandsOf(topology: Topology, at: number): CommandEvent[] {
  return plan(topology).steps.flatMap(({ node, command }) =>
    command === undefined
      ? []
      : [{ event: 'command', at, node: node ?? null, command, ms: null, error: null }],
  );
}
