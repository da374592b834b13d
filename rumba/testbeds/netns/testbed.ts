/** Labs of bare Linux namespaces: no Docker, and no root where user namespaces are allowed. */
import { TestbedError } from '../../errors.ts';
import type { Lab, PrepareOptions, Removed, Testbed } from '../testbed.ts';
import type { Check } from '../check.ts';
import { checkNetns } from './checks.ts';
import { environment, runHeld } from './command.ts';
import { namespacesRefused, requireTools } from './environment.ts';
import { NetnsLab } from './lab.ts';
import { isPrivileged, unshare } from './namespaces.ts';
import { NetnsNode } from './node.ts';
import { findMarked, identify, labMark, nodeMark } from './processes.ts';
import * as scripts from './scripts.ts';

export class NetnsTestbed implements Testbed {
  readonly name = 'netns';

  async prepare({ image }: PrepareOptions): Promise<void> {
    requireTools(environment()['PATH'] ?? '');
    if (image === undefined) return;
    throw new TestbedError('EUSAGE', 'nodes of the netns testbed run no image', {
      hint: 'leave --image out, or use --testbed docker',
    });
  }

  async createLab(name: string, signal: AbortSignal): Promise<Lab> {
    refuseExisting(name);
    requireTools(environment()['PATH'] ?? '');
    const user = !isPrivileged();
    const words = ['sh', '-c', scripts.forkReading4, scripts.labInit, labMark, name];
    const { stdout, stderr, held } = await runHeld(unshare(words, { user }), signal);
    const init = identify(Number(stdout));
    if (Number(stdout) === 0 || init === undefined) {
      held.destroy();
      throw namespacesRefused(stderr.trim().split('\n')[0] || 'no reason given', { user });
    }
    const lab = new NetnsLab(name, init, { hold: held });
    // Of two that were started at the same moment, both are in the list by now: the older one stays.
    try {
      refuseExisting(name, init.pid);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
    return lab;
  }

  /** The kernel leaves nothing of a lab that lost its first process, or of one that lost its maker. */
  async clean(all: boolean): Promise<Removed[]> {
    const labs = all ? await this.labs() : [];
    await Promise.all(labs.map((lab) => lab.destroy()));
    return labs.map((lab) => ({ lab: lab.name, testbed: this.name, what: 'the lab' }));
  }

  async check(): Promise<Check[]> {
    return await checkNetns();
  }

  async labs(): Promise<Lab[]> {
    const nodes = findMarked(nodeMark, 2, 3);
    const nodesOf = (lab: string, pid: number): NetnsNode[] =>
      nodes
        .filter(({ words }) => words[0] === lab && words[2] === String(pid))
        .map((node) => new NetnsNode(node.words[1] ?? '', node.pid));
    return findMarked(labMark, 1, 1)
      .map(({ words: [name = ''], pid, startTime }) => {
        return new NetnsLab(name, { pid, startTime }, { nodes: nodesOf(name, pid) });
      })
      .toSorted((a, b) => a.name.localeCompare(b.name));
  }
}

/** Throws when a lab of this name is there that is older than process `self`. */
function refuseExisting(name: string, self?: number): void {
  const oldest = findMarked(labMark, 1, 1).find(({ words }) => words[0] === name);
  if (oldest !== undefined && oldest.pid !== self) {
    throw new TestbedError('EFAILED', `a lab named ${name} is there already`, {
      hint: `take it down with "o7s-testbed down --lab ${name}", or give another name with --lab`,
    });
  }
}
