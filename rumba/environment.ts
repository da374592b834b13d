/** What topology files take from the environment. */
import type { FromEnvironment } from './model/runtime.ts';

/** A variable of the environment, for options that say which variable to set where it is missing. */
export function fromEnvironment(variable: string): FromEnvironment {
  return { variable, value: process.env[variable] };
}
