/** The end-point library: what an application, and a program that manages a node, is written with. */
export { type ErrorCode, errnoOf, O7sError, type O7sErrorOptions } from './errors.ts';
export { acceptFlow, allocFlow, announce, joinFlow } from './flow/api.ts';
export type { ByteStreamOptions, FlowStream } from './flow/byte-stream.ts';
export type { FlowCounters, FlowDrops } from './flow/end-point.ts';
export { Flow, type FlowEventType, type FrctState } from './flow/flow.ts';
export { flowFlag, frctFlag } from './flow/flow-flags.ts';
export { type FlowEvent, FlowSet } from './flow/flow-set.ts';
export { type AllocOptions, Session, type SessionOptions } from './flow/session.ts';
export type { WaitOptions } from './flow/waiters.ts';
export type { FrctCounters } from './frct/counters.ts';
export { type CallOptions, IrmClient } from './irm/irm-client.ts';
export { type LogLevel, logLevels } from './log.ts';
export { nameBytesMax } from './limits.ts';
export { type HashAlgorithm, hashAlgorithms, hashName } from './names.ts';
export { TunDevice, type TunSetup } from './os/tun.ts';
export { applicationSocket, managementSocket, runDirectory } from './paths.ts';
export {
  bestEffortQos,
  dataQos,
  qosByName,
  qosFromJson,
  type QosJson,
  type QosName,
  type QosSpec,
  rawNoErrorsQos,
  rawQos,
  videoQos,
  voiceQos,
} from './qos.ts';
export {
  type BalancePolicy,
  balancePolicies,
  type BootstrapConfig,
  type ComponentName,
  type CongestionPolicy,
  congestionPolicies,
  type IpcpInfo,
  type IpcpState,
  type IpcpType,
  ipcpTypes,
  type Joining,
  type NameFiles,
  type NameInfo,
  type RibFile,
  type RibValues,
  type RoutingPolicy,
  routingPolicies,
  type SideFiles,
} from './rpc/api.ts';
export type {
  Adjacency,
  EndReport,
  FlowCounts,
  FlowEnd,
  FlowInfo,
  FlowReport,
  FrctReport,
  IpcpCounts,
  IrmChange,
  IrmCounters,
  IrmEvent,
  IrmSnapshot,
  LayerFacts,
  PortCounts,
  ProcessInfo,
  Route,
} from './rpc/events.ts';
export { isOfType, settledType } from './udp-types.ts';
