/** Cables between nodes, made straight in the network namespaces of their containers. */
import { TestbedError } from '../../../errors.ts';
import type { TopologyLink } from '../../../model/topology.ts';
import { poll } from '../../../poll.ts';
import { addCommand, hasInterface, highestIndex, isConnected, upCommand } from '../../netns/links.ts';
import { run } from './run.ts';

/** How long the kernel may take for a link to pass frames, in milliseconds. */
const connectMs = 5_000;

export class Links {
  #lastIndex = 0;

  /** Adds a link between the nodes with these first processes, and does nothing when it is there. */
  async add(link: TopologyLink, inits: readonly [number, number], signal: AbortSignal): Promise<void> {
    // The two ends of a link, and any two of a node, need different numbers.
    this.#lastIndex = Math.max(this.#lastIndex, ...inits.map(highestIndex)) + 2;
    const from = { ...link.ends[0], pid: inits[0], index: this.#lastIndex - 1 };
    const to = { ...link.ends[1], pid: inits[1], index: this.#lastIndex };
    const done = [from, to].every((end) => hasInterface(end.pid, end.interface));
    const commands = [
      ...(done ? [] : [addCommand(from, to, link.mtu)]),
      ['nsenter', '--target', String(to.pid), '--net', ...upCommand(to)],
    ];
    for (const command of commands) {
      const { code, stderr } = await run(command, signal);
      if (code === 0) continue;
      const place = `${from.interface} of ${from.node} to ${to.interface} of ${to.node}`;
      const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
      throw new TestbedError('EFAILED', `cannot make link ${link.name} from ${place}: ${reason}`);
    }
    await poll(() => [from, to].every(isConnected) || undefined, {
      what: `link ${link.name} to come up`,
      deadlineMs: connectMs,
      signal,
    });
  }
}
