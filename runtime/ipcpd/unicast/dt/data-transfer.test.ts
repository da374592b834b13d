/** Data transfer of one member, its neighbours and its routes in the hands of the test. */
import { beforeEach, describe, expect, test } from 'vitest';
import { packetOf } from '../../../../tests/support/flow-inbox.ts';
import { capturedFor } from '../../../../tests/support/unicast-captures.ts';
import { type Packet, packetHeadroom, PacketPool } from '../../../lib/wire/packet.ts';
import { Connection } from '../../connmgr/connection.ts';
import { DataTransfer } from './data-transfer.ts';
import { dtFields, dtHeaderBytes, dtOffset } from './header.ts';
import type { Neighbour } from './neighbour.ts';

const self = 0x708b_64d8;
const far = 0x0fa0_04e9;

interface Header {
  destination: number;
  cube: number;
  ttl: number;
  ecn: number;
  eid: bigint;
}

/** A header by its table of fields. */
function headerOf(bytes: Buffer): Header {
  const read = (name: string): bigint => {
    const { offset, width } = dtFields.find((field) => field.name === name)!;
    let value = 0n;
    for (let at = width - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(bytes[offset + at]!);
    return value;
  };
  return {
    destination: Number(read('destination')),
    cube: Number(read('cube')),
    ttl: Number(read('ttl')),
    ecn: Number(read('ecn')),
    eid: read('eid'),
  };
}

function packetTo(header: Partial<Header>, payload: string | Buffer = 'x'): Buffer {
  const { destination = self, cube = 0, ttl = 60, ecn = 0, eid = 64n } = header;
  const bytes = Buffer.alloc(dtHeaderBytes);
  bytes.writeUInt32LE(destination, 0);
  bytes.writeUInt8(cube, 4);
  bytes.writeUInt8(ttl, 5);
  bytes.writeUInt8(ecn, 6);
  bytes.writeBigUInt64LE(eid, 7);
  return Buffer.concat([bytes, Buffer.from(payload)]);
}

/** One connection to a neighbour, and the flow below it. */
class Link {
  readonly sent: Buffer[] = [];
  readonly connection: Connection;
  readonly flow = {
    headerBytes: 18,
    backlog: 0,
    maxMessageBytes: 1496,
    write: (packet: Packet): void => void this.sent.push(Buffer.from(packet.bytes())),
    deallocate: (): void => {},
  };

  constructor(bench: Bench, peer: number, isPrototype = false) {
    const owner = {
      packets: new PacketPool(),
      handshake: () => {},
      released: () => {},
      close: () => {},
      stateChanged: () => {},
    };
    this.connection = new Connection(owner, undefined);
    this.connection.attach(this.flow, 64);
    const record = { component: 'Data Transfer', protocol: 'dtp', version: 1, syntax: 2, address: peer };
    const rule = { gives: false, intervalMs: Infinity, downMs: Infinity, lostMs: Infinity };
    const readyAt = bench.now + (isPrototype ? 300 : 0);
    this.connection.open(1, { ...record, extensions: isPrototype ? 0 : 1 }, rule, readyAt, bench.now);
    this.connection.use(bench.dt.connected(this.connection, bench.now));
  }

  brings(bytes: Buffer): void {
    this.connection.deliver(packetOf(bytes));
  }

  setUp(up: boolean): void {
    this.connection.setUp(up);
  }

  end(): void {
    this.connection.end();
  }

  take(): Header[] {
    return this.sent.splice(0).map(headerOf);
  }
}

class Bench {
  now = 1000;
  /** By destination, the neighbour's address. */
  readonly routes = new Map<number, number>();
  readonly events: string[] = [];
  readonly arrived: string[] = [];
  readonly dt: DataTransfer;
  readonly #neighbours = new Map<number, Neighbour>();

  constructor(
    options: { readonly address?: number; readonly maxTtl?: number; readonly marks?: boolean } = {},
  ) {
    this.dt = new DataTransfer(
      {
        address: options.address ?? self,
        maxTtl: options.maxTtl ?? 60,
        marks: options.marks ?? true,
        clock: () => this.now,
        users: {
          component: (eid, packet) => void this.arrived.push(`component ${eid}: ${textOf(packet)}`),
          user: (low, high, ecn, packet) =>
            void this.arrived.push(`${high}:${low} ecn ${ecn}: ${textOf(packet)}`),
        },
        adjacency: {
          linkUp: ({ peer, flow }) =>
            void this.events.push(`${peer.address} up, ${flow.maxMessageBytes} bytes`),
          linkDown: ({ peer }) => void this.events.push(`${peer.address} down`),
          limitChanged: ({ peer, flow }) =>
            void this.events.push(`${peer.address} takes ${flow.maxMessageBytes} bytes`),
        },
      },
      { nextHop: (destination) => this.#nextHop(destination) },
    );
  }

  send(destination: number, payload: string | Buffer = 'x', low = 64, high = 7): boolean {
    return this.dt.send(destination, low, high, packetOf(Buffer.from(payload)));
  }

  counts(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.dt.counters).filter(([, count]) => count > 0));
  }

  /** As a table of routes does, it keeps the neighbour it was given. */
  #nextHop(destination: number): Neighbour | undefined {
    const hop = this.routes.get(destination);
    if (hop === undefined) return undefined;
    const known = this.#neighbours.get(hop) ?? this.dt.neighbour(hop);
    if (known !== undefined) this.#neighbours.set(hop, known);
    return known;
  }
}

