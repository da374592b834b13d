/**
 * What users may have open at irmd at a time, so that none takes all there is. Root, the group ouroboros and the user irmd
 * runs as are bounded by what the node has. Pure.
 */
import { type ErrorCode, O7sError } from '../lib/errors.ts';
import { uidConnectionsMax, uidFlowsMax, uidRequestsMax } from '../lib/limits.ts';

/** What is shared: control connections, requests for flows and accept calls that wait, flow ids. */
export type Shared = 'connections' | 'requests' | 'flows';

export type ShareLimits = Readonly<Record<Shared, number>>;

export const shareLimits: ShareLimits = {
  connections: uidConnectionsMax,
  requests: uidRequestsMax,
  flows: uidFlowsMax,
};

/** Whose share it is. */
export interface ShareHolder {
  readonly uid: number;
  readonly privileged: boolean;
}

const told: Readonly<
  Record<Shared, { readonly code: ErrorCode; readonly what: string; readonly hint: string }>
> = {
  connections: {
    code: 'EAGAIN',
    what: 'connections to irmd',
    hint: 'end some of its processes, or run as root or as a member of the group ouroboros',
  },
  requests: {
    code: 'EAGAIN',
    what: 'requests for flows and accept calls',
    hint: 'wait for some of them to end',
  },
  flows: {
    code: 'EBADF',
    what: 'flows',
    hint: 'release some, or run as root or as a member of the group ouroboros',
  },
};

export class Shares {
  /** How often users were refused for having their share, since irmd started. */
  readonly refused: Record<Shared, number> = { connections: 0, requests: 0, flows: 0 };
  readonly #limits: ShareLimits;
  readonly #exempt: number;
  readonly #held = new Map<string, number>();

  /** `ownUid` is the user irmd runs as. */
  constructor(limits: ShareLimits, ownUid: number) {
    this.#limits = limits;
    this.#exempt = ownUid;
  }

  /**
   * Takes one for a user. What it returns gives it back; idempotent.
   *
   * @throws O7sError EAGAIN, or EBADF of flows, when the user has as many as it may.
   */
  take({ uid, privileged }: ShareHolder, what: Shared): () => void {
    if (privileged || uid === this.#exempt) return () => {};
    const key = `${what} ${uid}`;
    const held = this.#held.get(key) ?? 0;
    if (held >= this.#limits[what]) {
      this.refused[what] += 1;
      const { code, what: words, hint } = told[what];
      throw new O7sError(code, `user ${uid} has ${held} ${words} open on this node, its share`, { hint });
    }
    this.#held.set(key, held + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#held.get(key) ?? 1) - 1;
      if (left === 0) this.#held.delete(key);
      else this.#held.set(key, left);
    };
  }
}
