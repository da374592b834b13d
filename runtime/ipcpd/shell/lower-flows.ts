/** The flows that an IPCP uses itself: those of layers below, and direct ones to other processes of the node. */
import { randomFillSync } from 'node:crypto';
import { O7sError } from '../../lib/errors.ts';
import { FrameWriter, frameKind, tokenBytes } from '../../lib/flow/framing.ts';
import { protectionFor } from '../../lib/flow/protection.ts';
import type { FlowRendezvous } from '../../lib/flow/rendezvous.ts';
import { connectUnix, UnixStream } from '../../lib/os/unix-socket.ts';
import { type QosJson, qosFromJson, type QosSpec, qosToJson } from '../../lib/qos.ts';
import type { FlowEncryption, FlowGrant } from '../../lib/rpc/api.ts';
import type { CallIrmd } from '../../lib/rpc/data-plane-api.ts';
import type { InnerPort } from './inner-port.ts';
import type { FlowUser, LowerFlow, LowerFlows } from './layer.ts';
import { ProtectedFlow, type ProtectionCounters } from './protected-flow.ts';
import { type StreamCounters, StreamFlow } from './stream-flow.ts';
import type { Turn } from './turn.ts';

export interface LowerFlowsSetup {
  /** The IPCP's. */
  readonly pid: number;
  readonly turn: Turn;
  readonly rendezvous: FlowRendezvous;
  readonly call: CallIrmd;
  /** A flow of another IPCP of this process that was opened for this one. */
  readonly inner: (flowId: number) => InnerPort | undefined;
  /** The IPCP was called from outside a turn. */
  readonly endTurn: () => void;
}

/** A flow as the shell has it: who uses it is told it later. */
interface OwnFlow extends LowerFlow {
  user: FlowUser | undefined;
}

/** How the packets of a flow are protected, as its grant says. */
interface Protection {
  readonly qos: QosJson;
  readonly encryption?: FlowEncryption | undefined;
}

export class IpcpLowerFlows implements LowerFlows {
  readonly counters: ProtectionCounters & StreamCounters = {
    droppedBadCrc: 0,
    droppedNotOpened: 0,
    droppedFullSocket: 0,
  };
  readonly #setup: LowerFlowsSetup;
  readonly #streams = new Set<StreamFlow>();

  constructor(setup: LowerFlowsSetup) {
    this.#setup = setup;
  }

  allocate(name: string, qos: QosSpec, user: FlowUser, done: (result: LowerFlow | O7sError) => void): void {
    const { pid, call, endTurn } = this.#setup;
    call('flow.wanted', { pid, name, qos: qosToJson(qos) })
      .then((grant) => this.#pickUp(grant, user))
      .catch((error: unknown) => (error instanceof O7sError ? error : new O7sError('EIPCP', String(error))))
      .then((result) => {
        done(result);
        endTurn();
      })
      // Nobody can be told of a fault of this process but its log.
      .catch((error: unknown) => process.emitWarning(error as Error));
  }

  /** Somebody outside this process wants a flow to the IPCP. */
  offered(grant: FlowGrant, accept: (flow: LowerFlow) => FlowUser): void {
    if (grant.connect !== null) return this.accepted(this.#connect(grant.connect, grant), grant, accept);
    const flow = this.#make(grant);
    const { rendezvous, endTurn } = this.#setup;
    rendezvous.expect(
      grant.token,
      (stream) => {
        this.accepted(flow, grant, accept);
        flow.attach(stream);
        endTurn();
        return flow;
      },
      () => flow.deallocate(),
    );
  }

  /** Gives the IPCP a flow that it accepts. */
  accepted(flow: OwnFlow, protection: Protection, accept: (flow: LowerFlow) => FlowUser): void {
    const guarded = this.#guard(flow, protection);
    guarded.user = accept(guarded);
  }

  /** Closes the flows to other processes under the IPCP, which is not told. */
  cut(): void {
    for (const flow of this.#streams) flow.deallocate();
  }

  #pickUp(grant: FlowGrant, user: FlowUser): LowerFlow {
    const guarded = this.#guard(this.#setup.inner(grant.flowId) ?? this.#connected(grant), grant);
    guarded.user = user;
    return guarded;
  }

  /** A flow as the IPCP has it. */
  #guard(flow: OwnFlow, { qos, encryption }: Protection): OwnFlow {
    const protection = protectionFor(qosFromJson(qos), encryption, randomFillSync);
    if (protection === undefined) return flow;
    const guarded = new ProtectedFlow(protection, flow, this.#setup.turn.packets, this.counters);
    flow.user = guarded;
    return guarded;
  }

  #connected(grant: FlowGrant): StreamFlow {
    if (grant.connect === null) throw new O7sError('EIPCP', 'the other end would have to connect');
    return this.#connect(grant.connect, grant);
  }

  #make({ flowId, maxMessageBytes }: FlowGrant): StreamFlow {
    const { pid, turn, call } = this.#setup;
    const flow = new StreamFlow(turn, maxMessageBytes, this.counters, () => {
      this.#streams.delete(flow);
      call('flow.released', { pid, flowId }).catch(() => {});
    });
    this.#streams.add(flow);
    return flow;
  }

  #connect(path: string, grant: FlowGrant): StreamFlow {
    const flow = this.#make(grant);
    const stream = new UnixStream(
      connectUnix(path),
      () => flow.onReadable(),
      () => flow.onWritable(),
    );
    const hello = new FrameWriter(tokenBytes);
    hello.push(frameKind.hello, Buffer.from(grant.token, 'hex'));
    hello.flush(stream);
    return flow.attach(stream);
  }
}
