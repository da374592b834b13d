/** What to undo and what to do in a lab so that it becomes another topology, or whole again. */
import { enrolmentsFrom } from '../model/membership.ts';
import { isStackedLayer, type Topology, type TopologyStackedLayer } from '../model/topology.ts';
import type { Action, Step } from './action.ts';
import { enrolmentStep, firstMemberStep, reachIn } from './layer-steps.ts';
import { type Plan, planOf } from './plan.ts';

export interface Difference {
  /** Steps of before whose work is to be undone, each after those that it waits for. */
  readonly undo: readonly Step[];
  readonly redo: Plan;
}

export interface DifferenceOptions {
  /** Steps, by id, whose work is gone by itself. */
  lost?: ReadonlySet<string>;
  /** Nodes that are stopped and stay so: nothing is done on them that takes an irmd. */
  absent?: ReadonlySet<string>;
}

/** Everything, from nothing. */
export function fromNothing(plan: Plan): Difference {
  return { undo: [], redo: plan };
}

/**
 * From plans, of which each step may have been done, to another. A step stays as it is where every plan has it alike and
 * nothing it needs is done anew.
 */
export function difference(
  from: readonly Plan[],
  to: { plan: Plan; topology: Topology },
  { lost = new Set(), absent = new Set() }: DifferenceOptions = {},
): Difference {
  const before = from.map(({ steps }) => new Map(steps.map((each) => [each.id, each])));
  const wanted = new Map(to.plan.steps.map((each) => [each.id, each]));
  const gone = new Set([...lost, ...[...absent].map((node) => `irmd ${node}`)]);
  const isAlike = (each: Step): boolean =>
    before.length > 0 && before.every((steps) => steps.get(each.id)?.content === each.content);
  const anew = new Set(
    to.plan.steps.filter((each) => gone.has(each.id) || !isAlike(each)).map(({ id }) => id),
  );
  // Steps come after those they need, in every plan.
  for (const { id, needs } of to.plan.steps) if (needs.some((need) => anew.has(need))) anew.add(id);
  for (const { id, action } of to.plan.steps) {
    // What is taken out of a layer changes it for the others too.
    if (action.kind !== 'converge') continue;
    const parts = before.flatMap((steps) => steps.get(id)?.needs ?? []);
    if (parts.some((part) => !wanted.has(part))) anew.add(id);
  }
  const steps = present(to, anew, absent).filter(({ id }) => anew.has(id));
  const ids = new Set(steps.map(({ id }) => id));
  const redo = steps.map((each) => ({ ...each, after: each.after.filter((id) => ids.has(id)) }));
  return { undo: undone(before, wanted, anew, gone), redo: planOf(inOrder(redo)) };
}

/** Actions with something to undo. */
const undoable: ReadonlySet<Action['kind']> = new Set<Action['kind']>([
  'node',
  'limit',
  'cable',
  'lan',
  'plug',
  'impair',
  'address',
  'hosts',
  'config',
  'irmd',
  'bootstrap',
  'enroll',
  'connect',
  'register',
  'serve',
]);

function undone(
  before: readonly ReadonlyMap<string, Step>[],
  wanted: ReadonlyMap<string, Step>,
  anew: ReadonlySet<string>,
  lost: ReadonlySet<string>,
): Step[] {
  const isUndone = ({ id, content, action }: Step): boolean => {
    if (lost.has(id) || !undoable.has(action.kind)) return false;
    if (!wanted.has(id)) return true;
    // A connection that is made anew was cut with what it went through; a limit, and a file, is overwritten.
    if (['connect', 'limit', 'impair', 'config', 'register'].includes(action.kind)) return false;
    // The lines of a hosts file that stay are not taken out.
    return anew.has(id) && (action.kind !== 'hosts' || wanted.get(id)?.content !== content);
  };
  const found = new Map<string, Step>();
  for (const steps of before) {
    for (const each of steps.values()) if (isUndone(each)) found.set(`${each.id} ${each.content}`, each);
  }
  const ids = new Set([...found.values()].map(({ id }) => id));
  // What goes with something else needs no undoing of its own.
  const goes = ({ within }: Step): boolean => within.some((id) => ids.has(id) || lost.has(id));
  const left = [...found.values()].filter((each) => !goes(each));
  const ordered = left.toReversed();
  const placed = new Map(ordered.map((each) => [each.id, each]));
  return ordered.map((each) => ({
    ...each,
    after: ordered
      .filter((other) => other.after.includes(each.id) && placed.has(other.id))
      .map(({ id }) => id),
    phase: 'taking away',
  }));
}

