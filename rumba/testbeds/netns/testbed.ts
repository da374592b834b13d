/** Labs of bare Linux namespaces: no Docker, and no root where user namespaces are allowed. */
import { existsSync } from 'node:fs';
import { TestbedError, undone } from '../../errors.ts';
import type { Lab, PrepareOptions, Removed, Testbed } from '../testbed.ts';
import type { Check } from '../check.ts';
import { checkNetns } from './checks.ts';
import { environment, runHeld } from './command.ts';
import { removeLeftGroups } from './control-groups.ts';
import { namespacesRefused, requireTools } from './refusals.ts';
import { NetnsLab } from './lab.ts';
import { isPrivileged, unshare } from './namespaces.ts';
import { findMarked, identify, labMark, nodeMark } from './processes.ts';
import * as scripts from './scripts.ts';

export class NetnsTestbed implements Testbed {
  readonly name = 'netns';

  async prepare({ image, nodes = [] }: PrepareOptions): Promise<void> {
    requireTools(environment()['PATH'] ?? '');
    const own = nodes.find((node) => node.image !== undefined);
    if (image !== undefined || own !== undefined) {
      const who = own === undefined ? 'nodes' : `node ${own.name} has an image, and nodes`;
      throw new TestbedError('EUSAGE', `${who} of the netns testbed run no image`, {
        hint: `leave ${own === undefined ? '--image' : 'it'} out, or use --testbed docker`,
      });
    }
    for (const { name, runtime } of nodes) {
      if (runtime === undefined) continue;
      const { prefix, variables } = runtime;
      if (prefix === undefined) {
        throw new TestbedError(
          'EENVIRONMENT',
          `node ${name} runs ${runtime.name}, which has no prefix here`,
          {
            hint: `set ${variables.prefix ?? 'its prefix'} to the folder it was installed to, or use --testbed docker`,
          },
        );
      }
      for (const program of ['irmd', 'irm']) {
        if (['sbin', 'bin'].some((folder) => existsSync(`${prefix}/${folder}/${program}`))) continue;
        throw new TestbedError(
          'EENVIRONMENT',
          `there is no ${prefix}/sbin/${program}, which node ${name} runs`,
          {
            hint: `${variables.prefix === undefined ? 'correct the prefix' : `set ${variables.prefix} to the prefix`} of runtime ${runtime.name}`,
          },
        );
      }
    }
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
      throw await undone(error, () => lab.destroy());
    }
    return lab;
  }

  /** The kernel leaves nothing of a lab that lost its first process or its maker, but the groups of its limits. */
  async clean(all: boolean): Promise<Removed[]> {
    const labs = all ? await this.labs() : [];
    await Promise.all(labs.map((lab) => lab.destroy()));
    const left = await removeLeftGroups();
    return [
      ...labs.map((lab) => ({ lab: lab.name, testbed: this.name, what: 'the lab' })),
      ...left.map((lab) => ({ lab, testbed: this.name, what: 'control groups' })),
    ];
  }

  async check(): Promise<Check[]> {
    return await checkNetns();
  }

  async labs(): Promise<Lab[]> {
    const nodes = Map.groupBy(findMarked(nodeMark, 2, 4), ({ words: [lab, , pid] }) => `${lab} ${pid}`);
    return findMarked(labMark, 1, 1)
      .map(({ words: [name = ''], pid, startTime }) => {
        const own = nodes.get(`${name} ${pid}`) ?? [];
        return new NetnsLab(
          name,
          { pid, startTime },
          {
            nodes: own.map(({ pid: nodePid, words: [, node = '', , prefix] }) => ({
              name: node,
              pid: nodePid,
              prefix: prefix || undefined,
            })),
          },
        );
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
