/**
 * The events as a schema: what docs/events.md is made from, and what tests hold the events of a running node against. Not
 * part of irmd, which makes events of the types in lib/rpc/events.ts; event-schema.test.ts proves that both are the same.
 */
import * as v from 'valibot';
import { balancePolicies, componentNames, ipcpTypes } from '../lib/rpc/api.ts';

const text = v.string();
const integer = v.pipe(v.number(), v.integer());
const at = v.pipe(integer, v.description('ms since 1970'));
const pid = v.pipe(integer, v.description('as `irm` shows it'));
const ipcpPid = v.pipe(integer, v.description('of the IPCP'));
const ipcpName = v.pipe(text, v.description('of the IPCP'));
const flowId = v.pipe(integer, v.description('a number of the node; used again for later flows'));
const component = v.pipe(v.picklist(componentNames), v.description('data transfer, or management'));
const numbers = v.record(text, v.number());

export const qosType = v.strictObject({
  delay: v.pipe(integer, v.description('upper bound in ms; 4294967295 does not care')),
  bandwidth: v.pipe(text, v.description('bits a second, as a decimal number; 0 does not care')),
  availability: v.pipe(integer, v.description('number of nines')),
  loss: v.pipe(integer, v.description('0: none allowed')),
  ber: v.pipe(integer, v.description('bit errors per 10^9 bits; 0: every packet has a CRC')),
  inOrder: v.pipe(integer, v.description('1: messages come in order')),
  maxGap: v.pipe(integer, v.description('ms; 4294967295 does not care')),
  timeout: v.pipe(integer, v.description('ms of silence after which the peer counts as dead; 0: never')),
});

const joiningType = v.strictObject({
  by: v.picklist(['bootstrap', 'enrollment']),
  destination: v.pipe(v.nullable(text), v.description('the name it enrolled with')),
  at,
});

export const ipcpType = v.strictObject({
  pid: v.pipe(
    integer,
    v.description('the number commands take; of an IPCP in a shared ipcpd, above 4194304'),
  ),
  hostPid: v.pipe(integer, v.description('the process that runs it')),
  name: text,
  type: v.picklist(ipcpTypes),
  layer: v.pipe(v.nullable(text), v.description('null before bootstrap and enrolment')),
  state: v.picklist(['boot', 'operational', 'shutdown']),
  address: v.pipe(v.nullable(text), v.description('in a unicast layer')),
  device: v.pipe(
    v.nullable(text),
    v.description('what a link layer lies over: an interface, or an IP address with its port'),
  ),
  joined: v.pipe(v.nullable(joiningType), v.description('how it came into its layer')),
});

export const nameType = v.strictObject({ name: text, policy: v.picklist(balancePolicies) });

const processType = v.strictObject({
  pid,
  uid: integer,
  program: text,
  names: v.pipe(v.array(text), v.description('it is bound to')),
});

const endType = v.strictObject({
  pid,
  program: v.pipe(text, v.description('`ipcpd-unicast` and the like for an IPCP')),
});

const flowType = v.strictObject({
  flowId,
  name: v.pipe(text, v.description('it was allocated to, or the broadcast layer that was joined')),
  ends: v.pipe(
    v.array(endType),
    v.description('in this node: two of a flow between two of its processes, else one'),
  ),
  ipcp: v.pipe(
    v.nullable(integer),
    v.description('the IPCP it goes through; null for a flow within the node'),
  ),
  layer: v.nullable(text),
  qos: qosType,
  up: v.pipe(v.boolean(), v.description('whether it carries packets, as far as the layer knows')),
  allocatedAt: at,
});

const adjacencyType = v.strictObject({
  id: v.pipe(integer, v.description('no other adjacency of the IPCP has it, or had')),
  component,
  peer: v.pipe(v.nullable(text), v.description('address of the other member; null in a broadcast layer')),
  destination: v.pipe(
    v.nullable(text),
    v.description('the name it was asked for by; null on the side that was asked'),
  ),
  up: v.boolean(),
  prototype: v.pipe(
    v.boolean(),
    v.description("whether the other member is of the reference prototype's kind"),
  ),
});

