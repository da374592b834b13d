/**
 * Carries frames between two interfaces of the namespace it is started in, and loses, doubles, delays and reorders some
 * on the way: `bad-cable-program.ts LEFT RIGHT SEED`. Says `ready`; each line of its input, two LinkTraits as JSON, is how
 * the two directions are from then on, and is answered with an empty line. At SIGTERM it tells, in one line of JSON, the
 * counts of both.
 */
import { createInterface } from 'node:readline';
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';
import { type LinkTraits, LossyLink } from '../sim/frct/lossy-link.ts';
import { Seeded } from './seeded.ts';
import { VirtualTime } from '../sim/frct/virtual-time.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
const [left = '', right = '', seed = '1'] = process.argv.slice(2);
const perfect: LinkTraits = { loss: 0, duplication: 0, delay: 0, jitter: 0 };

const time = new VirtualTime(performance.now());
const random = new Seeded(Number(seed));
const packets = new PacketPool(addressOf);

/** One way: what comes in here goes out there, as its traits say. */
function carry(into: () => PacketSocket): LossyLink {
  return new LossyLink(time, random, perfect, (frame) => {
    const packet = packets.take(frame.length);
    packet.append(frame, 0, frame.length);
    into().send(packet);
  });
}

const ways = [carry(() => sockets[1]), carry(() => sockets[0])] as const;
const sockets: readonly [PacketSocket, PacketSocket] = [open(left, 0), open(right, 1)];

function open(name: string, way: 0 | 1): PacketSocket {
  const socket = new PacketSocket(name, everyType, () => {
    time.run(performance.now(), () => false);
    for (;;) {
      const count = socket.receive((frame) => ways[way].send(Buffer.from(frame.bytes())));
      socket.release();
      if (count < PacketSocket.batch) break;
    }
    pass();
  });
  return socket;
}

let timer: NodeJS.Timeout | undefined;

/** Sends what is due, and sees to what will be. */
function pass(): void {
  time.run(performance.now(), () => false);
  for (const socket of sockets) socket.flush();
  packets.reset();
  clearTimeout(timer);
  if (time.next !== Number.POSITIVE_INFINITY) timer = setTimeout(pass, time.next - performance.now());
}

process.on('SIGTERM', () => {
  process.stdout.write(`${JSON.stringify(ways.map(({ counts }) => counts))}\n`, () => process.exit(0));
});
createInterface(process.stdin)
  .on('line', (line) => {
    const [there, back] = JSON.parse(line) as [LinkTraits, LinkTraits];
    [ways[0].traits, ways[1].traits] = [there, back];
    process.stdout.write('\n');
  })
  .on('close', () => process.exit(0));
process.stdout.write('ready\n');
