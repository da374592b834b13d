/** What the interfaces of a lab's nodes carry, asked of one small shell a node. */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab, LabNode } from '../testbeds/testbed.ts';
import type { InterfaceCounters, InterfacesEvent } from './events.ts';

/** Answers each line of its input with /proc/net/dev and a dot, by what is built into the shell alone. */
const script = 'while read -r _; do while read -r line; do echo "$line"; done </proc/net/dev; echo .; done';

/** How long to wait before a node is asked anew whose shell has ended, in milliseconds. */
const retryMs = 2_000;

/** Tells of the interfaces of every node each `periodMs`, until the signal aborts. */
export async function sampleInterfaces(
  lab: () => Lab,
  {
    periodMs,
    signal,
    onSample,
  }: { periodMs: number; signal: AbortSignal; onSample: (event: InterfacesEvent) => void },
): Promise<void> {
  const followed = new Map<string, Promise<void>>();
  while (!signal.aborted) {
    for (const node of lab().nodes()) {
      if (followed.has(node.name)) continue;
      const sampling = sampleNode(node, periodMs, signal, onSample)
        .catch(() => {})
        .then(() => delay(retryMs, undefined, { signal }))
        .catch(() => {})
        .finally(() => followed.delete(node.name));
      followed.set(node.name, sampling);
    }
    await delay(periodMs, undefined, { signal }).catch(() => {});
  }
  await Promise.all(followed.values());
}

async function sampleNode(
  node: LabNode,
  periodMs: number,
  signal: AbortSignal,
  onSample: (event: InterfacesEvent) => void,
): Promise<void> {
  const shell = await node.open(['sh', '-c', script]);
  const end = (): void => void shell.stdin.end();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  shell.stderr.resume();
  const ask = (): void => void shell.stdin.write('\n');
  const timer = setInterval(ask, periodMs);
  try {
    ask();
    let interfaces: Record<string, InterfaceCounters> = {};
    for await (const line of createInterface({ input: shell.stdout })) {
      if (line === '.') {
        onSample({ event: 'interfaces', at: Date.now(), node: node.name, interfaces });
        interfaces = {};
        continue;
      }
      const parsed = parseLine(line);
      if (parsed !== undefined) interfaces[parsed.name] = parsed.counters;
    }
    await shell.ended;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', end);
    shell.stdin.destroy();
  }
}

/** A line of /proc/net/dev; undefined for its titles and for the loopback. */
export function parseLine(line: string): { name: string; counters: InterfaceCounters } | undefined {
  const at = line.indexOf(':');
  const name = line.slice(0, at).trim();
  if (at < 0 || name === 'lo') return undefined;
  const values = line
    .slice(at + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  const [rxBytes, rxPackets, , rxDropped, , , , , txBytes, txPackets, , txDropped] = values;
  if (rxBytes === undefined || rxPackets === undefined || rxDropped === undefined) return undefined;
  if (txBytes === undefined || txPackets === undefined || txDropped === undefined) return undefined;
  return { name, counters: { rxBytes, rxPackets, rxDropped, txBytes, txPackets, txDropped } };
}
