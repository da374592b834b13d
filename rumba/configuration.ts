/** Folders of configuration that nodes get: where they are, and what is in them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TestbedError } from './errors.ts';
import { brandTopology, type Topology, type TopologyNode } from './model/topology.ts';

/** The topology with its folders as absolute paths, and their digests. Throws ETOPOLOGY for one that is not there. */
export function withFolders(topology: Topology, base: string): Topology {
  const locate = (node: TopologyNode): TopologyNode => {
    if (node.config === undefined) return node;
    const config = resolve(base, node.config);
    if (statSync(config, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new TestbedError(
        'ETOPOLOGY',
        `node ${node.name} has its configuration in ${node.config}, which is no folder`,
        {
          hint: `make ${config}, with a folder security in it`,
        },
      );
    }
    return { ...node, config, configDigest: digestFolder(config) };
  };
  return brandTopology({ ...topology, nodes: topology.nodes.map(locate) });
}

/** Of all files of a folder, with their paths and permissions. */
function digestFolder(folder: string): string {
  const hash = createHash('sha256');
  const walk = (path: string): void => {
    for (const entry of readdirSync(`${folder}/${path}`, { withFileTypes: true }).toSorted(byName)) {
      const inner = `${path}${entry.name}`;
      const { mode } = statSync(`${folder}/${inner}`);
      hash.update(`${inner}\0${mode}\0`);
      if (entry.isDirectory()) walk(`${inner}/`);
      else hash.update(readFileSync(`${folder}/${inner}`)).update('\0');
    }
  };
  walk('');
  return hash.digest('hex').slice(0, 32);
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
