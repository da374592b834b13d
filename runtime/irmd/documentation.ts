/**
 * What each method of irmd's two sockets does, answers and refuses with: with the schemas that check requests, what
 * docs/rpc.md is made from. Not part of irmd. documentation.test.ts proves that the results are those of the types, and
 * tests/process/rpc.test.ts that irmd answers with them.
 */
import * as v from 'valibot';
import { ciphers } from '../lib/crypto/algorithms.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { logLevels } from '../lib/log.ts';
import { countersType, flowReportType, ipcpType, nameType, qosType, snapshotType } from './event-schema.ts';
import type { applicationSchemas, managementSchemas } from './schema.ts';

type RibValue = string | number | RibValues;
interface RibValues {
  [label: string]: RibValue;
}
const ribValues: v.GenericSchema<RibValues> = v.record(
  v.string(),
  v.union([v.string(), v.number(), v.lazy(() => ribValues)]),
);

export interface MethodDocumentation {
  readonly does: string;
  readonly result: v.GenericSchema;
  /** Beside EINVAL for parameters of the wrong shape. */
  readonly errors: Partial<Record<ErrorCode, string>>;
}

const integer = v.pipe(v.number(), v.integer());
const nothing = v.null();
const pidResult = v.strictObject({ pid: integer });

const encryptionType = v.strictObject({
  cipher: v.picklist(ciphers.map(({ name }) => name)),
  key: v.pipe(v.string(), v.description('64 hexadecimal digits')),
});

const grantType = v.strictObject({
  flowId: integer,
  qos: v.pipe(qosType, v.description("the requester's, in force at both ends")),
  maxMessageBytes: v.pipe(integer, v.description('longest packet, with all that its ends add')),
  mplMs: v.pipe(integer, v.description('longest time a packet lives in the layer, ms')),
  connect: v.pipe(
    v.nullable(v.string()),
    v.description(
      'the Unix stream socket to connect to; one that begins with `@` is abstract. null: the other end connects to `listen`',
    ),
  ),
  token: v.pipe(v.string(), v.description('32 hexadecimal digits; opens the end once')),
  encryption: v.pipe(v.optional(encryptionType), v.description('absent when the flow is clear')),
});

const ribFileType = v.strictObject({
  path: v.string(),
  text: v.pipe(v.string(), v.description('as the file has it')),
  values: v.pipe(
    ribValues,
    v.description('the lines by their labels; those under a heading in an object of their own'),
  ),
});

/** Types of results that have a name of their own on the page. */
export const resultTypes: Readonly<Record<string, v.GenericSchema>> = {
  Grant: grantType,
  Encryption: encryptionType,
  RibFile: ribFileType,
};

const noIpcp = { EIPCP: 'there is no such IPCP, or its process crashed' } as const;
const notIn = { ...noIpcp, EIPCPSTATE: 'the IPCP is not in a layer' } as const;
const joins = { ...noIpcp, EIPCPSTATE: 'the IPCP is in a layer already' } as const;
const wait = {
  ETIMEDOUT: '`timeoutMs` is over',
  ECANCELED: 'the request was cancelled',
} as const;
const share = { EAGAIN: 'the user has its share of requests open' } as const;
const noName = { ENAME: 'the name does not exist' } as const;

export const applicationDocumentation = {
  'process.announce': {
    does:
      'Tells what program this process is, by which names are bound to it. To be called first, once a connection. The pid ' +
      "is that of the socket's peer. A process may have several connections; when the last of them closes, it has ended " +
      'for irmd, with its flows.',
    result: pidResult,
    errors: {
      EEXIST: 'the connection has announced a process already',
      EPERM: 'irmd cannot see the process: it is in another pid namespace',
    },
  },
  'process.leave': {
    does: 'Tells that this process is about to end in order: a connection that only closes is taken for its death.',
    result: nothing,
    errors: {},
  },
  'flow.allocate': {
    does: 'Requests a flow to whoever accepts for a name. Without `timeoutMs` irmd gives up after 20 s.',
    result: grantType,
    errors: {
      ...wait,
      ...share,
      ENAME: 'nobody knows the name',
      EIPCP: 'the name is known, but nobody accepts and no layer knows it',
      EPERM: 'no answer within 20 s',
      ECRYPT: 'no agreement on keys',
      EAUTH: 'the other end is not who it should be',
      EMSGSIZE: 'no packet of the layer can carry the handshake',
      EBADF:
        'the node has no flow ids left, or the user its share of them; or the files of the name cannot be used',
    },
  },
  'flow.join': {
    does: 'Joins a broadcast layer by its name: what is written goes to all others that have joined.',
    result: grantType,
    errors: {
      ...share,
      EIPCP: 'no IPCP of the node is in such a layer',
      ENOTALLOC: 'the layer is of another type',
      EBADF: 'the node has no flow ids left, or the user its share of them',
    },
  },
  'flow.accept': {
    does:
      'Waits for the next flow to a name that this process, or its program, is bound to. `listen` is where the process ' +
      'takes flows of processes of its own node.',
    result: grantType,
    errors: { ...wait, ...share },
  },
  'flow.deallocate': {
    does: 'Gives up this end, also one that was granted and not picked up.',
    result: nothing,
    errors: { ENOTALLOC: 'it is no flow of this process' },
  },
} satisfies Record<keyof typeof applicationSchemas, MethodDocumentation>;

/** What irmd asks of applications, and what they answer. */
export const applicationUpcalls = {
  'flows.report': {
    does:
      'What the process knows of its ends of flows, for events and metrics. Who does not answer it with a result is not ' +
      'asked again.',
    result: v.array(flowReportType),
    errors: {},
  },
} satisfies Record<string, MethodDocumentation>;

