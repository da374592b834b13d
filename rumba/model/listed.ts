/** Checks of the lists of a topology. */
import { TestbedError } from '../errors.ts';

/** Refuses a list that holds something else than it should, or one thing twice. */
export function listed<T extends object>(list: readonly T[], fits: (each: T) => boolean, what: string): void {
  if (!Array.isArray(list)) throw new TestbedError('ETOPOLOGY', `${what} of the topology is not a list`);
  const seen = new Set<T>();
  list.forEach((each: T, index) => {
    if (!fits(each))
      throw new TestbedError('ETOPOLOGY', `${what}[${index}] of the topology is not one of its ${what}`);
    if (seen.has(each)) {
      const name = 'name' in each && typeof each.name === 'string' ? ` (${each.name})` : '';
      throw new TestbedError('ETOPOLOGY', `${what}[${index}]${name} is listed twice`, {
        hint: 'list each once',
      });
    }
    seen.add(each);
  });
}

/** Refuses two things of one name. */
export function distinct(list: readonly { name: string }[], what: string): void {
  const seen = new Set<string>();
  for (const { name } of list) {
    if (seen.has(name)) {
      throw new TestbedError('ETOPOLOGY', `two ${what}s are named ${name}`, {
        hint: 'give each its own name',
      });
    }
    seen.add(name);
  }
}