/**
 * The steps of a plan that can be done while some nodes are absent. Members of layers over others enrol with members
 * that are there already: nobody may bootstrap such a layer a second time. One that reaches none of them is left out.
 */
function present(
  { plan, topology }: { plan: Plan; topology: Topology },
  anew: ReadonlySet<string>,
  absent: ReadonlySet<string>,
): Step[] {
  const replaced = new Map<string, Step | undefined>();
  const out = new Set<string>();
  for (const layer of topology.layers) {
    for (const { node, ipcp } of layer.members) if (absent.has(node)) out.add(ipcp);
    if (!isStackedLayer(layer)) continue;
    const reach = reachIn(layer, topology, (node) => !absent.has(node));
    const isAnew = ({ ipcp }: { ipcp: string }): boolean => anew.has(`ipcp ${ipcp}`);
    const there = layer.members.filter(({ node }) => reach.has(node));
    const kept = there.filter((member) => !isAnew(member)).map(({ node }) => node);
    if (kept.length === layer.members.length) continue;
    const first = there.find(({ node }) => node === layer.bootstrap) ?? there[0];
    const roots = kept.length > 0 || first === undefined ? kept : [first.node];
    if (kept.length === 0 && first !== undefined) {
      replaced.set(`ipcp ${first.ipcp}`, firstMemberStep(layer, first));
    }
    const enrolments = enrolmentsFrom(roots, reach);
    for (const each of enrolments) {
      const enrolment = enrolmentStep(layer, each, topology);
      replaced.set(enrolment.id, enrolment);
    }
    const joined = new Set([...roots, ...enrolments.map(({ node }) => node)]);
    for (const { node, ipcp } of layer.members) if (!joined.has(node)) out.add(ipcp);
  }
  return plan.steps.flatMap((each) => {
    const made = replaced.get(each.id) ?? each;
    const { action } = made;
    if (action.kind === 'converge') return [withoutMembers(made, action.layer, out)];
    const isOut = 'ipcp' in action && (out.has(action.ipcp) || ('to' in action && out.has(action.to)));
    const isOff = 'node' in action && absent.has(action.node) && takesIrmd.has(action.kind);
    return isOut || isOff ? [] : [made];
  });
}

const takesIrmd: ReadonlySet<Action['kind']> = new Set<Action['kind']>(['irmd', 'name', 'serve']);

/** The wait for a layer, for those members that there are. */
function withoutMembers(wait: Step, layer: TopologyStackedLayer, out: ReadonlySet<string>): Step {
  const members = layer.members.filter(({ ipcp }) => !out.has(ipcp));
  const adjacencies = layer.adjacencies.filter(({ ipcp, to }) => !out.has(ipcp) && !out.has(to));
  return { ...wait, action: { kind: 'converge', layer: { ...layer, members, adjacencies } } };
}

/** The same steps, each after those it waits for. */
function inOrder(steps: readonly Step[]): Step[] {
  const known = new Map(steps.map((each) => [each.id, each]));
  const ordered = new Set<Step>();
  const place = (each: Step): void => {
    if (ordered.has(each)) return;
    for (const id of each.after) {
      const earlier = known.get(id);
      if (earlier !== undefined) place(earlier);
    }
    ordered.add(each);
  };
  for (const each of steps) place(each);
  return [...ordered];
}
