/** irmd's two sockets: who connects, and what their requests do. */
import { chownSync } from 'node:fs';
import { Socket } from 'node:net';
import { O7sError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { peerCredentials, UnixListener } from '../lib/os/unix-socket.ts';
import { applicationSocket, managementSocket } from '../lib/paths.ts';
import { refusalLine, RpcConnection } from '../lib/rpc/connection.ts';
import type { EndReport } from '../lib/rpc/events.ts';
import type { EventHub } from './events.ts';
import type { Flows } from './flows.ts';
import type { Management } from './management.ts';
import type { EndReports, Observation } from './observation.ts';
import { type ProcessEntry, programKey, type Registry } from './registry.ts';
import { applicationSchemas, dispatch, type Handlers, managementSchemas, readReports } from './schema.ts';
import type { ShareHolder, Shares } from './shares.ts';
import { Subscription } from './subscription.ts';
import { isPrivileged, ouroborosGroup } from './users.ts';

export interface ServerSetup {
  readonly directory: string;
  readonly version: string;
  readonly registry: Registry;
  readonly flows: Flows;
  readonly management: Management;
  readonly observation: Observation;
  readonly log: Logger;
  readonly events: EventHub;
  readonly shares: Shares;
}

/** Ends of a flow in a node: both where it is between two of its processes. */
const endsMax = 2;
/** How long what processes tell of their flows is waited for, ms. */
const reportMs = 200;

/** Connections a socket takes at once, and how long one too many has to read why, ms. */
const connectionsMax = 10_000;
const refusalMs = 1000;

export class Server implements Disposable {
  readonly #setup: ServerSetup;
  readonly #listeners: UnixListener[];
  readonly #applications = new Set<RpcConnection>();
  /** Of the applications, whose they are and whether they can be asked for reports: not those that are being asked. */
  readonly #reporters = new Map<RpcConnection, { readonly process: ProcessEntry; ready: boolean }>();
  readonly #managers = new Set<RpcConnection>();
  /** Connections of each process. */
  readonly #sessions = new Map<ProcessEntry, number>();
  readonly #group: number | undefined = ouroborosGroup();

  constructor(setup: ServerSetup) {
    this.#setup = setup;
    const { directory, log } = setup;
    if (this.#group === undefined)
      log.warn(`ouroboros group not found, using gid ${process.getgid?.() ?? 0}.`);
    const management = managementSocket(directory);
    this.#listeners = [
      new UnixListener(applicationSocket(directory), 0o666, (fd) => this.#application(fd)),
      new UnixListener(management, 0o660, (fd) => this.#manager(fd)),
    ];
    this.#giveToGroup(management);
  }

  /** Closes sockets and connections. */
  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    for (const connection of [...this.#applications, ...this.#managers]) connection[Symbol.dispose]();
  }

  /** What the processes tell of their ends of flows, by flow; without those that do not answer soon. */
  async reports(): Promise<EndReports> {
    const reports = new Map<number, EndReport[]>();
    const asked = [...this.#reporters]
      .filter(([, { ready }]) => ready)
      .map(([connection, reporter]) => this.#askReport(connection, reporter, reports));
    const late = new Promise<void>((resolve) => setTimeout(resolve, reportMs).unref());
    await Promise.race([Promise.all(asked), late]);
    // What comes later belongs to no sample.
    return new Map(reports);
  }

  async #askReport(
    connection: RpcConnection,
    reporter: { readonly process: ProcessEntry; ready: boolean },
    reports: Map<number, EndReport[]>,
  ): Promise<void> {
    const { flows } = this.#setup;
    const { process } = reporter;
    if (!flows.holds(process)) return;
    reporter.ready = false;
    try {
      for (const { flowId, ...report } of readReports(await connection.call('flows.report', {}))) {
        if (!flows.isOf(flowId, process)) continue;
        const ofFlow = reports.get(flowId) ?? [];
        if (ofFlow.length === endsMax) continue;
        reports.set(flowId, [...ofFlow, { pid: process.pid, ...report }]);
      }
      reporter.ready = true;
    } catch {
      // It does not serve this, or what it told has no meaning: it is not asked again.
      this.#reporters.delete(connection);
    }
  }

  #giveToGroup(path: string): void {
    if (this.#group === undefined) return;
    try {
      chownSync(path, process.getuid?.() ?? 0, this.#group);
    } catch {
      this.#setup.log.warn(`Cannot give ${path} to the group ouroboros; only this user can manage the node.`);
    }
  }

  #manager(fd: number): void {
    const { log, management, observation, version, events } = this.#setup;
    let subscription: Disposable | undefined;
    const handlers: Handlers<typeof managementSchemas> = {
      'irmd.version': () => ({ version, pid: process.pid }),
      'ipcp.create': ({ name, type }) => management.createIpcp(name, type),
      'ipcp.destroy': ({ pid }) => management.destroyIpcp(pid),
      'ipcp.kill': ({ pid }) => management.killIpcp(pid),
      'ipcp.list': () => management.listIpcps(),
      'ipcp.bootstrap': ({ pid, layer, config }) => management.bootstrapIpcp(pid, layer, config),
      'ipcp.enroll': ({ pid, destination, layer }) => management.enrollIpcp(pid, destination, layer),
      'ipcp.connect': ({ pid, destination, component, qos }) =>
        management.connectIpcp(pid, destination, component, qos),
      'ipcp.disconnect': ({ pid, destination, component }) =>
        management.disconnectIpcp(pid, destination, component),
      'ipcp.counters': ({ pid }) => management.ipcpCounters(pid),
      'ipcp.metrics': ({ pid, parts }) => management.ipcpMetrics(pid, parts),
      'name.create': ({ name, policy, files }) => management.createName(name, policy, files),
      'name.destroy': ({ name }) => management.destroyName(name),
      'name.list': () => management.listNames(),
      'name.register': ({ name, pid }) => management.registerName(name, pid),
      'name.unregister': ({ name, pid }) => management.unregisterName(name, pid),
      'program.bind': ({ program, name, auto }) => management.bindProgram(program, name, auto),
      'program.unbind': ({ program, name }) => management.unbindProgram(program, name),
      'process.bind': ({ pid, name }) => management.bindProcess(pid, name),
      'process.unbind': ({ pid, name }) => management.unbindProcess(pid, name),
      'log.level': ({ level }) => management.logLevel(level),
      'node.snapshot': () => observation.once(),
      'node.rib': ({ path }) => observation.rib(path),
      'node.counters': () => observation.counters(),
      'events.subscribe': async ({ countersMs }, signal) => {
        using watching = new DisposableStack();
        watching.defer(await observation.watch());
        if (connection === undefined || signal.aborted) throw new O7sError('ECANCELED');
        // A later subscription takes the place of the one before.
        subscription?.[Symbol.dispose]();
        const begun = new Subscription({
          events,
          countersMs,
          sink: {
            get waitingBytes() {
              return connection.waitingBytes;
            },
            send: (event) => connection.notify('event', { ...event }),
          },
          snapshot: (dropped) => observation.snapshot(dropped),
          sample: () => observation.sample(),
        });
        watching.use(begun);
        subscription = watching.move();
        return observation.snapshot(0);
      },
    };
    const connection = this.#serve(
      this.#managers,
      fd,
      (method, params, signal) => {
        log.debug(`Management asks for ${shown(method)}.`);
        return dispatch(managementSchemas, handlers, method, params, signal);
      },
      () => subscription?.[Symbol.dispose](),
    );
  }

  #application(fd: number): void {
    const { flows, log, shares } = this.#setup;
    const { pid, uid, gid } = peerCredentials(fd);
    const user = { pid, uid, privileged: isPrivileged(pid, uid, gid, this.#group) };
    /** Does what takes its time within the user's share. */
    const sharing = async <T>(work: () => Promise<T>): Promise<T> => {
      const giveBack = shares.take(user, 'requests');
      try {
        return await work();
      } finally {
        giveBack();
      }
    };
    let process: ProcessEntry | undefined;
    let left = false;
    const known = (): ProcessEntry => {
      if (process !== undefined) return process;
      throw new O7sError('EINVAL', 'this process has not announced itself', {
        hint: 'call process.announce first',
      });
    };
    const handlers: Handlers<typeof applicationSchemas> = {
      'process.announce': ({ program }) => {
        if (process !== undefined)
          throw new O7sError('EEXIST', 'this connection has announced a process already');
        process = this.#announce(user, program);
        if (connection !== undefined) this.#reporters.set(connection, { process, ready: true });
        return { pid: process.pid };
      },
      'process.leave': () => void (left = true),
      'flow.allocate': (params, signal) => sharing(() => flows.allocate(known(), params, signal)),
      'flow.join': ({ layer }) => sharing(() => flows.join(known(), layer)),
      'flow.accept': (params, signal) => sharing(() => flows.accept(known(), params, signal)),
      'flow.deallocate': ({ flowId }) => flows.deallocate(known(), flowId),
    };
    const connection = this.#serve(
      this.#applications,
      fd,
      (method, params, signal) => {
        log.debug(`Process ${pid} asks for ${shown(method)}.`);
        return dispatch(applicationSchemas, handlers, method, params, signal);
      },
      () => {
        if (process !== undefined) this.#leave(process, left);
      },
      user,
    );
  }

  #announce({ pid, uid, privileged }: ShareHolder & { readonly pid: number }, program: string): ProcessEntry {
    const { registry, log, events, management } = this.#setup;
    if (pid === 0) throw new O7sError('EPERM', 'this process is in a process namespace irmd cannot see');
    const known = registry.findProcess(pid);
    if (known !== undefined) {
      this.#sessions.set(known, (this.#sessions.get(known) ?? 0) + 1);
      return known;
    }
    const entry = registry.addProcess({ pid, uid, privileged, program: programKey(program) });
    this.#sessions.set(entry, 1);
    log.info(`Process added: ${pid} (${entry.program}).`, { event: 'process.added' });
    events.emit({ event: 'process.added', pid, program: entry.program });
    management.processAdded(entry);
    return entry;
  }

  /** A connection of a process ended; the last one is the process' end. */
  #leave(process: ProcessEntry, inOrder: boolean): void {
    const { registry, flows, log, events } = this.#setup;
    const left = (this.#sessions.get(process) ?? 1) - 1;
    this.#sessions.set(process, left);
    if (left > 0) return;
    this.#sessions.delete(process);
    flows.processGone(process);
    registry.removeProcess(process);
    const text = inOrder ? `Process removed: ${process.pid}.` : `Process ${process.pid} died.`;
    log.info(text, { event: 'process.removed' });
    events.emit({ event: 'process.removed', pid: process.pid, program: process.program });
  }

  #serve(
    connections: Set<RpcConnection>,
    fd: number,
    handler: ConstructorParameters<typeof RpcConnection>[1],
    onClose: () => void = () => {},
    user?: ShareHolder,
  ): RpcConnection | undefined {
    const socket = new Socket({ fd, readable: true, writable: true });
    let giveBack: (() => void) | undefined;
    try {
      if (connections.size >= connectionsMax) {
        throw new O7sError('EAGAIN', `irmd has ${connections.size} connections open`, {
          hint: 'end some processes',
        });
      }
      if (user !== undefined) giveBack = this.#setup.shares.take(user, 'connections');
    } catch (error) {
      refuse(socket, error as O7sError);
      return undefined;
    }
    const connection: RpcConnection = new RpcConnection(socket, handler, () => {
      giveBack?.();
      connections.delete(connection);
      onClose();
    });
    connections.add(connection);
    return connection;
  }
}

/** Tells a connection why it is not served, and closes it. */
function refuse(socket: Socket, error: O7sError): void {
  socket.on('error', () => {});
  // What it asks for is read and dropped: closed with something unread, it would not get to read the reason.
  socket.resume();
  socket.end(refusalLine(error));
  setTimeout(() => socket.destroy(), refusalMs).unref();
}

/** Characters of a method that are logged. */
const methodShownMax = 64;

/** A method as it may stand in a line of the log, whatever was sent as one. */
function shown(method: string): string {
  return JSON.stringify(method.slice(0, methodShownMax)).slice(1, -1);
}