const textOf = (packet: Packet): string => packet.bytes().toString('latin1');

let bench: Bench;
let near: Link;
beforeEach(() => {
  bench = new Bench();
  near = new Link(bench, 2);
  bench.routes.set(far, 2).set(2, 2);
});

describe('the header', () => {
  test('has the fields of its table, little-endian, one behind the other', () => {
    let end = 0;
    for (const { offset, width } of dtFields) {
      expect(offset).toBe(end);
      end += width;
    }
    expect([end, dtHeaderBytes]).toEqual([15, 15]);
    expect(dtOffset).toEqual({ destination: 0, cube: 4, ttl: 5, ecn: 6, eidLow: 7, eidHigh: 11 });
  });

  test('is the annotated one', () => {
    bench = new Bench({ maxTtl: 59, marks: false });
    near = new Link(bench, self - 1);
    bench.routes.set(self, 2);
    bench.routes.set(0x708b_64d9, self - 1);
    expect(bench.send(0x708b_64d9, 'data', 0x42, 0xb499_a3d3)).toBe(true);
    expect(near.sent[0]!.toString('hex')).toBe(
      `d9648b70003b0042000000d3a399b4${Buffer.from('data').toString('hex')}`,
    );
  });

  test.each(['unicast-line-ab', 'unicast-line-bc', 'unicast-peer-bp', 'unicast-peer-pc', 'unicast-dht-star'])(
    'of each packet of %s is read and written byte for byte',
    (name) => {
      const packets = [0, 1].flatMap((eid) => capturedFor(name, eid));
      expect(packets.length).toBeGreaterThan(3);
      for (const { bytes, eidLow, eidHigh } of packets) {
        const { destination, ttl } = headerOf(bytes);
        bench = new Bench({ address: 1, maxTtl: ttl, marks: false });
        near = new Link(bench, 2);
        bench.routes.set(destination, 2);
        expect(bench.send(destination, bytes.subarray(dtHeaderBytes), eidLow, eidHigh)).toBe(true);
        expect(near.sent[0]!.equals(bytes)).toBe(true);
      }
    },
  );
});

