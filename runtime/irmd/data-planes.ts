/** The processes IPCPs run in: one for all of them, or one each. */
import type { LogLevel } from '../lib/log.ts';
import { DataPlane, type DataPlaneOptions } from './data-plane.ts';
import type { DataPlanes } from './management.ts';
import type { DataPlanePort } from './registry.ts';

/** What both kinds are made from. */
export type DataPlanesOptions = Omit<DataPlaneOptions, 'respawn'>;

export interface RunningDataPlanes extends DataPlanes {
  /** Ends all processes and waits until they are gone. */
  stop(): Promise<void>;
}

/** IPCPs of a shared data plane count from above the kernel's largest pid (2^22). */
const firstIpcpPid = 4_194_305;

/** One process for all IPCPs: a packet that crosses two of them stays in it. */
export class SharedDataPlane implements RunningDataPlanes {
  readonly #plane: DataPlane;
  #nextPid = firstIpcpPid;

  constructor(options: DataPlanesOptions) {
    this.#plane = new DataPlane({ ...options, respawn: true });
  }

  async place(): Promise<{ plane: DataPlanePort; pid: number }> {
    return { plane: this.#plane, pid: this.#nextPid++ };
  }

  isOwn(): boolean {
    return false;
  }

  async leave(): Promise<void> {
    // The process stays for the others.
  }

  async kill(plane: DataPlanePort, pid: number): Promise<void> {
    await plane.call('ipcp.kill', { pid });
  }

  async setLogLevel(level: LogLevel): Promise<void> {
    await toldLevel(this.#plane, level);
  }

  stop(): Promise<void> {
    return this.#plane.stop();
  }
}

/** A process for each IPCP: isolated from each other, ended each by itself. */
export class SeparateDataPlanes implements RunningDataPlanes {
  readonly #options: DataPlanesOptions;
  readonly #planes = new Set<DataPlane>();

  constructor(options: DataPlanesOptions) {
    this.#options = options;
  }

  async place(): Promise<{ plane: DataPlanePort; pid: number }> {
    const plane = new DataPlane({
      ...this.#options,
      respawn: false,
      onCrash: (crashed) => {
        this.#planes.delete(crashed);
        this.#options.onCrash(crashed);
      },
    });
    this.#planes.add(plane);
    try {
      await plane.ready();
    } catch (error) {
      this.#planes.delete(plane);
      throw error;
    }
    return { plane, pid: plane.pid };
  }

  isOwn(): boolean {
    return true;
  }

  async leave(plane: DataPlanePort, answers = true): Promise<void> {
    for (const running of this.#planes) {
      if (running !== plane) continue;
      this.#planes.delete(running);
      await running.stop(answers);
    }
  }

  async kill(plane: DataPlanePort): Promise<void> {
    await Promise.all([...this.#planes].filter((running) => running === plane).map((own) => own.kill()));
  }

  async setLogLevel(level: LogLevel): Promise<void> {
    await Promise.all([...this.#planes].map((plane) => toldLevel(plane, level)));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#planes].map((plane) => plane.stop()));
    this.#planes.clear();
  }
}

async function toldLevel(plane: DataPlane, level: LogLevel): Promise<void> {
  // One that has crashed is followed by one that is told when it starts.
  await plane.call('log.level', { level }).catch(() => {});
}
