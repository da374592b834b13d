/** What happens in a run of oecho, and how the manual words it. Source: tools.md 2. */
import type { ErrorEvent } from '../tool.ts';

export type EchoEvent =
  | { readonly type: 'started' }
  | { readonly type: 'flow'; readonly fd: number }
  /** What the client sent, as the server got it. */
  | { readonly type: 'message'; readonly fd: number; readonly text: string }
  /** What the client got back. */
  | { readonly type: 'reply'; readonly text: string; readonly rttMs: number }
  | (ErrorEvent & { readonly during: 'allocate' | 'accept' | 'read' | 'write' });

const failures = {
  allocate: 'Failed to allocate flow.\n',
  accept: 'Failed to accept flow.\n',
  read: 'Failed to read packet.\n',
  write: 'Failed to write packet.\n',
} as const;

export function echoText(event: EchoEvent): string {
  switch (event.type) {
    case 'started':
      return 'Starting the server.\n';
    case 'flow':
      return 'New flow.\n';
    case 'message':
      return `Message from client is ${event.text}.\n`;
    case 'reply':
      return `Server replied with ${event.text}\n`;
    case 'error':
      return failures[event.during];
  }
}
