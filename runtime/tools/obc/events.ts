/** What happens in a run of obc, and how the manual words it. Source: tools.md 5. */
import type { ErrorEvent } from '../tool.ts';

export type ObcEvent =
  | { readonly type: 'started'; readonly layer: string }
  | { readonly type: 'flow'; readonly fd: number }
  /** What another member sent; `bytes` counts the NUL at its end too. */
  | { readonly type: 'message'; readonly text: string; readonly bytes: number }
  /** The manual has no word for it. */
  | { readonly type: 'sent'; readonly bytes: number }
  | (ErrorEvent & { readonly during: 'join' | 'read' | 'write' });

const failures = {
  join: 'Failed to join broadcast.\n',
  read: 'Failed to read.\n',
  write: 'Failed to write packet.\n',
} as const;

export function obcText(event: ObcEvent): string {
  switch (event.type) {
    case 'started':
      return 'Starting a reader.\n';
    case 'flow':
      return 'New flow.\n';
    case 'message':
      return `Message is ${event.text}.\n`;
    case 'sent':
      return '';
    case 'error':
      return failures[event.during];
  }
}
