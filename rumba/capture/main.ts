/**
 * `capture INTERFACE` writes every frame that passes an interface, in both directions, as pcap with times in
 * nanoseconds, until it is ended or nobody reads any more.
 */
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { fileHeader, recordHeader } from './pcap.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
/** Bytes that may wait for the reader; frames beyond that are dropped, and counted. */
const waitingMax = 64 * 1024 * 1024;

const [name = ''] = process.argv.slice(2);
let dropped = 0;

const socket = new PacketSocket(name, everyType, take, { outgoing: true });
process.stdout.write(fileHeader());
process.stdout.on('error', () => process.exit());
process.stdin.on('end', finish).resume();
process.once('SIGTERM', finish).once('SIGINT', finish);

function take(): void {
  for (;;) {
    const parts: Buffer[] = [];
    const count = socket.receive((frame, slot) => {
      parts.push(recordHeader(socket.timeAt(slot), frame.length), Buffer.from(frame.bytes()));
    });
    socket.release();
    if (process.stdout.writableLength > waitingMax) dropped += count;
    else if (count > 0) process.stdout.write(Buffer.concat(parts));
    if (count < PacketSocket.batch) break;
  }
}

function finish(): void {
  take();
  const { droppedQueueFull, droppedTruncated } = socket.losses;
  const lost = dropped + droppedQueueFull + droppedTruncated;
  if (lost > 0) process.stderr.write(`${lost} frames were not captured\n`);
  process.stdout.write('', () => process.exit());
}
