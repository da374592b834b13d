/** An IPCP of a unicast layer: enrolment, connections, and its layer once it is in one. A core. */
import { O7sError } from '../../lib/errors.ts';
import { type QosSpec, rawQos } from '../../lib/qos.ts';
import type { BootstrapConfig, ComponentName } from '../../lib/rpc/api.ts';
import type { Millis } from '../../lib/time/clock.ts';
import { Connection } from '../connmgr/connection.ts';
import { type Component, type ConnectionLimits, ConnectionManager } from '../connmgr/connection-manager.ts';
import { type Admission, Enrollment, type EnrollmentLimits } from '../enrollment/enrollment.ts';
import type { LayerConfig } from '../enrollment/layer-config.ts';
import type {
  FlowUser,
  IpcpLog,
  Joined,
  LayerMetrics,
  LowerFlow,
  StackedFacts,
  StackedIpcp,
  StackedSurroundings,
} from '../shell/layer.ts';
import { drawAddress } from './addr-auth/flat.ts';
import { type Address, formatAddress } from './address.ts';
import { UnicastLayer, type UnicastLayerLimits } from './unicast-layer.ts';

export interface UnicastLimits extends UnicastLayerLimits {
  readonly connections?: ConnectionLimits;
  readonly enrollment?: EnrollmentLimits;
}

/** How far clocks may be apart without a word, ms (unicast-layer.md 4.4). */
const clockMsMax = 20;

export class UnicastIpcp implements StackedIpcp {
  readonly #around: StackedSurroundings;
  readonly #log: IpcpLog;
  readonly #limits: UnicastLimits;
  readonly #manager: ConnectionManager;
  readonly #enrollment: Enrollment;
  #layer: UnicastLayer | undefined;

  constructor(around: StackedSurroundings, limits: UnicastLimits = {}) {
    this.#around = around;
    this.#log = around.log.child('unicast-ipcp');
    this.#limits = limits;
    this.#manager = new ConnectionManager(around, limits.connections);
    this.#enrollment = new Enrollment(around, this.#manager, 'unicast', limits.enrollment);
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#manager.counters, ...this.#enrollment.counters };
  }

  bootstrap(layer: string, config: BootstrapConfig, now: Millis): Joined {
    this.#enrollment.mustBeNew();
    const { ls_t_update: lsUpdate = 15, ls_t_timeo: lsTimeout = 60 } = config;
    if (lsTimeout < lsUpdate + 2) {
      throw new O7sError(
        'EINVAL',
        `links that are announced every ${lsUpdate} s would age out after ${lsTimeout} s`,
        {
          hint: 'set ls_t_timeo at least 2 s above ls_t_update',
        },
      );
    }
    const address = drawAddress(this.#around.randomBytes);
    return this.#enter(
      {
        name: layer,
        hash: config.hash ?? 'SHA3_256',
        unicast: {
          eidSize: config.eid ?? 8,
          maxTtl: config.ttl ?? 60,
          routing: config.routing ?? 'link_state',
          lsRecalc: config.ls_t_recalc ?? 4,
          lsUpdate,
          lsTimeout,
          dhtAlpha: config.dht_alpha ?? 3,
          dhtK: config.dht_k ?? 8,
          dhtExpire: config.dht_t_expire ?? 86_400,
          dhtRefresh: config.dht_t_refresh ?? 900,
          dhtReplicate: config.dht_t_replicate ?? 900,
          congestion: config.congestion ?? 'mb-ecn',
        },
      },
      { address, peer: 0 },
      now,
    );
  }

  enroll(
    destination: string,
    wanted: string | undefined,
    _now: Millis,
    done: (result: Joined | O7sError) => void,
  ): void {
    const proposed = drawAddress(this.#around.randomBytes);
    let joined: Joined | undefined;
    const join = ({ config, peer, address = proposed, clockAheadMs }: Admission): O7sError | undefined => {
      if (Math.abs(clockAheadMs) > clockMsMax) {
        const which = clockAheadMs > 0 ? 'behind' : 'ahead of';
        this.#log.warn(`Clock is ${Math.abs(clockAheadMs)} ms ${which} that of ${destination}.`);
      }
      joined = this.#enter(config, { address, peer }, this.#around.clock());
      return undefined;
    };
    this.#enrollment.enroll({ destination, layer: wanted, address: proposed }, join, (fault) =>
      done(fault ?? joined ?? new O7sError('EIPCP')),
    );
  }

