/** The management of one node, whichever runtime it has. */
import type { BalancePolicy, BootstrapConfig, IpcpType } from '../../runtime/lib/index.ts';

/** An IPCP to be made. */
export interface Membership {
  readonly ipcp: string;
  readonly type: IpcpType;
  readonly layer: string;
}

/** An IPCP that runs; without a layer before bootstrap and enrolment. */
export interface RunningIpcp {
  readonly pid: number;
  readonly type: IpcpType;
  readonly layer: string | undefined;
}

/** What `irm` does on a node. Every call may be repeated, and changes nothing where all is as it should be. */
export interface NodeManager extends AsyncDisposable {
  bootstrap(member: Membership, config: BootstrapConfig, autobind: boolean): Promise<void>;
  /** `destination` is the IPCP to enrol with. */
  enroll(member: Membership, destination: string): Promise<void>;
  /** Makes a connection, and one that is there anew: it may lead to an IPCP that is no more. */
  connect(ipcp: string, type: IpcpType, destination: string): Promise<void>;
  disconnect(ipcp: string, type: IpcpType, destination: string): Promise<void>;
  /** Does nothing where there is no such IPCP. */
  destroy(ipcp: string): Promise<void>;
  createName(name: string, balance: BalancePolicy | undefined): Promise<void>;
  register(name: string, ipcp: string): Promise<void>;
  unregister(name: string, ipcp: string): Promise<void>;
  /** Binds a process to a name; false where the process has not announced itself yet. */
  bindProcess(pid: number, name: string): Promise<boolean>;
  /**
   * Whether a member of a layer over others has all it needs of them: routes to so many others in a unicast layer, so
   * many neighbours in a broadcast layer. True where that cannot be told.
   */
  isComplete(member: Membership, wanted: number): Promise<boolean>;
  /** The IPCPs that run, by name. */
  ipcps(): Promise<ReadonlyMap<string, RunningIpcp>>;
}
