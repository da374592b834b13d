import { describe, expect, onTestFinished, test } from 'vitest';
import { program } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

async function start(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

const time = String.raw`(\d+\.\d{3} ms|\d+\.\d{3} µs)`;

describe('a direct flow', () => {
  test('3 of 3, in the form of the manual', async () => {
    const node = await start();
    const server = await node.serve('x');
    const { status, stdout, stderr } = await node.oping('-n', 'x', '-c', '3', '-i', '10');
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('Pinging x with 64 bytes of data (3 packets):');
    expect(lines[1]).toBe('');
    for (const seq of [0, 1, 2]) {
      expect(lines[2 + seq]).toMatch(new RegExp(`^64 bytes from x: seq=${seq} time=${time}$`));
    }
    expect(lines[5]).toBe('');
    expect(lines[6]).toBe('--- x ping statistics ---');
    expect(lines[7]).toMatch(
      /^3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss, time: \d+\.\d{3} ms$/,
    );
    expect(lines[8]).toMatch(/^rtt min\/avg\/max\/mdev = (\d+\.\d{3}\/){3}\d+\.\d{3} (ms|µs)$/);
    expect(lines.slice(9)).toEqual(['']);
    expect(server.stdout).toBe(
      'Ouroboros ping server started.\nNew flow 64.\n' + 'Received 64 bytes on fd 64.\n'.repeat(3),
    );
    expect(node.log).toContain('(direct)');
    expect((await server.kill('SIGTERM')).status).toBe(0);
  });

  test('quiet, in flood, busy, with the time of day, with other sizes', async () => {
    const node = await start();
    await node.serve('x', '-Q');
    const quiet = await node.oping('-n', 'x', '-c', '2', '-i', '1', '-Q');
    expect(quiet.stdout).toMatch(/^\n--- x ping statistics ---\n2 packets transmitted, 2 received/);
    const flood = await node.oping('-n', 'x', '-c', '1000', '-f', '-s', '1500', '-Q');
    expect(flood.stdout).toContain('1000 packets transmitted, 1000 received, 0 out-of-order, 0% packet loss');
    const busy = await node.oping('-n', 'x', '-c', '100', '-F');
    expect(busy.stdout).toContain('(100 packets, busy-poll):');
    expect(busy.stdout).toContain('100 packets transmitted, 100 received');
    const stamped = await node.oping('-n', 'x', '-c', '1', '-i', '1', '-D', '-s', '1500');
    expect(stamped.stdout).toMatch(/\n\[\d+\.\d{6}\] 1500 bytes from x: seq=0 time=/);
    expect(stamped.stdout).toContain('/NaN ');
    expect(stamped.stderr).toBe('');
  });

  test('a server that polls, and one that is busy and serves one flow', async () => {
    const node = await start();
    const poll = await node.serve('poll', '--poll');
    expect((await node.oping('-n', 'poll', '-c', '3', '-i', '1', '-Q')).stdout).toContain('3 received');
    await poll.kill('SIGTERM');
    const busy = await node.serve('busy', '--busy');
    expect((await node.oping('-n', 'busy', '-c', '3', '-i', '1', '-Q')).stdout).toContain('3 received');
    expect(await busy.finished).toMatchObject({ status: 0, stdout: 'New flow 64 (busy-poll).\n' });
  });

  test('no packets', async () => {
    const node = await start();
    await node.serve('x');
    const { status, stdout } = await node.oping('-n', 'x', '-c', '0');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Pinging x with 64 bytes of data \(0 packets\):\n\n\n--- x ping statistics ---\n0 packets transmitted, 0 received, 0 out-of-order, 0% packet loss, time: \d+\.\d{3} ms\n$/,
    );
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends a client with its statistics',
    async (signal) => {
      const node = await start();
      await node.serve('x');
      const client = node.spawn(program('oping'), ['-n', 'x', '-i', '20']);
      await until('a reply', () => client.stdout.includes('seq=0'));
      const { status, stdout } = await client.kill(signal);
      expect(status).toBe(0);
      expect(stdout).toContain('--- x ping statistics ---');
    },
  );

  test('a server that is killed', async () => {
    const node = await start();
    const server = await node.serve('x');
    const client = node.spawn(program('oping'), ['-n', 'x', '-i', '20', '-c', '100000']);
    await until('a reply', () => client.stdout.includes('seq=0'));
    await server.kill('SIGKILL');
    const { status, stdout } = await client.finished;
    expect(status).toBe(0);
    expect(stdout).toContain('--- x ping statistics ---');
    await node.processGone(server.pid);
    // The name is free for the next.
    await node.serve('x');
    expect((await node.oping('-n', 'x', '-c', '1', '-i', '1')).stdout).toContain('1 received');
  });

  test('servers of a bound program take turns', async () => {
    const node = await start();
    await node.manage('name create x lb round-robin');
    await node.manage(`bind program ${program('oping')} name x`);
    const servers = [await node.startServer(), await node.startServer()];
    await until('both to accept', () => servers.every(({ stdout }) => stdout.includes('started')));
    for (let round = 0; round < 4; round += 1) {
      expect((await node.oping('-n', 'x', '-c', '1', '-i', '1')).stdout).toContain('1 received');
    }
    expect(servers.map(({ stdout }) => stdout.split('New flow').length - 1)).toEqual([2, 2]);
  });
});

describe('failures', () => {
  test('an unknown name', async () => {
    const node = await start();
    const { status, stdout, stderr } = await node.oping('-n', 'nobody', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
    expect(stderr).toMatch(/^oping: .*nobody.*\n$/);
  });

  test('a name without a server', async () => {
    const node = await start();
    await node.manage('name create x');
    const { status, stdout } = await node.oping('-n', 'x', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1003.\n']);
  });

  test('no irmd', async () => {
    const node = TestNode.empty();
    onTestFinished(() => node[Symbol.asyncDispose]());
    const { status, stdout, stderr } = await node.oping('-n', 'x');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^FATAL: Could not announce to IRMd\.\n/);
  });

  test('a server ends when irmd is gone', async () => {
    const node = await start();
    const server = await node.serve('x');
    await node.irmd.kill('SIGKILL');
    expect(await server.finished).toMatchObject({
      status: 1,
      stdout: 'Ouroboros ping server started.\nFailed to accept flow: -1002 \n',
    });
  });

  test('usage', async () => {
    const node = TestNode.empty();
    onTestFinished(() => node[Symbol.asyncDispose]());
    const help = await node.oping('--help');
    expect([help.status, help.stdout.split('\n')[0]]).toEqual([0, 'Usage: oping [OPTION]...']);
    const wrong = await node.oping('--foo');
    expect([wrong.status, wrong.stdout]).toEqual([1, help.stdout]);
    const nameless = await node.oping();
    expect([nameless.status, nameless.stdout]).toEqual([1, `No server specified.\n${help.stdout}`]);
    const unit = await node.oping('-n', 'x', '-i', '5x');
    expect([unit.status, unit.stdout]).toEqual([1, 'Unknown time unit: x.\n']);
  });
});
