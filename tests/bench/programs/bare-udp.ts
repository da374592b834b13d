/**
 * What two plain programs reach over UDP on the same cable with the runtime's own socket, the floor under everything else:
 *
 *     bare-udp.ts echo  IP PORT               returns every datagram; until it is ended
 *     bare-udp.ts count IP PORT               counts until nothing comes any more, and prints packets and ms
 *     bare-udp.ts ping  IP PORT OWN COUNT     one after another; prints the average round trip, us
 *     bare-udp.ts flood IP PORT OWN SIZE SECONDS
 *
 * A server writes a line when it is ready.
 */
import { addressOf } from '../../../runtime/lib/os/libc.ts';
import { UdpAddress, UdpSocket } from '../../../runtime/lib/os/udp-socket.ts';
import { PacketPool } from '../../../runtime/lib/wire/packet.ts';

interface Port {
  /** Sends some bytes to the other end; they leave when `flush` is called. */
  send(bytes: Buffer): void;
  flush(): void;
}

type OnDatagram = (bytes: Buffer, port: Port) => void;

/** Datagrams sent before the event loop has its turn. */
const batch = 64;
/** Batches that are read before the event loop has its turn. */
const readsMax = 4;
const pingBytes = 64;
/** A datagram that has not come back by then is lost, ms. */
const lostMs = 200;
/** A flood is over when nothing came for so long, ms. */
const silenceMs = 500;
const datagramBytesMax = 9000;

function open(ip: string, port: number, to: string, onDatagram: OnDatagram): Port {
  const packets = new PacketPool(addressOf);
  let destination = UdpAddress.parse(to, port);
  const own: Port = {
    send(bytes) {
      const packet = packets.take(bytes.length);
      packet.append(bytes, 0, bytes.length);
      socket.send(packet, destination);
    },
    flush() {
      socket.flush();
      packets.reset();
    },
  };
  const socket: UdpSocket = new UdpSocket(UdpAddress.parse(ip, port), ip, datagramBytesMax, () => {
    for (let reads = 0; reads < readsMax; reads += 1) {
      const count = socket.receive((datagram, names, offset) => {
        // There is one other end.
        if (!destination.sent(names, offset)) destination = UdpAddress.from(names, offset);
        onDatagram(datagram.bytes(), own);
      });
      own.flush();
      if (count < UdpSocket.batch) return;
    }
  });
  return own;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const [role, ip = '', portWord = '', ...rest] = process.argv.slice(2);
const port = Number(portWord);

switch (role) {
  case 'echo': {
    open(ip, port, ip, (bytes, from) => from.send(bytes));
    say('ready');
    break;
  }
  case 'count': {
    let packets = 0;
    let first = 0;
    let last = 0;
    open(ip, port, ip, () => {
      packets += 1;
      last = performance.now();
      if (first === 0) first = last;
    });
    say('ready');
    setInterval(() => {
      if (packets === 0 || performance.now() - last < silenceMs) return;
      say(JSON.stringify({ packets, ms: last - first }));
      process.exit(0);
    }, 50);
    break;
  }
  case 'ping': {
    const [own = '', count = '1000'] = rest;
    let back = (): void => {};
    const there = open(own, port, ip, () => back());
    const message = Buffer.alloc(pingBytes);
    let total = 0;
    let answered = 0;
    for (let done = 0; done < Number(count); done += 1) {
      const startedAt = performance.now();
      const isBack = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), lostMs);
        back = () => (clearTimeout(timer), resolve(true));
        there.send(message);
        there.flush();
      });
      if (!isBack) continue;
      answered += 1;
      total += performance.now() - startedAt;
    }
    say(JSON.stringify({ answered, us: (total / answered) * 1000 }));
    process.exit(0);
    break;
  }
  case 'flood': {
    const [own = '', size = '64', seconds = '2'] = rest;
    const there = open(own, port, ip, () => {});
    const message = Buffer.alloc(Number(size));
    const end = performance.now() + Number(seconds) * 1000;
    while (performance.now() < end) {
      for (let sent = 0; sent < batch; sent += 1) there.send(message);
      there.flush();
      await turn();
    }
    process.exit(0);
    break;
  }
  default:
    throw new Error('see the head of this file');
}