describe('a packet that is sent', () => {
  test('goes to the next hop, with the first time to live, no mark and cube 0', () => {
    expect(bench.send(far, '')).toBe(true);
    expect(near.take()).toEqual([{ destination: far, cube: 0, ttl: 60, ecn: 0, eid: (7n << 32n) | 64n }]);
  });

  test('without a route is dropped', () => {
    expect(bench.send(77)).toBe(false);
    expect([near.sent, bench.counts()]).toEqual([[], { droppedNoRoute: 1 }]);
  });

  test('to the member itself arrives, without a mark', () => {
    expect(bench.send(self, 'me', 0x42, 7)).toBe(true);
    expect(bench.send(self, 'fa', 0, 0)).toBe(true);
    expect(bench.arrived).toEqual(['7:66 ecn 0: me', 'component 0: fa']);
    expect(bench.counts()).toEqual({ dtLocal: 2 });
  });

  test('of as many bytes as the link carries leaves, and one of more does not', () => {
    expect(bench.send(far, 'x'.repeat(1481))).toBe(true);
    expect(bench.send(far, 'x'.repeat(1482))).toBe(false);
    expect([near.sent.length, bench.counts()]).toEqual([1, { dtPacketsOut: 1, droppedDtTooLong: 1 }]);
  });

  test('gets its header in front of the bytes, without a copy', () => {
    const packet = packetOf(Buffer.from('payload'));
    const { memory } = packet;
    bench.dt.send(far, 64, 0, packet);
    expect([packet.memory === memory, packet.start]).toEqual([true, packetHeadroom - dtHeaderBytes]);
  });
});

describe('a packet that comes in for somebody else', () => {
  test.each([
    [0, 255],
    [1, undefined],
    [2, 1],
    [60, 59],
    [255, 254],
  ])('with a time to live of %i leaves with %s', (ttl, left) => {
    near.brings(packetTo({ destination: far, ttl, cube: 2, eid: 0x1234_5678_9abc_def0n }));
    const expected = { destination: far, cube: 2, ttl: left, ecn: 0, eid: 0x1234_5678_9abc_def0n };
    expect(near.take()).toEqual(left === undefined ? [] : [expected]);
    expect(bench.counts()).toEqual(
      left === undefined
        ? { dtPacketsIn: 1, droppedTtl: 1 }
        : { dtPacketsIn: 1, dtPacketsOut: 1, dtForwarded: 1 },
    );
    expect(bench.dt.neighbour(2)!.counters.droppedTtlPackets).toBe(left === undefined ? 1 : 0);
  });

  test('keeps its payload, an empty one too', () => {
    near.brings(packetTo({ destination: far }, ''));
    near.brings(packetTo({ destination: far }, 'abc'));
    expect(near.sent.map((bytes) => bytes.subarray(15).toString())).toEqual(['', 'abc']);
  });

  test('has no route, or is too long for the next link', () => {
    near.brings(packetTo({ destination: 77 }));
    const narrow = new Link(bench, 3);
    narrow.flow.maxMessageBytes = 20;
    bench.routes.set(78, 3);
    near.brings(packetTo({ destination: 78 }, 'x'.repeat(6)));
    expect([narrow.sent, bench.counts()]).toEqual([
      [],
      { dtPacketsIn: 2, droppedNoRoute: 1, droppedDtTooLong: 1 },
    ]);
    // At the neighbour it came from, and at the one it should have gone to.
    expect(bench.dt.neighbour(2)!.counters).toMatchObject({
      droppedNoRoutePackets: 1,
      failedWritePackets: 0,
    });
    expect(bench.dt.neighbour(3)!.counters).toMatchObject({ failedWritePackets: 1, failedWriteBytes: 21 });
  });
});

