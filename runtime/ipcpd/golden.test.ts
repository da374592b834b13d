/** What the reference prototype sent, decoded and encoded again: every byte must come back. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { decode as decodeDns, type Packet as DnsMessage } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { packetOf } from '../../tests/support/flow-inbox.ts';
import { type CapturedFrame, readCapture } from '../../tests/support/pcap.ts';
import { decodeOap, encodeOap, requestDigest } from '../lib/oap/message.ts';
import { PacketPool } from '../lib/wire/packet.ts';
import { dixFraming } from './eth/dix.ts';
import type { EthernetFraming, FrameHeader } from './eth/framing.ts';
import { llcFraming } from './eth/llc.ts';
import * as eth from './eth/message.ts';
import * as udp from './udp/codec.ts';

const ethHashBytes = 32;
const udpHashBytes = 16;

/** Frames of each file: name queries and answers, flow requests and replies, data. */
const expected: Readonly<Record<string, readonly [queries: number, allocations: number, data: number]>> = {
  'e2e-auth-mutual-enc': [0, 6, 4],
  'e2e-auth-server': [2, 2, 2],
  'e2e-bare-ack-drf-workaround': [2, 2, 8],
  'e2e-bare-ack-poison': [2, 2, 12],
  'e2e-bare-ack-poison-c-c': [2, 2, 6],
  'e2e-best-effort-receiver-probe': [2, 2, 15],
  'e2e-crc-enc': [0, 2, 2],
  'e2e-crc-frct': [2, 2, 13],
  'e2e-crc-raw': [4, 4, 2],
  'e2e-enc-ctr-rtx-defect': [2, 2, 60],
  'e2e-enc-frct-crc-known-key': [2, 2, 2],
  'e2e-enc-frct-known-key': [2, 2, 2],
  'e2e-enc-raw-p256': [4, 4, 6],
  'e2e-enc-rtx-defect': [2, 2, 23],
  'e2e-frct-best-effort': [2, 2, 13],
  'e2e-frct-data': [0, 2, 15],
  'e2e-frct-loss': [0, 2, 32],
  'e2e-frct-receiver-probe': [2, 2, 38],
  'e2e-keepalive': [3, 2, 20],
  'e2e-new-run': [4, 4, 30],
  'e2e-oap-replay': [8, 8, 0],
  'e2e-raw': [2, 2, 6],
  'e2e-rendezvous': [0, 2, 134],
  'e2e-rtimer': [2, 2, 25],
  'e2e-zero-window-deadlock': [2, 2, 6],
  'eth-dix-enroll-broadcast': [4, 4, 7],
  'eth-dix-enroll-unicast': [4, 6, 9],
  'eth-dix-keepalive': [0, 2, 3],
  'eth-dix-noanswer': [1, 0, 0],
  'eth-dix-oping': [2, 2, 6],
  'eth-dix-qos': [2, 10, 20],
  'eth-dix-reject': [0, 2, 0],
  'eth-dix-reply-race': [0, 2, 2],
  'eth-llc-keepalive': [0, 2, 3],
  'eth-llc-oping': [2, 2, 6],
  'eth-llc-reject': [0, 2, 0],
  'udp4-ddns': [0, 0, 0],
  'udp4-ipv6-variant-oping': [0, 2, 2],
  'udp4-keepalive': [0, 2, 3],
  'udp4-oping': [0, 2, 6],
  'udp4-reject': [0, 2, 0],
  'broadcast-line-ab': [2, 4, 15],
  'broadcast-line-bc': [2, 4, 15],
  'unicast-dht-star': [10, 28, 264],
  'unicast-errors-ab': [2, 6, 34],
  'unicast-errors-bp': [2, 10, 46],
  'unicast-frct-dt-ab': [2, 6, 22],
  'unicast-line-ab': [2, 6, 63],
  'unicast-line-bc': [2, 6, 64],
  'unicast-options-ab': [2, 6, 31],
  'unicast-options-bc': [2, 6, 32],
  'unicast-peer-bp': [2, 6, 85],
  'unicast-peer-pc': [2, 6, 70],
};

