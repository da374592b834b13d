/** `irm events`: what happens on the node, as it happens. */
import type { IrmChange, IrmEvent, IrmSnapshot, QosJson } from '../../lib/index.ts';
import { qosByName, qosFromJson } from '../../lib/index.ts';
import { type Command, failed, say } from './command.ts';

const usage = `Usage: irm events
                [interval <seconds between counters, 0 for none> (default: 1)]

Lines to read; with --json every event as one JSON object a line, with counters. docs/events.md describes them.
`;
const secondsMin = 0.1;
const secondsMax = 3600;
const msPerSecond = 1000;

export const events: Command = {
  usage,
  keywords: { interval: 'text' },
  run: async (words, context) => {
    const seconds = parse(words);
    if (seconds === undefined) return say(context, usage);
    try {
      const irmd = await context.irmd();
      const countersMs = seconds === 0 || !context.json ? undefined : seconds * msPerSecond;
      for await (const event of irmd.events(undefined, { countersMs })) {
        context.result(event);
        if (!context.json) context.out(inWords(event));
      }
      context.note('irmd has ended.');
      return 1;
    } catch (error) {
      return failed(error, context);
    }
  },
};

/** The seconds between counters; undefined where the words say something else. */
function parse(words: readonly string[]): number | undefined {
  const [word, value, ...more] = words;
  if (word === undefined) return 1;
  const seconds = Number(value);
  const isKnown = word !== '--' && 'interval'.startsWith(word.replace(/^--/, ''));
  if (!isKnown || value === undefined || more.length > 0) return undefined;
  return seconds === 0 || (seconds >= secondsMin && seconds <= secondsMax) ? seconds : undefined;
}

/** An event as one line to read, a snapshot as one for each thing there is; counters say nothing to a reader. */
function inWords(event: IrmEvent | IrmSnapshot): string {
  if (event.event === 'counters') return '';
  if (event.event !== 'snapshot') return line(event.at, event.event, details(event));
  const { at, dropped, ipcps, names, processes, flows } = event;
  return [
    line(
      at,
      'snapshot',
      `${ipcps.length} IPCPs, ${names.length} names, ${processes.length} processes, ${flows.length} flows` +
        (dropped === 0 ? '' : `; ${dropped} events were missed`),
    ),
    ...ipcps.map((ipcp) => line(at, 'ipcp', ofIpcp(ipcp))),
    ...flows.map((flow) => line(at, 'flow', ofFlow(flow))),
  ].join('');
}

function line(at: number, event: string, text: string): string {
  return `${new Date(at).toISOString()} ${event.padEnd(17)} ${text}\n`;
}

function details(change: IrmChange): string {
  switch (change.event) {
    case 'ipcp.created':
    case 'ipcp.bootstrapped':
    case 'ipcp.enrolled':
      return ofIpcp(change.ipcp);
    case 'ipcp.connected':
    case 'ipcp.disconnected':
      return `${change.name} ${change.component} ${change.destination}`;
    case 'adjacency.added':
    case 'adjacency.up':
    case 'adjacency.down':
    case 'adjacency.removed': {
      const { component, peer, destination, up } = change.adjacency;
      return `${change.name} ${component} ${peer ?? destination ?? ''} ${up ? 'up' : 'down'}`;
    }
    case 'routes.changed': {
      const set = change.set.map(({ address, links, via }) => `${address} (${links} via ${via.join(' ')})`);
      const gone = change.gone.map((address) => `${address} (none)`);
      return `${change.name} ${[...set, ...gone].join(', ')}`;
    }
    case 'name.registered':
    case 'name.unregistered':
      return `${change.name} with ${change.pid}`;
    case 'name.bound':
    case 'name.unbound':
      return `${change.name} by ${change.by}`;
    case 'process.added':
    case 'process.removed':
      return `${change.pid} ${change.program}`;
    case 'flow.allocated':
      return ofFlow(change.flow);
    case 'flow.up':
    case 'flow.down':
    case 'flow.deallocated':
      return `${change.flowId} ${change.name}`;
    default:
      return change.name;
  }
}

function ofIpcp({ pid, name, type, layer }: Extract<IrmChange, { readonly ipcp: unknown }>['ipcp']): string {
  return `${pid} ${name} ${type} ${layer ?? 'Not enrolled.'}`;
}

function ofFlow({
  flowId,
  name,
  ends,
  layer,
  qos,
}: Extract<IrmChange, { readonly flow: unknown }>['flow']): string {
  const who = ends.map(({ pid, program }) => `${program} (${pid})`).join(' and ');
  return `${flowId} ${name} ${who} over ${layer ?? 'no layer'}, qos ${qosName(qos)}`;
}

function qosName(qos: QosJson): string {
  const spec = Object.entries(qosFromJson(qos));
  for (const [name, known] of Object.entries<object>(qosByName)) {
    const fields = new Map<string, unknown>(Object.entries(known));
    if (spec.every(([field, value]) => fields.get(field) === value)) return name;
  }
  return `of its own (${qosFromJson(qos).inOrder === 0 ? 'without' : 'with'} order)`;
}
