import { describe, expect, test } from 'vitest';
import { chooseLab, labName } from './lab-name.ts';

describe('the name of a new lab', () => {
  test.each([
    ['asked for', { asked: 'x', own: 'y', file: 'z.ts' }, 'x'],
    ["the topology's own", { asked: undefined, own: 'y', file: 'z.ts' }, 'y'],
    ["the file's", { asked: undefined, own: undefined, file: '/some/where/z.ts' }, 'z'],
    ['without .topo', { asked: undefined, own: undefined, file: 'ring.topo.ts' }, 'ring'],
    ['of JavaScript too', { asked: undefined, own: undefined, file: 'ring.mjs' }, 'ring'],
  ])('%s', (_, sources, name) => {
    expect(labName(sources)).toBe(name);
  });

  test('is refused where it is none', () => {
    const text = 'has a character or a place it may not have; allowed are letters, digits, ".", "_" and "-"';
    expect(() => labName({ asked: undefined, own: undefined, file: 'my lab.ts' })).toThrow(
      expect.objectContaining({
        code: 'EUSAGE',
        message: `the lab name "my lab" ${text}`,
        hint: 'give another with --lab NAME',
      }),
    );
    expect(() => labName({ asked: '-x', own: undefined, file: 'z.ts' })).toThrow(`the lab name "-x" ${text}`);
  });
});

describe('the lab that is meant', () => {
  const [x, y] = [{ name: 'x' }, { name: 'y' }];

  test('is the one asked for, else the only one', () => {
    expect(chooseLab([x, y], 'y')).toBe(y);
    expect(chooseLab([x], undefined)).toBe(x);
  });

  test.each([
    ['no lab is running', 'start one with "o7s-testbed up FILE"', [], undefined],
    ['no lab named z is running, nor any other', 'start one with "o7s-testbed up FILE"', [], 'z'],
    ['several labs are running: x, y', 'choose one with --lab NAME', [x, y], undefined],
    ['no lab named z is running', 'running: x, y', [x, y], 'z'],
  ])('%s; %s', (message, hint, labs, asked) => {
    expect(() => chooseLab(labs, asked)).toThrow(expect.objectContaining({ code: 'EUSAGE', message, hint }));
  });
});