const routeType = v.strictObject({
  address: v.pipe(text, v.description('of the member')),
  links: v.pipe(integer, v.description('on the way to it')),
  via: v.pipe(v.array(text), v.description('neighbours that packets may leave by, the first choice first')),
});

const layerType = v.strictObject({
  pid: ipcpPid,
  names: v.pipe(v.array(text), v.description('registered with this IPCP')),
  linkUp: v.pipe(v.nullable(v.boolean()), v.description('whether the device of a link layer is up')),
  adjacencies: v.array(adjacencyType),
  routes: v.pipe(v.array(routeType), v.description('to all members of a unicast layer that can be reached')),
});

const ipcpCountsType = v.strictObject({
  pid: ipcpPid,
  counters: v.pipe(numbers, v.description('they only grow')),
  gauges: v.pipe(
    numbers,
    v.description('flows, adjacencies, members, routes and more, as the type has them'),
  ),
});

const portType = v.strictObject({
  packetsSent: integer,
  bytesSent: integer,
  packetsReceived: integer,
  bytesReceived: integer,
  droppedSlowReader: v.pipe(integer, v.description('packets the process did not read in time')),
  droppedNotOpen: v.pipe(integer, v.description('packets for a flow that is not there yet, or no more')),
  droppedTooLong: v.pipe(
    integer,
    v.description('packets of the process that were longer than the layer takes'),
  ),
});

const senderType = v.strictObject({
  left: v.pipe(integer, v.description('window edge: the oldest number not acknowledged')),
  right: v.pipe(integer, v.description('the first number that may not be sent')),
  next: v.pipe(integer, v.description('number of the next packet')),
  inactiveMs: v.pipe(v.number(), v.description('silence after which a run is over')),
});
const receiverType = v.strictObject({
  left: v.pipe(integer, v.description('the number that is awaited')),
  right: v.pipe(integer, v.description('the first number that there is no room for')),
  acknowledged: v.pipe(integer, v.description('the left edge as the other end was told it last')),
  inactiveMs: v.pipe(v.number(), v.description('silence after which a run is over')),
});

const frctType = v.strictObject({
  reliable: v.pipe(v.boolean(), v.description('whether what is lost is sent again')),
  roundTripMs: v.pipe(v.nullable(v.number()), v.description('smoothed; null before the first measurement')),
  window: v.pipe(v.number(), v.description('packets that may be under way at once')),
  outstanding: v.pipe(integer, v.description('messages written and not acknowledged')),
  closedMs: v.pipe(
    v.number(),
    v.description("how long the other end's window has refused writes; 0 while it does not"),
  ),
  mplMs: v.pipe(v.number(), v.description('longest time a packet lives in the layer')),
  ackMs: v.pipe(v.number(), v.description('longest time an acknowledgement is held back')),
  retransmitMs: v.pipe(v.number(), v.description('longest time a packet is sent again')),
  deviationMs: v.pipe(v.number(), v.description('of the round trip')),
  timeoutMs: v.pipe(v.number(), v.description('how long an acknowledgement is waited for now')),
  estimates: v.pipe(integer, v.description('round trips that were measured')),
  sender: senderType,
  receiver: receiverType,
  counters: v.pipe(numbers, v.description('`retransmissions`, `timeouts`, what was dropped, and more')),
});

const endReportFields = {
  fd: v.pipe(v.nullable(integer), v.description('what the process knows the flow by')),
  messagesSent: integer,
  messagesReceived: integer,
  drops: v.pipe(numbers, v.description('messages and packets that were lost, by reason')),
  frct: v.pipe(v.nullable(frctType), v.description('null where the QoS asks for no order')),
};

export const flowReportType = v.strictObject({ flowId, ...endReportFields });
const endReportType = v.strictObject({ pid, ...endReportFields });

const flowCountsType = v.strictObject({
  flowId,
  port: v.pipe(
    v.nullable(portType),
    v.description(
      'what the data plane carried, as the process of this node sees it; null for a flow within the node',
    ),
  ),
  ends: v.pipe(v.array(endReportType), v.description('of the processes that tell')),
});

