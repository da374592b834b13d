import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressText,
  familyOf,
  isNeighbour,
  makeAddress,
  overlap,
  parseAddress,
  sameNetwork,
} from './ip-address.ts';

const parse = (text: string): ReturnType<typeof parseAddress> => parseAddress(text, 'e1');

test.each([
  ['10.0.0.1/30', '10.0.0.1/30', 0x0a00_0001n],
  ['192.168.255.254/31', '192.168.255.254/31', 0xc0a8_fffen],
  ['FD6F:0037:0:0::0001/64', 'fd6f:37::1/64', (0xfd6f_0037n << 96n) + 1n],
  ['2001:db8:0:0:1:0:0:1/128', '2001:db8::1:0:0:1/128', 0x2001_0db8_0000_0000_0001_0000_0000_0001n],
  ['fd00::10.0.0.1/64', 'fd00::a00:1/64', (0xfd00n << 112n) + 0x0a00_0001n],
  ['fd00::/8', 'fd00::/8', 0xfd00n << 112n],
])('%s is %s', (text, canonical, value) => {
  const address = parse(text);
  expect([addressText(address), address.value]).toEqual([canonical, value]);
});

test('an address has one spelling, which reads back as itself', () => {
  const ipv4 = fc.bigInt({ min: 0x0100_0000n, max: 0x7eff_ffffn }).map((value) => makeAddress(4, value, 32));
  // Of fc00::/7, where nothing is reserved.
  const ipv6 = fc
    .bigInt({ min: 0xfc00n << 112n, max: (0xfe00n << 112n) - 1n })
    .map((value) => makeAddress(6, value, 128));
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      expect(parse(addressText(address))).toEqual(address);
    }),
  );
});

test.each([
  ['10.0.0.1/30', '10.0.0.2/30', [true, true, true]],
  ['10.0.0.1/24', '10.0.0.2/30', [true, false, true]],
  ['10.0.0.1/30', '10.0.0.5/29', [false, false, true]],
  ['10.0.0.1/30', '10.0.0.5/30', [false, false, false]],
  ['10.0.0.1/32', '10.0.0.2/32', [false, false, false]],
  ['fd00::1/64', 'fd00::2/64', [true, true, true]],
  ['fd00::1/64', 'fd00:0:0:1::2/64', [false, false, false]],
  ['fd00::1/8', '10.0.0.1/8', [false, false, false]],
])('%s and %s: neighbours, one network, overlap %j', (one, other, expected) => {
  const pair = [parse(one), parse(other)] as const;
  expect([isNeighbour(...pair), sameNetwork(...pair), overlap(...pair)]).toEqual(expected);
});

test('an address is what Node takes for one, without a zone', () => {
  const strange = [
    '',
    ':',
    '::',
    '1::',
    '::1.2.3.4',
    '1:2:3:4:5:6:7::',
    '01.2.3.4',
    '1.2.3',
    '::1%e1',
    '[::1]',
  ];
  const digits = fc.string({
    unit: fc.constantFrom('0', '1', '25', 'f', ':', '::', '.', 'g', '%'),
    maxLength: 20,
  });
  const near = fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(40), digits)
    .map(([ip, at, more]) => ip.slice(0, at) + more + ip.slice(at + more.length));
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...strange), fc.ipV4(), fc.ipV6(), digits, near), (ip) => {
      const known = isIPv6(ip) && !ip.includes('%') ? 6 : undefined;
      expect(familyOf(ip)).toBe(isIPv4(ip) ? 4 : known);
    }),
    { numRuns: 2000 },
  );
});
