/** The shape of every request irmd takes. What does not fit is refused before anything looks at it. */
import * as v from 'valibot';
import { O7sError } from '../lib/errors.ts';
import { flowDescriptorMax } from '../lib/limits.ts';
import { logLevels } from '../lib/log.ts';
import { hashAlgorithms } from '../lib/names.ts';
import {
  balancePolicies,
  componentNames,
  congestionPolicies,
  ipcpTypes,
  routingPolicies,
} from '../lib/rpc/api.ts';
import type { FlowReport } from '../lib/rpc/events.ts';

/** Control characters would let a name forge lines of the log. */
const name = v.pipe(
  v.string(),
  v.minLength(1, 'a name must not be empty'),
  v.maxBytes(255, 'a name has at most 255 bytes'),
  v.regex(/^\P{Cc}*$/u, 'a name must not hold control characters'),
);
const pid = v.pipe(v.number(), v.integer(), v.minValue(1));
const uint8 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff));
const uint16 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff));
const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
const uint64 = v.pipe(
  v.string(),
  v.regex(/^\d{1,20}$/),
  v.check((digits) => BigInt(digits) < 2n ** 64n),
);
const hex = v.pipe(v.string(), v.hexadecimal());
const timeoutMs = v.pipe(
  v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 31 - 1))),
  v.description('null: no limit of its own'),
);

export const qosSchema = v.strictObject({
  delay: uint32,
  bandwidth: uint64,
  availability: uint8,
  loss: uint32,
  ber: uint32,
  inOrder: uint8,
  maxGap: uint32,
  timeout: uint32,
});

const ethertype = v.pipe(uint16, v.minValue(0x0600), v.maxValue(0xfffe));
export const configType = v.strictObject({
  dev: v.optional(name),
  ethertype: v.optional(ethertype),
  hash: v.optional(v.picklist(hashAlgorithms)),
  ip: v.optional(v.pipe(v.string(), v.ip())),
  dns: v.optional(v.pipe(v.string(), v.ip())),
  port: v.optional(v.pipe(uint16, v.minValue(1))),
  addr: v.optional(v.literal(4, 'addresses of a unicast layer have 4 bytes')),
  eid: v.optional(v.pipe(uint32, v.minValue(1))),
  ttl: v.optional(uint8),
  addr_auth: v.optional(v.literal('flat')),
  directory: v.optional(v.literal('DHT')),
  routing: v.optional(v.picklist(routingPolicies)),
  congestion: v.optional(v.picklist(congestionPolicies)),
  dht_alpha: v.optional(v.pipe(uint32, v.minValue(1), v.maxValue(10))),
  dht_k: v.optional(v.pipe(uint32, v.minValue(1), v.maxValue(20))),
  dht_t_expire: v.optional(v.pipe(uint32, v.minValue(10), v.maxValue(86_400))),
  dht_t_refresh: v.optional(v.pipe(uint32, v.minValue(3), v.maxValue(3600))),
  dht_t_replicate: v.optional(v.pipe(uint32, v.minValue(3), v.maxValue(3600))),
  ls_t_recalc: v.optional(v.pipe(uint32, v.minValue(1), v.maxValue(86_400))),
  ls_t_update: v.optional(v.pipe(uint32, v.minValue(1), v.maxValue(86_400))),
  ls_t_timeo: v.optional(v.pipe(uint32, v.minValue(1), v.maxValue(86_400))),
});

const nothing = v.looseObject({});

const anyPath = v.pipe(v.string(), v.minLength(1), v.maxBytes(4095), v.regex(/^\P{Cc}*$/u));
const path = v.pipe(anyPath, v.startsWith('/'));
export const sideType = v.strictObject({
  encryption: v.optional(path),
  certificate: v.optional(path),
  key: v.optional(path),
});
export const filesType = v.strictObject({ server: v.optional(sideType), client: v.optional(sideType) });
/** Arguments of a program: no more than a command line should ever have. */
const args = v.pipe(v.array(v.pipe(v.string(), v.maxBytes(4095), v.regex(/^[^\0]*$/))), v.maxLength(256));
/** How often counters can be had, ms. */
const countersMsMin = 100;
const countersMsMax = 3_600_000;

export const applicationSchemas = {
  'process.announce': v.strictObject({ program: name }),
  'process.leave': nothing,
  'flow.allocate': v.strictObject({ name, qos: qosSchema, timeoutMs }),
  'flow.join': v.strictObject({ layer: name, timeoutMs }),
  'flow.accept': v.strictObject({
    timeoutMs,
    listen: v.pipe(v.string(), v.startsWith('@'), v.maxBytes(107)),
  }),
  'flow.deallocate': v.strictObject({ flowId: pid }),
};

