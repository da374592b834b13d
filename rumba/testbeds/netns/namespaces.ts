/** The command lines that make namespaces and enter them. */
import { readFileSync, readlinkSync } from 'node:fs';
import { TestbedError } from '../../errors.ts';

const capSysAdmin = 21n;

/** True when this process may make namespaces without a user namespace around them. */
export function isPrivileged(): boolean {
  const effective = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> capSysAdmin) & 1n) === 1n;
}

/** Runs a command in new namespaces of all the kinds a lab or a node has; its first child is process 1. */
export function unshare(command: readonly string[], options: { user: boolean }): string[] {
  const user = options.user ? ['--user', '--map-root-user'] : [];
  return ['unshare', ...user, '--net', '--mount', '--ipc', '--uts', '--pid', ...command];
}

/** Runs a command in all the namespaces of a process. */
export function enter(pid: number, command: readonly string[]): string[] {
  return ['nsenter', ...target(pid), '--mount', '--ipc', '--uts', '--net', '--pid', ...command];
}

/** Runs a command in the network of a process; it sees processes and files as we do. */
export function enterNetwork(pid: number, command: readonly string[]): string[] {
  return ['nsenter', ...target(pid), '--net', ...command];
}

function target(pid: number): string[] {
  const foreign = userNamespaceOf(pid) !== readlinkSync('/proc/self/ns/user');
  return ['--target', String(pid), ...(foreign ? ['--user', '--preserve-credentials'] : [])];
}

function userNamespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new TestbedError('EFAILED', `process ${pid}, which held the namespaces, has ended`, {
      hint: 'the lab or its node is gone: "o7s-testbed ls" shows what is there, "up" brings it again',
      cause: error,
    });
  }
}