describe('a packet that comes in for this member', () => {
  test('is taken whatever its time to live, and its cube and mark', () => {
    for (const ttl of [0, 1, 255]) near.brings(packetTo({ ttl, ecn: 9, cube: 1 }, 'x'));
    expect(bench.arrived).toEqual(Array.from({ length: 3 }, () => '0:64 ecn 9: x'));
  });

  test.each([
    [0n, 'component 0: x'],
    [1n, 'component 1: x'],
    [64n, '0:64 ecn 0: x'],
    [0xffff_ffff_ffff_ffffn, '4294967295:4294967295 ecn 0: x'],
    [1n << 32n, '1:0 ecn 0: x'],
    [(5n << 32n) | 1n, '5:1 ecn 0: x'],
  ])('with endpoint id %i is for %s', (eid, what) => {
    near.brings(packetTo({ eid }));
    expect(bench.arrived).toEqual([what]);
  });

  test('with an endpoint id of a component there is not is dropped', () => {
    for (const eid of [2n, 63n]) near.brings(packetTo({ eid }));
    expect([bench.arrived, bench.counts()]).toEqual([
      [],
      { dtPacketsIn: 2, dtLocal: 2, droppedReservedEid: 2 },
    ]);
  });

  test('shorter than a header is dropped, and an empty one is none', () => {
    for (const bytes of [1, 14]) near.brings(packetTo({}).subarray(0, bytes));
    near.brings(Buffer.alloc(0));
    expect([bench.arrived, bench.counts()]).toEqual([[], { dtPacketsIn: 2, droppedDtShort: 2 }]);
  });
});

describe('marks', () => {
  test.each([
    [0, 0],
    [15, 0],
    [16, 1],
    [47, 2],
    [1023, 63],
    [100_000, 255],
  ])('of a queue of %i packets is %i', (backlog, ecn) => {
    near.flow.backlog = backlog;
    bench.send(far);
    near.brings(packetTo({ destination: far }));
    expect(near.take().map((header) => header.ecn)).toEqual([ecn, ecn]);
    expect(bench.counts()['packetsMarked'] ?? 0).toBe(ecn > 0 ? 2 : 0);
  });

  test('of two hops are joined bit by bit', () => {
    near.flow.backlog = 32;
    near.brings(packetTo({ destination: far, ecn: 1 }));
    near.brings(packetTo({ destination: far, ecn: 2 }));
    expect(near.take().map(({ ecn }) => ecn)).toEqual([3, 2]);
  });

  test('are not made in a layer that does not avoid congestion, and those of others pass', () => {
    bench = new Bench({ marks: false });
    near = new Link(bench, 2);
    bench.routes.set(far, 2);
    near.flow.backlog = 500;
    bench.send(far);
    near.brings(packetTo({ destination: far, ecn: 5 }));
    expect(near.take().map(({ ecn }) => ecn)).toEqual([0, 5]);
  });
});

