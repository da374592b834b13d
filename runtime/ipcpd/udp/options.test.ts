import { describe, expect, test } from 'vitest';
import { udpOptions } from './options.ts';

const text = (message: string): Error => expect.objectContaining({ code: 'EINVAL', message }) as Error;

test.each([
  [undefined, '10.0.0.1', 4],
  [4, '10.0.0.1', 4],
  [4, '127.0.0.1', 4],
  [undefined, 'fd00::1', 6],
  [6, 'fd00::1', 6],
  [6, '::1', 6],
] as const)('family %s with %s is IPv%i, port 3435, without a DNS server', (asked, ip, family) => {
  expect(udpOptions(asked, { ip })).toEqual({ family, ip, port: 3435, dns: undefined });
});

test('port and DNS server are taken as given', () => {
  const given = { ip: '10.0.0.1', port: 4000, dns: '10.0.0.53' };
  expect(udpOptions(4, given)).toEqual({ family: 4, ...given });
  expect(udpOptions(undefined, { ip: 'fd00::1', dns: 'fd00::53' }).dns).toBe('fd00::53');
});

describe('refused', () => {
  test('no address', () => {
    expect(() => udpOptions(4, {})).toThrow(text('a udp layer needs an address'));
  });

  test.each([
    [4, 'fd00::1', 'fd00::1 is not an IPv4 address'],
    [6, '10.0.0.1', '10.0.0.1 is not an IPv6 address'],
    [undefined, 'localhost', 'localhost is not an IP address'],
    [6, 'fe80::1%eth0', 'fe80::1%eth0 is not an IPv6 address'],
    [6, '::ffff:10.0.0.1', '::ffff:10.0.0.1 is not an IPv6 address'],
    [4, '0.0.0.0', '0.0.0.0 is no address of one host'],
    [4, '255.255.255.255', '255.255.255.255 is no address of one host'],
    [4, '224.0.0.1', '224.0.0.1 is no address of one host'],
    [6, '::', ':: is no address of one host'],
    [6, '0:0::0.0.0.0', '0:0::0.0.0.0 is no address of one host'],
    [6, 'ff02::1', 'ff02::1 is no address of one host'],
    [6, 'fe80::1', 'fe80::1 is a link-local address'],
  ] as const)('family %s with %s', (asked, ip, message) => {
    expect(() => udpOptions(asked, { ip })).toThrow(text(message));
  });

  test.each([
    ['10.0.0.1', 'fd00::53', 'the DNS server fd00::53 has no IPv4 address'],
    ['fd00::1', '10.0.0.53', 'the DNS server 10.0.0.53 has no IPv6 address'],
    ['fd00::1', 'ns', 'the DNS server ns has no IPv6 address'],
  ])('%s with the DNS server %s', (ip, dns, message) => {
    expect(() => udpOptions(undefined, { ip, dns })).toThrow(text(message));
  });
});
