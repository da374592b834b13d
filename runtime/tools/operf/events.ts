/** What happens in a run of operf, and how the manual words it. Source: tools.md 3. */
import type { ErrorEvent, NoteEvent } from '../tool.ts';
import type { TestType } from './message.ts';

export type PerfEvent =
  | NoteEvent
  // Client.
  | {
      readonly type: 'sending';
      readonly server: string;
      readonly bytes: number;
      readonly durationMs: number;
      /** Bits a second; absent when flooding. */
      readonly rate?: number;
    }
  /** What was sent, of which the manual says nothing but that it is over. */
  | {
      readonly type: 'finished';
      readonly packets: number;
      readonly bytes: number;
      readonly elapsedMs: number;
      readonly mbps: number;
    }
  | { readonly type: 'serverTimedOut' }
  | PerfSummary
  // Server.
  | { readonly type: 'listening' }
  | { readonly type: 'flow'; readonly fd: number }
  | { readonly type: 'invalidTest'; readonly fd: number }
  /** Packets that came together: of each its number and when it came, in seconds since 1970. */
  | {
      readonly type: 'packets';
      readonly fd: number;
      readonly packets: readonly (readonly [sequence: number, at: number])[];
    }
  | { readonly type: 'idle'; readonly fd: number }
  | { readonly type: 'released'; readonly fd: number }
  | PerfReceived
  // Both.
  | { readonly type: 'test'; readonly fd: number; readonly test: TestType }
  | { readonly type: 'invalidMessage'; readonly fd: number }
  | (ErrorEvent & { readonly during: 'allocate' | 'accept' | 'send' });

/** What became of a bidirectional test. */
export interface PerfSummary {
  readonly type: 'statistics';
  readonly server: string;
  readonly sent: number;
  readonly received: number;
  /** Whole percent. */
  readonly lossPercent: number;
  /** From the first packet to the last that was sent. */
  readonly elapsedMs: number;
  readonly mbps: number;
}

/** What a server got over a flow, of which the manual says nothing; in text only where packets are not told singly. */
export interface PerfReceived {
  readonly type: 'received';
  readonly fd: number;
  readonly packets: number;
  readonly bytes: number;
  /** Packets that others prove to have been sent, by their numbers. */
  readonly missing: number;
  /** Packets that the flow could not take back, in a bidirectional test. */
  readonly notReturned: number;
  /** From the first packet to the last. */
  readonly elapsedMs: number;
  readonly mbps: number;
}

const failures = {
  allocate: 'Failed to allocate flow.\n',
  accept: 'Failed to accept flow.\n',
  // What ended the test is told on standard error.
  send: '',
} as const;

/** @param quiet a server that says nothing of single packets tells what it got instead. */
export function perfText(event: PerfEvent, quiet: boolean): string {
  switch (event.type) {
    case 'note':
      return event.text;
    case 'test':
      return `Doing a ${event.test}directional test.\n`;
    case 'sending':
      return sendingText(event);
    case 'finished':
      return 'Test finished.\n';
    case 'serverTimedOut':
      return 'Server timed out.\n';
    case 'statistics':
      return summaryText(event);
    case 'listening':
      return 'Ouroboros perf server started.\n';
    case 'flow':
      return `New flow ${event.fd}.\n`;
    case 'invalidTest':
      return 'Invalid config message.\n';
    case 'packets': {
      const lines = event.packets.map(([seq, at]) => `Seqno ${seq} from fd ${event.fd}: ${at.toFixed(6)}\n`);
      return lines.join('');
    }
    case 'idle':
      return `Flow ${event.fd} timed out.\n`;
    case 'released':
      return '';
    case 'received':
      return quiet ? receivedText(event) : '';
    case 'invalidMessage':
      return `Invalid message on fd ${event.fd}.\n`;
    case 'error':
      return failures[event.during];
  }
}

function sendingText(event: Extract<PerfEvent, { type: 'sending' }>): string {
  const { server, bytes, durationMs, rate } = event;
  const seconds = Math.floor(durationMs / 1000);
  if (rate === undefined) return `Flooding ${server} with ${bytes} byte packets for ${seconds} seconds.\n\n`;
  return `Sending ${bytes} byte packets for ${seconds} s to ${server} at ${(rate / 1e6).toFixed(3)} Mb/s.\n\n`;
}

function summaryText({ server, sent, received, lossPercent, elapsedMs, mbps }: PerfSummary): string {
  return (
    `\n--- ${server} perf statistics ---\n` +
    `${sent} packets transmitted, ${received} received, ${lossPercent}% packet loss, ` +
    `time: ${elapsedMs.toFixed(3)} ms, bandwidth: ${mbps.toFixed(3)} Mb/s.\n`
  );
}

function receivedText({ fd, packets, missing, elapsedMs, mbps }: PerfReceived): string {
  return (
    `Flow ${fd}: ${packets} packets received, ${missing} missing, ` +
    `time: ${elapsedMs.toFixed(3)} ms, bandwidth: ${mbps.toFixed(3)} Mb/s.\n`
  );
}