/** A frame as its layer reads it, and the frame that the layer makes of that. */
interface Reading {
  readonly kind: 'query' | 'allocation' | 'data' | 'dns';
  readonly again: Buffer;
  readonly request?: Buffer;
  readonly reply?: { readonly response: number; readonly piggyback: Buffer };
}

type Format = (frame: Buffer) => Reading;

function ethernet(framing: EthernetFraming): Format {
  return (frame) => {
    const header: FrameHeader = { toHigh: 0, toLow: 0, fromHigh: 0, fromLow: 0, eid: 0, peerEid: 0 };
    const incoming = packetOf(frame);
    const { end } = incoming;
    if (!framing.read(incoming, header)) throw new Error('no frame of the layer');
    expect(incoming.end).toBe(end);
    const outgoing = new PacketPool().take(frame.length);
    outgoing.memory.fill(0xa5);
    const write = (): Buffer => {
      const to = { high: header.toHigh, low: header.toLow };
      const from = { high: header.fromHigh, low: header.fromLow };
      framing.write(outgoing, to, from, header.eid, header.peerEid);
      return outgoing.bytes();
    };
    if (header.eid !== 0) {
      outgoing.append(incoming.memory, incoming.start, incoming.end);
      return { kind: 'data', again: write() };
    }
    const message = eth.decodeMessage(framing.layout, incoming.memory, incoming.start, end, ethHashBytes);
    if (typeof message === 'string') throw new Error(message);
    expect(eth.messageBytes(message, framing.layout)).toBe(incoming.length);
    outgoing.end = eth.encodeMessage(message, framing.layout, outgoing.memory, outgoing.start);
    const again = write();
    switch (message.code) {
      case eth.messageCode.flowRequest:
        return { kind: 'allocation', again, request: message.piggyback };
      case eth.messageCode.flowReply:
        return { kind: 'allocation', again, reply: message };
      case eth.messageCode.nameQuery:
      case eth.messageCode.nameReply:
        return { kind: 'query', again };
      case eth.messageCode.flowRelease:
        throw new Error('the prototype has no such message');
    }
  };
}

const ipOffset = 14;
const udpHeaderBytes = 8;
const dnsPort = 53;

/** A datagram, with the headers of the kernel in front as they were. */
const datagram: Format = (frame) => {
  const ipHeaderBytes = frame.readUInt16BE(ipOffset - 2) === 0x86dd ? 40 : 20;
  const start = ipOffset + ipHeaderBytes + udpHeaderBytes;
  const ports = [0, 2].map((offset) => frame.readUInt16BE(start - udpHeaderBytes + offset));
  expect(frame.readUInt16BE(start - 4)).toBe(frame.length - start + udpHeaderBytes);
  if (ports.includes(dnsPort)) return { kind: 'dns', again: frame };
  expect(ports).toEqual([3435, 3435]);
  const memory = Buffer.alloc(frame.length + 64, 0xa5);
  frame.copy(memory, 0, 0, start);
  const eid = frame.readUInt32BE(start);
  if (eid !== 0) {
    memory.writeUInt32BE(eid, start);
    return { kind: 'data', again: memory.subarray(0, start + 4 + frame.copy(memory, start + 4, start + 4)) };
  }
  const message = udp.decodeMessage(frame, start, frame.length, udpHashBytes);
  if (typeof message === 'string') throw new Error(message);
  expect(udp.messageBytes(message)).toBe(frame.length - start);
  const again = memory.subarray(0, udp.encodeMessage(message, memory, start));
  switch (message.code) {
    case udp.messageCode.flowRequest:
      return { kind: 'allocation', again, request: message.piggyback };
    case udp.messageCode.flowReply:
      return { kind: 'allocation', again, reply: message };
    case udp.messageCode.flowRelease:
      throw new Error('the prototype has no such message');
  }
};

function formatOf(name: string): Format {
  if (name.startsWith('udp')) return datagram;
  return ethernet(name.startsWith('eth-llc') ? llcFraming : dixFraming());
}

function readings(name: string): { readonly captured: CapturedFrame; readonly reading: Reading }[] {
  const format = formatOf(name);
  return readCapture(name).frames.map((captured) => ({ captured, reading: format(captured.bytes) }));
}

