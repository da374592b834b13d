/**
 * ipcpd: the data plane of a node. irmd starts it, with a control connection as descriptor 3 and the form of the
 * log in its arguments; it ends when irmd does.
 */
import { Socket } from 'node:net';
import { O7sError } from '../lib/errors.ts';
import { FlowRendezvous } from '../lib/flow/rendezvous.ts';
import { daemonLog } from '../lib/daemon-log.ts';
import { Logger } from '../lib/log.ts';
import { dedicateProcess, isDataQuiet } from '../lib/os/hot-loop.ts';
import { addressOf } from '../lib/os/libc.ts';
import { releaseWhenQuiet } from '../lib/os/spare-memory.ts';
import { runDirectory } from '../lib/paths.ts';
import { rpcLineBytesMax } from '../lib/limits.ts';
import { RpcConnection } from '../lib/rpc/connection.ts';
import type { DataPlaneUpcalls } from '../lib/rpc/data-plane-api.ts';
import { DeadlineTimer } from '../lib/time/timer.ts';
import { layerFactories, stackedFactories } from './layers.ts';
import { IpcpHost } from './shell/host.ts';
import { Turn } from './shell/turn.ts';

const controlFd = 3;
/** How long an application may take to pick up a flow that was granted to it, in ms. */
const pickUpMs = 5000;
/** Longer than between the packets of a stream, which would wait for a collection; keepalives leave such gaps. */
const quietMs = 100;

process.title = 'ipcpd';
const { setting, sink } = daemonLog('ipcpd', process.argv.slice(2));
const log = new Logger(sink, 'ipcpd');

dedicateProcess();
const turn = new Turn(addressOf);
const timer = new DeadlineTimer();
const rendezvous = new FlowRendezvous(`${runDirectory()}/ipcpd-${process.pid}.sock`, 0o666, pickUpMs);
const host = new IpcpHost({
  turn,
  timer,
  rendezvous,
  log,
  logSetting: setting,
  factories: layerFactories(turn),
  stackedFactories: stackedFactories(turn),
  call: <M extends keyof DataPlaneUpcalls>(method: M, params: DataPlaneUpcalls[M]['params']) =>
    control.call(method, params) as Promise<DataPlaneUpcalls[M]['result']>,
});

// irmd ends this process by closing the connection; a signal to the group is meant for irmd.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});

const control = new RpcConnection(
  new Socket({ fd: controlFd, readable: true, writable: true }),
  (method, params) => {
    const handler = host.handlers[method as keyof typeof host.handlers] as
      | ((params: object) => unknown)
      | undefined;
    if (handler === undefined) throw new O7sError('ENOTSUP', `ipcpd has no method ${method}`);
    return handler(params);
  },
  () => {
    host.close();
    rendezvous[Symbol.dispose]();
    timer.close();
    process.exit(0);
  },
  rpcLineBytesMax,
  true,
);
void control
  .call('dataPlane.ready', { socket: rendezvous.path })
  .then(() => releaseWhenQuiet(() => isDataQuiet(quietMs)));