describe('a neighbour', () => {
  test('comes with its first connection and goes with its last', () => {
    expect(bench.events.splice(0)).toEqual(['2 up, 1496 bytes']);
    const second = new Link(bench, 2);
    near.end();
    expect([...bench.dt.neighbours].map(({ address }) => address)).toEqual([2]);
    second.end();
    expect([...bench.dt.neighbours]).toEqual([]);
    expect(bench.events).toEqual(['2 up, 1496 bytes', '2 down', '2 down']);
  });

  test('is written to over the connection that came up last, of those that are up', () => {
    const [first, second, third] = [near, new Link(bench, 2), new Link(bench, 2)];
    const used = (): number => {
      for (const link of [first, second, third]) link.sent.length = 0;
      bench.send(2);
      return [first, second, third].findIndex(({ sent }) => sent.length > 0);
    };
    expect(used()).toBe(2);
    third.setUp(false);
    expect(used()).toBe(1);
    first.setUp(false);
    first.setUp(true);
    expect(used()).toBe(0);
    third.setUp(true);
    third.end();
    expect(used()).toBe(0);
    expect(bench.events.splice(0)).toEqual([
      ...Array.from({ length: 3 }, () => '2 up, 1496 bytes'),
      '2 down',
      '2 down',
      '2 up, 1496 bytes',
      '2 up, 1496 bytes',
      '2 down',
    ]);
  });

  test('that is down is written to all the same: it is routing that finds another way', () => {
    const second = new Link(bench, 2);
    near.setUp(false);
    second.setUp(false);
    const neighbour = bench.dt.neighbour(2)!;
    expect(neighbour.isUp).toBe(false);
    expect(bench.send(2)).toBe(true);
    near.setUp(true);
    expect([neighbour.isUp, bench.dt.neighbour(2)]).toEqual([true, neighbour]);
  });

  test('that went down and is then gone is told of once', () => {
    near.setUp(false);
    near.end();
    expect(bench.events).toEqual(['2 up, 1496 bytes', '2 down']);
  });

  test('that is gone gets nothing, though routes still lead to it', () => {
    bench.send(far);
    near.end();
    expect(bench.send(far)).toBe(false);
    new Link(bench, 5).brings(packetTo({ destination: far }));
    expect(bench.counts()).toMatchObject({ droppedNeighbourGone: 2 });
    expect(bench.counts()['dtForwarded']).toBeUndefined();
  });

  test('that is a prototype is not written to before it has settled, but heard at once', () => {
    const late = new Link(bench, 9, true);
    bench.routes.set(9, 9);
    expect(bench.dt.nextDeadline()).toBe(bench.now + 300);
    late.brings(packetTo({}, 'early'));
    expect(bench.arrived).toEqual(['0:64 ecn 0: early']);
    expect([bench.send(9), bench.dt.neighbour(9)]).toEqual([false, undefined]);
    bench.now += 300;
    bench.dt.advance(bench.now);
    expect([bench.send(9), bench.events.at(-1)]).toEqual([true, '9 up, 1496 bytes']);
    expect(bench.dt.nextDeadline()).toBe(Infinity);
  });

  test('that ends, or goes down, before it has settled was never there', () => {
    const [ended, down] = [new Link(bench, 8, true), new Link(bench, 9, true)];
    bench.events.length = 0;
    ended.end();
    down.setUp(false);
    bench.now += 300;
    bench.dt.advance(bench.now);
    expect([bench.events, bench.dt.neighbour(8)]).toEqual([[], undefined]);
    down.setUp(true);
    expect(bench.events).toEqual(['9 up, 1496 bytes']);
  });

  test('counts what is exchanged with it, and what of that is of components', () => {
    const without = { ...bench.dt.neighbour(2)!.counters };
    bench.send(far, 'abc');
    near.brings(packetTo({}, 'abcd'));
    const exchanged = { ...without, packetsIn: 1, bytesIn: 19, packetsOut: 1, bytesOut: 18 };
    expect(bench.dt.neighbour(2)!.counters).toEqual(exchanged);
    bench.dt.send(far, 1, 0, packetOf(Buffer.from('abcde')));
    near.brings(packetTo({ eid: 0n }, 'ab'));
    expect(bench.dt.neighbour(2)!.counters).toEqual({
      ...exchanged,
      packetsIn: 2,
      bytesIn: 36,
      packetsOut: 2,
      bytesOut: 38,
      localPacketsIn: 1,
      localBytesIn: 17,
      localPacketsOut: 1,
      localBytesOut: 20,
    });
    expect(bench.dt.components).toMatchObject([
      { packetsIn: 1, bytesIn: 17, packetsOut: 0 },
      { packetsIn: 0, packetsOut: 1, bytesOut: 20 },
    ]);
  });

  test('needs as much room for headers as the widest of its flows', () => {
    expect(bench.dt.headerBytes).toBe(15 + 18);
    new Link(bench, 4).flow.headerBytes = 33;
    expect(bench.dt.headerBytes).toBe(15 + 33);
  });

  test('is refused without an address, or with the own one', () => {
    const record = { component: '', protocol: 'dtp', version: 1, syntax: 2, extensions: 0 };
    expect(bench.dt.refuses({ ...record, address: 0 })).toMatchObject({ code: 'EINVAL' });
    expect(bench.dt.refuses({ ...record, address: self })).toMatchObject({ code: 'EEXIST' });
    expect(bench.dt.refuses({ ...record, address: 5 })).toBeUndefined();
  });
});