/** Frames cut to 160 bytes: what they carry is read where it is looked at. */
const cut = ['unicast-ecn-ab'];

test('the table names every capture there is', () => {
  const files = readdirSync(new URL('../../tests/fixtures/captures', import.meta.url));
  expect(files.map((file) => file.replace('.pcap', '')).toSorted()).toEqual(
    [...Object.keys(expected), ...cut].toSorted(),
  );
});

test.each(Object.entries(expected))('%s comes back byte for byte', (name, counts) => {
  const seen = { query: 0, allocation: 0, data: 0, dns: 0 };
  for (const { captured, reading } of readings(name)) {
    expect(captured.bytes.length).toBe(captured.wireBytes);
    expect(reading.again).toEqual(captured.bytes);
    seen[reading.kind] += 1;
  }
  expect([seen.query, seen.allocation, seen.data]).toEqual(counts);
  expect(seen.dns).toBe(name === 'udp4-ddns' ? 16 : 0);
});

describe('udp4-ddns', () => {
  const hash = '830a519c3de9f94420f0dd8d76890cb2';
  const messages = readCapture('udp4-ddns').frames.map(({ bytes }) => bytes.subarray(ipOffset + 28));
  const opcodeUpdate = 5;

  test('the prototype finds the zone of a name, adds, deletes, and adds', () => {
    const updates = messages.filter((bytes) => (bytes.readUInt16BE(2) & 0xf800) === opcodeUpdate << 11);
    const records = updates.map((bytes) => {
      const { questions = [], authorities = [] } = decodeDns(bytes) as DnsMessage;
      const [record] = authorities;
      return {
        zone: questions[0]?.name,
        type: questions[0]?.type,
        name: record?.name,
        ttl: Object(record).ttl,
      };
    });
    expect(records).toEqual([86_400, 0, 86_400].map((ttl) => ({ zone: '.', type: 'SOA', name: hash, ttl })));
  });
});

test('each handshake message comes back byte for byte, and each request hash verifies', () => {
  let requests = 0;
  let responses = 0;
  const malformed: string[] = [];
  const orphans: string[] = [];
  for (const name of Object.keys(expected)) {
    const byId = new Map<string, Buffer>();
    for (const { reading } of readings(name)) {
      if (reading.request !== undefined) {
        const request = decodeOap(reading.request, 0);
        if (typeof request === 'string') {
          malformed.push(`${name}: ${request}, ${reading.request.length} bytes`);
          continue;
        }
        requests += 1;
        expect(encodeOap(request)).toEqual(reading.request);
        byId.set(request.id.toString('hex'), reading.request);
      } else if (reading.reply?.response === 0) {
        const { piggyback } = reading.reply;
        const request = byId.get(piggyback.toString('hex', 0, 16));
        if (request === undefined) {
          // The capture lacks the request: its hash cannot be verified, the form of the response can. Both ends
          // used the same digest.
          const orphan = decodeOap(piggyback, requestDigest(piggyback.readUInt16BE(28))[1]);
          if (typeof orphan === 'string') throw new Error(`${name}: ${orphan}`);
          expect(encodeOap(orphan)).toEqual(piggyback);
          orphans.push(name);
          continue;
        }
        const asked = decodeOap(request, 0);
        if (typeof asked === 'string') throw new Error(asked);
        const [digest, bytes] = requestDigest(asked.digest);
        const response = decodeOap(piggyback, bytes);
        if (typeof response === 'string') throw new Error(`${name}: ${response}`);
        responses += 1;
        expect(encodeOap(response)).toEqual(piggyback);
        expect(response.requestHash).toEqual(createHash(digest).update(request).digest());
      }
    }
  }
  // Those that are malformed were so on purpose, and the prototype refused them.
  expect(malformed).toEqual([
    'e2e-oap-replay: short, 35 bytes',
    'eth-dix-reject: short, 0 bytes',
    'eth-llc-reject: short, 0 bytes',
    'udp4-reject: short, 0 bytes',
  ]);
  expect(orphans).toEqual(['e2e-new-run', 'e2e-new-run']);
  expect([requests, responses]).toEqual([96, 94]);
});
