/** irmd: the IPC Resource Manager of a node. */
import { randomBytes } from 'node:crypto';
import { isatty } from 'node:tty';
import { O7sError } from '../lib/errors.ts';
import { Logger, logTo } from '../lib/log.ts';
import { configurationDirectory, runDirectory } from '../lib/paths.ts';
import { version } from '../lib/version.ts';
import { SeparateDataPlanes, SharedDataPlane } from './data-planes.ts';
import { EventHub } from './events.ts';
import { flowLimits, Flows } from './flows.ts';
import { Management } from './irm.ts';
import { AlreadyRunning, type Lock, takeLock } from './lock.ts';
import { Observation } from './observation.ts';
import { irmdUsage, parseIrmdOptions } from './options.ts';
import { type ProcessEntry, Registry } from './registry.ts';
import { dataPlaneSchemas, dispatch, type Handlers } from './schema.ts';
import { SecurityFault, SecurityFiles } from './security.ts';
import { Server } from './server.ts';

process.title = 'irmd';
const options = parseIrmdOptions(process.argv.slice(2));
if (options.action === 'version') {
  process.stdout.write(`Ouroboros version 0.23.0\no7s-testbed ${version}\n`);
  process.exit(0);
}
if (options.action === 'usage') {
  process.stdout.write(irmdUsage);
  process.exit(1);
}

const colour = isatty(1) && process.env['NO_COLOR'] === undefined;
const log = new Logger(logTo({ fd: 1, level: 'II', json: options.json, colour }), 'irmd');
const directory = runDirectory();
/** A socket's path has 107 bytes; the longest name in the directory is ipcpd's. */
const directoryBytesMax = 107 - '/ipcpd-4194304.sock'.length;

function lockOrExit(): Lock {
  if (Buffer.byteLength(directory) > directoryBytesMax) {
    log.error(
      `${directory} is too long for a run directory: set O7S_RUN_DIR to one of ${directoryBytesMax} bytes at most.`,
    );
    process.exit(1);
  }
  try {
    return takeLock(directory);
  } catch (error) {
    if (error instanceof AlreadyRunning) log.warn(error.message);
    else log.error(`Cannot use ${directory}: ${(error as Error).message}. Run as root, or set O7S_RUN_DIR.`);
    process.exit(1);
  }
}

const lock = lockOrExit();
if (lock.cleaned) {
  log.warn("IRMd didn't properly shut down last time.");
  log.warn('Stale resources cleaned.');
}

function securityOrExit(): SecurityFiles {
  try {
    return new SecurityFiles(configurationDirectory());
  } catch (error) {
    if (!(error instanceof SecurityFault)) throw error;
    log.error(`Cannot use ${error.message}.`);
    lock.release();
    process.exit(1);
  }
}

const security = securityOrExit();
for (const folder of security.folders) log.info(`Loaded certificates from ${folder}.`);

const registry = new Registry();
const events = new EventHub(() => Date.now());
const upcalls: Handlers<typeof dataPlaneSchemas> = {
  'dataPlane.ready': () => null,
  'flow.requested': ({ pid, ...request }) => flows.requested(registry.findIpcp(pid), request),
  'flow.closed': ({ flowId }) => flows.closed(flowId),
  'dataPlane.changed': (changed) => {
    for (const { flowId, up } of changed.flows) flows.stateChanged(flowId, up);
    observation.changed(changed.ipcps);
    return null;
  },
  'flow.wanted': ({ pid, name, qos }, signal) =>
    flows.allocate(processOf(pid), { name, qos, timeoutMs: null }, signal),
  'flow.released': ({ pid, flowId }) => flows.deallocate(processOf(pid), flowId),
};
/** An IPCP as one that uses flows. */
function processOf(pid: number): ProcessEntry {
  const process = registry.findProcess(pid);
  if (process === undefined) throw new O7sError('EIPCP', `there is no IPCP ${pid}`);
  return process;
}
const DataPlanes = options.ipcpd === 'process' ? SeparateDataPlanes : SharedDataPlane;
const dataPlanes = new DataPlanes({
  log,
  logArguments: [...(options.json ? ['--log-json'] : []), ...(colour ? ['--log-colour'] : [])],
  handler: (method, params, signal) => dispatch(dataPlaneSchemas, upcalls, method, params, signal),
  onCrash: (plane) => {
    for (const ipcp of registry.ipcps()) if (ipcp.plane === plane) management.ipcpCrashed(ipcp);
  },
});
const msToNs = 1_000_000n;
const flows: Flows = new Flows({
  registry,
  log,
  events,
  limits: flowLimits,
  wallClock: () => BigInt(Date.now()) * msToNs,
  randomBytes,
  security,
});
const uid = process.getuid?.() ?? 0;
const management: Management = new Management({ registry, flows, dataPlanes, log, events, uid });
const observation: Observation = new Observation({
  registry,
  flows,
  management,
  events,
  reports: () => server.reports(),
});
const server: Server = new Server({
  directory,
  version,
  registry,
  flows,
  management,
  observation,
  log,
  events,
});

let stopping = false;
async function stop(): Promise<void> {
  // A second signal must not cut the clean-up short.
  if (stopping) return;
  stopping = true;
  log.info('IRMd shutting down...');
  for (const { pid } of registry.processInfos()) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  }
  await dataPlanes.stop();
  server[Symbol.dispose]();
  lock.release();
  log.info('Ouroboros IPC Resource Manager daemon exited. Bye.');
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)
  process.on(signal, () => void stop());
// Who reads this line may send a signal right away.
log.info('Ouroboros IPC Resource Manager daemon started...');
