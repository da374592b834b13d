import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { program, run } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

async function start(...irmdArguments: string[]): Promise<TestNode> {
  const node = TestNode.empty();
  await node.startIrmd(...irmdArguments);
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

describe('start and stop', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s ends it in order and leaves nothing',
    async (signal) => {
      const node = await start();
      const ipcpd = await node.ipcpd();
      await until('both sockets', () => node.files().length === 4);
      expect(node.files()).toEqual([`ipcpd-${ipcpd}.sock`, 'irm.sock', 'irmd.lock', 'irmd.sock']);
      const { status, stdout } = await node.irmd.kill(signal);
      expect(status).toBe(0);
      expect(stdout).toContain('IRMd shutting down...');
      expect(stdout).toMatch(/daemon exited\. Bye\.\n$/);
      expect(node.files()).toEqual([]);
      expect(node.processes()).toEqual([]);
    },
  );

  test('a second signal does not cut the clean-up short', async () => {
    const node = await start();
    node.irmd.child.kill('SIGTERM');
    node.irmd.child.kill('SIGTERM');
    node.irmd.child.kill('SIGINT');
    expect((await node.irmd.finished).status).toBe(0);
    expect(node.files()).toEqual([]);
  });

  test('applications are for everyone, management is not', async () => {
    const node = await start();
    expect(statSync(node.applicationSocket).mode & 0o777).toBe(0o666);
    expect(statSync(node.managementSocket).mode & 0o777).toBe(0o660);
  });

  test('its processes are told to end with it', async () => {
    const node = await start();
    const server = await node.serve('x');
    await node.stop();
    expect((await server.finished).status).toBe(0);
  });

  test('log lines name the process, the part and the level', async () => {
    const node = await start();
    await node.manage('name create x');
    const pid = String(node.irmd.pid).padStart(5, '0');
    expect(node.log).toContain(`==${pid}== irmd(II): Created new name: x.\n`);
  });

  test('as JSON each line is an object', async () => {
    const node = TestNode.empty();
    onTestFinished(() => node[Symbol.asyncDispose]());
    await node.startIrmd('--log-json');
    await node.manage('i b t local n l1 l lan');
    const server = await node.serve('x');
    await node.manage('n r x l lan');
    expect((await node.oping('-n', 'x', '-c', '1', '-i', '1')).status).toBe(0);
    await server.kill('SIGTERM');
    const { stdout } = await node.stop();
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const optional = { event: 'string', layer: 'string', ipcp: 'string', flow: 'number' };
    for (const { time, pid, component, level, text, ...rest } of lines) {
      expect(new Date(String(time)).toISOString()).toBe(time);
      expect([typeof pid, typeof text]).toEqual(['number', 'string']);
      expect(component).toMatch(/^[a-z]/);
      expect(level).toMatch(/^(EE|WW|II|DB)$/);
      for (const [key, value] of Object.entries(rest)) {
        expect(typeof value, key).toBe(optional[key as keyof typeof optional]);
      }
    }
    const about = (event: string): unknown => lines.find((line) => line['event'] === event);
    expect(about('ipcp.bootstrapped')).toMatchObject({ ipcp: 'l1', layer: 'lan', component: 'irmd' });
    expect(about('name.registered')).toMatchObject({ ipcp: 'l1', layer: 'lan' });
    expect(about('flow.allocated')).toMatchObject({ flow: 1 });
    expect(lines.find(({ component }) => component === 'ipcpd/ipcp')).toMatchObject({ ipcp: 'l1' });
  });

  test('--version and anything unknown', async () => {
    const version = await run(program('irmd'), ['--version', '--foo']);
    expect(version).toMatchObject({ status: 0, stderr: '' });
    expect(version.stdout).toMatch(/^Ouroboros version 0\.23\.0\n/);
    const usage = await run(program('irmd'), ['--foo']);
    expect(usage).toMatchObject({ status: 1, stderr: '' });
    expect(usage.stdout).toMatch(/^Usage: irmd/);
  });
});

