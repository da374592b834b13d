/**
 * Sends numbered frames from one interface to another of its namespace, a burst at a time, and takes them after each:
 * `ring-program.ts FROM TO BURST...`. Tells, in one line of JSON, which numbers came of each burst and what was counted as lost until then.
 */
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';

const type = 0x88b5;
const headerBytes = 14;
const [from = '', to = '', ...bursts] = process.argv.slice(2);
const packets = new PacketPool(addressOf);
using out = new PacketSocket(from, type, () => {});
using into = new PacketSocket(to, type, () => {});

function send(number: number): void {
  const frame = Buffer.alloc(60, 0xff);
  frame.writeUInt16BE(type, headerBytes - 2);
  frame.writeUInt32BE(number, headerBytes);
  const packet = packets.take(frame.length);
  packet.append(frame, 0, frame.length);
  out.send(packet);
}

function takeAll(): number[] {
  const numbers: number[] = [];
  for (;;) {
    const count = into.receive((frame) => numbers.push(frame.bytes().readUInt32BE(headerBytes)));
    into.release();
    if (count < PacketSocket.batch) return numbers;
  }
}

let sent = 0;
const told = bursts.map((burst) => {
  for (let count = 0; count < Number(burst); count += 1) send(sent++);
  out.flush();
  packets.reset();
  return { numbers: takeAll(), lost: into.losses.droppedQueueFull };
});
console.log(JSON.stringify(told));
