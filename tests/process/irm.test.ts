/** The texts and exit statuses of irmd-and-irm.md 11, for the commands there are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { IrmClient } from '../../runtime/lib/index.ts';
import { program } from '../support/command.ts';
import { TestNode } from '../support/node.ts';

const line = '+---------+----------------------+------------+----------------------+\n';
const nameLine = `+${'-'.repeat(52)}+${'-'.repeat(22)}+\n`;
const nameHead = `${nameLine}| ${'name'.padStart(50)} |  load-balance policy |\n${nameLine}`;
const nameRow = (name: string, policy: string): string =>
  `| ${name.padStart(50)} | ${policy.padStart(20)} |\n`;
const usage = /^Usage: irm /;

test('without an irmd', async () => {
  await using node = TestNode.empty();
  expect(await node.irm('')).toMatchObject({ status: 255, stdout: expect.stringMatching(usage), stderr: '' });
  expect(await node.irm('foo')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: '"foo" is unknown, try "irm help".\n',
  });
  expect(await node.irm('ipcp list')).toMatchObject({
    status: 1,
    stdout: 'Failed to communicate with the Ouroboros IPC Resource Manager daemon.\n',
  });
  expect(JSON.parse((await node.irm('--json ipcp list')).stdout)).toMatchObject({ error: { code: 'EIRMD' } });
});

describe('with an irmd', () => {
  let node: TestNode;
  // One for each group: what a failed test leaves behind would fail those of another.
  const ownNode = (): void => {
    beforeAll(async () => {
      node = await TestNode.start();
    });
    afterAll(() => node[Symbol.asyncDispose]());
  };

  const silent = { status: 0, stdout: '', stderr: '' };
  const refusedSilently = { status: 1, stdout: '' };

  describe('ipcp', () => {
    ownNode();

    test('create, list, bootstrap, destroy', async () => {
      expect(await node.irm('ipcp list')).toEqual({
        ...silent,
        signal: null,
        stdout: 'No IPCPs in system.\n\n',
      });
      expect(await node.irm('ipcp create type local name l1')).toMatchObject(silent);
      const row = (layer: string): RegExp =>
        new RegExp(`^\\| {1,7}\\d+ \\| +l1 \\| +local \\| ${layer} \\|$`, 'm');
      expect((await node.irm('i l')).stdout).toMatch(row('       Not enrolled.'));
      expect(await node.irm('i b n l1 l lan1')).toMatchObject(silent);
      const { stdout } = await node.irm('ipcp list');
      expect(stdout).toMatch(row('                lan1'));
      expect(
        stdout.startsWith(
          `${line}|     pid |                 name |       type |                layer |\n${line}`,
        ),
      ).toBe(true);
      expect(stdout.endsWith(`|\n${line}\n`)).toBe(true);
      expect(await node.irm('i d n l1')).toMatchObject(silent);
      expect((await node.irm('i l')).stdout).toBe('No IPCPs in system.\n\n');
    });

    test('bootstrap creates what is missing, and knows short words and types', async () => {
      expect(await node.irm('i b t l n s l short')).toMatchObject(silent);
      expect((await node.irm('i l l short')).stdout).toContain(
        '|                    s |      local |                short |',
      );
      expect(await node.irm('i b t l n s l short')).toMatchObject(refusedSilently);
      expect(await node.irm('ipcp bootstrap type eth name s layer short')).toMatchObject({
        status: 1,
        stdout: 'Types do not match.\n\n',
      });
      expect(await node.irm('i d n s')).toMatchObject(silent);
    });

    describe('udp', () => {
      const types = async (words: string): Promise<string[]> =>
        [...(await node.irm(`ipcp list ${words}`)).stdout.matchAll(/\| +(\w+) \| +(udp\d?) \|/g)].map(
          ([, name, type]) => `${name} ${type}`,
        );

      test('is a type until there is an address, which says whether it is udp4 or udp6', async () => {
        for (const name of ['u1', 'u2']) await node.manage(`ipcp create type udp name ${name}`);
        expect(await types('')).toEqual(['u1 udp', 'u2 udp']);
        await node.manage('ipcp bootstrap name u1 layer inet ip 127.0.0.1');
        await node.manage('ipcp bootstrap name u2 layer inet ip ::1');
        await node.manage('ipcp create type udp4 name u4');
        await node.manage('ipcp create type udp name u3');
        expect(await types('')).toEqual(['u3 udp', 'u1 udp4', 'u4 udp4', 'u2 udp6']);
        expect(await types('type udp')).toEqual(['u3 udp', 'u1 udp4', 'u4 udp4', 'u2 udp6']);
        expect(await types('type udp4')).toEqual(['u1 udp4', 'u4 udp4']);
        expect(await types('type udp6 layer inet')).toEqual(['u2 udp6']);
        for (const name of ['u1', 'u2', 'u3', 'u4']) await node.manage(`ipcp destroy name ${name}`);
      });

      test('in bootstrap makes an IPCP of the family of its address', async () => {
        await node.manage('i b type udp n u1 l inet ip 127.0.0.1 port 4000');
        await node.manage('i b t ud n u2 l inet ip ::1 port 4000');
        expect(await types('')).toEqual(['u1 udp4', 'u2 udp6']);
        for (const name of ['u1', 'u2']) await node.manage(`ipcp destroy name ${name}`);
      });

      test.each([
        ['udp', 'udp4', '127.0.0.1', 'udp4'],
        ['udp', 'udp6', '::1', 'udp6'],
        ['udp', 'udp', '::1', 'udp6'],
        ['udp4', 'udp', '127.0.0.1', 'udp4'],
        ['udp6', 'udp', '::1', 'udp6'],
      ])('one created as %s is bootstrapped as %s with %s', async (created, asked, ip, type) => {
        await node.manage(`ipcp create type ${created} name u`);
        await node.manage(`ipcp bootstrap type ${asked} name u layer inet ip ${ip}`);
        expect(await types('layer inet')).toEqual([`u ${type}`]);
        await node.manage('ipcp destroy name u');
      });

      const mismatch = 'Types do not match.\n\n';
      test.each([
        ['udp4', 'type udp6 ip ::1', mismatch],
        ['udp4', 'type udp ip ::1', mismatch],
        ['udp6', 'type udp ip 127.0.0.1', mismatch],
        ['udp', 'type eth-dix dev lo', mismatch],
        ['udp4', 'ip ::1', /^Invalid IPv4 address: "::1"\.\nUsage: /],
        ['udp6', 'ip 127.0.0.1', /^Invalid IPv6 address: "127\.0\.0\.1"\.\nUsage: /],
        ['udp', 'ip 0.0.0.0', /^Cannot use IPv4 address: "0\.0\.0\.0"\.\nUsage: /],
        ['udp', 'dev lo', usage],
        ['udp', 'ip 203.0.113.1', /^$/],
        ['udp', 'ip fe80::1', /^$/],
      ])('one created as %s is not bootstrapped with %s', async (created, words, stdout) => {
        await node.manage(`ipcp create type ${created} name u`);
        const result = await node.irm(`ipcp bootstrap name u layer inet ${words}`);
        expect(result).toMatchObject({ status: 1, stdout: expect.stringMatching(stdout) });
        expect(await types('')).toEqual([`u ${created}`]);
        await node.manage('ipcp destroy name u');
      });

      test('over the management socket, what is wrong is refused with a reason', async () => {
        await using irmd = await IrmClient.connect({ path: node.managementSocket });
        const pid = await irmd.createIpcp('u', 'udp');
        for (const [config, message] of [
          [{}, 'a udp layer needs an address'],
          [{ ip: '0.0.0.0' }, '0.0.0.0 is no address of one host'],
          [{ ip: 'fe80::1' }, 'fe80::1 is a link-local address'],
          [{ ip: '127.0.0.1', dns: '::1' }, 'the DNS server ::1 has no IPv4 address'],
          [{ ip: 'localhost' }, expect.stringContaining('config.ip')],
          [{ ip: '127.0.0.1', port: 0 }, expect.stringContaining('config.port')],
          [{ ip: '203.0.113.1' }, expect.stringContaining('EADDRNOTAVAIL')],
        ] as const) {
          await expect(irmd.bootstrapIpcp(pid, 'inet', config)).rejects.toMatchObject({
            code: 'EINVAL',
            message,
          });
        }
        await irmd.destroyIpcp(pid);
      });
    });

    test('autobind is for types that accept flows: it is said, and the IPCP is made', async () => {
      expect(await node.irm('i b t l n l3 l l3l autobind')).toMatchObject({
        status: 0,
        stdout: 'Can not bind this IPCP type,autobind disabled.\n\n',
      });
      await node.manage('i d n l3');
    });

    test('list shows what is asked for', async () => {
      await node.manage('i b t local n f1 l fa');
      await node.manage('i b t local n f2 l fb');
      const names = async (words: string): Promise<string[]> =>
        [...(await node.irm(`ipcp list ${words}`)).stdout.matchAll(/\| +(f\d) \|/g)].map(
          ([, name]) => name ?? '',
        );
      expect(await names('')).toEqual(['f1', 'f2']);
      expect(await names('name f2')).toEqual(['f2']);
      expect(await names('layer fa')).toEqual(['f1']);
      expect(await names('name f*')).toEqual(['f1', 'f2']);
      expect(await names('type local layer fb')).toEqual(['f2']);
      expect(await names('type eth-dix')).toEqual([]);
      expect(await node.irm('i l type foo')).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(usage),
      });
      expect(await node.irm('i l foo x')).toMatchObject({
        status: 1,
        stdout: '"foo" is unknown, try "irm ipcp list".\n',
      });
      await node.manage('i d n f1');
      await node.manage('i d n f2');
    });

    test.each([
      ['i b n x l y t eth-dix', usage],
      ['i b n x l y t eth-llc', usage],
      ['i b n x l y t udp4', usage],
      ['i b n x l y t udp', usage],
      ['i b n missing l y', /^No IPCPs matching missing found\.\n\n$/],
    ] as const)('irm %s', async (words, stdout) => {
      expect(await node.irm(words)).toMatchObject({ status: 1, stdout: expect.stringMatching(stdout) });
    });

    test('duplicates, the empty name and unknown devices are refused without a text', async () => {
      await node.manage('i c n d t local');
      expect(await node.irm('i c n d t local')).toMatchObject(refusedSilently);
      expect(await node.run(program('irm'), ['i', 'c', 'n', '', 't', 'local'])).toMatchObject(
        refusedSilently,
      );
      const device = await node.irm('i b n e l lan t eth-dix dev nosuch0');
      expect(device).toMatchObject(refusedSilently);
      expect(device.stderr).toContain('nosuch0');
      expect((await node.irm('i l n e')).stdout).toContain('Not enrolled.');
      await node.manage('i d n e');
      // Destroying what is not there is fine while there are others, and fails when there are none.
      expect(await node.irm('i d n nobody')).toMatchObject(silent);
      await node.manage('i d n d');
      expect(await node.irm('i d n nobody')).toMatchObject(refusedSilently);
    });
  });

  describe('name', () => {
    ownNode();

    test('create, list, destroy', async () => {
      expect((await node.irm('name list')).stdout).toBe('No names in system.\n\n');
      expect(await node.irm('name create foo')).toMatchObject(silent);
      expect(await node.irm('n c bar lb spillover')).toMatchObject(silent);
      expect(await node.irm('n c bar')).toMatchObject(silent);
      expect((await node.irm('n l')).stdout).toBe(
        `${nameHead}${nameRow('bar', 'spillover')}${nameRow('foo', 'round-robin')}${nameLine}`,
      );
      expect((await node.irm('n l fo')).stdout).toBe(
        `${nameHead}${nameRow('foo', 'round-robin')}${nameLine}`,
      );
      expect((await node.irm('n l x')).stdout).toBe('No names in system.\n\n');
      expect(await node.irm('n d foo')).toMatchObject(silent);
      expect(await node.irm('n d foo')).toMatchObject(refusedSilently);
      await node.manage('n d bar');
    });

    test.each([['n r x layer y', /^Failed to list IPCPs\.\n$/]] as const)('irm %s', async (words, stdout) => {
      expect(await node.irm(words)).toMatchObject({ status: 1, stdout: expect.stringMatching(stdout) });
    });

    test('register and unregister, by layer and by IPCP, with wildcards', async () => {
      await node.manage('i b t local n r1 l ra');
      await node.manage('i b t local n r2 l rb');
      await node.manage('i c t local n r3');
      expect(await node.irm('n r svc layer ra')).toMatchObject(silent);
      expect((await node.irm('n l')).stdout).toContain(nameRow('svc', 'spillover'));
      expect(await node.irm('n r svc ipcp r1 r2')).toMatchObject(silent);
      expect(await node.irm('n r svc layer r*')).toMatchObject(silent);
      expect(await node.irm('n r svc layer nothing')).toMatchObject(silent);
      expect(await node.irm('n r svc ipcp r3')).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(/^Failed to register with /),
      });
      expect(await node.irm('n u svc layer ra layer rb')).toMatchObject(silent);
      expect(await node.irm('n u nosuch layer ra')).toMatchObject(refusedSilently);
      for (const name of ['r1', 'r2', 'r3']) await node.manage(`i d n ${name}`);
      await node.manage('n d svc');
    });

    test('250 names are listed as well', async () => {
      await using irmd = await IrmClient.connect({ path: node.managementSocket });
      for (let index = 0; index < 250; index += 1) await irmd.createName(`long-name-of-a-service-${index}`);
      expect((await node.irm('n l long')).stdout.split('\n')).toHaveLength(250 + 5);
    });
  });

  describe('bind', () => {
    ownNode();

    test('a process', async () => {
      const server = await node.startServer();
      expect(await node.irm(`bind process ${server.pid} name p`)).toMatchObject(silent);
      expect(await node.irm(`b proc ${server.pid} n p`)).toMatchObject(refusedSilently);
      expect((await node.oping('-n', 'p', '-c', '1', '-i', '1')).stdout).toContain('1 received');
      expect(await node.irm(`unbind process ${server.pid} name p`)).toMatchObject(silent);
      expect(await node.irm(`unbind process ${server.pid} name p`)).toMatchObject(refusedSilently);
      expect((await node.oping('-n', 'p', '-c', '1')).stdout).toBe('Failed to allocate flow: -1003.\n');
      await server.kill('SIGTERM');
    });

    test('a program, as often as there are names', async () => {
      expect(await node.irm(`bind program ${program('oping')} name q1`)).toMatchObject(silent);
      expect(await node.irm(`b p ${program('oping')} n q2`)).toMatchObject(silent);
      expect(await node.irm(`b p ${program('oping')} n q2`)).toMatchObject({
        status: 1,
        stdout: `Cannot execute ${program('oping')}, please check permissions.\n`,
      });
      const server = await node.startServer();
      for (const name of ['q1', 'q2']) {
        expect((await node.oping('-n', name, '-c', '1', '-i', '1')).stdout).toContain('1 received');
      }
      expect(await node.irm('unbind program oping name q1')).toMatchObject(silent);
      expect(await node.irm('unbind program oping')).toMatchObject(silent);
      expect(await node.irm('unbind program oping')).toMatchObject(refusedSilently);
      await server.kill('SIGTERM');
    });

    test('a program that is not there, or cannot be executed', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'o7s-bind-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      writeFileSync(join(folder, 'text'), '', { mode: 0o644 });
      expect(await node.irm('b p nosuchprogram n x')).toMatchObject({
        status: 1,
        stdout: 'nosuchprogram does not exist.\n',
      });
      expect(await node.irm(`b p ${folder}/nosuch n x`)).toMatchObject({
        status: 1,
        stdout: `${folder}/nosuch does not exist.\n`,
      });
      expect(await node.irm(`b p ${folder}/text n x`)).toMatchObject({
        status: 1,
        stdout: `Cannot execute ${folder}/text, please check permissions.\n`,
      });
      // What is in the current folder comes before PATH, even a folder.
      expect(await node.irm(`b p ${folder} n x`)).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('Cannot execute'),
      });
    });

    test.each([
      [`b proc ${process.pid} n x`, /^$/],
      ['u p sh n x', /^$/],
      ['u proc 1 n x', /^$/],
    ] as const)('irm %s', async (words, stdout) => {
      expect(await node.irm(words)).toMatchObject({ status: 1, stdout: expect.stringMatching(stdout) });
    });
  });
});
