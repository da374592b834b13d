/** Programs as another user. */
import type { Launcher } from './node.ts';

/** Runs programs as another user, who may read what this one may. Does nothing where this one may not do that. */
export function asUser(
  uid: number,
  gid: number = uid,
  launch: Launcher = (command, args) => [command, args],
): Launcher {
  return (command, args) => {
    if (process.getuid?.() !== 0) return launch(command, args);
    const read = ['--inh-caps', '-all,+dac_read_search', '--bounding-set', '-all,+dac_read_search'];
    const caps = [...read, '--ambient-caps', '-all,+dac_read_search'];
    const user = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', ...caps];
    return launch('setpriv', [...user, '--', command, ...args]);
  };
}
