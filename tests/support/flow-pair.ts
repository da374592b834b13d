/** Both ends of a flow between two processes, here in one. */
import { randomFillSync } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { EndPoint } from '../../runtime/lib/flow/end-point.ts';
import { Flow } from '../../runtime/lib/flow/flow.ts';
import { protectionFor } from '../../runtime/lib/flow/protection.ts';
import type { FrctLimits } from '../../runtime/lib/frct/limits.ts';
import { maxPacketLifetimeMs } from '../../runtime/lib/frct/limits.ts';
import { UnixStream } from '../../runtime/lib/os/unix-socket.ts';
import { type QosSpec, rawQos } from '../../runtime/lib/qos.ts';
import type { FlowEncryption } from '../../runtime/lib/rpc/api.ts';
import { DeadlineTimer } from '../../runtime/lib/time/timer.ts';
import { connectedPair } from './stream-pair.ts';

/** Longest packet of what is below these flows. */
export const maxPacketBytes = 10_000;

export interface FlowPair {
  readonly a: Flow;
  readonly b: Flow;
  /** What is below each of them. */
  readonly ends: { readonly a: EndPoint; readonly b: EndPoint };
  readonly closed: string[];
}

export interface FlowTraits {
  readonly qos?: QosSpec;
  readonly encryption?: FlowEncryption | undefined;
  readonly frctLimits?: FrctLimits;
  readonly maxPacketBytes?: number;
}

/** One end of a flow, over a socket. */
export function flowOver(
  fd: number,
  timer: DeadlineTimer,
  { qos = rawQos, encryption, ...traits }: FlowTraits = {},
  onClosed: () => void = () => {},
): { readonly flow: Flow; readonly end: EndPoint } {
  const end = new EndPoint({
    qos,
    maxPacketBytes,
    mplMs: maxPacketLifetimeMs.direct,
    protection: protectionFor(qos, encryption, randomFillSync),
    initialSeqno: 0x7fff_fff0,
    timer,
    ...traits,
  });
  const flow = new Flow({ fd: 64, qos, end, onClosed });
  end.attach(
    new UnixStream(
      fd,
      () => end.onReadable(),
      () => end.onWritable(),
    ),
  );
  onTestFinished(() => flow.abort());
  return { flow, end };
}

/** Both ends of a flow, joined by a socket. */
export async function flowPair(traits: FlowTraits = {}): Promise<FlowPair> {
  const timer = new DeadlineTimer();
  const closed: string[] = [];
  onTestFinished(() => timer.close());
  const [first, second] = await connectedPair();
  const a = flowOver(first, timer, traits, () => void closed.push('a'));
  const b = flowOver(second, timer, traits, () => void closed.push('b'));
  return { a: a.flow, b: b.flow, ends: { a: a.end, b: b.end }, closed };
}
