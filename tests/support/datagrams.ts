/** Numbered datagrams from one node to another, to see what a link does to them. */
import type { TopologyLink } from '../../rumba/model/topology.ts';
import type { Lab } from '../../rumba/testbeds/testbed.ts';
import { until } from './until.ts';

/** Datagrams the receiver tells of at once, and those that may be under way to one that is to lose none. */
const told = 32;
/** A kernel keeps some 270 of these for a program that gets no processor, and loses the rest without a word. */
const window = 6 * told;

/** Prints the numbers of the datagrams that come, and how long each was under way in ms, until one says so. */
const receiver = `
const socket = require('dgram').createSocket('udp4');
const now = () => Number(process.hrtime.bigint()) / 1e6;
const got = [];
socket.on('message', (bytes) => {
  const number = bytes.readUInt32BE(0);
  if (number !== 0xffffffff) {
    got.push([number, now() - bytes.readDoubleBE(4)]);
    if (got.length % ${told} === 0) process.stderr.write('.');
    return;
  }
  process.stdout.write(JSON.stringify(got), () => process.exit());
});
socket.bind(7000, () => process.stderr.write('ready'));`;

/**
 * Sends so many datagrams, one each millisecond or all at once, and then asks for the account until nobody hears it. No more
 * than were allowed are sent: a dot that is read allows some more.
 */
const sender = `
let [count, bytes, gap, allowed] = process.argv.slice(1).map(Number);
const socket = require('dgram').createSocket('udp4');
const now = () => Number(process.hrtime.bigint()) / 1e6;
socket.on('error', () => process.exit());
socket.connect(7000, '10.0.0.2', () => {
  let number = 0;
  const begun = now();
  const send = () => {
    for (; number < Math.min(count, allowed) && now() >= begun + number * gap; number += 1) {
      const message = Buffer.alloc(bytes);
      message.writeUInt32BE(number, 0);
      message.writeDoubleBE(now(), 4);
      socket.send(message);
    }
    if (number < count) setTimeout(send, 1);
    else process.stdout.write('sent');
  };
  send();
});
process.stdin.on('data', (read) => {
  for (const byte of read.toString()) {
    if (byte === '.') allowed += ${told};
    else socket.send(Buffer.alloc(12, 0xff));
  }
});`;

export interface Stream {
  readonly count: number;
  /** Of a datagram; a frame has 42 more. */
  readonly bytes?: number;
  /** Between two datagrams, ms. */
  readonly gap?: number;
  /** No datagram gets lost behind the link either: the receiver takes them before more are sent. */
  readonly paced?: boolean;
}

/** Sends from node a to 10.0.0.2 of node b while something else is done; numbers and times of what arrived, in order. */
export async function carried(
  lab: Lab,
  link: TopologyLink,
  { count, bytes = 100, gap = 1, paced = false }: Stream,
  meanwhile: () => Promise<void> = async () => {},
  /** Done when all is sent and nothing is under way, before the account is asked for, which takes frames too. */
  after: () => Promise<void> = async () => {},
): Promise<[number: number, ms: number][]> {
  const { signal } = new AbortController();
  const receiving = await lab.node('b').open(['node', '-e', receiver]);
  const [account, ready] = [collected(receiving.stdout), collected(receiving.stderr)];
  await until('the receiver', () => ready() !== '', 20_000);
  const words = [count, bytes, gap, paced ? window : count].map(String);
  const sending = await lab.node('a').open(['node', '-e', sender, ...words]);
  let taken = 0;
  const allow = (): void => {
    const dots = ready().split('.').length - 1;
    sending.stdin.write('.'.repeat(dots - taken));
    taken = dots;
  };
  if (paced) receiving.stderr.on('data', allow);
  const sent = collected(sending.stdout);
  await meanwhile();
  await until('the sender', () => sent() !== '', 60_000);
  const isEmpty = async (): Promise<boolean> => {
    const [{ splice } = {}] = await lab.linkStates([link], signal);
    return splice === undefined || splice.queued.every((each) => each === 0);
  };
  await until('what is under way', isEmpty, 60_000);
  await after();
  const asking = setInterval(() => sending.stdin.write('\n'), 50);
  await receiving.ended;
  clearInterval(asking);
  sending.kill('SIGKILL');
  await sending.ended;
  return JSON.parse(account()) as [number, number][];
}

function collected(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}
