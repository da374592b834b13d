/** Says why this machine does not let us make a lab, and which command mends it. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { TestbedError } from '../../errors.ts';

const packages = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setsid: 'util-linux',
  mount: 'mount',
  hostname: 'hostname',
  ip: 'iproute2',
};

/** Throws EENVIRONMENT when a program that a lab is made with is missing. */
export function requireTools(path: string): void {
  for (const [tool, name] of Object.entries(packages)) {
    if (!path.split(':').some((folder) => isExecutable(`${folder}/${tool}`))) {
      throw new TestbedError('EENVIRONMENT', `the program ${tool} is missing`, {
        hint: `install it: apt-get install ${name}`,
      });
    }
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The kernel's switches for user namespaces, and the value with which each forbids them. */
const switches = [
  { name: 'kernel.unprivileged_userns_clone', forbids: '0', mend: '1' },
  { name: 'user.max_user_namespaces', forbids: '0', mend: '15000' },
  { name: 'kernel.apparmor_restrict_unprivileged_userns', forbids: '1', mend: '0' },
];

/**
 * The error to report when namespaces could not be made. `complaint` is what the failed command wrote,
 * `readSwitch` gives the value of a kernel parameter, undefined where the kernel does not have it.
 */
export function namespacesRefused(
  complaint: string,
  options: { user: boolean; readSwitch?: (name: string) => string | undefined },
): TestbedError {
  const { user, readSwitch = readKernelSwitch } = options;
  if (!user) {
    return new TestbedError('EENVIRONMENT', `cannot make namespaces: ${complaint}`, {
      hint: 'in a container, start it with --privileged',
    });
  }
  const culprit = switches.find((each) => readSwitch(each.name) === each.forbids);
  if (culprit === undefined) {
    return new TestbedError('EENVIRONMENT', `cannot make namespaces as an ordinary user: ${complaint}`, {
      hint: 'run as root; in a container, also start it with --privileged',
    });
  }
  const apparmor = culprit.name.includes('apparmor') ? 'AppArmor (' : '';
  return new TestbedError(
    'EENVIRONMENT',
    `${apparmor}${culprit.name} = ${culprit.forbids}${apparmor && ')'} forbids an ordinary user namespaces`,
    { hint: `run as root, or allow them: sudo sysctl -w ${culprit.name}=${culprit.mend}` },
  );
}

function readKernelSwitch(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replace('.', '/')}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}
