/**
 * A unicast layer at one member: wires data transfer, routing, forwarding, directory and flow allocator together.
 * A core. Source: unicast-layer.md 1.
 */
import { hashBytes, type HashAlgorithm } from '../../lib/names.ts';
import type { QosSpec } from '../../lib/qos.ts';
import type { Route } from '../../lib/rpc/events.ts';
import type { Millis } from '../../lib/time/clock.ts';
import type { Connection } from '../connmgr/connection.ts';
import type { UnicastSettings } from '../enrollment/layer-config.ts';
import type {
  FlowOutcome,
  FlowUser,
  Layer,
  LayerFlow,
  LayerMetrics,
  StackedSurroundings,
} from '../shell/layer.ts';
import { type Address, formatAddress, type Reachability } from './address.ts';
import { Dht } from './directory/dht/dht.ts';
import type { DhtLimits } from './directory/dht/limits.ts';
import type { Directory, DirectoryPort } from './directory/directory.ts';
import { DataTransfer } from './dt/data-transfer.ts';
import { componentEid, dtHeaderBytes } from './dt/header.ts';
import type { Neighbour } from './dt/neighbour.ts';
import { FlowAllocator, type FlowAllocatorLimits, type UnicastFlow } from './fa/flow-allocator.ts';
import { Management, type ManagementConnection } from './management.ts';
import type { Forwarding } from './pff/forwarding.ts';
import { forwardingOf } from './pff/policies.ts';
import { type DataTransferLink, LinkState, type LinkStateLimits } from './routing/link-state.ts';

export interface UnicastLayerLimits {
  readonly routing?: Partial<LinkStateLimits>;
  readonly directory?: DhtLimits;
  readonly flows?: FlowAllocatorLimits;
}

export interface UnicastLayerOptions {
  readonly hash: HashAlgorithm;
  readonly settings: UnicastSettings;
  readonly address: Address;
  /** The member that let this one join, 0 of the first. */
  readonly peer: Address;
  readonly around: StackedSurroundings;
  readonly limits?: UnicastLayerLimits;
}

/** Longest message where no link tells better: over Ethernet (unicast-layer.md 5.6). */
const messageBytesOverEthernet = 1481;
const nsPerSecond = 1_000_000_000n;

export class UnicastLayer implements Layer {
  readonly hash: HashAlgorithm;
  readonly address: Address;
  readonly dataTransfer: DataTransfer;
  readonly management: Management;
  readonly routing: LinkState<ManagementConnection>;
  readonly forwarding: Forwarding<Neighbour>;
  readonly directory: Directory;
  readonly flowAllocator: FlowAllocator;

  readonly #around: StackedSurroundings;
  /** What routing knows each connection of data transfer as, while that is up. */
  readonly #links = new Map<Connection, DataTransferLink>();
  readonly #settings: UnicastSettings;
  readonly #since: Millis;
  /** Routes were calculated, and members came or went: what follows from it is done when routing is through. */
  #calculated = false;
  #changes: Reachability[] = [];
  #maxMessageBytes = messageBytesOverEthernet;
  /** Answers of the directory to `query`, for the `allocate` that follows it. */
  readonly #found = new Map<string, readonly Address[]>();

  constructor(options: UnicastLayerOptions, now: Millis) {
    const { hash, settings, address, peer, around, limits = {} } = options;
    const { packets, clock, wallClock, randomBytes, events } = around;
    this.hash = hash;
    this.address = address;
    this.#around = around;
    this.#settings = settings;
    this.#since = now;
    this.forwarding = forwardingOf<Neighbour>(settings.routing);
    this.dataTransfer = new DataTransfer(
      {
        address,
        maxTtl: settings.maxTtl,
        marks: settings.congestion === 'mb-ecn',
        clock,
        users: {
          component: (eid, packet) => {
            if (eid === componentEid.flowAllocator) this.flowAllocator.receive(packet);
            else this.directory.receive(packet.memory, packet.start, packet.end, clock());
            around.deadlineChanged();
          },
          user: (eidLow, eidHigh, ecn, packet) => this.flowAllocator.deliver(eidLow, eidHigh, ecn, packet),
        },
        adjacency: {
          linkUp: (connection, at) => this.#linkUp(connection, at),
          linkDown: (connection, at) => this.#linkDown(connection, at),
          limitChanged: (connection, at) => this.#linkLimitChanged(connection, at),
        },
      },
      this.forwarding,
    );
    this.routing = new LinkState<ManagementConnection>(
      {
        address,
        policy: settings.routing,
        tRecalc: settings.lsRecalc,
        tUpdate: settings.lsUpdate,
        tTimeo: settings.lsTimeout,
        port: {
          send: (flow, message) => flow.send(message),
          routesChanged: (routes) => {
            this.forwarding.install(routes, (hop) => this.dataTransfer.neighbour(hop));
            this.#calculated = true;
            around.factsChanged?.();
          },
          reachable: (member, isReachable) => this.#changes.push({ address: member, isReachable }),
        },
        random: () => randomBytes(4).readUInt32BE(0),
        ...(limits.routing === undefined ? {} : { limits: limits.routing }),
      },
      now,
    );
    this.management = new Management(address, packets, clock, {
      managementUp: (flow, at) => this.#routed(at, () => this.routing.managementUp(flow, at)),
      managementDown: (flow, at) => this.#routed(at, () => this.routing.managementDown(flow, at)),
      managementBack: (flow, at) => this.#routed(at, () => this.routing.managementBack(flow, at)),
      received: (flow, memory, start, end, at) =>
        this.#routed(at, () => this.routing.receive(flow, memory, start, end, at)),
    });
    this.directory = new Dht(
      {
        address,
        hashBytes: hashBytes(hash),
        peer,
        config: {
          alpha: settings.dhtAlpha,
          k: settings.dhtK,
          tExpire: settings.dhtExpire,
          tRefresh: settings.dhtRefresh,
          tReplicate: settings.dhtReplicate,
        },
        port: this.#directoryPort(),
        random: randomBytes,
        wallClock: () => Number(wallClock() / nsPerSecond),
        ...(limits.directory === undefined ? {} : { limits: limits.directory }),
      },
      now,
    );
    this.flowAllocator = new FlowAllocator({
      address,
      hashBytes: hashBytes(hash),
      avoidsCongestion: settings.congestion === 'mb-ecn',
      carrier: this.dataTransfer,
      packets,
      events,
      clock,
      randomBytes,
      maxMessageBytes: () => this.#maxMessageBytes,
      deadlineChanged: () => around.deadlineChanged(),
      ...(limits.flows === undefined ? {} : { limits: limits.flows }),
    });
  }

