/** What steps do, as data. */
import type { BalancePolicy, BootstrapConfig, IpcpType } from '../../runtime/lib/index.ts';
import type { Impairments } from '../model/impairment.ts';
import type {
  TopologyCable,
  TopologyLink,
  TopologyLinkEnd,
  TopologyNode,
  TopologyStackedLayer,
} from '../model/topology.ts';

/** Everything that happens on a node names it by `node`. */
export type Action =
  | { readonly kind: 'node'; readonly node: string; readonly description: TopologyNode }
  /** How much time and memory a node may take. */
  | {
      readonly kind: 'limit';
      readonly node: string;
      readonly cpus: number | undefined;
      readonly memoryBytes: number | undefined;
    }
  | { readonly kind: 'cable'; readonly link: TopologyCable }
  | { readonly kind: 'lan'; readonly lan: string; readonly mtu: number }
  /** Joins a node to a LAN. */
  | {
      readonly kind: 'plug';
      readonly node: string;
      readonly lan: string;
      readonly mtu: number;
      readonly end: TopologyLinkEnd;
    }
  /** Makes a link bad. */
  | { readonly kind: 'impair'; readonly link: TopologyLink; readonly impairments: Impairments }
  | {
      readonly kind: 'address';
      readonly node: string;
      readonly interface: string;
      /** With the length of its prefix. */
      readonly address: string;
    }
  /** Lines that the node's own hosts file is to have. */
  | { readonly kind: 'hosts'; readonly node: string; readonly lines: readonly string[] }
  /** Copies a folder, which is on this machine, to where the node's irmd looks for its configuration. */
  | { readonly kind: 'config'; readonly node: string; readonly folder: string; readonly digest: string }
  | { readonly kind: 'irmd'; readonly node: string; readonly words: readonly string[] }
  | {
      readonly kind: 'bootstrap';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly layer: string;
      readonly config: BootstrapConfig;
      /** Whether it serves its own name and that of its layer. */
      readonly autobind: boolean;
    }
  | {
      readonly kind: 'enroll';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly layer: string;
      /** The IPCP it enrols with. */
      readonly with: string;
    }
  | {
      readonly kind: 'connect';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly to: string;
    }
  /** Waits until the members of a layer have what they need of each other. */
  | { readonly kind: 'converge'; readonly layer: TopologyStackedLayer }
  /** Makes a name known to a node. */
  | {
      readonly kind: 'name';
      readonly node: string;
      readonly name: string;
      readonly balance: BalancePolicy | undefined;
    }
  | { readonly kind: 'register'; readonly node: string; readonly name: string; readonly ipcp: string }
  | {
      readonly kind: 'serve';
      readonly node: string;
      readonly name: string;
      readonly command: readonly string[];
      /** Name of the server's log, one for each server of a node. */
      readonly log: string;
    };

export type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

export interface Step {
  readonly id: string;
  /** Steps that must be done before, where they are to be done. */
  readonly after: readonly string[];
  /** Those of them whose work holds this step's: when one is done anew, so has this one to be. */
  readonly needs: readonly string[];
  /** Those whose undoing takes this step's work away too. */
  readonly within: readonly string[];
  /** What of its outcome lasts, as text; two steps of one id and content need not both be done. */
  readonly content: string;
  readonly phase: string;
  /** The node it happens on; absent for what lies between nodes. */
  readonly node?: string;
  readonly text: string;
  /** The command line that does it on the node, where there is one. */
  readonly command?: string;
  readonly action: Action;
}

type StepParts = Omit<Step, 'content' | 'needs' | 'within'> &
  Partial<Pick<Step, 'content' | 'needs' | 'within'>>;

/** A step whose content is its action, and whose work goes with all that it needs. */
export function step(parts: StepParts): Step {
  const { needs = [] } = parts;
  return { needs, within: needs, content: JSON.stringify(parts.action), ...parts };
}
