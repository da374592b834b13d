/**
 * Routing beside a unicast IPCP of the prototype: two members of ours, each no more than routing over flows of an
 * eth-dix layer, are its neighbours. What it says is heard by both.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LinkState, type ManagementFlow } from '../../runtime/ipcpd/unicast/routing/link-state.ts';
import type { Flow, Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { lastVarint } from '../support/management-messages.ts';
import { messageOf, messageText } from '../support/management-text.ts';
import { Namespace, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';
import { until } from '../support/until.ts';

const missing =
  peerPrefix === undefined
    ? 'O7S_PEER_PREFIX does not name an installed prototype'
    : process.getuid?.() === 0
      ? namespacesMissing()
      : 'the prototype runs as root only';

/** The prototype's IPCP, and s of its layer: short, so that a test need not wait. */
const name = 'u0';
const times = { tRecalc: 1, tUpdate: 2, tTimeo: 6 };
/** How long it takes until all have forgotten a link, in ms. */
const forgottenMs = 1000 * (times.tTimeo + 2 * times.tUpdate);
const settleMs = 300;

const components = {
  mgmt: '\n\nManagement\u0012\u0003LSP\u0018\u0001(\u0000@',
  dt: '\n\rData Transfer\u0012\u0003dtp\u0018\u0001(\u0002@',
} as const;

/** A connection message (unicast-layer.md 3.5). */
function connectionMessage(component: keyof typeof components, address: number): Buffer {
  const varint: number[] = [];
  for (let rest = address; varint.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    varint.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return Buffer.concat([Buffer.from(components[component]), Buffer.from(varint)]);
}

interface End extends ManagementFlow {
  readonly flow: Flow;
}

/** Routing of ours, over flows to the prototype. */
class Member implements Disposable {
  readonly address: number;
  readonly routing: LinkState<End>;
  readonly heard: string[] = [];
  management: End | undefined;
  readonly #session: Session;
  readonly #timer: NodeJS.Timeout;
  #link:
    | { readonly peer: number; readonly isExtended: boolean; readonly maxMessageBytes: number }
    | undefined;
  #flow: Flow | undefined;

  constructor(address: number, session: Session) {
    this.address = address;
    this.#session = session;
    const port = {
      send: (end: End, message: Buffer): void => void end.flow.write(Buffer.from(message)).catch(() => {}),
      routesChanged: (): void => {},
      reachable: (): void => {},
    };
    const random = (): number => 1 + Math.floor(Math.random() * (2 ** 32 - 1));
    const options = { address, policy: 'link_state', ...times, port, random } as const;
    this.routing = new LinkState<End>(options, performance.now());
    this.#timer = setInterval(() => {
      if (this.routing.nextDeadline() <= performance.now()) this.routing.advance(performance.now());
    }, 2);
  }

  /** Connects routing with the prototype's. */
  async manage(): Promise<void> {
    const [flow, peer] = await this.#connect('mgmt');
    const readyAt = performance.now() + settleMs;
    const end = { flow, peer, isExtended: false, readyAt, maxMessageBytes: 1496 };
    this.management = end;
    this.routing.managementUp(end, performance.now());
    void (async () => {
      for await (const message of flow) {
        this.heard.push(message.length === 0 ? 'keepalive' : messageText(message));
        this.routing.receive(end, message, 0, message.length, performance.now());
      }
    })().catch(() => {});
  }

  async link(): Promise<void> {
    const [flow, peer] = await this.#connect('dt');
    this.#flow = flow;
    this.#link = { peer, isExtended: false, maxMessageBytes: 1496 };
    this.routing.linkUp(this.#link, performance.now());
  }

  unlink(): void {
    this.#flow?.abort();
    if (this.#link !== undefined) this.routing.linkDown(this.#link, performance.now());
  }

  get peer(): number {
    return this.management?.peer ?? 0;
  }

  /** Sends something that routing would not. */
  say(message: Buffer): void {
    this.management?.flow.write(message).catch(() => {});
  }

  reaches(other: number): boolean {
    return [...this.routing.members()].includes(other);
  }

  /** The highest number heard of a link. */
  numberOf(source: number, destination: number): number {
    const rows = this.routing.database(performance.now());
    return rows.find((row) => row.source === source && row.destination === destination)?.seqno ?? -1;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#session[Symbol.dispose]();
  }

  /** Its replies to flow requests are lost now and then (2.5): they are asked for again. */
  #connect(component: keyof typeof components): Promise<readonly [Flow, number]> {
    return until(
      `a ${component} connection`,
      async () => {
        const flow = await this.#session.allocFlow(name, { timeout: 2000 }).catch(() => {});
        if (flow === undefined) return false;
        await flow.write(connectionMessage(component, this.address));
        const answer = await flow.read({ timeout: 1000 }).catch(() => {});
        if (answer === undefined) return false;
        const peer = lastVarint(answer);
        expect(answer).toEqual(connectionMessage(component, peer));
        return [flow, peer] as const;
      },
      30_000,
    );
  }
}

