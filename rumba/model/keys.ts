/** Which keys an object of a topology file may have. */
import { TestbedError } from '../errors.ts';

/** Each key there is, so that the compiler sees to it that none is forgotten. */
type Keys<T> = Record<keyof T, true>;

/**
 * Refuses a value that is no object, and a key that nothing would look at. `what` says whose options it
 * holds; it is left out for `topology()` itself.
 */
export function checkKeys<T extends object>(value: T, known: Keys<Required<T>>, what?: string): void {
  const list = Object.keys(known).join(', ');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const whose = what === undefined ? 'the argument of topology() is' : `the options of ${what} are`;
    throw new TestbedError('ETOPOLOGY', `${whose} not an object`, { hint: `known keys: ${list}` });
  }
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  const of = what === undefined ? '' : ` of ${what}`;
  throw new TestbedError('ETOPOLOGY', `unknown key ${JSON.stringify(unknown)}${of}`, {
    hint: `known: ${list}`,
  });
}
