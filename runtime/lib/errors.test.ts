import { getSystemErrorName } from 'node:util';
import { expect, test } from 'vitest';
import { codeOf, errnoOf, O7sError } from './errors.ts';

/** The numbers the prototype uses (irmd-and-irm.md 5.6), which travel on the wire. */
const own = {
  ENOTALLOC: 1000,
  EIPCPTYPE: 1001,
  EIRMD: 1002,
  EIPCP: 1003,
  EIPCPSTATE: 1004,
  EFLOWDOWN: 1005,
  EFLOWPEER: 1006,
  ENAME: 1007,
  ECRYPT: 1008,
  EAUTH: 1009,
} as const;
const system = [
  'EPERM',
  'ENOENT',
  'EBADF',
  'EAGAIN',
  'ENOMEM',
  'EEXIST',
  'EINVAL',
  'EPIPE',
  'EMSGSIZE',
  'ENOTSUP',
  'ECONNRESET',
  'ETIMEDOUT',
  'ECANCELED',
] as const;

test.each(Object.entries(own))('%s is %i, of either sign', (name, number) => {
  const code = codeOf(number);
  expect(code).toBe(name);
  expect(errnoOf(code)).toBe(number);
  expect(codeOf(-number)).toBe(name);
  expect(O7sError.fromErrno(-number).code).toBe(name);
});

test.each(system)('%s has the number of the system', (name) => {
  const errno = errnoOf(name);
  // Linux has two names for 95.
  expect(getSystemErrorName(-errno).replace('EOPNOTSUPP', 'ENOTSUP')).toBe(name);
});

test('a number outside the table is no crash', () => {
  expect(codeOf(-77_777)).toBe('EIPCP');
});

test('an error has a text of its own, a number, and may have a hint and a cause', () => {
  expect(new O7sError('ENAME').message).toBe('name is not known');
  const cause = new Error('deeper');
  const error = new O7sError('EPERM', 'no', { hint: 'be root', cause });
  expect([error.errno, error.hint, error.cause]).toEqual([1, 'be root', cause]);
});
