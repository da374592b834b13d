/** What the links of a lab are made on, and how commands are run there. */
import { TestbedError } from '../errors.ts';
import { poll } from '../poll.ts';
import type { WireClient } from '../wire/client.ts';
import { listCommand, parseList } from './commands.ts';

/** How long the kernel may take for a pair of interfaces to pass frames, in milliseconds. */
export const connectMs = 20_000;

export interface Ground {
  /** First process of the lab itself, in whose network the links are joined. */
  readonly labPid: number;
  /** Runs a command in the network of a process, be it the lab's or a node's. */
  run(
    pid: number,
    command: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** A connection to the lab's wire, which is started where `start` says so; undefined where none runs. */
  wire(start: boolean, signal: AbortSignal): Promise<WireClient | undefined>;
}

/** Runs a command in the network of the lab; what it printed. Rejects with EFAILED and `what` where it fails. */
export async function inLab(
  ground: Ground,
  command: readonly string[],
  what: string,
  signal: AbortSignal,
): Promise<string> {
  const { code, stdout, stderr } = await ground.run(ground.labPid, command, signal);
  if (code !== 0) throw failure(what, code, stderr);
  return stdout;
}

/** Waits until interfaces of the lab pass frames: the kernel connects the one that was set up first a moment after the other. */
export async function untilUp(
  ground: Ground,
  devices: readonly string[],
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const areUp = async (): Promise<true | undefined> => {
    const there = parseList(await inLab(ground, listCommand, what, signal));
    return devices.every((device) => there.get(device)?.isUp === true) ? true : undefined;
  };
  await poll(areUp, { what: `${devices.join(' and ')} to come up`, deadlineMs: connectMs, signal });
}

/** What a join cannot be had for when a node that it ends in went in the meantime. */
export function nodeGone(what: string): TestbedError {
  return new TestbedError('EFAILED', `cannot ${what}: a node it ends in is gone`);
}

export function failure(what: string, code: number, stderr: string, node?: string): TestbedError {
  const place = node === undefined ? '' : `node ${node}: `;
  const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
  return new TestbedError('EFAILED', `${place}cannot ${what}: ${reason}`);
}
