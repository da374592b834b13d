/** What a topology file is written with. */
export { TestbedError, type TestbedErrorCode } from './errors.ts';
export { topology, type TopologyParts } from './model/build.ts';
export {
  ethDix,
  type EthDix,
  type EthDixOptions,
  ethLlc,
  type EthLlc,
  type EthLlcOptions,
  type Layer,
  udp4,
  udp6,
  type Udp,
  type UdpOptions,
} from './model/layer.ts';
export {
  type Adjacencies,
  broadcast,
  type Broadcast,
  type BroadcastOptions,
  unicast,
  type Unicast,
  type UnicastOptions,
} from './model/stacked-layer.ts';
export { ethLink, type EthLink, type EthLinkOptions } from './model/link.ts';
export { node, type Node, type NodeOptions, port, type Port, type PortOptions } from './model/node.ts';
export { register, type Registration, server, type Server } from './model/service.ts';
export type { Topology } from './model/topology.ts';
