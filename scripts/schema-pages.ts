/** The pages of docs/ that are made from schemas. `npm run generate` writes them; a test holds them against the schemas. */
import * as v from 'valibot';
import { changeTypes, countersType, eventTypes, snapshotType } from '../runtime/irmd/event-schema.ts';
import {
  applicationDocumentation,
  applicationUpcalls,
  managementDocumentation,
  type MethodDocumentation,
  resultTypes,
} from '../runtime/irmd/documentation.ts';
import {
  applicationSchemas,
  configType,
  filesType,
  managementSchemas,
  qosSchema,
  sideType,
} from '../runtime/irmd/schema.ts';
import { errorTable } from '../runtime/lib/errors.ts';
import { frameKind, frameRoomBytes } from '../runtime/lib/flow/framing.ts';
import { type NamedType, SchemaTables } from './schema-tables.ts';

/** docs/events.md */
export function eventsPage(): string {
  const tables = new SchemaTables(namedTypes(eventTypes));
  return page([
    '# Events',
    `What happens on a node can be followed in three ways, which tell the same:

- \`irm events --json\` prints one JSON object a line, \`irm events\` the changes as lines to read. Counters come each
  second; \`--interval SECONDS\` sets another time, 0 none.
- \`events.subscribe\` on \`irm.sock\` (see [rpc.md](rpc.md)) answers with a snapshot and then sends notifications
  \`event\`, whose parameters are the events below.
- \`IrmClient.events()\` of \`o7s-testbed/lib\` yields them as values of the types \`IrmSnapshot\` and \`IrmEvent\`.`,
    `The first event is a \`snapshot\`. A change follows as soon as irmd knows of it: what commands and processes do at once,
what IPCPs find out (adjacencies, routes, links, whether a flow is up) within a tenth of a second, because an ipcpd tells
what belongs together in one message, ten times a second at most. As long as nobody listens it is not asked for anything.`,
    `For a reader that does not read, irmd holds 1 MiB. What comes then is dropped and counted, and when the reader has caught
up it gets another \`snapshot\` that says how many were \`dropped\`: whoever replaces all it knows by a snapshot is never
wrong for long. Counters are totals: to be told later loses nothing.`,
    `Fields and events are only ever added. This page is made from \`runtime/irmd/event-schema.ts\`, which tests hold against
the types and against the events of running nodes.`,
    '## Events',
    ...[snapshotType, ...changeTypes, countersType].flatMap((type) => [
      `### ${eventsOf(type)
        .map((name) => `\`${name}\``)
        .join(', ')}`,
      v.getDescription(type) ?? '',
      tables.fields(type, ['event', 'at']),
    ]),
    'Each has `event`, its name, and `at`, its moment in ms since 1970.',
    '## Types',
    ...Object.entries(eventTypes).flatMap(([name, type]) => [`### ${name}`, tables.fields(type)]),
  ]);
}

const kinds: Readonly<Record<keyof typeof frameKind, string>> = {
  packet: 'one packet of the flow; an empty one is a sign of life and is no message',
  hello: 'the first frame of whoever connected: the 16 bytes of its token',
  state:
    'one byte: 1 when the flow carries packets, 0 when it does not for now. From the data plane; in a direct flow also ' +
    'from the other process',
  roomyPacket: `${frameRoomBytes} bytes without meaning, and behind them a packet: room in which layers write their headers. Who does not need it sends \`packet\``,
  lastWord:
    'to the data plane, before the socket is closed: for how many ms (4 bytes) the flow is to be kept, and the packet ' +
    'that answers what comes in that time. For flows with FRCT',
  dropped: 'how many packets (4 bytes) the data plane dropped because the process did not read',
  limit: 'the longest packet (4 bytes) that the flow carries from here on',
};

