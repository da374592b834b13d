/** The `$` that functions of a storyboard get: what zx can do with a command here, with one on a node. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessOutput, ProcessPromise, Shell } from 'zx';
import { nodeShell } from '../../rumba/storyboard/node-shell.ts';
import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import type { Lab, LabNode } from '../../rumba/testbeds/testbed.ts';

const never = new AbortController().signal;
let lab: Lab;
let node: LabNode;
beforeAll(async () => {
  lab = await new NetnsTestbed().createLab(`node-shell-${process.pid}`, never);
  await lab.addNode({ name: 'a' }, never);
  node = lab.node('a');
});
afterAll(async () => await lab?.destroy());

function shell(signal = never): Shell {
  return nodeShell(node, signal);
}

/** What became of a command that does not end well. */
async function failed(command: ProcessPromise): Promise<[number | null, NodeJS.Signals | null]> {
  const { exitCode, signal } = (await command.then(
    () => expect.unreachable('the command ended well'),
    (output: unknown) => output,
  )) as ProcessOutput;
  return [exitCode, signal];
}

test('output, input, quoting, exit codes, and pipes from one command of the node to the next', async () => {
  const $ = shell();
  expect(await $`echo ${"it's"} $(cat /proc/sys/kernel/hostname)`.text()).toBe("it's a\n");
  expect((await $({ input: 'hello' })`cat`).stdout).toBe('hello');
  expect(await failed($`exit 3`)).toEqual([3, null]);
  expect((await $({ nothrow: true })`echo x >&2; exit 4`).stderr).toBe('x\n');
  const piped = $`echo first $(cat /proc/sys/kernel/hostname)`
    .pipe`cat; echo second $(cat /proc/sys/kernel/hostname)`;
  expect((await piped).stdout).toBe('first a\nsecond a\n');
});

// SIGINT is what some shells lose, as at a terminal, while they begin a command.
const lasting = 'sleep 600; echo late';

test.each<[string, ($: Shell) => ProcessPromise, NodeJS.Signals]>([
  ['a timeout of the shell', ($) => $({ timeout: '100ms' })`sh -c ${lasting}`, 'SIGTERM'],
  ['a timeout of the command', ($) => $`sh -c ${lasting}`.timeout('100ms', 'SIGKILL'), 'SIGKILL'],
  ['kill', ($) => killed($`sh -c ${lasting}`, 'SIGHUP'), 'SIGHUP'],
  [
    'kill without an environment',
    ($) => killed($`sh -c ${'env -i sleep 600; echo late'}`, 'SIGHUP'),
    'SIGHUP',
  ],
  ['abort', ($) => aborted($`sh -c ${lasting}`), 'SIGTERM'],
])('%s ends a command and what it has started', async (_, begin, signal) => {
  expect(await failed(begin(shell()))).toEqual([null, signal]);
});

test('kill before the command has begun', async () => {
  const command = shell()`sh -c ${lasting}`;
  await command.kill('SIGKILL');
  expect(await failed(command)).toEqual([null, 'SIGKILL']);
  await expect(command.kill()).rejects.toThrow('it cannot be ended again');
});

test('the end of the storyboard ends what runs, and nothing begins after it', async () => {
  const ended = new AbortController();
  const $ = shell(ended.signal);
  const command = $`sh -c ${lasting}`;
  command.child?.once('spawn', () => ended.abort());
  expect(await failed(command)).toEqual([null, 'SIGTERM']);
  await expect($`echo never`).rejects.toThrow();
});

test('a node that is not there', async () => {
  const gone = { open: () => Promise.reject(new Error('node a is gone')) } as unknown as LabNode;
  await expect(nodeShell(gone, new AbortController().signal)`true`).rejects.toThrow('node a is gone');
});

function killed(command: ProcessPromise, signal: NodeJS.Signals): ProcessPromise {
  command.child?.once('spawn', () => void command.kill(signal));
  return command;
}

function aborted(command: ProcessPromise): ProcessPromise {
  command.child?.once('spawn', () => command.abort());
  return command;
}
