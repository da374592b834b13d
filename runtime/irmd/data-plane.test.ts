/** What irmd does where ipcpd cannot be started. That it runs is tested with whole daemons. */
import { expect, onTestFinished, test } from 'vitest';
import { Logger } from '../lib/log.ts';
import { DataPlane } from './data-plane.ts';
import { SeparateDataPlanes } from './data-planes.ts';

/** Runs something while no Node can be started. */
async function withoutNode(work: () => Promise<void>): Promise<void> {
  const { execPath } = process;
  onTestFinished(() => void (process.execPath = execPath));
  process.execPath = '/nonexistent/node';
  await work();
}

const logged: string[] = [];
const options = {
  log: new Logger(({ text }) => logged.push(text), 'irmd'),
  logArguments: () => [],
  handler: () => null,
  onCrash: () => {},
};
const cannot = expect.objectContaining({
  code: 'EIPCP',
  message: expect.stringMatching(/^cannot start ipcpd: .*ENOENT/),
}) as unknown;

test.each([false, true])('who waits for it is told, and it stops (another is tried: %s)', (respawn) =>
  withoutNode(async () => {
    const plane = new DataPlane({ ...options, respawn });
    await expect(plane.ready()).rejects.toEqual(cannot);
    await expect(plane.call('log.level', { level: 'EE' })).rejects.toEqual(cannot);
    expect(logged.splice(0)).toEqual([expect.stringMatching(/^Failed to spawn ipcpd: .*ENOENT/)]);
    await plane.stop();
    await plane.kill();
  }),
);

test('an IPCP that was to have a process of its own leaves nothing', () =>
  withoutNode(async () => {
    const planes = new SeparateDataPlanes(options);
    await expect(planes.place()).rejects.toEqual(cannot);
    await planes.setLogLevel('EE');
    await planes.stop();
  }));
