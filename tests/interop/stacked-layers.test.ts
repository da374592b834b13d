/**
 * Unicast and broadcast layers that nodes of ours and of the reference prototype are in together.
 *
 * The prototype loses flow requests and replies, and its flow allocator may hang for good after that (unicast-layer.md
 * 8.7). Where its log says that this happened, the layer is built anew and the test done again.
 */
import { describe, expect, test } from 'vitest';
import { MixedLayer, type MixedNode, type MixedPlan, type Runtime } from '../support/mixed-layer.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import { peerPrefix } from '../support/peer.ts';
import { until } from '../support/until.ts';

const missing =
  peerPrefix === undefined
    ? 'O7S_PEER_PREFIX does not name an installed prototype'
    : process.getuid?.() === 0
      ? namespacesMissing()
      : 'the prototype runs as root only';

/** Timers of the prototype that are short enough to wait for. */
const quick = 'ls_t_recalc 1 ls_t_update 2 ls_t_timeo 5';
const attempts = 4;

/** Does something in a layer, once more where the prototype hung. */
async function inLayer(
  prefix: string,
  plan: MixedPlan,
  work: (layer: MixedLayer) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await using layer = await MixedLayer.make({ ...plan, prefix });
    try {
      return await work(layer);
    } catch (error) {
      const hung = [...layer.nodes].filter((node) => node.runtime === 'peer' && hasHung(node));
      if (hung.length === 0 || attempt === attempts) throw error;
      const names = hung.map(({ name }) => name).join(', ');
      console.warn(`attempt ${attempt}: the flow allocator of the prototype on ${names} hung`);
    }
  }
}

function hasHung({ log }: MixedNode): boolean {
  return log.includes('IPCP alloc_resp timed out') || log.includes('IPCP reg timed out');
}

/** A line of nodes: `ctc` is one of ours between two prototypes. They are called a, b, c, ... */
function line(kinds: string, options = quick): MixedPlan & { readonly names: readonly string[] } {
  const names = ['a', 'b', 'c', 'd'].slice(0, kinds.length);
  const nodes: Record<string, Runtime> = Object.fromEntries(
    names.map((name, index) => [name, kinds[index] === 't' ? 'ours' : 'peer']),
  );
  const cables = names.slice(1).map((name, index) => [names[index] ?? '', name] as const);
  return { nodes, cables, options, names };
}

/** Lets each node serve `ping.<name>`, and each ping each. */
async function allPingAll(layer: MixedLayer, names: readonly string[]): Promise<void> {
  for (const name of names) await layer.node(name).serve(`ping.${name}`, 'net');
  for (const from of names) {
    for (const to of names) if (from !== to) await layer.node(from).ping(`ping.${to}`);
  }
}

const prefix = peerPrefix;
if (prefix === undefined || missing !== undefined) {
  test('interop with the prototype in unicast and broadcast layers', ({ skip }) =>
    skip(missing ?? 'unknown'));
} else {
  describe('a unicast layer', () => {
    test.each([
      ['that the prototype bootstrapped, ours enrols', 'ct'],
      ['that ours bootstrapped, the prototype enrols', 'tc'],
    ])('%s; names of either are found from the other', { timeout: 480_000 }, async (_what, kinds) => {
      const { names, ...plan } = line(kinds);
      await inLayer(prefix, plan, async (layer) => allPingAll(layer, names));
    });

    test.each(['ctc', 'tct'])(
      'in line %s pings go through the middle',
      { timeout: 480_000 },
      async (kinds) => {
        const { names, ...plan } = line(kinds);
        await inLayer(prefix, plan, async (layer) => allPingAll(layer, names));
      },
    );

    test.each(['link_state', 'lfa', 'ecmp'])(
      'in a ring a link goes down and comes up again, routing %s',
      { timeout: 480_000 },
      async (routing) => {
        const { cables, ...plan } = line('tctc', `${quick} routing ${routing}`);
        const ring: MixedPlan = { ...plan, cables: [...cables, ['a', 'd']] };
        await inLayer(prefix, ring, async (layer) => {
          const [a, c] = [layer.node('a'), layer.node('c')];
          await a.serve('ping.a', 'net');
          await c.serve('ping.c', 'net');
          await a.ping('ping.c');
          await c.ping('ping.a');
          for (const neighbour of ['b', 'd']) {
            await a.setLink(neighbour, 'down');
            await a.ping('ping.c');
            await c.ping('ping.a');
            await a.setLink(neighbour, 'up');
            await until(
              `the neighbour ${neighbour} to be one again`,
              async () => {
                const { neighbours } = await a.ours.metrics('net.a');
                return (neighbours as readonly { up: boolean }[]).filter(({ up }) => up).length === 2;
              },
              60_000,
            );
            await a.ping('ping.c');
            await c.ping('ping.a');
          }
        });
      },
    );

    test(
      'a mis-configured prototype cannot join, and one that is well configured can',
      { timeout: 480_000 },
      async () => {
        const { names, ...plan } = line('tc');
        await inLayer(prefix, plan, async (layer) => {
          const b = layer.node('b');
          const words = ['ipcp', 'enroll', 'type', 'broadcast', 'name', 'odd.b', 'dst', 'net.a'];
          expect((await b.run('irm', ...words)).code).not.toBe(0);
          await allPingAll(layer, names);
        });
      },
    );
  });

  test('in a broadcast layer of both kinds everyone hears everyone once', { timeout: 240_000 }, async () => {
    const nodes = { a: 'ours', b: 'peer', c: 'ours', d: 'peer' } as const;
    const cables = [
      ['a', 'b'],
      ['a', 'c'],
      ['c', 'd'],
    ] as const;
    await inLayer(prefix, { nodes, cables, type: 'broadcast' }, async (layer) => {
      const names = Object.keys(nodes);
      // What is sent before the prototype has settled does not reach it.
      for (const name of ['a', 'c']) {
        await until(`${name} to have two neighbours`, async () => {
          const { connections } = await layer.node(name).ours.metrics(`net.${name}`);
          return (connections as readonly { up: boolean }[]).filter(({ up }) => up).length === 2;
        });
      }
      const heard = new Map<string, () => string>();
      for (const name of names) heard.set(name, await layer.node(name).listen('net'));
      const messages = names.flatMap((name) => [`first of ${name}`, `second of ${name}`]);
      for (const message of messages) {
        await layer.node(message.at(-1) ?? '').run('obc', '-n', 'net', '-m', message);
      }
      for (const [name, output] of heard) {
        const lines = (): string[] =>
          output()
            .split('\n')
            .filter((each) => each.startsWith('Message is'));
        await until(`${name} to hear all`, () => lines().length >= messages.length);
        expect(lines().toSorted()).toEqual(messages.map((each) => `Message is ${each}.`).toSorted());
      }
    });
  });
}
