/** Both ends of a flow between two processes, here in one. */
import { randomFillSync } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { Flow } from '../../runtime/lib/flow/flow.ts';
import { protectionFor } from '../../runtime/lib/flow/protection.ts';
import { UnixStream } from '../../runtime/lib/os/unix-socket.ts';
import { type QosSpec, rawQos } from '../../runtime/lib/qos.ts';
import type { FlowEncryption } from '../../runtime/lib/rpc/api.ts';
import { DeadlineTimer } from '../../runtime/lib/time/timer.ts';
import { connectedPair } from './stream-pair.ts';

export const maxMessageBytes = 10_000;

export interface FlowPair {
  readonly a: Flow;
  readonly b: Flow;
  readonly closed: string[];
}

/** Both ends of a flow, joined by a socket. */
export async function flowPair(qos: QosSpec = rawQos, encryption?: FlowEncryption): Promise<FlowPair> {
  const timer = new DeadlineTimer();
  const closed: string[] = [];
  const make = (name: string, fd: number): Flow => {
    const protection = protectionFor(qos, encryption, randomFillSync);
    const onClosed = (): void => void closed.push(name);
    const flow = new Flow({ fd: 64, qos, maxMessageBytes, protection, timer, onClosed });
    flow.attach(
      new UnixStream(
        fd,
        () => flow.onReadable(),
        () => flow.onWritable(),
      ),
    );
    onTestFinished(() => flow[Symbol.asyncDispose]());
    return flow;
  };
  onTestFinished(() => timer.close());
  const [first, second] = await connectedPair();
  return { a: make('a', first), b: make('b', second), closed };
}