/** The types that events refer to, by name. */
export const eventTypes: Readonly<Record<string, v.GenericSchema>> = {
  Ipcp: ipcpType,
  Joining: joiningType,
  Name: nameType,
  Process: processType,
  Flow: flowType,
  End: endType,
  Qos: qosType,
  Layer: layerType,
  Adjacency: adjacencyType,
  Route: routeType,
  IpcpCounts: ipcpCountsType,
  FlowCounts: flowCountsType,
  Port: portType,
  EndReport: endReportType,
  Frct: frctType,
  FrctSender: senderType,
  FrctReceiver: receiverType,
};

function about<const Names extends readonly [string, ...string[]], Fields extends v.ObjectEntries>(
  events: Names,
  fields: Fields,
  meaning: string,
) {
  return v.pipe(v.strictObject({ event: v.picklist(events), at, ...fields }), v.description(meaning));
}

export const snapshotType = about(
  ['snapshot'],
  {
    dropped: v.pipe(integer, v.description('events that were not told because the reader was too slow')),
    ipcps: v.array(ipcpType),
    names: v.array(nameType),
    processes: v.array(processType),
    flows: v.array(flowType),
    layers: v.pipe(v.array(layerType), v.description('one for each IPCP that is in a layer')),
  },
  'All there is. It comes first, and again where events were dropped; it replaces all that was told before.',
);

export const changeTypes = [
  about(
    ['ipcp.created', 'ipcp.bootstrapped', 'ipcp.enrolled'],
    { ipcp: ipcpType },
    'An IPCP is there; it is in a layer.',
  ),
  about(
    ['ipcp.connected', 'ipcp.disconnected'],
    { pid: ipcpPid, name: ipcpName, component, destination: text },
    'An IPCP was told to connect to another member, or to end that, and did so.',
  ),
  about(
    ['ipcp.destroyed', 'ipcp.crashed'],
    { pid: ipcpPid, name: ipcpName },
    'An IPCP is gone, with its flows.',
  ),
  about(
    ['link.up', 'link.down'],
    { pid: ipcpPid, name: ipcpName },
    'The device of a link layer; a new one counts as up.',
  ),
  about(
    ['adjacency.added', 'adjacency.up', 'adjacency.down', 'adjacency.removed'],
    { pid: ipcpPid, name: ipcpName, adjacency: adjacencyType },
    'A connection to another member, whoever asked for it.',
  ),
  about(
    ['routes.changed'],
    {
      pid: ipcpPid,
      name: ipcpName,
      set: v.pipe(v.array(routeType), v.description('new, or other than before')),
      gone: v.pipe(v.array(text), v.description('addresses to which there is no route any more')),
    },
    'Routes to members of a unicast layer. A new IPCP has none.',
  ),
  about(['name.created'], { name: text, policy: v.picklist(balancePolicies) }, 'A name is there.'),
  about(['name.destroyed'], { name: text }, 'A name is gone, with its bindings. Registrations stay.'),
  about(
    ['name.registered', 'name.unregistered'],
    { name: text, pid: ipcpPid },
    'A name with the layer of an IPCP.',
  ),
  about(
    ['name.bound', 'name.unbound'],
    {
      name: v.pipe(text, v.description('`*` for all')),
      by: v.pipe(text, v.description('a program, or a pid')),
    },
    'Who serves a name.',
  ),
  about(['process.added', 'process.removed'], { pid, program: text }, 'A process that uses flows.'),
  about(['flow.allocated'], { flow: flowType }, 'A flow is complete.'),
  about(
    ['flow.up', 'flow.down', 'flow.deallocated'],
    { flowId, name: v.pipe(text, v.description('it was allocated to')) },
    'The layer carries its packets no more, or again; the flow is gone.',
  ),
] as const;

export const countersType = about(
  ['counters'],
  {
    ipcps: v.array(ipcpCountsType),
    flows: v.array(flowCountsType),
    refused: v.pipe(
      numbers,
      v.description('how often users had their share of `connections`, `requests` or `flows`'),
    ),
  },
  'Totals of the IPCPs and flows that did anything since they were last told. Of an IPCP only the numbers that are ' +
    'other than then; what was never told is 0. After a snapshot all are told anew.',
);

export const eventSchema = v.union([snapshotType, ...changeTypes, countersType]);
