/** Two nodes in one eth-dix layer, `e0` in each over `eth0`, on a cable that may be bad. For the time of a test. */
import { onTestFinished } from 'vitest';
import { BadCable } from './bad-cable.ts';
import { Namespace, NamespacePair } from './namespaces.ts';
import { TestNode } from './node.ts';

export interface TwoNodes {
  readonly a: TestNode;
  readonly b: TestNode;
  readonly ends: readonly [Namespace, Namespace];
  /** There where it was asked for. */
  readonly cable: BadCable | undefined;
}

/** `prepare` sees the nodes before their irmds start. */
export async function startTwoNodes(
  isBad: boolean,
  prepare: (a: TestNode, b: TestNode) => void = () => {},
): Promise<TwoNodes> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  let ends: readonly [Namespace, Namespace];
  let cable: BadCable | undefined;
  if (isBad) {
    const one = stack.use(await Namespace.make());
    ends = [one, stack.use(await Namespace.make(one))];
    cable = stack.use(await BadCable.lay(...ends));
  } else {
    const pair = stack.use(await NamespacePair.make());
    ends = [pair.a, pair.b];
  }
  const [a, b] = ends.map(({ launch }) => stack.use(TestNode.empty(launch)));
  if (a === undefined || b === undefined) throw new Error('two nodes were to start');
  prepare(a, b);
  for (const node of [a, b]) {
    await node.startIrmd();
    await node.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
  }
  return { a, b, ends, cable };
}
