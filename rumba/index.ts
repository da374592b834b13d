/** What a topology file is written with. */
export { TestbedError, type TestbedErrorCode } from './errors.ts';
export { fromEnvironment } from './environment.ts';
export { topology, type TopologyParts } from './model/build.ts';
export {
  clos,
  type Clos,
  type ClosOptions,
  fullMesh,
  grid,
  line,
  randomNetwork,
  type RandomOptions,
  ring,
  type Shape,
  type ShapeOptions,
  star,
  type Star,
  torus,
  tree,
  type TreeOptions,
} from './model/generators.ts';
export {
  ethDix,
  type EthDixOptions,
  ethLlc,
  type EthLlcOptions,
  type Layer,
  type LinkLayer,
  local,
  type Local,
  type LocalOptions,
  udp4,
  udp6,
  type UdpOptions,
} from './model/layer.ts';
export {
  type Adjacencies,
  broadcast,
  type Broadcast,
  type BroadcastOptions,
  type Enrolments,
  unicast,
  type Unicast,
  type UnicastOptions,
} from './model/stacked-layer.ts';
export {
  ethLink,
  type EthLink,
  type EthLinkOptions,
  lan,
  type Lan,
  type Link,
  type LinkOptions,
} from './model/link.ts';
export type { ImpairmentOptions } from './model/impairment.ts';
export { node, type Node, type NodeOptions, port, type Port, type PortOptions } from './model/node.ts';
export { parameters, type ParameterOptions, type Parameters } from './model/parameters.ts';
export { type FromEnvironment, runtime, type Runtime, type RuntimeOptions } from './model/runtime.ts';
export { register, type Registration, server, type Server, type ServerOptions } from './model/service.ts';
export type { Topology } from './model/topology.ts';
export {
  heal,
  killIpcp,
  killNode,
  linkDown,
  linkUp,
  type Named,
  partition,
  pauseNode,
  resetLink,
  resumeNode,
  run,
  setLink,
  startNode,
  stopNode,
  type StoryAction,
} from './storyboard/actions.ts';
export type { StoryContext, StoryNode } from './storyboard/context.ts';
export { type Story, type Storyboard, storyboard, type StoryboardOptions } from './storyboard/story.ts';
/** What a view of a running lab is written with. */
export type {
  InterfaceCounters,
  LiveActions,
  LiveEvent,
  LiveSource,
  ReplayControl,
  ViewModule,
  ViewOptions,
} from './live/events.ts';
export { type RunningLab, type RunningLabOptions, type RunningNode, up } from './running-lab.ts';
