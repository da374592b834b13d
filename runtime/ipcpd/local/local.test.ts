import { expect, test } from 'vitest';
import { hashName } from '../../lib/names.ts';
import { Logger } from '../../lib/log.ts';
import { rawQos } from '../../lib/qos.ts';
import { never } from '../../lib/time/clock.ts';
import { Packet } from '../../lib/wire/packet.ts';
import type { FlowOutcome, FlowRequest, FlowUser } from '../shell/layer.ts';
import { LocalLayer } from './local.ts';

const hash = hashName('x', 'SHA3_256');
const piggyback = Buffer.from('request');

function packetOf(text: string): Packet {
  const packet = new Packet(Buffer.from(text), 0);
  packet.end = packet.memory.length;
  return packet;
}

function setup() {
  const requests: FlowRequest[] = [];
  const logged: string[] = [];
  const log = new Logger(({ component, text }) => logged.push(`${component}: ${text}`), 'ipcpd/ipcp');
  const layer = new LocalLayer('SHA3_256', { flowRequested: (request) => requests.push(request) }, log);
  const inbox = (): { messages: string[] } & FlowUser => {
    const messages: string[] = [];
    return {
      messages,
      deliver: (packet) => void messages.push(packet.bytes().toString()),
      setUp: (up) => void messages.push(up ? '(up)' : '(down)'),
      released: () => void messages.push('(released)'),
    };
  };
  const outcomes: FlowOutcome[] = [];
  const client = inbox();
  const flow = layer.allocate(hash, rawQos, piggyback, client, 0, (outcome) => outcomes.push(outcome));
  const [request] = requests;
  if (request === undefined) throw new Error('no request');
  return { layer, request, outcomes, flow, client, server: inbox(), logged };
}

test('knows what is registered, and no longer when it is taken back', () => {
  const { layer } = setup();
  const ask = (): boolean[] => {
    const answers: boolean[] = [];
    layer.query(hash, 0, (known) => answers.push(known));
    return answers;
  };
  expect(ask()).toEqual([false]);
  layer.register(hash);
  expect(ask()).toEqual([true]);
  layer.unregister(hash);
  expect(ask()).toEqual([false]);
  expect(layer.nextDeadline()).toBe(never);
});

test('joins both ends of a request', () => {
  const { layer, request, outcomes, flow, client, server } = setup();
  expect(request).toMatchObject({ hash, qos: rawQos, piggyback });
  flow.write(packetOf('too soon'));
  const other = layer.accept(request.handle, Buffer.from('reply'), server);
  expect(outcomes).toEqual([{ kind: 'accepted', piggyback: Buffer.from('reply') }]);
  flow.write(packetOf('hello'));
  other?.write(packetOf('world'));
  expect([server.messages, client.messages]).toEqual([['hello'], ['world']]);
  flow.deallocate(0);
  flow.deallocate(0);
  other?.write(packetOf('late'));
  flow.write(packetOf('late'));
  expect(layer.counters).toEqual({ packets: 2, droppedNotOpen: 3 });
});

test('a request is answered once', () => {
  const { layer, request, outcomes, server } = setup();
  layer.refuse(request.handle, -1003);
  layer.refuse(request.handle, -1003);
  expect(layer.accept(request.handle, piggyback, server)).toBeUndefined();
  expect(outcomes).toEqual([{ kind: 'refused', response: -1003 }]);
});

test('closing leaves nobody waiting', () => {
  const { layer, outcomes } = setup();
  layer.close();
  expect(outcomes).toEqual([{ kind: 'unanswered' }]);
});

test('a request that its requester gave up cannot be accepted into nothing', () => {
  const { layer, request, flow, client, server } = setup();
  flow.deallocate(0);
  const other = layer.accept(request.handle, piggyback, server);
  other?.write(packetOf('to nobody'));
  expect(client.messages).toEqual([]);
});

test('tells of its flows by descriptors, the lowest free ones', () => {
  const { layer, request, flow, client, server, logged } = setup();
  const other = layer.accept(request.handle, Buffer.alloc(0), server);
  flow.deallocate(0);
  flow.deallocate(0);
  const next = layer.allocate(hash, rawQos, piggyback, client, 0, () => {});
  other?.deallocate(0);
  next.deallocate(0);
  layer.unregister(hash);
  expect(logged).toEqual(
    [
      'Pending local allocation request on fd 64.',
      'Flow allocation completed, fds (64, 65).',
      'Flow with fd 64 deallocated.',
      'Pending local allocation request on fd 64.',
      'Flow with fd 65 deallocated.',
      'Flow with fd 64 deallocated.',
      `Unregistered ${hash.toString('hex', 0, 4)}.`,
    ].map((text) => `ipcpd-local: ${text}`),
  );
});
