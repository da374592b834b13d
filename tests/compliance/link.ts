/**
 * What every link under an Ethernet layer must do, whatever carries its frames. The suite holds both ends; time is its
 * own, but frames may take real time to arrive.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dixFraming } from '../../runtime/ipcpd/eth/dix.ts';
import { EthernetLayer, ethernetLimits } from '../../runtime/ipcpd/eth/ethernet-layer.ts';
import { llcFraming } from '../../runtime/ipcpd/eth/llc.ts';
import type { EthernetDevice, OnFrame } from '../../runtime/ipcpd/links/device.ts';
import type { FlowOutcome, FlowRequest, FlowUser, LayerFlow } from '../../runtime/ipcpd/shell/layer.ts';
import { hashName } from '../../runtime/lib/names.ts';
import { rawQos } from '../../runtime/lib/qos.ts';
import { Packet, PacketPool, packetHeadroom } from '../../runtime/lib/wire/packet.ts';
import { until } from '../support/until.ts';

/** Two devices on one link, as a kind of link makes them. */
export interface LinkUnderTest extends AsyncDisposable {
  readonly devices: readonly [EthernetDevice, EthernetDevice];
  /** From now on frames get lost, or no longer. */
  setSilent(silent: boolean): Promise<void>;
}

/** `protocol` is what the kernel hands to a socket of the layer: an Ethernet type, or its word for LLC. */
export type MakeLink = (protocol: number, onFrames: readonly [OnFrame, OnFrame]) => Promise<LinkUnderTest>;

const hash = hashName('svc', 'SHA3_256');
const handshake = Buffer.alloc(36, 1);
const answer = Buffer.alloc(84, 1);

interface End {
  readonly layer: EthernetLayer;
  readonly device: EthernetDevice;
  readonly requests: FlowRequest[];
}

class Inbox implements FlowUser {
  readonly messages: Buffer[] = [];

  deliver(packet: Packet): void {
    this.messages.push(Buffer.from(packet.bytes()));
  }

  setUp(): void {
    // Both ends of these links stay up.
  }

  released(): void {
    // Told by the layer; what this suite looks at is the messages.
  }
}

interface OpenFlow {
  readonly client: LayerFlow;
  readonly server: LayerFlow;
  readonly clientInbox: Inbox;
  readonly serverInbox: Inbox;
}

function send(end: End, flow: LayerFlow, message: Buffer): void {
  const packet = new Packet(Buffer.alloc(packetHeadroom + message.length), 0);
  packet.reset(packetHeadroom);
  packet.append(message, 0, message.length);
  flow.write(packet);
  end.device.flush();
}

const framings = { 'eth-dix': dixFraming(), 'eth-llc': llcFraming } as const;

