/**
 * The plan: a topology as a graph of steps. Each step can be done again without harm, names the steps it
 * has to wait for, and says how a person would do it.
 */
import type { Topology, TopologyNode } from '../model/topology.ts';
import { type Step, step } from './action.ts';
import { commandLine } from './command-line.ts';
import { layerSteps } from './layer-steps.ts';
import { nameSteps, serveSteps } from './service-steps.ts';
import { hostsSteps, linkSteps, nodeSteps } from './wiring-steps.ts';

export interface Plan {
  /** In the order in which they are shown; their steps may overlap. */
  readonly phases: readonly string[];
  readonly steps: readonly Step[];
}

/** The steps that build a topology from nothing. */
export function plan(topology: Topology): Plan {
  const below = [
    ...topology.nodes.flatMap(nodeSteps),
    ...topology.links.flatMap(linkSteps),
    ...topology.nodes.flatMap((node) => daemonSteps(topology, node)),
  ];
  return planOf([
    ...lowPhases.flatMap((phase) => below.filter((each) => each.phase === phase)),
    ...layerSteps(topology),
    ...nameSteps(topology),
    ...serveSteps(topology),
  ]);
}

const lowPhases = ['nodes', 'links', 'impairments', 'addresses', 'hosts files', 'configuration', 'irmd'];

/** Steps with their phases, in the order in which those first come. */
export function planOf(steps: readonly Step[]): Plan {
  return { phases: [...new Set(steps.map(({ phase }) => phase))], steps };
}

/** A node's hosts file, its configuration, and its irmd. */
function daemonSteps(topology: Topology, node: TopologyNode): Step[] {
  const { name, irmd: words = [], config, configDigest: digest = '' } = node;
  const hosts = hostsSteps(topology, name);
  // Lines with times can be laid side by side with those of other nodes; a runtime of others has no such option.
  const daemon = ['--stdout', ...(node.runtime === undefined ? ['--log-json'] : []), ...words];
  const place = [`node ${name}`];
  const configs =
    config === undefined
      ? []
      : [
          step({
            id: `config ${name}`,
            after: place,
            needs: place,
            phase: 'configuration',
            node: name,
            text: `configuration of ${name} from ${config}`,
            action: { kind: 'config', node: name, folder: config, digest },
          }),
        ];
  return [
    ...hosts,
    ...configs,
    step({
      id: `irmd ${name}`,
      // Whatever looks names up on the node comes after irmd.
      after: [...place, ...[...hosts, ...configs].map(({ id }) => id)],
      needs: [...place, ...configs.map(({ id }) => id)],
      phase: 'irmd',
      node: name,
      text: `irmd on ${name}`,
      command: commandLine(['irmd', ...daemon]),
      action: { kind: 'irmd', node: name, words: daemon },
    }),
  ];
}