export const managementSchemas = {
  'irmd.version': nothing,
  'ipcp.create': v.strictObject({ name, type: v.picklist(ipcpTypes) }),
  'ipcp.destroy': v.strictObject({ pid }),
  'ipcp.kill': v.strictObject({ pid }),
  'ipcp.list': nothing,
  'ipcp.bootstrap': v.strictObject({ pid, layer: name, config: configType }),
  'ipcp.enroll': v.strictObject({ pid, destination: name, layer: v.nullable(name) }),
  'ipcp.connect': v.strictObject({
    pid,
    destination: name,
    component: v.picklist(componentNames),
    qos: qosSchema,
  }),
  'ipcp.disconnect': v.strictObject({ pid, destination: name, component: v.picklist(componentNames) }),
  'ipcp.counters': v.strictObject({ pid }),
  'ipcp.metrics': v.strictObject({ pid, parts: v.nullable(v.pipe(v.array(name), v.maxLength(32))) }),
  'name.create': v.strictObject({ name, policy: v.picklist(balancePolicies), files: v.optional(filesType) }),
  'name.destroy': v.strictObject({ name }),
  'name.list': nothing,
  'name.register': v.strictObject({ name, pid }),
  'name.unregister': v.strictObject({ name, pid }),
  'program.bind': v.strictObject({ program: path, name, auto: v.nullable(args) }),
  'program.unbind': v.strictObject({ program: anyPath, name: v.nullable(name) }),
  'process.bind': v.strictObject({ pid, name }),
  'process.unbind': v.strictObject({ pid, name: v.nullable(name) }),
  'log.level': v.strictObject({ level: v.nullable(v.picklist(logLevels)) }),
  'node.snapshot': nothing,
  'node.counters': nothing,
  'node.rib': v.strictObject({ path: v.pipe(v.string(), v.maxBytes(1024)) }),
  'events.subscribe': v.looseObject({
    countersMs: v.optional(
      v.nullable(v.pipe(v.number(), v.minValue(countersMsMin), v.maxValue(countersMsMax))),
      null,
    ),
  }),
};

const count = v.pipe(v.number(), v.minValue(0));
const counts = v.pipe(
  v.record(v.pipe(v.string(), v.maxLength(64)), count),
  v.check((all) => Object.keys(all).length <= 64),
);

/** What a process answers to `flows.report`. */
const reportSchema = v.pipe(
  v.array(
    v.strictObject({
      flowId: pid,
      fd: v.nullable(count),
      messagesSent: count,
      messagesReceived: count,
      drops: counts,
      frct: v.nullable(
        v.strictObject({
          reliable: v.boolean(),
          roundTripMs: v.nullable(count),
          window: count,
          outstanding: count,
          closedMs: count,
          mplMs: count,
          ackMs: count,
          retransmitMs: count,
          deviationMs: count,
          timeoutMs: count,
          estimates: count,
          sender: v.strictObject({ left: count, right: count, next: count, inactiveMs: count }),
          receiver: v.strictObject({ left: count, right: count, acknowledged: count, inactiveMs: count }),
          counters: counts,
        }),
      ),
    }),
  ),
  v.maxLength(flowDescriptorMax),
);

/** What a process told of its flows. Throws where it has another shape. */
export function readReports(told: unknown): readonly FlowReport[] {
  return v.parse(reportSchema, told);
}

export const dataPlaneSchemas = {
  'dataPlane.ready': v.strictObject({ socket: name }),
  'flow.requested': v.strictObject({
    pid,
    hash: hex,
    qos: qosSchema,
    piggyback: v.union([hex, v.literal('')]),
    maxMessageBytes: uint32,
  }),
  'flow.wanted': v.strictObject({ pid, name, qos: qosSchema }),
  'flow.released': v.strictObject({ pid, flowId: pid }),
  'flow.closed': v.strictObject({ flowId: pid }),
  'dataPlane.changed': v.strictObject({
    ipcps: v.array(pid),
    flows: v.array(v.strictObject({ flowId: pid, up: v.boolean() })),
  }),
};

/** Characters of an unknown method that are told back. */
const methodShownMax = 64;

type Schemas = Readonly<Record<string, v.GenericSchema>>;

/** What answers each method, given parameters of the right shape. */
export type Handlers<S extends Schemas> = {
  readonly [M in keyof S]: (params: v.InferOutput<S[M]>, signal: AbortSignal) => unknown;
};

/**
 * Checks a request and has it answered.
 *
 * @throws O7sError ENOTSUP for an unknown method, EINVAL for parameters of the wrong shape.
 */
export function dispatch<S extends Schemas>(
  schemas: S,
  handlers: Handlers<S>,
  method: string,
  params: unknown,
  signal: AbortSignal,
): unknown {
  const schema = Object.hasOwn(schemas, method) ? schemas[method] : undefined;
  const handler = handlers[method];
  if (schema === undefined || handler === undefined) {
    throw new O7sError('ENOTSUP', `there is no method ${method.slice(0, methodShownMax)}`);
  }
  const parsed = v.safeParse(schema, params);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const place = v.getDotPath(issue) ?? 'the parameters';
    throw new O7sError('EINVAL', `${method}: ${place}: ${issue.message}`);
  }
  return handler(parsed.output, signal);
}
