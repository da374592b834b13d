/** The flows that an IPCP uses itself: those of layers below, and direct ones to other processes of the node. */
import { O7sError } from '../../lib/errors.ts';
import { FrameWriter, frameKind, tokenBytes } from '../../lib/flow/framing.ts';
import type { FlowRendezvous } from '../../lib/flow/rendezvous.ts';
import { connectUnix, UnixStream } from '../../lib/os/unix-socket.ts';
import { type QosSpec, qosToJson } from '../../lib/qos.ts';
import type { FlowGrant } from '../../lib/rpc/api.ts';
import type { CallIrmd } from './host.ts';
import type { InnerPort } from './inner-port.ts';
import type { FlowUser, LowerFlow, LowerFlows } from './layer.ts';
import { StreamFlow } from './stream-flow.ts';
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

export class IpcpLowerFlows implements LowerFlows {
  readonly #setup: LowerFlowsSetup;

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
    if (grant.connect !== null) {
      const flow = this.#connect(grant.connect, grant);
      flow.user = accept(flow);
      return;
    }
    const flow = this.#make(grant);
    const { rendezvous, endTurn } = this.#setup;
    rendezvous.expect(
      grant.token,
      (stream) => {
        flow.user = accept(flow);
        flow.attach(stream);
        endTurn();
        return flow;
      },
      () => flow.deallocate(),
    );
  }

  #pickUp(grant: FlowGrant, user: FlowUser): LowerFlow {
    const inner = this.#setup.inner(grant.flowId);
    if (inner !== undefined) {
      inner.user = user;
      return inner;
    }
    if (grant.connect === null) throw new O7sError('EIPCP', 'the other end would have to connect');
    const flow = this.#connect(grant.connect, grant);
    flow.user = user;
    return flow;
  }

  #make({ flowId, maxMessageBytes }: FlowGrant): StreamFlow {
    const { pid, turn, call } = this.#setup;
    return new StreamFlow(turn, maxMessageBytes, () => {
      call('flow.released', { pid, flowId }).catch(() => {});
    });
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