  get maxMessageBytes(): number {
    return this.#maxMessageBytes;
  }

  /** Those of routing and of the directory, which have some names in common, with the component in front. */
  get counters(): Readonly<Record<string, number>> {
    return {
      ...this.dataTransfer.counters,
      ...of('routing', this.routing.counters),
      ...of('directory', this.directory.counters),
      ...this.flowAllocator.counters,
    };
  }

  register(hash: Buffer): void {
    this.directory.register(hash, this.#around.clock());
    this.#around.deadlineChanged();
  }

  unregister(hash: Buffer): void {
    this.directory.unregister(hash, this.#around.clock());
    this.#around.deadlineChanged();
  }

  query(hash: Buffer, now: Millis, done: (known: boolean) => void): void {
    this.directory.query(hash, now, ({ addresses, own }) => {
      const all = own ? [...addresses, this.address] : addresses;
      this.#remember(hash.toString('hex'), all);
      done(all.length > 0);
    });
    this.#around.deadlineChanged();
  }

  allocate(
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow {
    const key = hash.toString('hex');
    const [address] = this.#found.get(key) ?? [];
    if (address === undefined) {
      done({ kind: 'unanswered' });
      return { headerBytes: 0, backlog: 0, write: () => {}, deallocate: () => {} };
    }
    return this.flowAllocator.allocate(address, hash, qos, piggyback, user, now, (outcome) => {
      if (outcome.kind !== 'accepted') {
        // Whom it names no longer serves the name, or is no longer there: the next attempt asks anew.
        this.#found.delete(key);
        this.directory.doubt(hash, address, this.#around.clock());
      }
      done(outcome);
    });
  }

  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined {
    return this.flowAllocator.accept(handle, piggyback, user, now);
  }

  refuse(handle: number, response: number): void {
    this.flowAllocator.refuse(handle, response);
  }

  /** Whether an address is some other member's, as far as this one knows. */
  isTaken(address: Address): boolean {
    return address === this.address || this.routing.distance(address) !== undefined;
  }

  /** What this member knows, with the words of the prototype's metrics where it has them (unicast-layer.md 11). */
  metrics(now: Millis): LayerMetrics {
    const named = (address: Address): string => formatAddress(address);
    return {
      address: () => named(this.address),
      hash: () => this.hash,
      settings: () => this.#settings,
      maxMessageBytes: () => this.#maxMessageBytes,
      routes: () => this.routes(),
      neighbours: () =>
        [...this.dataTransfer.neighbours].map(
          ({ address, since, isUp, connection, connections, counters }) => ({
            address: named(address),
            ageMs: now - since,
            up: isUp,
            connections: connections.size,
            queuedPacketsOut: connection?.flow.backlog ?? 0,
            prototype: [...connections].some(({ extended }) => !extended),
            ...counters,
          }),
        ),
      components: () => {
        const [flowAllocator, directory] = this.dataTransfer.components;
        return { ageMs: now - this.#since, 'flow-allocator': flowAllocator, dht: directory };
      },
      adjacencies: () =>
        this.routing.neighbours().map(({ address, component }) => ({ address: named(address), component })),
      lsdb: () =>
        this.routing.database(now).map(({ source, destination, ...row }) => ({
          source: named(source),
          destination: named(destination),
          ...row,
        })),
      directory: () => this.directory.metrics(),
      flows: () => this.flowAllocator.flows.map((flow) => flowFacts(flow, now)),
    };
  }

  /** The ways to all other members. */
  routes(): Route[] {
    return [...this.routing.ways()].map(({ address, links, via }) => ({
      address: formatAddress(address),
      links,
      via: via.map((hop) => formatAddress(hop)),
    }));
  }

  /** How much this member holds. */
  get gauges(): Readonly<Record<string, number>> {
    return {
      members: [...this.routing.members()].length + 1,
      neighbours: [...this.dataTransfer.neighbours].length,
      routes: this.forwarding.size,
      lsdb: this.routing.databaseSize,
      ...of('directory', this.directory.gauges),
    };
  }

  close(): void {
    this.flowAllocator.close();
    this.directory.leave(this.#around.clock());
  }

  nextDeadline(): Millis {
    return Math.min(
      this.dataTransfer.nextDeadline(),
      this.routing.nextDeadline(),
      this.directory.nextDeadline(),
      this.flowAllocator.nextDeadline(),
    );
  }

  advance(now: Millis): void {
    if (this.dataTransfer.nextDeadline() <= now) this.dataTransfer.advance(now);
    if (this.routing.nextDeadline() <= now) this.#routed(now, () => this.routing.advance(now));
    if (this.directory.nextDeadline() <= now) this.directory.advance(now);
    if (this.flowAllocator.nextDeadline() <= now) this.flowAllocator.advance(now);
  }

  #directoryPort(): DirectoryPort {
    const maxMessageBytes = (): number => this.#maxMessageBytes;
    return {
      get maxMessageBytes() {
        return maxMessageBytes();
      },
      send: (to, message) => {
        const packet = this.#around.packets.take(message.length);
        packet.append(message, 0, message.length);
        return this.dataTransfer.send(to, componentEid.directory, 0, packet);
      },
      isOurs: (address) => this.routing.isOurs(address),
    };
  }

  #linkUp(connection: Connection, now: Millis): void {
    const link = linkOf(connection);
    this.#links.set(connection, link);
    // A prototype is up only now that it has settled.
    this.#around.factsChanged?.();
    this.#routed(now, () => this.routing.linkUp(link, now));
  }

  #linkLimitChanged(connection: Connection, now: Millis): void {
    const before = this.#links.get(connection);
    const link = linkOf(connection);
    if (before === undefined || before.maxMessageBytes === link.maxMessageBytes) return;
    this.#links.set(connection, link);
    this.#routed(now, () => {
      // In this order the neighbour is one all the time.
      this.routing.linkUp(link, now);
      this.routing.linkDown(before, now);
    });
  }

  #linkDown(connection: Connection, now: Millis): void {
    const link = this.#links.get(connection);
    if (link === undefined) return;
    this.#links.delete(connection);
    this.#routed(now, () => this.routing.linkDown(link, now));
  }

