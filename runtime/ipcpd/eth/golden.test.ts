/** What the reference prototype sent, decoded and encoded again: every byte must come back. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCapture } from '../../../tests/support/pcap.ts';
import { decodeOap, encodeOap, requestDigest } from '../../lib/oap/message.ts';
import { dixHeaderBytes as frameHeaderBytes, dixLayout } from './dix.ts';
import {
  decodeMessage as decode,
  encodeMessage as encode,
  type EthernetMessage,
  messageBytes as bytesOf,
  messageCode,
} from './message.ts';

const decodeMessage = (memory: Buffer, start: number, end: number, hash: number): ReturnType<typeof decode> =>
  decode(dixLayout, memory, start, end, hash);
const encodeMessage = (message: EthernetMessage, memory: Buffer, start: number): number =>
  encode(message, dixLayout, memory, start);
const messageBytes = (message: EthernetMessage): number => bytesOf(message, dixLayout);
const frameOffset = { destination: 0, source: 6, ethertype: 12, eid: 14, length: 16 } as const;

const hashBytes = 32;
const etherType = 0xa000;

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
};

/** Encodes a frame around a payload, over memory that is not zero. */
function frameAround(frame: Buffer, write: (memory: Buffer, start: number) => number): Buffer {
  const memory = Buffer.alloc(frame.length + 64, 0xa5);
  const end = write(memory, frameHeaderBytes);
  frame.copy(memory, frameOffset.destination, frameOffset.destination, frameOffset.source + 6);
  memory.writeUInt16BE(etherType, frameOffset.ethertype);
  memory.writeUInt16BE(frame.readUInt16BE(frameOffset.eid), frameOffset.eid);
  memory.writeUInt16BE(end - frameHeaderBytes, frameOffset.length);
  return memory.subarray(0, end);
}

test('the table names every capture there is', () => {
  const files = readdirSync(new URL('../../../tests/fixtures/captures', import.meta.url));
  expect(files.map((file) => file.replace('.pcap', '')).toSorted()).toEqual(Object.keys(expected).toSorted());
});

describe.each(Object.entries(expected))('%s', (name, counts) => {
  const { frames } = readCapture(name);

  test('each frame comes back byte for byte', () => {
    const seen = [0, 0, 0];
    for (const { bytes: frame, wireBytes } of frames) {
      expect(frame.length).toBe(wireBytes);
      expect(frame.readUInt16BE(frameOffset.ethertype)).toBe(etherType);
      const payload = frame.subarray(
        frameHeaderBytes,
        frameHeaderBytes + frame.readUInt16BE(frameOffset.length),
      );
      expect(frame.length).toBe(frameHeaderBytes + payload.length);
      if (frame.readUInt16BE(frameOffset.eid) !== 0) {
        seen[2]! += 1;
        expect(frameAround(frame, (memory, start) => start + payload.copy(memory, start))).toEqual(frame);
        continue;
      }
      const message = decodeMessage(frame, frameHeaderBytes, frame.length, hashBytes);
      if (typeof message === 'string') throw new Error(message);
      seen['piggyback' in message ? 1 : 0]! += 1;
      expect(messageBytes(message)).toBe(payload.length);
      expect(frameAround(frame, (memory, start) => encodeMessage(message, memory, start))).toEqual(frame);
    }
    expect(seen).toEqual(counts);
  });
});

test('each handshake message comes back byte for byte, and each request hash verifies', () => {
  let requests = 0;
  let responses = 0;
  const malformed: string[] = [];
  const orphans: string[] = [];
  for (const name of Object.keys(expected)) {
    const byId = new Map<string, Buffer>();
    for (const { bytes: frame } of readCapture(name).frames) {
      if (frame.readUInt16BE(frameOffset.eid) !== 0) continue;
      const message = decodeMessage(frame, frameHeaderBytes, frame.length, hashBytes);
      if (typeof message === 'string') throw new Error(message);
      if (message.code === messageCode.flowRequest) {
        const request = decodeOap(message.piggyback, 0);
        if (typeof request === 'string') {
          malformed.push(`${name}: ${request}, ${message.piggyback.length} bytes`);
          continue;
        }
        requests += 1;
        expect(encodeOap(request)).toEqual(message.piggyback);
        byId.set(request.id.toString('hex'), message.piggyback);
      } else if (message.code === messageCode.flowReply && message.response === 0) {
        const request = byId.get(message.piggyback.toString('hex', 0, 16));
        if (request === undefined) {
          // The capture lacks the request: its hash cannot be verified, the form of the response can. Both ends
          // used the same digest.
          const orphan = decodeOap(message.piggyback, requestDigest(message.piggyback.readUInt16BE(28))[1]);
          if (typeof orphan === 'string') throw new Error(`${name}: ${orphan}`);
          expect(encodeOap(orphan)).toEqual(message.piggyback);
          orphans.push(name);
          continue;
        }
        const asked = decodeOap(request, 0);
        if (typeof asked === 'string') throw new Error(asked);
        const [digest, bytes] = requestDigest(asked.digest);
        const response = decodeOap(message.piggyback, bytes);
        if (typeof response === 'string') throw new Error(`${name}: ${response}`);
        responses += 1;
        expect(encodeOap(response)).toEqual(message.piggyback);
        expect(response.requestHash).toEqual(createHash(digest).update(request).digest());
      }
    }
  }
  // The two that are malformed were so on purpose, and the prototype refused them.
  expect(malformed).toEqual(['e2e-oap-replay: short, 35 bytes', 'eth-dix-reject: short, 0 bytes']);
  expect(orphans).toEqual(['e2e-new-run', 'e2e-new-run']);
  expect([requests, responses]).toEqual([44, 42]);
});
