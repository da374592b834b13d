/** Looks at what every testbed needs of this machine, or of the kernel that it shares with an engine here. */
import { existsSync, readFileSync } from 'node:fs';
import { binDirectory, packageRoot } from '../installation.ts';
import { type Check, fail, ok, warn } from './check.ts';

const nodeMajorMin = 24;

/** What an idle node of each testbed stays well below, for a lab of a few dozen nodes. */
const limits = [
  { what: 'inotify instances', name: 'fs.inotify.max_user_instances', least: 128, mend: 1024 },
  { what: 'inotify watches', name: 'fs.inotify.max_user_watches', least: 8_192, mend: 524_288 },
  { what: 'processes', name: 'kernel.pid_max', least: 32_768, mend: 4_194_304 },
];

const openFilesMin = 1_024;

export function checkMachine(): Check[] {
  return [checkNode(), checkBuild(), checkPackets(), checkTun(), ...limits.map(checkLimit), checkOpenFiles()];
}

function checkNode(): Check {
  const { node } = process.versions;
  const isRecent = Number(node.split('.', 1)[0]) >= nodeMajorMin;
  if (isRecent) return ok('Node', `${node}, ${process.execPath}`);
  return fail('Node', `${node}, ${nodeMajorMin} or later is needed`, `npm --prefix ${packageRoot} install`);
}

function checkBuild(): Check {
  if (existsSync(`${binDirectory}/irmd`)) return ok('runtime', binDirectory);
  return fail('runtime', `${binDirectory}/irmd is missing`, `npm --prefix ${packageRoot} run build`);
}

function checkPackets(): Check {
  if (existsSync('/proc/net/packet')) return ok('AF_PACKET', 'the kernel has it');
  return fail(
    'AF_PACKET',
    'the kernel has no packet sockets, which eth layers need',
    'sudo modprobe af_packet',
  );
}

function checkTun(): Check {
  if (existsSync('/dev/net/tun')) return ok('TUN', '/dev/net/tun');
  return warn('TUN', 'no /dev/net/tun: nodes with tun: true cannot be made', 'sudo modprobe tun');
}

function checkLimit({ what, name, least, mend }: (typeof limits)[number]): Check {
  const value = kernelParameter(name);
  if (value === undefined) return ok(what, `this kernel has no ${name}`);
  if (Number(value) >= least) return ok(what, `${name} = ${value}`);
  return warn(what, `${name} = ${value}, ${least} is little`, `sudo sysctl -w ${name}=${mend}`);
}

function checkOpenFiles(): Check {
  const text = readFileSync('/proc/self/limits', 'latin1');
  const [, soft = '0', hard = '0'] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text) ?? [];
  const found = `${soft}, at most ${hard}`;
  if (soft === 'unlimited' || Number(soft) >= openFilesMin) return ok('open files', found);
  return warn('open files', found, `ulimit -n ${Math.max(openFilesMin, Number(hard) || openFilesMin)}`);
}

/** The value of a kernel parameter; undefined where the kernel does not have it. */
function kernelParameter(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}
