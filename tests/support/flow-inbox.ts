/** A user of a flow that keeps what reaches it, and packets to feed layers with. */
import type { FlowUser } from '../../runtime/ipcpd/shell/layer.ts';
import { Packet, packetHeadroom } from '../../runtime/lib/wire/packet.ts';

export class FlowInbox implements FlowUser {
  /** Messages as text, and what else was told in parentheses. */
  readonly messages: string[] = [];

  deliver(packet: Packet): void {
    this.messages.push(packet.bytes().toString('latin1'));
  }

  setUp(up: boolean): void {
    this.messages.push(up ? '(up)' : '(down)');
  }

  released(): void {
    this.messages.push('(released)');
  }
}

/** A packet of its own with a copy of some bytes, and room in front for headers. */
export function packetOf(bytes: Buffer): Packet {
  const packet = new Packet(Buffer.alloc(packetHeadroom + bytes.length), 0);
  packet.reset(packetHeadroom);
  packet.append(bytes, 0, bytes.length);
  return packet;
}