  connect(
    destination: string,
    component: ComponentName,
    qos: QosSpec,
    _now: Millis,
    done: (fault: O7sError | undefined) => void,
  ): void {
    const layer = this.#layer;
    if (layer === undefined) return done(new O7sError('EIPCPSTATE'));
    // Routing brings its own order; what it says must reach a prototype's reader as it is.
    const wanted = component === 'mgmt' ? rawQos : qos;
    if (wanted.inOrder !== 0) {
      // An ordered flow under data transfer kills the receiver that is a prototype (unicast-layer.md 2.2).
      return done(new O7sError('ENOTSUP', 'data transfer runs over raw flows only', { hint: 'use qos raw' }));
    }
    this.#manager.connect(
      this.#component(layer, component),
      destination,
      wanted,
      { lasting: true },
      (result) => done(result instanceof Connection ? undefined : result),
    );
  }

  disconnect(destination: string, component: ComponentName): void {
    const layer = this.#layer;
    if (layer !== undefined) this.#manager.disconnect(this.#component(layer, component), destination);
  }

  acceptFlow(flow: LowerFlow): FlowUser {
    return this.#manager.accept(flow);
  }

  metrics(now: Millis): LayerMetrics {
    return {
      connections: () => this.#manager.facts(),
      ...this.#layer?.metrics(now),
    };
  }

  facts(): StackedFacts {
    const layer = this.#layer;
    return {
      address: layer === undefined ? null : formatAddress(layer.address),
      adjacencies: this.#manager.adjacencies(formatAddress),
      routes: layer?.routes() ?? [],
    };
  }

  get gauges(): Readonly<Record<string, number>> {
    return { ...this.#manager.gauges, ...this.#layer?.gauges };
  }

  close(): void {
    this.#layer?.close();
    this.#manager.closeAll();
  }

  nextDeadline(): Millis {
    const ofLayer = this.#layer?.nextDeadline() ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#manager.nextDeadline(), this.#enrollment.nextDeadline(), ofLayer);
  }

  advance(now: Millis): void {
    this.#manager.advance(now);
    this.#enrollment.advance(now);
    this.#layer?.advance(now);
  }

  #component(layer: UnicastLayer, name: ComponentName): Component {
    return name === 'dt' ? layer.dataTransfer : layer.management;
  }

  #enter(
    config: LayerConfig,
    { address, peer }: { readonly address: Address; readonly peer: Address },
    now: Millis,
  ): Joined {
    const { name, hash, unicast: settings } = config;
    if (settings === undefined) throw new O7sError('EIPCPTYPE', `${name} is no unicast layer`);
    const { randomBytes } = this.#around;
    this.#log.info(`IPCP got address ${address}.`);
    const layer = new UnicastLayer(
      { hash, settings, address, peer, around: this.#around, limits: this.#limits },
      now,
    );
    this.#layer = layer;
    const { log } = this.#around;
    log.child('directory').info('Using DHT policy.');
    const dht = log.child('dht');
    dht.info('DHT initialized.');
    dht.info(
      `  parameters: alpha=${settings.dhtAlpha}, k=${settings.dhtK}, t_exp=${settings.dhtExpire}, ` +
        `t_refr=${settings.dhtRefresh}, t_replicate=${settings.dhtReplicate}.`,
    );
    this.#enrollment.serve({
      config,
      address,
      chooseAddress: (proposed) =>
        layer.isTaken(proposed) ? drawAddress(randomBytes, (each) => layer.isTaken(each)) : proposed,
    });
    this.#manager.serve(layer.management);
    this.#manager.serve(layer.dataTransfer);
    return { layer, name };
  }
}
