import { expect, test } from 'vitest';
import { Packet, packetHeadroom, PacketPool } from './packet.ts';

test('a packet has room in front for headers, and is as long as what was put in', () => {
  const packet = new PacketPool().take(10);
  expect([packet.start, packet.length]).toEqual([packetHeadroom, 0]);
  packet.append(Buffer.from('abcdef'), 1, 4);
  expect(packet.bytes().toString()).toBe('bcd');
  packet.start -= 2;
  packet.memory.write('xy', packet.start);
  expect(packet.bytes().toString()).toBe('xybcd');
  packet.reset(4);
  expect([packet.start, packet.length]).toEqual([4, 0]);
});

test('its view is of its memory, wherever that lies', () => {
  const memory = Buffer.alloc(100).subarray(30, 60);
  const packet = new Packet(memory, 0);
  packet.view.setUint16(0, 0xabcd);
  expect(memory.readUInt16BE(0)).toBe(0xabcd);
});

test('packets of one turn do not share memory, those of the next use it again', () => {
  const pool = new PacketPool();
  const first = [pool.take(10), pool.take(10), pool.take(100_000)];
  expect(new Set(first.map(({ memory }) => memory)).size).toBe(3);
  expect(pool.taken).toBe(3);
  pool.reset();
  expect(pool.taken).toBe(0);
  expect(pool.take(10)).toBe(first[0]);
  // One that is too small is replaced.
  const large = pool.take(100_000);
  expect(large.memory.length).toBeGreaterThanOrEqual(packetHeadroom + 100_000);
  expect(large).not.toBe(first[1]);
});

test('a wrapped packet lies in the memory of its owner until the turn ends', () => {
  const pool = new PacketPool();
  const memory = Buffer.from('..abc..');
  const owner = { memory, view: new DataView(memory.buffer, memory.byteOffset, memory.length), address: 5 };
  const packet = pool.wrap(owner, 2, 5);
  expect([packet.bytes().toString(), packet.address, pool.taken]).toEqual(['abc', 5, 1]);
  expect(pool.wrap(owner, 0, 2)).not.toBe(packet);
  pool.reset();
  const other = Buffer.from('xyz');
  const again = pool.wrap({ memory: other, view: new DataView(other.buffer), address: 0 }, 0, 3);
  expect([again, again.bytes().toString()]).toEqual([packet, 'xyz']);
});