/** docs/rpc.md */
export function rpcPage(): string {
  const own = { Config: configType, Files: filesType, FilesOfSide: sideType, ...resultTypes };
  const tables = new SchemaTables([
    ...namedTypes(eventTypes, 'events.md'),
    ...namedTypes({ Qos: qosSchema }, 'events.md'),
    ...namedTypes(own),
  ]);
  const methods = (
    schemas: Readonly<Record<string, v.GenericSchema>>,
    documentation: Readonly<Record<string, MethodDocumentation>>,
  ): string[] =>
    Object.entries(documentation).flatMap(([name, { does, result, errors }]) => {
      const parameters = schemas[name];
      const fields = parameters === undefined ? '' : tables.fields(parameters);
      const refusals = Object.entries(errors).map(([code, why]) => `- \`${code}\`: ${why}`);
      const named = tables.type(result);
      return [
        `### ${name}`,
        does,
        fields === '' ? 'No parameters.' : `Parameters:\n\n${fields}`,
        named === 'object' ? `Result:\n\n${tables.fields(result)}` : `Result: ${named}.`,
        refusals.length === 0 ? '' : `Errors:\n\n${refusals.join('\n')}`,
      ];
    });
  return page([
    '# Control protocol',
    `How programs speak to irmd, and how packets of a flow travel between a process and its node. Everything here can be
typed: \`socat - UNIX-CONNECT:/run/ouroboros/irm.sock\`, then \`{"jsonrpc":"2.0","id":1,"method":"ipcp.list"}\`. With this page alone
\`runtime/bindings/python3/ouroboros.py\` was written.`,
    `irmd serves two Unix stream sockets in \`/run/ouroboros\`, or in \`O7S_RUN_DIR\`: \`irmd.sock\` for applications, open to all, and
\`irm.sock\` for management, open to root and the group \`ouroboros\`. Both speak JSON-RPC 2.0,
one object a line, in both directions: requests may overlap, and answers come in the order in which they are ready.`,
    `- Parameters are objects. A parameter that no method has is refused, where the method has any.
- A line has 1 MiB at most; answers of irmd have 16 MiB at most. A connection has 4096 open requests at most. Who
  exceeds this, or does not speak JSON-RPC, is told so once, in an error with
  the id null, and the connection is closed. So is a connection that is one too many: those of a user have a share, of
  1024 connections, 1024 open requests for flows and 2560 flows, unless it is root, of the group \`ouroboros\`, or whom
  irmd runs as.
- The notification \`cancel\` with \`{"id": ID}\` cancels an open request, which is then answered with ECANCELED; a result
  may have crossed it on its way, and a flow that was granted in it is to be given back by \`flow.deallocate\`.
- irmd may send requests and notifications, too. A request that is not served is answered with an error.
- A connection that closes is a process that has ended: its flows and bindings go. When irmd ends, the connection closes.`,
    '## Errors',
    `An error has a \`code\`, a \`message\` for people, and where it helps \`data.hint\`, what to do. JSON-RPC's own are -32700 (no
JSON), -32600 (no request) and -32603 (a fault of irmd). All others are Ouroboros' own, negated:`,
    [
      '| code | number | meaning |',
      '| --- | --- | --- |',
      ...Object.entries(errorTable).map(([code, [number, text]]) => `| \`${code}\` | -${number} | ${text} |`),
    ].join('\n'),
    'Every method answers EINVAL to parameters that do not fit, and an unknown method is ENOTSUP.',
    '## Methods of irmd.sock',
    ...methods(applicationSchemas, applicationDocumentation),
    '## What irmd asks of applications',
    ...methods({}, applicationUpcalls),
    '## Methods of irm.sock',
    ...methods(managementSchemas, managementDocumentation),
    '## Types',
    ...Object.entries(own).flatMap(([name, type]) => [`### ${name}`, tables.fields(type)]),
    'The others are those of [events.md](events.md#types).',
    '## The socket of a flow',
    `A grant leads to one Unix stream socket for each end of a flow. Where \`connect\` names one, the process connects to it and
sends a \`hello\` with the token; nothing answers it. Where \`connect\` is null, the other process connects to the socket that was
given as \`listen\` to \`flow.accept\`: the one whose \`hello\` has the token of the grant is the other end, and any other
connection is to be closed. It may come before the answer to \`flow.accept\` does, or never: wait 2 s for it.`,
    `Then both sides send frames: four bytes, of which the first is the kind and the other three are the length of what
follows, big-endian.`,
    [
      '| kind | name | what follows |',
      '| --- | --- | --- |',
      ...Object.entries(frameKind).map(
        ([name, kind]) => `| ${kind} | \`${name}\` | ${kinds[name as keyof typeof frameKind]} |`,
      ),
    ].join('\n'),
    `Kinds that are not known are skipped. A packet has \`maxMessageBytes\` at most; between two processes of a node that is
1 048 260 bytes. The kernel gives back-pressure: a process that reads too slowly has 4 MiB of packets held for it, what
comes then is dropped and counted. The other end, or the layer, releases the flow by closing the socket; what came
before can still be read. To release it, close the socket and call \`flow.deallocate\`.`,
    '## What the ends of a flow add',
    `The layer carries packets as they are. What the QoS promises is made at the ends, by the library:`,
    `- \`timeout\` other than 0: whoever has sent nothing for a quarter of it sends an empty packet; whoever has received
  nothing for all of it takes the other end for dead. Empty packets are never handed to the application. A flow that was
  joined has no signs of life.
- \`ber\` 0: behind every packet but an empty one stands the CRC-32 of zip over it, four bytes, big-endian; a packet whose CRC is
  wrong is dropped. A flow that was joined has none.
- \`inOrder\` 1: packets carry the header of FRCT, which \`runtime/lib/frct\` is; a binding without it must not ask for such a
  QoS, and gives back a flow that it is granted with one.
- \`encryption\`: every packet but an empty one is sealed, before the CRC, as [encryption.md](encryption.md) tells; a binding
  without it gives the flow back.
- Else a message is a packet.`,
  ]);
}

/** Types with the places where they are described. */
function namedTypes(types: Readonly<Record<string, v.GenericSchema>>, file = ''): NamedType[] {
  return Object.entries(types).map(([name, schema]) => ({
    name,
    schema,
    place: `${file}#${name.toLowerCase()}`,
  }));
}

function eventsOf(type: v.GenericSchema): readonly string[] {
  const { event } = (
    type as unknown as { readonly entries: { readonly event: { options: readonly string[] } } }
  ).entries;
  return event.options;
}

function page(paragraphs: readonly string[]): string {
  return `${paragraphs.filter((text) => text !== '').join('\n\n')}\n`;
}
