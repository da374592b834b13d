/** One member's routing, member 1, whose neighbours are the test. */
import {
  type DataTransferLink,
  LinkState,
  type LinkStateLimits,
  type ManagementFlow,
} from '../../runtime/ipcpd/unicast/routing/link-state.ts';
import type { RoutingPolicy } from '../../runtime/lib/rpc/api.ts';
import { messageOf, messageText } from './management-text.ts';

const self = 1;
/** First of the addresses that stand for random ones. */
export const randomFrom = 9001;
export const limit = 1496;

export interface BenchOptions {
  readonly policy?: RoutingPolicy;
  readonly tRecalc?: number;
  readonly tUpdate?: number;
  readonly tTimeo?: number;
  readonly limits?: Partial<LinkStateLimits>;
}

export class RoutingBench {
  now = 1000;
  readonly routing: LinkState<ManagementFlow>;
  readonly #events: string[] = [];
  readonly #flows = new Map<number, ManagementFlow>();
  readonly #links = new Map<number, DataTransferLink>();
  readonly #numbers = new Map<number, number>();
  /** Packets of updates that a neighbour of our kind has not acknowledged yet. */
  readonly #unacknowledged = new Map<number, number[]>();
  /** Whether neighbours of our kind acknowledge what they get as soon as time passes. */
  acknowledges = true;
  #random = randomFrom;

  constructor(options: BenchOptions = {}) {
    const { policy = 'link_state', tRecalc = 4, tUpdate = 15, tTimeo = 60, limits = {} } = options;
    this.routing = new LinkState<ManagementFlow>(
      {
        address: self,
        policy,
        tRecalc,
        tUpdate,
        tTimeo,
        // What waits for others is looked at where that is the question.
        limits: { gatherMs: 0, ...limits },
        random: () => this.#random++,
        port: {
          send: (flow, message) => {
            const text = messageText(message);
            this.#events.push(`to ${flow.peer}: ${text}`);
            const [, number] = /^\[(\d+):/.exec(text) ?? [];
            const numbers = this.#unacknowledged.get(flow.peer) ?? [];
            this.#unacknowledged.set(flow.peer, numbers);
            if (number !== undefined) numbers.push(Number(number));
            // What was sent is nobody's any more.
            message.fill(0xa5);
          },
          routesChanged: () => this.#events.push('routes'),
          reachable: (address, is) => this.#events.push(`${address} ${is ? 'found' : 'lost'}`),
        },
      },
      this.now,
    );
  }

  /** A management flow to a prototype, or to a member of our kind. */
  managed(peer: number, isExtended = false, settleMs = 0): ManagementFlow {
    const flow = { peer, isExtended, readyAt: this.now + settleMs, maxMessageBytes: limit };
    this.#flows.set(peer, flow);
    this.routing.managementUp(flow, this.now);
    return flow;
  }

  unmanaged(peer: number): void {
    this.routing.managementDown(this.#flows.get(peer)!, this.now);
  }

  linked(peer: number, isExtended = false, maxMessageBytes = limit): DataTransferLink {
    const link = { peer, isExtended, maxMessageBytes };
    this.#links.set(peer, link);
    this.routing.linkUp(link, this.now);
    return link;
  }

  unlinked(peer: number, link = this.#links.get(peer)!): void {
    this.routing.linkDown(link, this.now);
  }

  /** A message from a neighbour as text. */
  hears(peer: number, text: string): void {
    this.hearsBytes(peer, messageOf(text));
  }

  /** Updates in a packet of a member of our kind, numbered in turn. */
  hearsUpdates(peer: number, ...updates: readonly string[]): void {
    const number = this.#numbers.get(peer) ?? 0;
    this.#numbers.set(peer, number + 1);
    this.hears(peer, `[${number}: ${updates.join(', ')}]`);
  }

  hearsBytes(peer: number, message: Buffer): void {
    const memory = Buffer.concat([Buffer.alloc(3, 0xa5), message, Buffer.alloc(3, 0xa5)]);
    this.routing.receive(this.#flows.get(peer)!, memory, 3, memory.length - 3, this.now);
  }

  /** A link between two others, or to this member, is known to both sides. */
  hearsLink(peer: number, a: number, b: number, seqno = 0): void {
    for (const [source, destination] of [
      [a, b],
      [b, a],
    ] as const) {
      if (source !== self) this.hears(peer, `${source}>${destination} #${seqno}`);
    }
  }

  /** Lets time pass, to the millisecond of every deadline. */
  after(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      if (this.acknowledges) this.#acknowledge();
      const deadline = this.routing.nextDeadline();
      if (deadline > until) break;
      this.now = Math.max(this.now, deadline);
      this.routing.advance(this.now);
      if (this.routing.nextDeadline() <= this.now)
        throw new Error(`deadline not in the future at ${this.now}`);
    }
    this.now = until;
    return this;
  }

  #acknowledge(): void {
    for (const [peer, numbers] of this.#unacknowledged) {
      if (numbers.length > 0) this.hears(peer, `ack ${numbers.splice(0).join(' ')}`);
    }
  }

  /** What happened since the last call, without what is not asked for. */
  take(wanted: 'sent' | 'told' | 'all' = 'sent'): string[] {
    const events = this.#events.splice(0);
    if (wanted === 'all') return events;
    return events.filter((event) => event.startsWith('to ') === (wanted === 'sent'));
  }

  /** What was sent without acknowledgements; numbers of packets left out. */
  takeUpdates(): string[] {
    return this.take()
      .filter((event) => !event.includes(': ack '))
      .map((event) => event.replace(/\[\d+: /, '['));
  }

  /** Counters that are not 0. */
  counters(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.routing.counters).filter(([, count]) => count > 0));
  }

  /** The database as text. */
  database(): string[] {
    return this.routing
      .database(this.now)
      .map(({ source, destination, seqno, isWithdrawn, maxMessageBytes }) =>
        [`${source}>${destination} #${seqno}`, isWithdrawn ? 'gone' : maxMessageBytes]
          .filter((word) => word !== undefined)
          .join(' '),
      );
  }

  /** Destinations and their next hops. */
  routes(): Record<number, number[]> {
    const { routes } = this.routing;
    return Object.fromEntries(
      Array.from({ length: routes.size }, (_, index) => [
        routes.destination(index),
        Array.from({ length: routes.hopCount(index) }, (_unused, number) => routes.hop(index, number)),
      ]),
    );
  }
}
