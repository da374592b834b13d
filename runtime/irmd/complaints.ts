/**
 * What IPCPs say of a name that they do not know. All are asked at once, but it is no fault not to know a name that an
 * IPCP before them in the order of layers serves: only what those say whose turn has come is passed on. Pure.
 */
export class Complaints<Subject> {
  readonly #tell: (subject: Subject, complaint: string) => void;
  /** Not passed on yet, by place in the order. */
  readonly #waiting = new Map<number, readonly [Subject, string]>();
  #reached = -1;

  constructor(tell: (subject: Subject, complaint: string) => void) {
    this.#tell = tell;
  }

  /** The one at a place complains. */
  heard(place: number, subject: Subject, complaint: string): void {
    this.#waiting.set(place, [subject, complaint]);
    this.#pass();
  }

  /** The turn has come to a place, and so to all before it. */
  reached(place: number): void {
    this.#reached = Math.max(this.#reached, place);
    this.#pass();
  }

  #pass(): void {
    for (const [place, [subject, complaint]] of [...this.#waiting].toSorted(([a], [b]) => a - b)) {
      if (place > this.#reached) return;
      this.#waiting.delete(place);
      this.#tell(subject, complaint);
    }
  }
}
