/** Users of the node: who counts as privileged. Source: irmd-and-irm.md 9. */
import { readFileSync } from 'node:fs';

const groupName = 'ouroboros';

/** The id of the group whose members may manage the node; undefined when there is no such group. */
export function ouroborosGroup(): number | undefined {
  let text: string;
  try {
    text = readFileSync('/etc/group', 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === groupName && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  return undefined;
}

/** Whether a process is root's, or its primary or a supplementary group is the one given. */
export function isPrivileged(pid: number, uid: number, gid: number, group: number | undefined): boolean {
  if (uid === 0) return true;
  if (group === undefined) return false;
  if (gid === group) return true;
  try {
    const groups = /^Groups:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
    return groups.split(' ').includes(String(group));
  } catch {
    return false;
  }
}
