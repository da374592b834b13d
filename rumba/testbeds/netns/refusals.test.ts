import { expect, test } from 'vitest';
import { namespacesRefused, requireTools } from './refusals.ts';

const complaint = 'unshare: unshare failed: Operation not permitted';
const told = (user: boolean, values: Record<string, string>): string => {
  const { message, hint, code } = namespacesRefused(complaint, { user, readSwitch: (name) => values[name] });
  return `${code} ${message}; ${hint}`;
};

test.each([
  [
    { 'kernel.unprivileged_userns_clone': '0' },
    'kernel.unprivileged_userns_clone = 0 forbids an ordinary user namespaces; run as root, or allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1',
  ],
  [
    { 'kernel.unprivileged_userns_clone': '1', 'user.max_user_namespaces': '0' },
    'user.max_user_namespaces = 0 forbids an ordinary user namespaces; run as root, or allow them: sudo sysctl -w user.max_user_namespaces=15000',
  ],
  [
    { 'user.max_user_namespaces': '1000', 'kernel.apparmor_restrict_unprivileged_userns': '1' },
    'AppArmor (kernel.apparmor_restrict_unprivileged_userns = 1) forbids an ordinary user namespaces; run as root, or allow them: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  [
    {},
    `cannot make namespaces as an ordinary user: ${complaint}; run as root; in a container, also start it with --privileged`,
  ],
])('an ordinary user is told what forbids namespaces: %o', (values, text) => {
  expect(told(true, values)).toBe(`EENVIRONMENT ${text}`);
});

test('root is not told to mend what does not concern it', () => {
  expect(told(false, { 'user.max_user_namespaces': '0' })).toBe(
    `EENVIRONMENT cannot make namespaces: ${complaint}; in a container, start it with --privileged`,
  );
});

test('a missing tool is named with its package', () => {
  expect(() => requireTools('/nonexistent')).toThrow(
    expect.objectContaining({
      message: 'the program unshare is missing',
      hint: 'install it: apt-get install util-linux',
    }),
  );
});
