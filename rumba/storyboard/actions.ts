/** What a storyboard can do to a lab: as data, so that it can be planned, written down and compared. */
import { TestbedError } from '../errors.ts';
import { impairment, type ImpairmentOptions } from '../model/impairment.ts';

/** A part of a topology, or its name. */
export type Named = string | { readonly name: string };

/** `target` is the name of a link, node, IPCP or layer; `parameters` are all that a plan shows besides. */
export interface StoryAction {
  readonly kind: ActionKind;
  readonly target: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type ActionKind =
  | 'link.set'
  | 'link.reset'
  | 'link.down'
  | 'link.up'
  | 'node.stop'
  | 'node.start'
  | 'node.kill'
  | 'node.pause'
  | 'node.resume'
  | 'ipcp.kill'
  | 'partition'
  | 'heal'
  | 'run'
  | 'ping'
  | 'reachable'
  | 'converged'
  | 'call';

/** Makes a link bad in what is given; `from` and `to` name a node, for one direction. */
export function setLink(
  link: Named,
  options: ImpairmentOptions,
  direction: { from?: Named; to?: Named } = {},
): StoryAction {
  impairment(options, `link ${nameOf(link)}`, { ...impairment({}, ''), delayMs: 1 });
  const ends = Object.fromEntries(
    Object.entries(direction).map(([end, node]: [string, Named]) => [end, nameOf(node)]),
  );
  return act('link.set', link, { ...options, ...ends });
}

/** Makes a link good again; what is under way arrives. */
export const resetLink = (link: Named): StoryAction => act('link.reset', link);
/** Takes the carrier of a link away at both ends. */
export const linkDown = (link: Named): StoryAction => act('link.down', link);
/** Gives a link its carrier back. */
export const linkUp = (link: Named): StoryAction => act('link.up', link);
/** Ends all that runs on a node, with a goodbye, and takes the carriers of its links. */
export const stopNode = (node: Named): StoryAction => act('node.stop', node);
/** Starts a node that was stopped or killed; it joins its layers again. */
export const startNode = (node: Named): StoryAction => act('node.start', node);
/** The same as stopping it, by SIGKILL: nobody says goodbye. */
export const killNode = (node: Named): StoryAction => act('node.kill', node);
/** Lets nothing on a node run, while its links stay as they are. */
export const pauseNode = (node: Named): StoryAction => act('node.pause', node);
/** Lets a paused node go on. */
export const resumeNode = (node: Named): StoryAction => act('node.resume', node);
/** Ends the process of one IPCP by SIGKILL; one that shares its process with others is dropped by it, just as suddenly. */
export const killIpcp = (ipcp: Named): StoryAction => act('ipcp.kill', ipcp);

/** Takes the carrier of every link between these nodes and all others away. */
export function partition(nodes: readonly Named[]): StoryAction {
  return act('partition', nodes.map(nameOf).join(','));
}

/** Gives those links their carriers back. */
export function heal(nodes: readonly Named[]): StoryAction {
  return act('heal', nodes.map(nameOf).join(','));
}

/** Runs a command on a node to its end; an exit code that is not 0 fails the run. */
export function run(node: Named, command: readonly string[]): StoryAction {
  if (!Array.isArray(command) || command.length === 0) {
    throw new TestbedError('ETOPOLOGY', `there is no command to run on ${nameOf(node)}`);
  }
  return act('run', node, { command: [...command] });
}

export function act(
  kind: ActionKind,
  target: Named,
  parameters: Readonly<Record<string, unknown>> = {},
): StoryAction {
  return { kind, target: nameOf(target), parameters };
}

export function nameOf(named: Named): string {
  const name = typeof named === 'string' ? named : named?.name;
  if (typeof name === 'string' && name !== '') return name;
  throw new TestbedError(
    'ETOPOLOGY',
    `${JSON.stringify(named)} is no part of a topology, and no name of one`,
  );
}
