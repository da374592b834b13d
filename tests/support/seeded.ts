/** Chance that is the same each time for the same seed, with what tests draw. */
import { Seeded as Chance } from '../../rumba/seeded.ts';

export class Seeded extends Chance {
  /** An address: a number of 32 bits that is not 0. */
  address(): number {
    return 1 + this.below(2 ** 32 - 1);
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}