export const managementDocumentation = {
  'irmd.version': {
    does: 'The version of o7s-testbed, and the pid of irmd.',
    result: v.strictObject({ version: v.string(), pid: integer }),
    errors: {},
  },
  'ipcp.create': {
    does: 'Creates an IPCP. Names of IPCPs are unique in a node.',
    result: pidResult,
    errors: {
      EEXIST: 'there is one of this name',
      EIPCPTYPE: 'the type is unknown',
      EIPCP: 'its process does not start',
    },
  },
  'ipcp.destroy': { does: 'Ends an IPCP and its flows.', result: nothing, errors: noIpcp },
  'ipcp.kill': {
    does:
      'Drops an IPCP at once, as `kill -9` of a process of its own would: the other members of its layer are told ' +
      'nothing, its flows end, and it is reported as crashed. The IPCPs that share its process stay.',
    result: nothing,
    errors: noIpcp,
  },
  'ipcp.list': { does: 'All IPCPs, by type and then pid.', result: v.array(ipcpType), errors: {} },
  'ipcp.bootstrap': {
    does: 'Makes a new IPCP the first member of a layer. Which options apply depends on its type.',
    result: nothing,
    errors: {
      ...joins,
      EEXIST: 'the device is in use by another IPCP',
      EPERM: 'irmd may not use the device',
      EINVAL: 'an option is missing, or it cannot be used',
    },
  },
  'ipcp.enroll': {
    does:
      'Makes a new IPCP a member of the layer of whoever serves `destination` in a layer below. `layer` is the one that is ' +
      'wanted, null for any.',
    result: v.strictObject({ layer: v.string() }),
    errors: {
      ...joins,
      ENAME: 'nobody knows the destination',
      ENOTSUP: 'IPCPs of the type do not enrol',
      ETIMEDOUT: 'the other member did not answer',
      EINVAL: 'it is a member of another layer, or refused',
    },
  },
  'ipcp.connect': {
    does: 'Connects a component of an IPCP to that of the member that serves `destination` in a layer below.',
    result: nothing,
    errors: {
      ...notIn,
      EIPCP: 'there is no such IPCP, or its type has no connections',
      ENAME: 'nobody knows the destination',
      ENOTSUP: 'the other side refuses, or the QoS asks for order',
      ETIMEDOUT: 'the other member did not answer',
    },
  },
  'ipcp.disconnect': { does: 'Ends what `ipcp.connect` made.', result: nothing, errors: noIpcp },
  'ipcp.counters': {
    does: 'What the IPCP did and dropped, by name, since it was created.',
    result: v.record(v.string(), v.number()),
    errors: noIpcp,
  },
  'ipcp.metrics': {
    does:
      'What the IPCP knows, by parts; null for all. A unicast one has `connections`, `address`, `hash`, `settings`, ' +
      '`maxMessageBytes`, `routes`, `neighbours`, `components`, `adjacencies`, `lsdb`, `directory` and `flows`, a ' +
      'broadcast one `connections` and `joined`. Parts that its type does not have are left out.',
    result: v.record(v.string(), v.unknown()),
    errors: noIpcp,
  },
  'name.create': {
    does: 'Creates a name; one that exists is left as it is. `files` are those of its security, where they are elsewhere than usual.',
    result: nothing,
    errors: {},
  },
  'name.destroy': {
    does: 'Removes a name and its bindings; registrations stay.',
    result: nothing,
    errors: noName,
  },
  'name.list': { does: 'All names, sorted.', result: v.array(nameType), errors: {} },
  'name.register': {
    does: 'Makes a name known in the layer of an IPCP; creates it (`spillover`) where it is missing.',
    result: nothing,
    errors: notIn,
  },
  'name.unregister': { does: 'Takes that back.', result: nothing, errors: { ...notIn, ...noName } },
  'program.bind': {
    does:
      'Binds later processes of a program to a name; creates it (`spillover`) where it is missing. With `auto` irmd starts ' +
      'the program with these arguments when a flow comes and nobody accepts; null for never.',
    result: nothing,
    errors: { EEXIST: 'it is bound already' },
  },
  'program.unbind': {
    does: 'Takes a binding back, without a name all of the program. Processes that run keep theirs.',
    result: nothing,
    errors: { ENOENT: 'it is not bound' },
  },
  'process.bind': {
    does: 'Binds a process, or an IPCP by its pid, to a name.',
    result: nothing,
    errors: { ENOENT: 'the process has not announced itself', EEXIST: 'it is bound already' },
  },
  'process.unbind': {
    does: 'Takes a binding back, without a name all of the process.',
    result: nothing,
    errors: { ENOENT: 'the process has not announced itself, or is not bound' },
  },
  'log.level': {
    does: 'Sets how much irmd and its IPCPs log, where a level is given, and tells the level in force.',
    result: v.strictObject({ level: v.picklist(logLevels) }),
    errors: {},
  },
  'node.snapshot': {
    does: 'All there is on the node, once: what a subscription begins with.',
    result: snapshotType,
    errors: {},
  },
  'node.rib': {
    does:
      'The tree of files of [rib.md](rib.md) at and below a path, all of it for an empty one. `values` are the lines of a ' +
      'file by their labels.',
    result: v.array(ribFileType),
    errors: { ENOENT: 'there is nothing of this path' },
  },
  'node.counters': {
    does: 'The counters of all IPCPs and flows, complete.',
    result: countersType,
    errors: {},
  },
  'events.subscribe': {
    does:
      'Begins to tell what happens: notifications `event` with the [events](events.md) as parameters, and counters every ' +
      '`countersMs`, none for null. Another one on the same connection takes its place.',
    result: snapshotType,
    errors: {},
  },
} satisfies Record<keyof typeof managementSchemas, MethodDocumentation>;
