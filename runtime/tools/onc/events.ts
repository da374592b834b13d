/** What happens in a run of onc, and how it is told. */
import type { ErrorEvent } from '../tool.ts';

export type NetcatEvent =
  | { readonly type: 'bound'; readonly name: string }
  | { readonly type: 'waiting' }
  | { readonly type: 'flow'; readonly fd: number; readonly maxMessageBytes: number }
  /** Both directions have ended. */
  | {
      readonly type: 'ended';
      readonly fd: number;
      readonly sentBytes: number;
      readonly receivedBytes: number;
      readonly elapsedMs: number;
    }
  /** A command has ended, with a status or by a signal. */
  | {
      readonly type: 'command';
      readonly fd: number;
      readonly status: number | null;
      readonly signal: string | null;
    }
  | (ErrorEvent & { readonly during: 'bind' | 'accept' | 'allocate' | 'exchange' });

/** A line for a person. Errors are explained in any case. */
export function netcatText(event: Exclude<NetcatEvent, { type: 'error' }>): string {
  switch (event.type) {
    case 'bound':
      return `onc: bound to ${event.name}`;
    case 'waiting':
      return 'onc: waiting for a flow';
    case 'flow':
      return `onc: flow ${event.fd}`;
    case 'ended': {
      const { fd, sentBytes, receivedBytes, elapsedMs } = event;
      return `onc: flow ${fd} ended: ${sentBytes} bytes sent, ${receivedBytes} received in ${elapsedMs.toFixed(0)} ms`;
    }
    case 'command':
      return `onc: the command of flow ${event.fd} ended with ${event.signal ?? event.status}`;
  }
}
