import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { CommandResult, LabNode } from '../testbeds/testbed.ts';
import { IrmManager } from './irm-manager.ts';

const execute = promisify(execFile);

/** A node whose `irm` is a script; the script finds its own folder in $place and has noted its words in $place/said. */
async function nodeOf(script: string): Promise<{ node: LabNode; said: () => Promise<string[]> }> {
  const place = await mkdtemp(join(tmpdir(), 'o7s-irm-'));
  onTestFinished(() => rm(place, { recursive: true }));
  const irm = `#!/bin/sh\nplace=${place}\necho "$*" >>$place/said\n${script}\n`;
  await writeFile(`${place}/irm`, irm);
  await chmod(`${place}/irm`, 0o755);
  const env = { ...process.env, PATH: `${place}:${process.env['PATH']}` };
  const run = async (
    [file = '', ...words]: readonly string[],
    signal?: AbortSignal,
  ): Promise<CommandResult> => {
    try {
      const { stdout, stderr } = await execute(file, words, { signal, killSignal: 'SIGKILL', env });
      return { code: 0, stdout, stderr };
    } catch (error) {
      signal?.throwIfAborted();
      const { code, stdout, stderr } = error as CommandResult;
      return { code, stdout, stderr };
    }
  };
  const said = async (): Promise<string[]> => (await readFile(`${place}/said`, 'utf8')).trim().split('\n');
  return { node: { name: 'c', run } as unknown as LabNode, said };
}

const never = new AbortController().signal;

test('an IPCP that was not let in is destroyed before it asks again', async () => {
  // As the prototype does: after an enrolment that failed the IPCP is there, and takes no other.
  const { node, said } = await nodeOf(`
row() { echo "| ${process.pid} | net.c | unicast | $1 |" >$place/rows; }
case "$*" in
'ipcp list') cat $place/rows 2>/dev/null || : ;;
'ipcp destroy name net.c') rm $place/rows ;;
'ipcp enroll '*)
  if [ -e $place/rows ]; then echo 'in state <init>, need <boot>'; exit 1; fi
  if [ "$(grep -c '^ipcp enroll' $place/said)" = 1 ]; then row 'Not enrolled.'; exit 1; fi
  row net ;;
esac`);
  const manager = new IrmManager(node, never);
  const member = { ipcp: 'net.c', type: 'unicast', layer: 'net' } as const;
  await expect(manager.enroll(member, 'net.a')).rejects.toMatchObject({ code: 'EFAILED' });
  await manager.enroll(member, 'net.a');
  await manager.enroll(member, 'net.a');
  const commands = (await said()).filter((words) => words !== 'ipcp list');
  const enrol = [
    'name create net.a',
    'ipcp enroll name net.c type unicast layer net dst net.a autobind',
  ] as const;
  expect(commands).toEqual([...enrol, 'ipcp destroy name net.c', ...enrol]);
});

test('an irm that does not end is ended, and told of', async () => {
  const { node } = await nodeOf('exec sleep 1000');
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  using _short = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50));
  await expect(new IrmManager(node, never).createName('x', undefined)).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    message: 'irm name create did not end in 30 s',
    hint: 'start its irmd again: o7s-testbed restart c',
  });
});
