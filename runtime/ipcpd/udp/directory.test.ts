import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, type Packet } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../../tests/support/until.ts';
import { Logger } from '../../lib/log.ts';
import { makeDirectory } from './directory.ts';
import type { Directory } from './udp-layer.ts';

const hash = Buffer.alloc(16, 0x5a);

interface Setup {
  readonly directory: Directory;
  readonly logged: string[];
}

function setup(dns: string, dnsPort?: number): Setup {
  const logged: string[] = [];
  const log = new Logger(({ text }) => logged.push(text), 'udp');
  const toAddress = (): never => {
    throw new Error('nothing is looked up here');
  };
  const port = dnsPort === undefined ? {} : { dnsPort };
  const directory = makeDirectory({ family: 4, ip: '192.0.2.1', dns, log, toAddress, ...port });
  onTestFinished(() => directory.close());
  return { directory, logged };
}

/** A DNS server that answers for all names, and tells of updates when the test lets it. */
async function dnsServer(): Promise<{ port: number; updates: Packet[]; answer: () => void }> {
  const socket: Socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const updates: Packet[] = [];
  const owed: (() => void)[] = [];
  const seen = new Set<number | undefined>();
  socket.on('message', (bytes, { port, address }) => {
    const request = decode(bytes);
    const reply = (): void =>
      socket.send(
        encode({
          type: 'response',
          id: request.id ?? 0,
          questions: request.questions ?? [],
          answers: [{ type: 'SOA', name: '.', data: { mname: 'a', rname: 'b' } }],
        }),
        port,
        address,
      );
    if ((request as { opcode?: string }).opcode !== 'UPDATE') return reply();
    owed.push(reply);
    if (!seen.has(request.id)) updates.push(request);
    seen.add(request.id);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, updates, answer: () => owed.splice(0).forEach((reply) => reply()) };
}

test('a DNS server that cannot be reached is told of, and nothing else happens', async () => {
  // No datagram socket connects to the broadcast address unasked, with a route or without.
  const { directory, logged } = setup('255.255.255.255');
  directory.register(hash);
  await until('the error', () => logged.length > 0);
  expect(logged).toEqual([
    expect.stringMatching(/^The DNS server 255.* did not take the update .*: connect E/),
  ]);
});

test('updates of one name go one after the other, and of those that wait only the last', async () => {
  const server = await dnsServer();
  const { directory, logged } = setup('127.0.0.1', server.port);
  directory.register(hash);
  directory.unregister(hash);
  directory.register(hash);
  directory.unregister(hash);
  await until('the first update', () => server.updates.length === 1);
  server.answer();
  await until('the second update', () => server.updates.length === 2);
  server.answer();
  const records = server.updates.flatMap(({ authorities }) => authorities ?? []);
  expect(records).toMatchObject([{ class: 'IN' }, { class: 'ANY' }]);
  directory.register(hash);
  await until('the third update', () => server.updates.length === 3);
  server.answer();
  expect(logged).toEqual([]);
});
