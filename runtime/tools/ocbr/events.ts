/** What happens in a run of ocbr, and how the manual words it. Source: tools.md 4. */
import type { ErrorEvent, NoteEvent } from '../tool.ts';

export type CbrEvent =
  | NoteEvent
  // Client.
  | {
      readonly type: 'started';
      readonly server: string;
      readonly durationS: number;
      /** Bits a second. */
      readonly rate: number;
      readonly bytes: number;
      readonly flood: boolean;
    }
  | {
      readonly type: 'sent';
      readonly packets: number;
      readonly bytes: number;
      readonly elapsedMs: number;
      readonly mbps: number;
    }
  // Server.
  | { readonly type: 'listening'; readonly intervalS: number; readonly timeoutS: number }
  | { readonly type: 'flow'; readonly fd: number }
  | CbrReport
  | { readonly type: 'timedOut'; readonly fd: number }
  | { readonly type: 'released'; readonly fd: number }
  | { readonly type: 'full'; readonly flows: number }
  | (ErrorEvent & { readonly during: 'allocate' | 'accept' | 'send' });

/** What a flow brought in one interval. */
export interface CbrReport {
  readonly type: 'report';
  readonly fd: number;
  readonly packets: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** Packets a second. */
  readonly pps: number;
  readonly mbps: number;
}

const failures = {
  allocate: 'Failed to allocate flow.\n',
  accept: 'Failed to accept flow.\n',
  // What ended the test is told on standard error.
  send: '',
} as const;

export function cbrText(event: CbrEvent): string {
  switch (event.type) {
    case 'note':
      return event.text;
    case 'started':
      return `Client started, duration ${event.durationS}, rate ${event.rate} b/s, size ${event.bytes} B.\n`;
    case 'sent':
      return (
        `sent statistics: ${wide(event.packets, 9)} packets, ${wide(event.bytes, 12)} bytes in ` +
        `${wide(Math.floor(event.elapsedMs), 9)} ms, ${event.mbps.toFixed(4)} Mb/s\n`
      );
    case 'listening':
      return `Server started, interval is ${event.intervalS} s, timeout is ${event.timeoutS} s.\n`;
    case 'flow':
      return 'New flow.\n';
    case 'report':
      return reportText(event);
    case 'timedOut':
      return `Test on flow ${event.fd} timed out\n`;
    case 'released':
      return '';
    case 'full':
      return "Can't accept any more flows, waiting.\n";
    case 'error':
      return failures[event.during];
  }
}

function reportText({ fd, packets, bytes, elapsedMs, pps, mbps }: CbrReport): string {
  return (
    `Flow ${wide(fd, 4)}: ${wide(packets, 9)} packets (${wide(bytes, 12)} bytes) in ` +
    `${wide(Math.floor(elapsedMs), 9)} ms => ${pps.toFixed(4).padStart(9)} pps, ` +
    `${mbps.toFixed(4).padStart(9)} Mbps\n`
  );
}

function wide(value: number, width: number): string {
  return String(value).padStart(width);
}
