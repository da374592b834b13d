/**
 * `capture INTERFACE` writes every frame that passes an interface, in both directions, as pcap with times in
 * nanoseconds, until it is ended or nobody reads any more. While the interface is down or gone none passes.
 */
import { lookUpInterface } from '../../runtime/lib/os/interfaces.ts';
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { fileHeader, recordHeader } from './pcap.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
/** Frames that may wait to be taken: 2 MiB at an MTU of 1500. */
const waitingFrames = 1024;
/** Bytes that may wait for the reader; frames beyond that are dropped, and counted. */
const waitingMax = 64 * 1024 * 1024;
/** How often to look whether the interface was made anew, ms. */
const lookMs = 250;
/** Batches of frames taken before whoever ends the capture is heard. */
const batchesMax = 16;

const [name = ''] = process.argv.slice(2);
let dropped = 0;
let ending = false;
let socket = open();
process.stdout.write(fileHeader());
process.stdout.on('error', () => process.exit());
process.stdin.on('end', finish).resume();
process.once('SIGTERM', finish).once('SIGINT', finish);
setInterval(look, lookMs);

function open(): PacketSocket {
  return new PacketSocket(name, everyType, take, { frames: waitingFrames, outgoing: true });
}

function take(): void {
  for (let batches = 0; batches < batchesMax; batches += 1) {
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

/** Goes on at an interface of the same name, as that of a node that was started anew. */
function look(): void {
  if (ending) return;
  let next: PacketSocket;
  try {
    if (lookUpInterface(name).index === socket.interface.index) return;
    next = open();
  } catch {
    // It is gone, or was while it was looked at.
    return;
  }
  close();
  socket = next;
}

function close(): void {
  take();
  const { droppedQueueFull, droppedTruncated } = socket.losses;
  dropped += droppedQueueFull + droppedTruncated;
  socket[Symbol.dispose]();
}

function finish(): void {
  if (ending) return;
  ending = true;
  close();
  if (dropped > 0) process.stderr.write(`${dropped} frames were not captured\n`);
  process.stdout.write('', () => process.exit());
}
