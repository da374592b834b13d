/** udp layers that register with a DNS server of the distribution, and look names up there. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DnsServer, dnsServerMissing } from '../support/dns-server.ts';
import { addresses, bootstrapWords, hostNameOf, LinkNet } from '../support/link-net.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing() ?? dnsServerMissing;

/** Prints what a server answers, as JSON: `node -e ask SERVER TYPE NAME`. */
const ask = `
  const [server, type, name] = process.argv.slice(1);
  const { Resolver } = require('node:dns').promises;
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([server]);
  resolver.resolve(name, type).catch((error) => error.code).then((answer) => console.log(JSON.stringify(answer)));
`;

describe.each([
  ['udp4', 'A', 'AAAA'],
  ['udp6', 'AAAA', 'A'],
] as const)('%s', (kind, type, other) => {
  const server = addresses.b[kind];
  let net: LinkNet;
  let dns: DnsServer;

  beforeEach(({ skip }) => skip(missing !== undefined, missing));
  beforeAll(async () => {
    if (missing !== undefined) return;
    net = await LinkNet.start();
    dns = await DnsServer.start(net.pair.b, [addresses.b.udp4, addresses.b.udp6]);
    for (const end of ['a', 'b'] as const) await net[end].manage(bootstrapWords(kind, end, `dns ${server}`));
    await net.b.serve('ping.b', '-Q');
  });
  afterAll(async () => {
    if (missing !== undefined) return;
    await dns[Symbol.asyncDispose]();
    await net[Symbol.asyncDispose]();
  });

  const lookUp = async (record: string, name: string): Promise<unknown> => {
    const host = server.includes(':') ? `[${server}]` : server;
    return JSON.parse(
      await net.pair.a.run(process.execPath, '-e', ask, host, record, `${hostNameOf(name)}.`),
    );
  };
  const registered = (expected: unknown): Promise<unknown> =>
    until(`the answer ${JSON.stringify(expected)}`, async () => {
      const answer = await lookUp(type, 'ping.b');
      return JSON.stringify(answer) === JSON.stringify(expected);
    });

  test('a name that is not registered is unknown', async () => {
    expect(await lookUp(type, 'ping.b')).toBe('ENOTFOUND');
    const { status, stdout } = await net.a.oping('-n', 'ping.b', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
  });

  test(`registration adds a record ${type} of the layer's address, and the name is found`, async () => {
    await net.b.manage('name register ping.b layer lan');
    await registered([server]);
    expect(await lookUp(other, 'ping.b')).toBe('ENODATA');
    const { stdout } = await net.a.oping('-n', 'ping.b', '-c', '3', '-i', '5');
    expect(stdout).toContain('3 packets transmitted, 3 received');
  });

  test('twice is as once, and a second name is a record of its own', async () => {
    await net.b.manage('name register ping.b layer lan');
    await net.b.manage('name register second layer lan');
    await until('the second', async () => JSON.stringify(await lookUp(type, 'second')) === `["${server}"]`);
    await registered([server]);
  });

  test('unregistration deletes it, and nothing else', async () => {
    await net.b.manage('name unregister ping.b layer lan');
    await registered('ENOTFOUND');
    expect(await lookUp(type, 'second')).toEqual([server]);
    // The answer is remembered for a while at a node that has asked; one that has not finds nothing.
    await net.a.manage('ipcp destroy name e0');
    await net.a.manage(bootstrapWords(kind, 'a', `dns ${server}`));
    const { stdout } = await net.a.oping('-n', 'ping.b', '-c', '1');
    expect(stdout).toBe('Failed to allocate flow: -1007.\n');
  });

  test('a server that is gone is told in the log, and stops nothing', async () => {
    await dns[Symbol.asyncDispose]();
    await net.b.manage('name register third layer lan');
    await net.b.logged(`did not take the update for ${hostNameOf('third')}`);
    expect(await net.b.manage('ipcp list')).toContain('lan');
    const { status, stdout } = await net.a.oping('-n', 'third', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
    await net.a.logged(`Could not resolve ${hostNameOf('third')}: ${server}: `);
  });
});
