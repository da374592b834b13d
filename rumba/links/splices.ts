/**
 * Leads the frames of joins by way of the wire, and past it again. A join that is spliced has two funnels, into which
 * its ports lead; the wire has a splice of the join's name.
 */
import { type Impairments, perfect, underWayMsMax } from '../model/impairment.ts';
import { derivedSeed } from '../seeded.ts';
import { Turns } from '../turns.ts';
import type { SpliceSetting, SpliceState, WayEnds, WireApi } from '../wire/api.ts';
import type { WireClient } from '../wire/client.ts';
import {
  funnelCommands,
  funnelOf,
  inSequence,
  interfacesOf,
  leadCommand,
  leadsCommand,
  type Ports,
  removeCommand,
} from './commands.ts';
import { type Ground, inLab, nodeGone, untilUp } from './ground.ts';

/** How often a wire is asked that ends before it answers. */
const callTries = 3;

export class Splices {
  readonly #ground: Ground;
  readonly #turns = new Turns();
  #wire: WireClient | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Leads the frames of a join by way of the wire, or changes what that does to them. `what` is for errors. */
  async set(
    ports: Ports,
    mtu: number,
    impairments: Impairments,
    seed: number,
    what: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#isWhole(ports)) throw nodeGone(what);
    const there = interfacesOf(this.#ground.labPid);
    const both = [ports.near, ports.far];
    const missing = both.filter((port) => !there.includes(funnelOf(port).funnel));
    const commands = missing.flatMap((port) => funnelCommands(port, mtu));
    if (commands.length > 0) await inLab(this.#ground, inSequence(commands), what, signal);
    // Each end of a LAN makes choices of its own.
    const setting = { impairments, seed: derivedSeed(seed, ports.join) };
    if (!(await this.#tell(ports, setting, signal))) throw nodeGone(what);
    const funnels = both.map((port) => funnelOf(port).funnel);
    if (commands.length > 0) await untilUp(this.#ground, funnels, what, signal);
    await inLab(
      this.#ground,
      inSequence(both.map((port) => leadCommand(port, funnelOf(port).funnel))),
      what,
      signal,
    );
  }

  /** Leads frames straight from port to port again. What is under way arrives before those that come after it. */
  async end(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    if (this.#funnels(ports).length === 0) return;
    if (!this.#isWhole(ports)) return await this.remove(ports, what, signal);
    const { join: splice, near, far } = ports;
    const drain = async (): Promise<void> => {
      await this.#call('drain', { splice, ms: underWayMsMax }, signal);
    };
    const open = await this.#open(splice, signal);
    if (open !== undefined) {
      // Good already, but behind what is still under way.
      const setting = { impairments: [perfect, perfect] as const, seed: open.seed };
      if (!(await this.#tell(ports, setting, signal))) return await this.remove(ports, what, signal);
      await drain();
    }
    await inLab(this.#ground, inSequence([leadCommand(near, far), leadCommand(far, near)]), what, signal);
    // What the kernel led into the funnels before has to come out of them.
    if (open !== undefined) await drain();
    await this.remove(ports, what, signal);
  }

  /** Lets the wire have the ports of a join that were made anew. Does nothing where the join is not spliced. */
  async rejoin(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    if (this.#funnels(ports).length === 0) return;
    const open = await this.#open(ports.join, signal);
    if (open === undefined) return await this.end(ports, what, signal);
    await this.#tell(ports, open, signal);
  }

  /** Takes away what a join has of the wire; what is under way is lost. */
  async remove(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    const funnels = this.#funnels(ports);
    if (funnels.length === 0) return;
    await this.#call('close', { splice: ports.join }, signal);
    await inLab(this.#ground, inSequence(funnels.map(removeCommand)), what, signal);
  }

  /** The splices there are, by join; with `start` a wire is started where none runs. */
  async states(start: boolean, signal: AbortSignal): Promise<ReadonlyMap<string, SpliceState>> {
    const shown = await this.#call('show', {}, signal, start);
    return new Map(shown?.map((each) => [each.splice, each]));
  }

  /** Whether frames are led by way of the wire at a port, be there a wire that takes them or not. */
  async isLed(port: string, signal: AbortSignal): Promise<boolean> {
    const { code, stdout } = await this.#ground.run(this.#ground.labPid, leadsCommand(port), signal);
    return code === 0 && stdout.includes(`device ${funnelOf(port).funnel}`);
  }

  /** Tells the wire how a join is to be; false where a node it ends in went in the meantime. */
  async #tell(
    ports: Ports,
    setting: Pick<SpliceSetting, 'impairments' | 'seed'>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await this.#call('set', settingOf(ports, setting), signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#isWhole(ports)) throw error;
      return false;
    }
  }

  async #open(splice: string, signal: AbortSignal): Promise<SpliceState | undefined> {
    return (await this.#call('show', {}, signal))?.find((each) => each.splice === splice);
  }

  /** False where a node it ends in is gone, and with that its port. */
  #isWhole({ near, far }: Ports): boolean {
    const there = interfacesOf(this.#ground.labPid);
    return there.includes(near) && there.includes(far);
  }

  #funnels({ near, far }: Ports): string[] {
    const there = interfacesOf(this.#ground.labPid);
    return [near, far].map((port) => funnelOf(port).funnel).filter((funnel) => there.includes(funnel));
  }

  /**
   * Asks the wire, which is started first where none runs, unless `start` forbids it: it may have other links to carry too.
   * One that ends in the middle of it is asked again: each request may be made twice.
   */
  async #call<M extends keyof WireApi>(
    method: M,
    params: WireApi[M]['params'],
    signal: AbortSignal,
    start = true,
  ): Promise<WireApi[M]['result'] | undefined> {
    for (let tries = 1; ; tries += 1) {
      const wire = await this.#reach(start, signal);
      try {
        return await wire?.call(method, params, { signal });
      } catch (error) {
        if (wire?.closed !== true || tries === callTries) throw error;
      }
    }
  }

  /** The connection to the wire, kept while it lasts. */
  async #reach(start: boolean, signal: AbortSignal): Promise<WireClient | undefined> {
    return await this.#turns.take('wire', async () => {
      if (this.#wire === undefined || this.#wire.closed) this.#wire = await this.#ground.wire(start, signal);
      return this.#wire;
    });
  }
}

function settingOf(
  { join, near, far }: Ports,
  { impairments, seed }: Pick<SpliceSetting, 'impairments' | 'seed'>,
): SpliceSetting {
  const ends = (from: string, to: string): WayEnds => {
    const { funnel, reader } = funnelOf(from);
    return { from: reader, funnel, to };
  };
  return { splice: join, ends: [ends(near, far), ends(far, near)], impairments, seed };
}