  /** Lets routing do something, and passes on what it found. */
  #routed(now: Millis, work: () => void): void {
    work();
    this.#around.deadlineChanged();
    if (!this.#calculated) return;
    this.#calculated = false;
    this.#setLimit(this.routing.layerMaxMessageBytes());
    const changes = this.#changes;
    this.#changes = [];
    this.directory.reachable(changes, now);
    this.flowAllocator.reachable(changes);
  }

  /** @param least the longest message that all links carry. */
  #setLimit(least: number | undefined): void {
    const limit = least === undefined ? messageBytesOverEthernet : Math.max(0, least - dtHeaderBytes);
    if (limit === this.#maxMessageBytes) return;
    this.#maxMessageBytes = limit;
    this.flowAllocator.limitChanged();
  }

  #remember(key: string, addresses: readonly Address[]): void {
    const oldest = this.#found.keys().next();
    if (this.#found.size >= foundMax && oldest.done !== true) this.#found.delete(oldest.value);
    if (addresses.length > 0) this.#found.set(key, addresses);
    else this.#found.delete(key);
  }
}

/** Names whose servers are remembered between a query and the request that follows. */
const foundMax = 4096;

function of(component: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [`${component}.${name}`, count]));
}

function linkOf({ peer, extended, flow }: Connection): DataTransferLink {
  return { peer: peer.address, isExtended: extended, maxMessageBytes: flow.maxMessageBytes };
}

function flowFacts(flow: UnicastFlow, now: Millis): object {
  const { eid, peerEid, remote, since, counts, sender, receiver } = flow;
  const text = ({ high, low }: { readonly high: number; readonly low: number }): string =>
    ((BigInt(high) << 32n) | BigInt(low)).toString();
  return {
    eid: text(eid),
    peerEid: peerEid === undefined ? null : text(peerEid),
    remote: formatAddress(remote),
    ageMs: now - since,
    ...counts,
    congestion:
      sender === undefined || receiver === undefined
        ? null
        : {
            upstreamLevel: sender.level,
            upstreamPackets: sender.sinceUpdate,
            downstreamLevel: receiver.level,
            downstreamPackets: receiver.packets,
            windowNs: sender.windowNs,
            windowPackets: sender.packets,
            windowBytes: sender.bytes,
            windowBytesMax: sender.bytesMax,
            regime: sender.regime,
          },
  };
}
