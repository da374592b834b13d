/** The steps that make names known, and start servers. */
import { isStackedLayer, type Topology } from '../model/topology.ts';
import { type Step, step } from './action.ts';
import { commandLine } from './command-line.ts';
import { registerStep } from './layer-steps.ts';

/** Registrations that are not those of IPCPs, which belong to the layer they are for. */
export function nameSteps(topology: Topology): Step[] {
  const ipcps = new Set(
    topology.layers.filter(isStackedLayer).flatMap(({ members }) => members.map(({ ipcp }) => ipcp)),
  );
  const registrations = topology.registrations.filter(({ name }) => !ipcps.has(name));
  const balances = new Map<string, Step>();
  for (const { node, name, balance } of topology.servers) {
    if (balance !== undefined) balances.set(`${node} ${name}`, nameStep(node, name, balance));
  }
  return [
    ...balances.values(),
    ...registrations.map((each) => {
      const made = registerStep(each, 'names');
      const before = balances.get(`${each.node} ${each.name}`);
      // A name that exists keeps its policy.
      return before === undefined ? made : { ...made, after: [...made.after, before.id] };
    }),
    ...knownNames(topology, registrations),
  ];
}

/** A runtime of others asks a layer only for names that its own node knows (irmd-and-irm.md 5.3). */
function knownNames(topology: Topology, registrations: Topology['registrations']): Step[] {
  const foreign = topology.nodes.filter(({ runtime }) => runtime !== undefined).map(({ name }) => name);
  const layerOf = new Map(
    topology.layers.flatMap((layer) => layer.members.map(({ ipcp }) => [ipcp, layer] as const)),
  );
  return foreign.flatMap((node) => {
    const names = registrations.filter(({ ipcp, node: at }) => {
      return at !== node && layerOf.get(ipcp)?.members.some((member) => member.node === node) === true;
    });
    return [...new Set(names.map(({ name }) => name))].map((name) => nameStep(node, name, undefined));
  });
}

function nameStep(node: string, name: string, balance: 'round-robin' | 'spillover' | undefined): Step {
  return step({
    id: `name ${node} ${name}`,
    after: [`irmd ${node}`],
    needs: [`irmd ${node}`],
    phase: 'names',
    node,
    text: `name ${name} is known on ${node}`,
    command: `irm name create ${commandLine([name])}${balance === undefined ? '' : ` lb ${balance}`}`,
    action: { kind: 'name', node, name, balance },
  });
}

export function serveSteps(topology: Topology): Step[] {
  const taken = new Set<string>();
  return topology.servers.map(({ node, name, command, balance }) => {
    let [log, count] = [logName(name), 1];
    while (taken.has(`${node} ${log}`)) log = `${logName(name)}-${++count}`;
    taken.add(`${node} ${log}`);
    const registered = topology.registrations.filter((each) => each.node === node && each.name === name);
    const before = balance === undefined ? [] : [`name ${node} ${name}`];
    return step({
      id: `server ${node} ${log}`,
      after: [`irmd ${node}`, ...before, ...registered.map(({ ipcp }) => `register ${name} ${ipcp}`)],
      needs: [`irmd ${node}`],
      phase: 'servers',
      node,
      text: `server ${name} on ${node}`,
      command: `${commandLine(command)} & irm bind process $! name ${commandLine([name])}`,
      action: { kind: 'serve', node, name, command, log },
    });
  });
}

/** A name as that of a file. */
function logName(name: string): string {
  const text = name.replaceAll(/[^\w.-]/g, '_').slice(0, 64);
  // irmd has a log of that name, and names of hidden files begin with a dot.
  return text === 'irmd' || text.startsWith('.') ? `server-${text}` : text;
}
