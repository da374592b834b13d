/**
 * Opens a packet socket in the namespace it is started in, and carries frames between it and its standard input and
 * output, so that a layer in another process has a real device. First comes one JSON line with address and MTU, then
 * frames in both directions, each behind its length in 32 bits. One without a length comes back when those before it have left.
 *
 *     frame-relay.ts INTERFACE ETHERTYPE
 */
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';

const [name = '', ethertype = ''] = process.argv.slice(2);
const packets = new PacketPool(addressOf);
const socket = new PacketSocket(name, Number(ethertype), () => {
  for (;;) {
    const count = socket.receive((frame) => {
      const header = Buffer.alloc(4);
      header.writeUInt32BE(frame.length);
      process.stdout.write(Buffer.concat([header, frame.bytes()]));
    });
    socket.release();
    if (count < PacketSocket.batch) return;
  }
});
const { mac, mtu } = socket.interface;
process.stdout.write(`${JSON.stringify({ mac: mac.toString('hex'), mtu })}\n`);

let waiting = Buffer.alloc(0);
process.stdin.on('data', (chunk: Buffer) => {
  waiting = Buffer.concat([waiting, chunk]);
  let at = 0;
  while (waiting.length - at >= 4 && waiting.length - at - 4 >= waiting.readUInt32BE(at)) {
    const end = at + 4 + waiting.readUInt32BE(at);
    if (end === at + 4) {
      socket.flush();
      process.stdout.write(Buffer.alloc(4));
      at = end;
      continue;
    }
    const packet = packets.take(end - at - 4);
    packet.append(waiting, at + 4, end);
    socket.send(packet);
    at = end;
  }
  socket.flush();
  packets.reset();
  waiting = waiting.subarray(at);
});
process.stdin.on('end', () => process.exit(0));
