/** `o7s-testbed inspect`: a running lab, its nodes and its layers. */
import type { CommandModule } from 'yargs';
import { inspect as look, type LabState, type LayerState, type NodeState } from '../../inspect.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { formatOption, labOption } from '../options.ts';
import { listCell, table } from '../table.ts';

interface InspectArguments {
  nodes: string[];
  lab: string | undefined;
  format: 'table' | 'json';
}

export const inspect: CommandModule<object, InspectArguments> = {
  command: 'inspect [nodes..]',
  describe: 'Show a running lab: its nodes and layers, or all there is on some nodes',
  builder: (yargs) =>
    yargs
      .positional('nodes', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Only these nodes, in detail',
      })
      .option('lab', labOption)
      .option('format', formatOption)
      .example('$0 inspect', 'all nodes and layers of the only lab')
      .example('$0 inspect b', 'interfaces, IPCPs, names, processes and flows of node b')
      .example('$0 inspect -f json | jq .layers', 'for programs'),
  handler: async ({ nodes, lab, format }) => {
    const chosen = chooseLab(await labsOfUser(), lab);
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    const state = await look(chosen, nodes, interrupt.signal);
    if (format === 'json') process.stdout.write(`${JSON.stringify(state)}\n`);
    else process.stdout.write(nodes.length === 0 ? overview(state) : state.nodes.map(detail).join('\n'));
  },
};

function overview({ lab, testbed, file, createdAt, nodes, layers }: LabState): string {
  const nodeRows = nodes.map(({ node, condition, runtime, ipcps, flows, processes, missing }) => [
    node,
    condition,
    runtime ?? '-',
    String(ipcps.length),
    String(processes.length),
    String(flows.length),
    missing.map((each) => `no ${each}`).join(', '),
  ]);
  return [
    `lab ${lab} on ${testbed}, since ${createdAt}, from ${file}\n\n`,
    table(['NODE', 'STATE', 'RUNTIME', 'IPCPS', 'PROCESSES', 'FLOWS', 'MISSING'], nodeRows),
    layers.length === 0 ? '' : '\n',
    layers.length === 0
      ? ''
      : table(['LAYER', 'KIND', 'OVER', 'MEMBERS', 'CONNECTIONS', 'ROUTES'], layers.map(layerRow)),
  ].join('');
}

function layerRow({ layer, kind, over, members }: LayerState): string[] {
  const there = members.filter(({ isThere }) => isThere);
  const range = (values: readonly (number | undefined)[]): string => {
    const known = values.filter((value) => value !== undefined);
    const [least, most] = [Math.min(...known), Math.max(...known)];
    if (known.length === 0) return '-';
    return least === most ? String(least) : `${least} to ${most}`;
  };
  return [
    layer,
    kind,
    listCell(over),
    `${there.length}/${members.length}`,
    range(there.map(({ connections }) => connections)),
    range(there.map(({ routes }) => routes)),
  ];
}

function detail({
  node,
  condition,
  runtime,
  interfaces,
  ipcps,
  names,
  processes,
  flows,
  missing,
}: NodeState): string {
  const part = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
    rows.length === 0 ? '' : `\n${table(headings, rows)}`;
  return [
    `node ${node}: ${condition}${runtime === undefined ? '' : `, runtime ${runtime}`}\n`,
    ...missing.map((each) => `  no ${each}\n`),
    part(
      ['INTERFACE', 'LINK', 'MAC', 'ADDRESSES', 'PEERS'],
      interfaces.map((each) => [
        each.interface,
        each.link,
        each.mac,
        each.addresses.join(',') || '-',
        each.peers.join(','),
      ]),
    ),
    part(
      ['IPCP', 'PID', 'TYPE', 'LAYER', 'STATE'],
      ipcps.map(({ name, pid, type, layer, state }) => [name, String(pid), type, layer ?? '-', state]),
    ),
    part(
      ['NAME', 'BALANCE'],
      names.map(({ name, policy }) => [name, policy]),
    ),
    part(
      ['PROCESS', 'PROGRAM', 'USER', 'NAMES'],
      processes.map(({ pid, program, uid, names: bound }) => [
        String(pid),
        program,
        String(uid),
        bound.join(',') || '-',
      ]),
    ),
    part(
      ['FLOW', 'NAME', 'PIDS', 'IPCP'],
      flows.map(({ flowId, name, ends, ipcp }) => [
        String(flowId),
        name,
        ends.map(({ pid }) => pid).join(','),
        ipcp === null ? 'direct' : String(ipcp),
      ]),
    ),
  ].join('');
}
