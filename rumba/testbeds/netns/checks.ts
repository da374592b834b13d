/** Looks at what the netns testbed needs of this machine. */
import { TestbedError } from '../../errors.ts';
import { type Check, fail, ok, warn } from '../check.ts';
import { environment, runCommand } from './command.ts';
import { namespacesRefused, requireTools } from './refusals.ts';
import { isPrivileged, unshare } from './namespaces.ts';

/** What a kernel may lack, and a command in a network of its own that needs it. */
const features = [
  { what: 'veth', command: 'ip link add o7s0 type veth peer name o7s1', module: 'veth', isNeeded: true },
  {
    what: 'netem',
    command: 'tc qdisc add dev lo root netem delay 1ms',
    module: 'sch_netem',
    isNeeded: false,
  },
  {
    what: 'tbf',
    command: 'tc qdisc add dev lo root tbf rate 1mbit burst 10k latency 10ms',
    module: 'sch_tbf',
    isNeeded: false,
  },
];

export async function checkNetns(): Promise<Check[]> {
  const tools = checkTools();
  if (tools.state !== 'ok') return [tools];
  const user = !isPrivileged();
  const { code, stderr } = await runCommand(unshare(['true'], { user }));
  if (code !== 0) {
    const { message, hint } = namespacesRefused(stderr.trim().split('\n')[0] || 'no reason given', { user });
    return [tools, fail('namespaces', message, hint ?? 'run as root')];
  }
  const who = user ? 'as an ordinary user' : 'as root';
  const checks = [tools, ok('namespaces', `can be made ${who}`)];
  for (const { what, command, module, isNeeded } of features) {
    const tried = await runCommand(unshare(['sh', '-c', command], { user }));
    if (tried.code === 0) checks.push(ok(what, 'the kernel has it'));
    else {
      const reason = tried.stderr.trim().split('\n')[0] || 'no reason given';
      checks.push((isNeeded ? fail : warn)(what, reason, `sudo modprobe ${module}`));
    }
  }
  return checks;
}

function checkTools(): Check {
  try {
    requireTools(environment()['PATH'] ?? '');
    return ok('tools', 'ip, unshare, nsenter, setsid, mount, hostname');
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    return fail('tools', error.message, (error.hint ?? '').replace(/^install it: /, 'sudo '));
  }
}
