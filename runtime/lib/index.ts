/** The end-point library: what an application, and a program that manages a node, is written with. */
export { type ErrorCode, errnoOf, O7sError, type O7sErrorOptions } from './errors.ts';
export { acceptFlow, allocFlow, announce } from './flow/api.ts';
export { Flow, type FlowCounters, type WaitOptions } from './flow/flow.ts';
export { type AllocOptions, Session, type SessionOptions } from './flow/session.ts';
export { IrmClient } from './irm/irm-client.ts';
export { nameBytesMax } from './limits.ts';
export { type HashAlgorithm, hashAlgorithms, hashName } from './names.ts';
export { applicationSocket, managementSocket, runDirectory } from './paths.ts';
export { type QosSpec, rawQos } from './qos.ts';
export {
  type BalancePolicy,
  balancePolicies,
  type BootstrapConfig,
  type FlowInfo,
  type IpcpInfo,
  type IpcpState,
  type IpcpType,
  ipcpTypes,
  type IrmChange,
  type IrmEvent,
  type IrmSnapshot,
  type NameInfo,
  type ProcessInfo,
} from './rpc/api.ts';
export { isOfType, settledType } from './udp-types.ts';
