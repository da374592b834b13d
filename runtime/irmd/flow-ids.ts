/** Flow identifiers of a node: the lowest free one first. Source: irmd-and-irm.md 3.1. */
import { O7sError } from '../lib/errors.ts';
import { flowIdMax, flowIdMin } from '../lib/limits.ts';

export class FlowIds {
  readonly #used = new Set<number>();
  /** No id below is free. */
  #from = flowIdMin;

  take(): number {
    while (this.#used.has(this.#from)) this.#from += 1;
    if (this.#from > flowIdMax) throw new O7sError('EBADF', `this node has ${flowIdMax} flows open`);
    this.#used.add(this.#from);
    return this.#from;
  }

  release(id: number): void {
    if (this.#used.delete(id)) this.#from = Math.min(this.#from, id);
  }

  get used(): number {
    return this.#used.size;
  }
}
