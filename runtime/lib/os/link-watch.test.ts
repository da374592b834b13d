import { describe, expect, onTestFinished, test } from 'vitest';
import { AddressState, AddressWatch, LinkWatch } from './link-watch.ts';
import {
  readAddress,
  readLink,
  routeGroup,
  routeMessage,
  routeQuestion,
  RouteSocket,
} from './route-socket.ts';

/** `struct ifinfomsg`. */
function link(index: number, flags: number): Buffer {
  const body = Buffer.alloc(16);
  body.writeInt32LE(index, 4);
  body.writeUInt32LE(flags, 8);
  return body;
}

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(4 + ((value.length + 3) & ~3));
  padded.writeUInt16LE(4 + value.length, 0);
  padded.writeUInt16LE(type, 2);
  value.copy(padded, 4);
  return padded;
}

/** `struct ifaddrmsg` with its attributes. */
function address(index: number, flags: number, ...attributes: readonly Buffer[]): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt8(flags, 2);
  body.writeUInt32LE(index, 4);
  return Buffer.concat([body, ...attributes]);
}

const ip = Buffer.of(10, 0, 0, 1);
const other = Buffer.of(10, 0, 0, 2);
const [peer, local] = [1, 2];

describe('messages', () => {
  test('of links', () => {
    expect(readLink(link(7, 0x1_10_43))).toEqual({ index: 7, up: true });
    // Set up, but its other end is not.
    expect(readLink(link(7, 0x10_03))).toEqual({ index: 7, up: false });
    expect(readLink(link(7, 0x1002))).toEqual({ index: 7, up: false });
    expect(readLink(link(7, 1).subarray(0, 15))).toBeUndefined();
  });

  test('of addresses: the own one of a link between two, usable when no other host has it', () => {
    const label = attribute(3, Buffer.from('e1\0'));
    expect(readAddress(address(3, 0, attribute(peer, ip), label))).toEqual({ index: 3, ip, usable: true });
    expect(readAddress(address(3, 0, attribute(peer, other), attribute(local, ip)))?.ip).toEqual(ip);
    expect(readAddress(address(3, 0, attribute(local, ip), attribute(peer, other)))?.ip).toEqual(ip);
    for (const flag of [0x08, 0x40])
      expect(readAddress(address(3, flag, attribute(local, ip)))?.usable).toBe(false);
    expect(readAddress(address(3, 0, label))).toBeUndefined();
  });

  test('that are cut short are none', () => {
    const whole = address(3, 0, attribute(local, ip));
    for (let length = 0; length < whole.length; length += 1) {
      expect(readAddress(whole.subarray(0, length))).toBeUndefined();
    }
    whole.writeUInt16LE(3, 8);
    expect(readAddress(whole)).toBeUndefined();
  });
});

describe('an address', () => {
  const told = (...messages: readonly (readonly [keyof typeof routeMessage, Buffer])[]): AddressState => {
    const state = new AddressState(ip);
    for (const [type, body] of messages) state.take(routeMessage[type], body);
    return state;
  };
  const linkUp = ['newLink', link(3, 0x1_00_01)] as const;
  const linkDown = ['newLink', link(3, 0)] as const;
  const added = ['newAddress', address(3, 0, attribute(local, ip))] as const;
  const gone = ['deleteAddress', address(3, 0, attribute(local, ip))] as const;

  test.each([
    [[], false, false],
    [[linkUp], false, false],
    [[linkUp, added], true, true],
    [[added, linkUp], true, true],
    [[linkUp, added, linkDown], true, false],
    [[linkUp, added, linkDown, linkUp], true, true],
    [[linkUp, added, gone], false, false],
    [[linkUp, added, ['deleteLink', link(3, 1)]], true, false],
    [[linkUp, ['newAddress', address(3, 0, attribute(local, other))]], false, false],
    [[linkUp, ['newAddress', address(4, 0, attribute(local, ip))]], true, false],
    [[linkUp, ['newAddress', address(3, 0x40, attribute(local, ip))]], false, false],
    [[linkUp, added, ['newLink', link(4, 0)]], true, true],
  ] as const)('%#', (messages, held, up) => {
    const state = told(...messages);
    expect([state.held, state.up]).toEqual([held, up]);
    state.clear();
    expect([state.held, state.up]).toEqual([false, false]);
  });

  test.each([
    ['127.0.0.1', Buffer.of(127, 0, 0, 1)],
    ['127.9.9.9, which only lies in a range of the host', Buffer.of(127, 9, 9, 9)],
    ['a stranger', Buffer.of(203, 0, 113, 1)],
  ])('%s is watched without a word while nothing changes', (_name, bytes) => {
    const changes: boolean[] = [];
    const watch = new AddressWatch(bytes, (up) => changes.push(up));
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    expect(changes).toEqual([]);
  });
});

test('all links and addresses are told before the question returns', () => {
  const types: number[] = [];
  const addresses: string[] = [];
  const socket = new RouteSocket(
    routeGroup.links,
    (type, body) => {
      types.push(type);
      if (type === routeMessage.newAddress) addresses.push(readAddress(body)?.ip.join('.') ?? '');
    },
    () => {},
  );
  onTestFinished(() => socket[Symbol.dispose]());
  socket.ask(routeQuestion.links);
  const links = types.splice(0);
  expect(links.length).toBeGreaterThan(0);
  expect(new Set(links)).toEqual(new Set([routeMessage.newLink]));
  socket.ask(routeQuestion.addresses);
  expect(new Set(types)).toEqual(new Set([routeMessage.newAddress]));
  expect(addresses).toContain('127.0.0.1');
});

test('an interface is watched without a word while nothing changes', () => {
  const changes: boolean[] = [];
  const watch = new LinkWatch(1, (up) => changes.push(up));
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  expect(changes).toEqual([]);
});
