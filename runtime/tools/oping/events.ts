/** What happens in a run of oping, and how the manual words it. Source: tools.md 1. */
import type { ErrorEvent, NoteEvent } from '../tool.ts';

export interface PingSummary {
  readonly type: 'statistics';
  readonly server: string;
  readonly sent: number;
  readonly received: number;
  readonly outOfOrder: number;
  /** Whole percent, rounded up. */
  readonly lossPercent: number;
  readonly elapsedMs: number;
  /** Round trip times; absent when nothing was received. The deviation of one is not a number. */
  readonly rtt?: {
    readonly minMs: number;
    readonly avgMs: number;
    readonly maxMs: number;
    readonly mdevMs: number;
  };
}

export type PingEvent =
  | NoteEvent
  // Client.
  | {
      readonly type: 'started';
      readonly server: string;
      readonly bytes: number;
      readonly count: number;
      readonly busy: boolean;
    }
  | {
      readonly type: 'reply';
      readonly server: string;
      readonly bytes: number;
      readonly seq: number;
      readonly rttMs: number;
      readonly outOfOrder: boolean;
      /** Seconds since 1970, where it was asked for. */
      readonly at?: number;
    }
  | { readonly type: 'foreignId'; readonly seq: number }
  | { readonly type: 'serverTimedOut' }
  | PingSummary
  // Server.
  | { readonly type: 'listening' }
  | { readonly type: 'flow'; readonly fd: number; readonly busy: boolean }
  | { readonly type: 'request'; readonly fd: number; readonly bytes: number }
  | { readonly type: 'idle'; readonly fd: number }
  /** The client released it. The manual has no word for it. */
  | { readonly type: 'released'; readonly fd: number }
  | { readonly type: 'answerLost'; readonly fd: number }
  // Both.
  | { readonly type: 'invalidMessage'; readonly fd: number }
  | (ErrorEvent & { readonly during: 'allocate' | 'send' | 'read' | 'accept' });

const usBoundMs = 0.1;

export function pingText(event: PingEvent): string {
  switch (event.type) {
    case 'note':
      return event.text;
    case 'started': {
      const how = event.busy ? ', busy-poll' : '';
      return `Pinging ${event.server} with ${event.bytes} bytes of data (${event.count} packets${how}):\n\n`;
    }
    case 'reply': {
      const stamp = event.at === undefined ? '' : `[${event.at.toFixed(6)}] `;
      const late = event.outOfOrder ? ' [out-of-order]' : '';
      return `${stamp}${event.bytes} bytes from ${event.server}: seq=${event.seq} ${formatTime(event.rttMs)}${late}\n`;
    }
    case 'foreignId':
      return 'Invalid id.\n';
    case 'serverTimedOut':
      return 'Server timed out.\n';
    case 'statistics':
      return summaryText(event);
    case 'listening':
      return 'Ouroboros ping server started.\n';
    case 'flow':
      return `New flow ${event.fd}${event.busy ? ' (busy-poll)' : ''}.\n`;
    case 'request':
      return `Received ${event.bytes} bytes on fd ${event.fd}.\n`;
    case 'idle':
      return `Flow ${event.fd} timed out.\n`;
    case 'released':
      return '';
    case 'answerLost':
      return `Error writing to flow (fd ${event.fd}).\n`;
    case 'invalidMessage':
      return `Invalid message on fd ${event.fd}.\n`;
    case 'error':
      return failureText(event.during, event.errno);
  }
}

function failureText(during: 'allocate' | 'send' | 'read' | 'accept', errno: number): string {
  if (during === 'allocate') return `Failed to allocate flow: ${errno}.\n`;
  // The blank before the end is the manual's.
  if (during === 'accept') return `Failed to accept flow: ${errno} \n`;
  return during === 'send' ? 'Failed to send packet.\n' : 'Failed to read packet.\n';
}

function summaryText({
  server,
  sent,
  received,
  outOfOrder,
  lossPercent,
  elapsedMs,
  rtt,
}: PingSummary): string {
  const head = `\n--- ${server} ping statistics ---\n`;
  const counts =
    `${sent} packets transmitted, ${received} received, ${outOfOrder} out-of-order, ` +
    `${lossPercent}% packet loss, time: ${elapsedMs.toFixed(3)} ms\n`;
  if (rtt === undefined) return head + counts;
  // The unit is that of the average, for all of them.
  const [factor, unit] = rtt.avgMs < usBoundMs ? [1000, 'µs'] : [1, 'ms'];
  const values = [rtt.minMs, rtt.avgMs, rtt.maxMs, rtt.mdevMs].map((value) => (value * factor).toFixed(3));
  return `${head}${counts}rtt min/avg/max/mdev = ${values.join('/')} ${unit}\n`;
}

/** `time=0.199 ms`, or below a tenth of it `time=77.000 µs`. */
function formatTime(rttMs: number): string {
  return rttMs < usBoundMs ? `time=${(rttMs * 1000).toFixed(3)} µs` : `time=${rttMs.toFixed(3)} ms`;
}
