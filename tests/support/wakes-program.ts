/**
 * Opens a packet socket in the namespace it is started in, for all frames of an interface, and answers each line of its
 * input with a line of JSON: how often the socket woke it, and how many frames came.
 *
 *     wakes-program.ts INTERFACE
 */
import { createInterface } from 'node:readline';
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
const [name = ''] = process.argv.slice(2);
let [wakes, frames] = [0, 0];
const socket = new PacketSocket(name, everyType, () => {
  wakes += 1;
  frames += socket.receive(() => {});
  socket.release();
});
createInterface(process.stdin)
  .on('line', () => process.stdout.write(`${JSON.stringify({ wakes, frames })}\n`))
  .on('close', () => process.exit());
process.stdout.write('ready\n');
