/** How what is ours is told from what is not: labels on containers and images. */
import { readFileSync, readlinkSync } from 'node:fs';
import { identify } from '../netns/processes.ts';

const prefix = 'o7s.testbed.';

export const labels = {
  lab: `${prefix}lab`,
  /** `node` or `helper`. */
  role: `${prefix}role`,
  node: `${prefix}node`,
  /** Number of the user whose lab it is. */
  owner: `${prefix}owner`,
  /** Which command made the lab, see `newSession`. */
  session: `${prefix}session`,
  /** Name of the topology. */
  topology: `${prefix}topology`,
  version: `${prefix}version`,
  /** On an image: `node` or `base`. */
  image: `${prefix}image`,
  /** On a node image: a hash of the files it was built from. */
  content: `${prefix}content`,
} as const;

/** Number of this user, as labels have it. */
export function ownUser(): string {
  return String(process.geteuid?.() ?? 0);
}

/** Name of a node's container. */
export function nodeContainer(lab: string, node: string): string {
  return `o7s-${lab}-${node}`;
}

/** Name of a lab's helper container. The engine lets a name be given once, which makes a lab unique. */
export function helperContainer(lab: string): string {
  return `o7s-${lab}-helper`;
}

/** Where process numbers mean something: this boot of this machine, and this PID namespace. */
function place(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  return `${boot}.${namespace}`;
}

let serial = 0;

/** A lab made by this process, as a label that no other lab ever has. */
export function newSession(): string {
  return `${place()}.${process.pid}.${identify(process.pid)?.startTime ?? 0}.${++serial}`;
}

/** Whether the process that made a lab is running; undefined for one of another machine or PID namespace. */
export function sessionAlive(session: string): boolean | undefined {
  const own = place();
  if (!session.startsWith(`${own}.`)) return undefined;
  const [pid, startTime] = session
    .slice(own.length + 1)
    .split('.')
    .map(Number);
  return identify(pid ?? 0)?.startTime === startTime;
}
