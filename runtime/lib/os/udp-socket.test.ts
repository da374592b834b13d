import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../../tests/support/until.ts';
import { PacketPool } from '../wire/packet.ts';
import { addressOf, KernelError } from './libc.ts';
import { UdpAddress, UdpSocket } from './udp-socket.ts';

describe('addresses from text', () => {
  test.each([
    ['10.0.0.1', '02000d6b0a0000010000000000000000'],
    ['255.255.255.255', '02000d6bffffffff0000000000000000'],
  ])('%s', (ip, hex) => {
    expect(UdpAddress.parse(ip, 3435).sockaddr.toString('hex')).toBe(hex);
  });

  test.each([
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['fd00::1', 'fd000000000000000000000000000001'],
    ['FD00::aBcD', 'fd00000000000000000000000000abcd'],
    ['fd00:0:0::1', 'fd000000000000000000000000000001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['1:2:3::6:7:8', '00010002000300000000000600070008'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
    ['::10.0.0.1', '0000000000000000000000000a000001'],
    ['1:2:3:4:5:6:10.0.0.255', '0001000200030004000500060a0000ff'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('%s', (ip, hex) => {
    const { sockaddr } = UdpAddress.parse(ip, 3435);
    expect(sockaddr.toString('hex')).toBe(`0a000d6b00000000${hex}00000000`);
  });

  test.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.256',
    '1::2::3',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7',
    '[::1]',
    '::1 ',
  ])('"%s" is none', (ip) => {
    expect(() => UdpAddress.parse(ip, 1)).toThrow(TypeError);
  });

  test('two are equal when family, host and port are', () => {
    const one = UdpAddress.parse('fd00::1', 3435);
    expect(one.equals(UdpAddress.parse('fd00:0::0:1', 3435))).toBe(true);
    for (const other of [
      UdpAddress.parse('fd00::2', 3435),
      UdpAddress.parse('fd00::1', 3436),
      UdpAddress.parse('10.0.0.1', 3435),
    ]) {
      expect(one.equals(other)).toBe(false);
      expect(one.sent(Buffer.concat([other.sockaddr, Buffer.alloc(28)]), 0)).toBe(false);
    }
  });

  test('flow label and scope do not make another host of one', () => {
    const one = UdpAddress.parse('fd00::1', 3435);
    const names = Buffer.concat([Buffer.alloc(28), one.sockaddr]);
    names.writeUInt32BE(0x000a_bcde, 28 + 4);
    names.writeUInt32LE(3, 28 + 24);
    expect(one.sent(names, 28)).toBe(true);
    expect(UdpAddress.from(names, 28).equals(one)).toBe(true);
  });
});

interface Received {
  readonly text: string;
  readonly from: UdpAddress;
}

async function freePort(host: string): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return port;
}

class Receiver {
  readonly address: UdpAddress;
  readonly received: Received[] = [];
  readonly batches: number[] = [];
  readonly socket: UdpSocket;

  constructor(host: string, port: number, datagramBytesMax: number) {
    this.address = UdpAddress.parse(host, port);
    this.socket = new UdpSocket(this.address, `${host} port ${port}`, datagramBytesMax, () => {
      const count = this.socket.receive((datagram, names, offset) => {
        this.received.push({ text: datagram.bytes().toString(), from: UdpAddress.from(names, offset) });
      });
      this.batches.push(count);
    });
    onTestFinished(() => this.socket[Symbol.dispose]());
  }
}

describe.each(['127.0.0.1', '::1'])('sockets on %s', (host) => {
  const packets = new PacketPool(addressOf);
  const send = (from: UdpSocket, text: string, to: UdpAddress): void => {
    const bytes = Buffer.from(text);
    const packet = packets.take(bytes.length);
    packet.append(bytes, 0, bytes.length);
    from.send(packet, to);
  };

  test('carry datagrams in batches, in order, with their source; empty ones too', async () => {
    const [a, b] = [
      new Receiver(host, await freePort(host), 100),
      new Receiver(host, await freePort(host), 100),
    ];
    const texts = Array.from({ length: 200 }, (_, index) => (index === 7 ? '' : `datagram ${index}`));
    // A batch leaves by itself when it is full.
    for (const text of texts) send(a.socket, text, b.address);
    expect(a.socket.queued).toBe(200 % UdpSocket.batch);
    a.socket.flush();
    expect(a.socket.queued).toBe(0);
    await until('all', () => b.received.length === texts.length);
    expect(b.received.map(({ text }) => text)).toEqual(texts);
    expect(b.received.every(({ from }) => from.equals(a.address))).toBe(true);
    expect(Math.max(...b.batches)).toBeLessThanOrEqual(UdpSocket.batch);
    expect(b.batches.length).toBeLessThan(texts.length);
    expect(a.socket.counters).toMatchObject({ datagramsSent: 200, sendFailed: 0 });
    expect(b.socket.counters).toMatchObject({ datagramsReceived: 200, droppedTruncated: 0 });
  });

  test('what is longer than they take is dropped and counted, not cut', async () => {
    const [a, b] = [
      new Receiver(host, await freePort(host), 100),
      new Receiver(host, await freePort(host), 10),
    ];
    for (const text of ['0123456789', '0123456789x', 'y']) send(a.socket, text, b.address);
    a.socket.flush();
    await until('both', () => b.received.length === 2);
    expect(b.received.map(({ text }) => text)).toEqual(['0123456789', 'y']);
    expect(b.socket.counters.droppedTruncated).toBe(1);
  });

  test('one that the kernel refuses is counted, and those behind it leave', async () => {
    const [a, b] = [
      new Receiver(host, await freePort(host), 100),
      new Receiver(host, await freePort(host), 100),
    ];
    const nowhere = UdpAddress.parse(host, 0);
    for (const to of [b.address, nowhere, b.address]) send(a.socket, 'x', to);
    a.socket.flush();
    await until('both', () => b.received.length === 2);
    expect(a.socket.counters).toMatchObject({ datagramsSent: 2, sendFailed: 1 });
  });

  test('what comes faster than it is read is counted by the kernel', async () => {
    const [a, b] = [
      new Receiver(host, await freePort(host), 100),
      new Receiver(host, await freePort(host), 100),
    ];
    expect(b.socket.losses.droppedQueueFull).toBe(0);
    // Nothing is read before this ends; the queue is as long as the system allows.
    let sent = 0;
    for (; b.socket.losses.droppedQueueFull === 0 && sent < 2_000_000; sent += 1)
      send(a.socket, 'x'.repeat(64), b.address);
    expect(b.socket.losses.droppedQueueFull).toBeGreaterThan(0);
    a.socket.flush();
    const dropped = b.socket.losses.droppedQueueFull;
    await until('the others', () => b.received.length + dropped === sent);
  });

  test('an address in use, or of another host, is named in the error', async () => {
    const port = await freePort(host);
    const first = new Receiver(host, port, 10);
    const open = (ip: string): UdpSocket =>
      new UdpSocket(UdpAddress.parse(ip, port), `${ip} port ${port}`, 10, () => {});
    expect(() => open(host)).toThrow(KernelError);
    expect(() => open(host)).toThrow(
      new RegExp(`${host} port ${port}.*EADDRINUSE|EADDRINUSE.*${host} port ${port}`),
    );
    const foreign = host === '::1' ? 'fd00:ffff::1' : '192.0.2.1';
    expect(() => open(foreign)).toThrow(/EADDRNOTAVAIL/);
    // Closing frees it; closing again does nothing.
    first.socket[Symbol.dispose]();
    first.socket[Symbol.dispose]();
    open(host)[Symbol.dispose]();
  });
});
