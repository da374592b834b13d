/** An IPCP of a broadcast layer: enrolment, and connections that the layer's packets go over. A core. */
import { O7sError } from '../../lib/errors.ts';
import type { QosSpec } from '../../lib/qos.ts';
import { type BootstrapConfig, type ComponentName, componentTitles } from '../../lib/rpc/api.ts';
import type { Millis } from '../../lib/time/clock.ts';
import { Connection, type ConnectionUser } from '../connmgr/connection.ts';
import {
  type Component,
  type ConnectionLimits,
  ConnectionManager,
  type KeepaliveRule,
} from '../connmgr/connection-manager.ts';
import { Enrollment, type EnrollmentLimits } from '../enrollment/enrollment.ts';
import type { LayerConfig } from '../enrollment/layer-config.ts';
import { zeroCounts } from '../shell/counts.ts';
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
import { type Attachment, BroadcastLayer } from './broadcast-layer.ts';
import type { RepeatLimits } from './repeats.ts';

export interface BroadcastLimits {
  readonly connections?: ConnectionLimits;
  readonly enrollment?: EnrollmentLimits;
  readonly repeats?: RepeatLimits;
}

const counterNames = ['droppedNeighbourDown', 'droppedNeighbourTooLong'] as const;
type Counter = (typeof counterNames)[number];

export class BroadcastIpcp implements StackedIpcp, Component {
  // The only component of this type; its record is not that of a unicast IPCP.
  readonly name = componentTitles.dt;
  readonly protocol = '';
  readonly version = 0;
  readonly syntax = 0;
  readonly address = 0;
  readonly settles = true;
  // A reader of a prototype that was asked for the connection would wait for what follows an empty packet.
  readonly keepalive: KeepaliveRule = 'where it initiated';

  readonly #clock: () => Millis;
  readonly #manager: ConnectionManager;
  readonly #managerLog: IpcpLog;
  readonly #enrollment: Enrollment;
  readonly #layer: BroadcastLayer;
  readonly #counts: Record<Counter, number> = zeroCounts(counterNames);

  constructor(around: StackedSurroundings, limits: BroadcastLimits = {}) {
    const { clock, packets, log } = around;
    this.#managerLog = log.child('connection-manager');
    this.#clock = clock;
    const { connections, enrollment, repeats } = limits;
    this.#manager = new ConnectionManager(around, connections);
    this.#enrollment = new Enrollment(around, this.#manager, 'broadcast', enrollment);
    this.#layer = new BroadcastLayer(packets, clock, repeats);
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#manager.counters, ...this.#enrollment.counters };
  }

  bootstrap(layer: string, _config: BootstrapConfig): Joined {
    this.#enrollment.mustBeNew();
    return this.#enter({ name: layer, hash: this.#layer.hash, unicast: undefined });
  }

  enroll(
    destination: string,
    wanted: string | undefined,
    _now: Millis,
    done: (result: Joined | O7sError) => void,
  ): void {
    let joined: Joined | undefined;
    this.#enrollment.enroll(
      { destination, layer: wanted, address: 0 },
      ({ config }) => {
        joined = this.#enter(config);
        return undefined;
      },
      (fault) => done(fault ?? joined ?? new O7sError('EIPCP')),
    );
  }

  connect(
    destination: string,
    component: ComponentName,
    qos: QosSpec,
    _now: Millis,
    done: (fault: O7sError | undefined) => void,
  ): void {
    if (component !== 'dt') {
      this.#managerLog.error('No such component: Management');
      const hint = 'connect component dt';
      return done(new O7sError('EINVAL', 'No such component: Management', { hint }));
    }
    // A second way to one neighbour would make every packet go round.
    if (this.#manager.connectionsOf(this).some((each) => each.destination === destination)) {
      return done(undefined);
    }
    this.#manager.connect(this, destination, qos, { lasting: true }, (result) =>
      done(result instanceof Connection ? undefined : result),
    );
  }

  disconnect(destination: string, component: ComponentName): void {
    if (component === 'dt') this.#manager.disconnect(this, destination);
  }

  acceptFlow(flow: LowerFlow): FlowUser {
    return this.#manager.accept(flow);
  }

  connected(connection: Connection): ConnectionUser {
    const attachment: Attachment = {
      write: (packet) => {
        if (!connection.up || this.#clock() < connection.readyAt) this.#counts.droppedNeighbourDown += 1;
        else if (packet.length > connection.flow.maxMessageBytes) this.#counts.droppedNeighbourTooLong += 1;
        else connection.write(packet);
      },
    };
    this.#layer.attach(attachment);
    return {
      deliver: (packet) => this.#layer.spread(packet, attachment),
      setUp: () => {},
      closed: () => this.#layer.detach(attachment),
    };
  }

  metrics(): LayerMetrics {
    return {
      connections: () => this.#manager.facts(),
      joined: () => this.#layer.joinedCount,
    };
  }

  facts(): StackedFacts {
    return {
      address: null,
      adjacencies: this.#manager.adjacencies(() => null),
      routes: [],
    };
  }

  get gauges(): Readonly<Record<string, number>> {
    return { ...this.#manager.gauges, joined: this.#layer.joinedCount };
  }

  close(): void {
    this.#manager.closeAll();
    this.#layer.close();
  }

  nextDeadline(): Millis {
    return Math.min(this.#manager.nextDeadline(), this.#enrollment.nextDeadline());
  }

  advance(now: Millis): void {
    this.#manager.advance(now);
    this.#enrollment.advance(now);
  }

  #enter(config: LayerConfig): Joined {
    this.#enrollment.serve({ config, address: 0, chooseAddress: (proposed) => proposed });
    this.#manager.serve(this);
    return { layer: this.#layer, name: config.name };
  }
}