const prefix = peerPrefix;
if (prefix === undefined || missing !== undefined) {
  test('link states with the prototype', ({ skip }) => skip(missing ?? 'unknown'));
} else {
  describe('link states with the prototype', () => {
    const stack = new AsyncDisposableStack();
    let one: Member;
    let other: Member;
    let prototype: number;

    beforeAll(async () => {
      const namespace = stack.use(await Namespace.make());
      const peer = stack.use(await PeerNode.start(prefix));
      joinNamespaces({ pid: namespace.pid, dev: 'eth0' }, { pid: peer.pid, dev: 'eth0' });
      const node = stack.use(await TestNode.start(namespace.launch));
      stack.defer(() => sessionsEnded(node));
      await node.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
      const irm = async (line: string): Promise<void> => {
        const { code, output } = await peer.run(['irm', ...line.split(' ')]);
        if (code !== 0) throw new Error(`irm ${line} ended with ${code}: ${output}${peer.log}`);
      };
      await irm('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
      // Made and bootstrapped at once it may be half dead (10).
      await irm(`ipcp create type unicast name ${name}`);
      await delay(500);
      const { tRecalc, tUpdate, tTimeo } = times;
      const intervals = `ls_t_recalc ${tRecalc} ls_t_update ${tUpdate} ls_t_timeo ${tTimeo}`;
      await irm(`ipcp bootstrap type unicast name ${name} layer uni ${intervals} autobind`);
      await irm(`name register ${name} layer lan`);
      const members: Member[] = [];
      for (const address of [0x0000_1111, 0xf000_2222]) {
        members.push(stack.use(new Member(address, await openSession(node))));
      }
      [one, other] = members as [Member, Member];
      for (const member of members) {
        await member.manage();
        await member.link();
      }
      prototype = one.peer;
    }, 90_000);
    afterAll(() => stack.disposeAsync());

    test('all find each other', async () => {
      expect(prototype).toBeGreaterThan(0);
      await until('paths', () => one.reaches(other.address) && other.reaches(one.address));
      expect([one.routing.distance(prototype), one.routing.distance(other.address)]).toEqual([1, 2]);
      expect(one.routing.routes.hop(1, 0)).toBe(prototype);
    });

    test('packets of updates and acknowledgements are nothing to it; what follows them is heard', async () => {
      const before = other.heard.length;
      for (const text of [
        '[0: ]',
        '[1: 77>78 #1 900]',
        '[2: 77>78 #1, 78>77 #1 gone]',
        'ack 1',
        'ack 1 2 3 4 5',
      ]) {
        one.say(messageOf(text));
        await delay(20);
      }
      one.say(messageOf('77>79 #1'));
      await until('the LSU behind them', () => other.heard.slice(before).includes('77>79 #1'));
      expect(other.heard.slice(before).filter((text) => text.includes('77>78'))).toEqual([]);
      // None of them set it behind: the next announcements come one each.
      one.say(messageOf('77>79 #2'));
      await until('the next LSU', () => other.heard.includes('77>79 #2'), 500);
    });

    test('told a higher number of a link of its own, it goes on above it (6.4)', async () => {
      const number = one.numberOf(prototype, other.address) + 1000;
      one.say(messageOf(`${prototype}>${other.address} #${number}`));
      await until('the next announcement', () => one.numberOf(prototype, other.address) > number);
      expect(one.numberOf(prototype, other.address)).toBeLessThan(number + 3);
    });

    test('an entry in its own name for a link it does not have is announced for ever (6.4)', async () => {
      one.say(messageOf(`${prototype}>88 #5`));
      await until('it to believe that', () => other.heard.includes(`${prototype}>88 #6`));
      await delay(forgottenMs);
      expect(other.numberOf(prototype, 88)).toBeGreaterThan(8);
    });

    test('a link that is no longer announced is forgotten; it goes on announcing its own side (6.9)', async () => {
      one.unlink();
      await until('no path', () => !one.reaches(prototype));
      await until('no path to it', () => !other.reaches(one.address), forgottenMs);
      const number = other.numberOf(prototype, one.address);
      await until('the next announcement', () => other.numberOf(prototype, one.address) > number);
    });

    test('a link that comes again is heard at once', async () => {
      await one.link();
      await until('a path', () => other.reaches(one.address) && one.reaches(other.address), 2000);
      await until('it to be made to calculate', () => (one.routing.counters['cures'] ?? 0) > 0);
    });
  });
}
