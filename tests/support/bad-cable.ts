/** A cable between two namespaces that loses, doubles, delays and reorders frames: two veth pairs and a relay between. */
import { fileURLToPath } from 'node:url';
import type { LinkCounts, LinkTraits } from '../sim/frct/lossy-link.ts';
import { Running } from './command.ts';
import { joinByVeth, Namespace } from './namespaces.ts';
import { until } from './until.ts';

const program = fileURLToPath(new URL('./bad-cable-program.ts', import.meta.url));

export const perfectLink: LinkTraits = { loss: 0, duplication: 0, delay: 0, jitter: 0 };

/** What a cable leads to: a namespace, or a node of the prototype. */
export interface CableEnd {
  readonly pid: number;
}

export class BadCable implements AsyncDisposable {
  readonly #between: Namespace;
  readonly #relay: Running;

  private constructor(between: Namespace, relay: Running) {
    this.#between = between;
    this.#relay = relay;
  }

  /** Lays a good one from `a` to `b`, `eth0` in both; the same seed makes the same choices, frame by frame. */
  static async lay(a: CableEnd, b: CableEnd, seed = 1): Promise<BadCable> {
    const between = await Namespace.make(a instanceof Namespace ? a : undefined);
    try {
      await joinByVeth(between, a, 1500, ['left', 'eth0']);
      await joinByVeth(between, b, 1500, ['right', 'eth0']);
      const words = [program, 'left', 'right', String(seed)];
      const relay = new Running(...between.launch(process.execPath, words));
      await until('the relay', () => {
        if (relay.child.exitCode !== null) throw new Error(`the relay ended: ${relay.stderr}`);
        return relay.stdout.includes('ready');
      });
      return new BadCable(between, relay);
    } catch (error) {
      await between[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** From now on it is like this, in both directions or in each. */
  async become(there: LinkTraits, back = there): Promise<void> {
    const told = this.#relay.stdout.length;
    this.#relay.child.stdin?.write(`${JSON.stringify([there, back])}\n`);
    await until('the cable to be bad', () => this.#relay.stdout.length > told);
  }

  /** Takes it up; what it did, from `a` and from `b`. */
  async end(): Promise<readonly [LinkCounts, LinkCounts]> {
    const { stdout } = await this.#relay.kill('SIGTERM');
    return JSON.parse(stdout.slice(stdout.indexOf('['))) as [LinkCounts, LinkCounts];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.kill();
    await this.#between[Symbol.asyncDispose]();
  }
}
