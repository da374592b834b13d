/** What a node counts, as `irm metrics` prints and serves it. */
import { expect, onTestFinished, test } from 'vitest';
import { program } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

test('once, for Prometheus, InfluxDB and scripts; and over HTTP, until irmd ends', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  await node.manage('ipcp bootstrap type local name lo layer here');
  const info = 'o7s_ipcp_info{ipcp="lo",type="local",layer="here",address="",device=""} 1\n';
  expect(await node.manage('metrics')).toContain(info);
  expect(await node.manage('metrics influx')).toMatch(
    /^o7s_ipcp_info,ipcp=lo,layer=here,type=local value=1 \d{19}$/m,
  );
  const json = JSON.parse(await node.manage('metrics --json')) as {
    name: string;
    values: { value: number }[];
  }[];
  expect(json.find(({ name }) => name === 'o7s_ipcps')?.values).toEqual([{ labels: {}, value: 1 }]);
  for (const words of ['metrics foo', 'metrics listen', 'metrics listen 70000', 'metrics listen x:']) {
    expect(await node.irm(words)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^Usage:/) as unknown,
    });
  }

  const exporter = node.spawn(program('irm'), ['metrics', 'listen', '0']);
  const port = await until(
    'the port',
    () => /listening on 127\.0\.0\.1 port (\d+)/.exec(exporter.stderr)?.[1],
  );
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  expect(await answer.text()).toContain(info);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  const taken = await node.irm(`metrics listen ${port}`);
  expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  await node.stop();
  await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => {});
  expect((await exporter.finished).status).toBe(1);
});
