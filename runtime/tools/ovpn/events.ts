/** What happens in a run of ovpn, and how the manual words it. Source: tools.md 6. */
import type { ErrorEvent } from '../tool.ts';

export type VpnEvent =
  | { readonly type: 'allocating'; readonly server: string }
  | { readonly type: 'waiting' }
  | { readonly type: 'flow'; readonly fd: number; readonly maxMessageBytes: number }
  | {
      readonly type: 'device';
      readonly name: string;
      readonly address: string;
      readonly mask: string;
      readonly mtu: number;
    }
  | { readonly type: 'running' }
  | { readonly type: 'stopping' }
  | VpnStatistics
  | (ErrorEvent & { readonly during: 'allocate' | 'accept' | 'device' | 'flow' });

/** What was carried. The manual has no words for it. */
export interface VpnStatistics {
  readonly type: 'statistics';
  /** From the device to the flow. */
  readonly packetsOut: number;
  readonly bytesOut: number;
  /** From the flow to the device. */
  readonly packetsIn: number;
  readonly bytesIn: number;
  /** Packets that the flow did not take: it was down, or they were too long. */
  readonly lostOut: number;
  /** Packets that the device did not take. */
  readonly lostIn: number;
}

const failures = {
  allocate: 'Failed to allocate flow.\n',
  accept: 'Failed to accept flow.\n',
  device: 'Failed to open tunnel device.\n',
  // What ended the flow is told on standard error.
  flow: '',
} as const;

export function vpnText(event: VpnEvent): string {
  switch (event.type) {
    case 'allocating':
      return `Allocating a flow to ${event.server}.\n`;
    case 'waiting':
      return 'Waiting for a new flow...\n';
    case 'flow':
      return 'Flow allocated.\n';
    case 'device':
      return `Tunnel device name is ${event.name}.\n`;
    case 'running':
      return 'Starting read/write threads.\n';
    case 'stopping':
      return 'Shutting down...\n';
    case 'statistics':
      return '';
    case 'error':
      return failures[event.during];
  }
}