export function linkSuite(kind: string, make: MakeLink): void {
  describe.each(Object.entries(framings))(`%s over ${kind}`, (_layer, framing) => {
    let now = 0;
    let link: LinkUnderTest;
    let a: End;
    let b: End;

    beforeEach(async () => {
      now = 1000;
      const ends: End[] = [];
      const receive =
        (index: number): OnFrame =>
        (frame) => {
          const end = ends[index];
          end?.layer.receive(frame, now);
          end?.device.flush();
        };
      link = await make(framing.protocol, [receive(0), receive(1)]);
      for (const device of link.devices) {
        const requests: FlowRequest[] = [];
        const events = { flowRequested: (request: FlowRequest): void => void requests.push(request) };
        const layer = new EthernetLayer({
          hash: 'SHA3_256',
          framing,
          device,
          packets: new PacketPool(),
          events,
        });
        ends.push({ layer, device, requests });
      }
      const [first, second] = ends;
      if (first === undefined || second === undefined) throw new Error('a link has two ends');
      [a, b] = [first, second];
      b.layer.register(hash);
    });

    afterEach(async () => {
      a.layer.close();
      b.layer.close();
      await link[Symbol.asyncDispose]();
    });

    async function isKnown(): Promise<boolean> {
      let known: boolean | undefined;
      a.layer.query(hash, now, (value) => (known = value));
      a.device.flush();
      await until('the answer', () => known !== undefined);
      return known === true;
    }

    async function open(): Promise<OpenFlow> {
      expect(await isKnown()).toBe(true);
      const [clientInbox, serverInbox] = [new Inbox(), new Inbox()];
      const outcomes: FlowOutcome[] = [];
      const client = a.layer.allocate(hash, rawQos, handshake, clientInbox, now, (outcome) =>
        outcomes.push(outcome),
      );
      a.device.flush();
      const request = await until('the request', () => b.requests.shift());
      expect(request).toMatchObject({ hash, qos: rawQos, piggyback: handshake });
      const server = b.layer.accept(request.handle, answer, serverInbox, now);
      b.device.flush();
      await until('the reply', () => outcomes.length > 0);
      expect(outcomes).toEqual([{ kind: 'accepted', piggyback: answer }]);
      if (server === undefined) throw new Error('not accepted');
      return { client, server, clientInbox, serverInbox };
    }

    test('both ends have an address of their own and one MTU', () => {
      expect(a.device.mac).toHaveLength(6);
      expect(a.device.mac.equals(b.device.mac)).toBe(false);
      expect(a.device.mtu).toBe(b.device.mtu);
      expect(a.layer.maxMessageBytes).toBe(framing.maxPayload(a.device.mtu));
    });

    test('messages go both ways, and arrive as they were', async () => {
      const flow = await open();
      for (const size of [1, 2, 41, 42, 46, 64, 1000]) {
        const message = Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + size) & 0xff));
        send(a, flow.client, message);
        send(b, flow.server, message);
        await until(
          'both',
          () => flow.serverInbox.messages.length === 1 && flow.clientInbox.messages.length === 1,
        );
        expect(flow.serverInbox.messages.shift()).toEqual(message);
        expect(flow.clientInbox.messages.shift()).toEqual(message);
      }
    });

    test('the longest message passes, one byte more does not', async () => {
      const flow = await open();
      const longest = Buffer.alloc(a.layer.maxMessageBytes, 0x5a);
      send(a, flow.client, Buffer.concat([longest, Buffer.of(1)]));
      send(a, flow.client, longest);
      await until('the message', () => flow.serverInbox.messages.length > 0);
      expect(flow.serverInbox.messages).toEqual([longest]);
      expect(a.layer.counters.droppedTooLong).toBe(1);
    });

    test('an empty message is a sign of life at the other end', async () => {
      const flow = await open();
      send(a, flow.client, Buffer.alloc(0));
      await until('the sign', () => b.layer.counters.keepalivesIn === 1);
      expect(flow.serverInbox.messages).toEqual([Buffer.alloc(0)]);
    });

    test('many flows at once do not mix', async () => {
      const flows: OpenFlow[] = [];
      for (let index = 0; index < 20; index += 1) flows.push(await open());
      for (const [index, flow] of flows.entries()) {
        send(a, flow.client, Buffer.from(`to ${index}`));
        send(b, flow.server, Buffer.from(`from ${index}`));
      }
      await until('all', () =>
        flows.every(
          ({ clientInbox, serverInbox }) => clientInbox.messages.length + serverInbox.messages.length === 2,
        ),
      );
      for (const [index, flow] of flows.entries()) {
        expect(String(flow.serverInbox.messages[0])).toBe(`to ${index}`);
        expect(String(flow.clientInbox.messages[0])).toBe(`from ${index}`);
      }
    });

    test('a train of messages stays in order', async () => {
      const flow = await open();
      const count = 500;
      for (let index = 0; index < count; index += 1) {
        const message = Buffer.alloc(100);
        message.writeUInt32BE(index);
        send(a, flow.client, message);
      }
      await until('all', () => flow.serverInbox.messages.length === count);
      expect(flow.serverInbox.messages.map((message) => message.readUInt32BE(0))).toEqual(
        Array.from({ length: count }, (_, index) => index),
      );
    });

    test('a refusal comes back with its number', async () => {
      expect(await isKnown()).toBe(true);
      const outcomes: FlowOutcome[] = [];
      a.layer.allocate(hash, rawQos, handshake, new Inbox(), now, (outcome) => outcomes.push(outcome));
      a.device.flush();
      const { handle } = await until('the request', () => b.requests.shift());
      b.layer.refuse(handle, -1008);
      b.device.flush();
      await until('the reply', () => outcomes.length > 0);
      expect(outcomes).toEqual([{ kind: 'refused', response: -1008 }]);
    });

    test('after the end of a flow its messages are dropped', async () => {
      const flow = await open();
      flow.server.deallocate(now);
      send(a, flow.client, Buffer.from('late'));
      await until('the drop', () => b.layer.counters.droppedUnknownEid === 1);
      expect(flow.serverInbox.messages).toEqual([]);
    });

    test('while the link is silent nothing arrives, requests end unanswered, and afterwards all goes on', async () => {
      const flow = await open();
      await link.setSilent(true);
      send(a, flow.client, Buffer.from('lost'));
      const outcomes: FlowOutcome[] = [];
      a.layer.allocate(hash, rawQos, handshake, new Inbox(), now, (outcome) => outcomes.push(outcome));
      a.device.flush();
      now += ethernetLimits.replyMs;
      a.layer.advance(now);
      expect(outcomes).toEqual([{ kind: 'unanswered' }]);
      await link.setSilent(false);
      await until('the link', () => {
        send(a, flow.client, Buffer.from('again'));
        return flow.serverInbox.messages.length > 0;
      });
      expect(new Set(flow.serverInbox.messages.map(String))).toEqual(new Set(['again']));
    });
  });
}