describe('one a directory', () => {
  test('a second one is told who runs, and changes nothing', async () => {
    const node = await start();
    const second = await node.run(program('irmd'), ['--stdout']);
    expect(second.status).toBe(1);
    expect(second.stdout).toContain(`(WW): IRMd already running (${node.irmd.pid}), exiting.`);
    await node.manage('name create x');
  });

  test('what one that was killed left behind is cleaned', async () => {
    const node = await start();
    const ipcpd = await node.ipcpd();
    await until('all sockets', () => node.files().length === 4);
    await node.irmd.kill('SIGKILL');
    await until('ipcpd to follow', () => node.processes().length === 0);
    expect(node.files()).toContain('irmd.lock');
    expect(node.files()).toContain('irmd.sock');
    await node.startIrmd();
    expect(node.log).toContain("(WW): IRMd didn't properly shut down last time.");
    expect(node.log).toContain('(WW): Stale resources cleaned.');
    await node.manage('name create x');
    const fresh = await node.ipcpd();
    expect(fresh).not.toBe(ipcpd);
    await until('all sockets', () => node.files().length === 4);
    expect(node.files()).not.toContain(`ipcpd-${ipcpd}.sock`);
    await node.stop();
    expect(node.files()).toEqual([]);
  });

  test('a lock whose pid is another process now is no lock', async () => {
    const node = TestNode.empty();
    onTestFinished(() => node[Symbol.asyncDispose]());
    writeFileSync(`${node.directory}/irmd.lock`, String(process.pid));
    await node.startIrmd();
    expect(readFileSync(`${node.directory}/irmd.lock`, 'utf8')).toBe(String(node.irmd.pid));
  });
});

describe('ipcpd', () => {
  test('that is stopped does not hold up who destroys its IPCP', async () => {
    const destroy = async (mode: 'shared' | 'process'): Promise<void> => {
      const node = TestNode.empty();
      onTestFinished(() => node[Symbol.asyncDispose]());
      await node.startIrmd('--ipcpd', mode);
      await node.manage('i b t local n l l ll');
      const ipcpd = await node.ipcpd();
      process.kill(ipcpd, 'SIGSTOP');
      const { status, stderr } = await node.irm('i d n l');
      await node.logged('irmd(WW): IPCP destroy timed out after 10000 ms.\n');
      if (mode === 'shared') {
        expect(status).toBe(1);
        expect(stderr).toContain(`ipcpd ${ipcpd} did not answer ipcp.destroy within 10000 ms`);
        expect(stderr).toContain(`\`kill -9 ${ipcpd}\``);
        process.kill(ipcpd, 'SIGCONT');
        // It has done by now what it was asked for.
        expect((await node.irm('i d n l')).status).toBe(0);
      } else expect(status).toBe(0);
      expect(await node.irm('i l')).toMatchObject({ status: 0, stdout: 'No IPCPs in system.\n\n' });
      expect((await node.stop()).status).toBe(0);
      expect([node.files(), node.processes()]).toEqual([[], []]);
    };
    await Promise.all([destroy('shared'), destroy('process')]);
  });

  test('ends with irmd, however that ends', async () => {
    const node = await start();
    await node.ipcpd();
    await node.manage('i b t local n l l lan');
    await node.irmd.kill('SIGKILL');
    await until('ipcpd to follow', () => node.processes().length === 0);
    expect(node.files().filter((name) => name.startsWith('ipcpd'))).toEqual([]);
  });

  test('that is killed is told, its IPCPs are gone, and a new one serves', async () => {
    const node = await start();
    await node.manage('i b t local n l1 l lan1');
    await node.manage('i b t local n l2 l lan2');
    const ipcpd = await node.ipcpd();
    process.kill(ipcpd, 'SIGKILL');
    await node.logged(`ipcpd ${ipcpd} ended with SIGKILL; its IPCPs and flows are gone.`);
    await node.logged('(l2) crashed.');
    expect(node.log).toMatch(/\(EE\): IPCP \d+ \(l1\) crashed\./);
    expect(node.log).toMatch(/\(EE\): IPCP \d+ \(l2\) crashed\./);
    expect(await node.manage('ipcp list')).toBe('No IPCPs in system.\n\n');
    await until('a new ipcpd', async () => (await node.irm('i b t local n l1 l lan1')).status === 0);
    expect(await node.manage('ipcp list')).toContain('|                   l1 |');
    expect(await node.ipcpd()).not.toBe(ipcpd);
    expect(node.files().filter((name) => name.startsWith('ipcpd'))).toHaveLength(1);
  });

  test.each(['shared', 'process'] as const)('%s: one IPCP is killed, the others stay', async (mode) => {
    const node = await start('--ipcpd', mode);
    await node.manage('i b t local n l1 l lan1');
    await node.manage('i b t local n l2 l lan2');
    const pid = await node.ofIpcp('l1', async (irmd, ipcp) => {
      await irmd.killIpcp(ipcp.pid);
      await expect(irmd.killIpcp(ipcp.pid)).rejects.toMatchObject({ code: 'EIPCP' });
      return ipcp.pid;
    });
    await node.logged(`IPCP ${pid} (l1) crashed.`);
    expect(node.log).toMatch(/irmd\(II\): Instantiated \S+\/ipcpd\.cjs as process \d+\.\n/);
    const list = await node.manage('ipcp list');
    expect(list).toContain('|                   l2 |');
    expect(list).not.toContain(' l1 ');
    await node.manage('i b t local n l1 l lan1');
    expect(node.log).not.toMatch(/\(l2\) crashed/);
  });
});
