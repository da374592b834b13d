import { describe, expect, test } from 'vitest';
import { checkName, hashAlgorithms, hashBytes, hashName } from './names.ts';

describe('hashes of names', () => {
  test.each([
    ['SHA3_224', 'a2447e6b4e71e9fb7256d0ce7569b27b6d510cc179cba9c3584b485a'],
    ['SHA3_256', 'a21d475f6f88e5ae19dd0b6625552fed28d734e492f6a97b0bae5794f00b1806'],
    [
      'SHA3_384',
      '006d0501244a59ab2c43b21ff5cf29bc9243ef7db65634d5a9406e321ff8d87c962508ff31e943a84cb1d665c78ff8bd',
    ],
    [
      'SHA3_512',
      'a6ccd5bbd1f31871f312e6ffa87a3f9a2f48d206bc0ae1ada6e61906a5cd3b48' +
        '69571bc1cb323b39afc72c7c9f872ccb4237f8191cd22bba0c45159fb21b7274',
    ],
  ] as const)('%s', (algorithm, hash) => {
    expect(hashName('oping.test', algorithm).toString('hex')).toBe(hash);
  });

  test('are those of end-to-end.md 12.7', () => {
    const hash = '42dee3b0415b4f690fd91cbd99876f1e9bd8d9745ef7fa32b142773af0349d54';
    expect(hashName('oping', 'SHA3_256').toString('hex')).toBe(hash);
  });

  test('have the length that is told of them', () => {
    for (const algorithm of hashAlgorithms) {
      expect(hashName('', algorithm)).toHaveLength(hashBytes(algorithm));
    }
  });
});

test('a name may have 255 bytes, whatever its characters', () => {
  expect(() => checkName('x'.repeat(255), 'the name')).not.toThrow();
  expect(() => checkName('x'.repeat(256), 'the name')).toThrow('the name has 256 bytes');
  expect(() => checkName('é'.repeat(128), 'the name')).toThrow('256 bytes');
  expect(() => checkName('', 'the name')).not.toThrow();
});
