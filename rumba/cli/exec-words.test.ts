import { expect, test } from 'vitest';
import { execWords } from './exec-words.ts';

test.each([
  ['exec a oping -n ping.b -c 3', 'exec a -- oping -n ping.b -c 3'],
  ['exec --lab line a irm ipcp list', 'exec --lab line a -- irm ipcp list'],
  ['exec a --lab line irm ipcp list', 'exec a --lab line -- irm ipcp list'],
  ['exec a --lab=line -f json ls -l', 'exec a --lab=line -f json -- ls -l'],
  ['exec --all irm name list', 'exec --all -- irm name list'],
  ['exec --all -f json -- irm name list', 'exec --all -f json -- irm name list'],
  ['exec a,b sh -c', 'exec a,b -- sh -c'],
  ['exec a ls -- -x', 'exec a -- ls -- -x'],
  ['exec a -- ls -- -x', 'exec a -- ls -- -x'],
  ['exec a', 'exec a'],
  ['exec a --lab line', 'exec a --lab line'],
  ['exec', 'exec'],
  ['exec --help', 'exec --help'],
  ['up exec a b', 'up exec a b'],
])('%s is %s', (typed, meant) => {
  expect(execWords(typed.split(' '))).toEqual(meant.split(' '));
});
