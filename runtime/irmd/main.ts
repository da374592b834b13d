/** irmd: the IPC Resource Manager of a node. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { logArguments, openLog } from '../lib/daemon-log.ts';
import { O7sError } from '../lib/errors.ts';
import { Logger } from '../lib/log.ts';
import { configurationDirectory, runDirectory } from '../lib/paths.ts';
import { releaseWhenQuiet } from '../lib/os/spare-memory.ts';
import { version } from '../lib/version.ts';
import { banner } from './banner.ts';
import { configure } from './configure.ts';
import { SeparateDataPlanes, SharedDataPlane } from './data-planes.ts';
import { EventHub } from './events.ts';
import { flowLimits, Flows } from './flows.ts';
import { Management } from './management.ts';
import { AlreadyRunning, type Lock, takeLock } from './lock.ts';
import { Observation } from './observation.ts';
import { irmdUsage, parseIrmdOptions } from './options.ts';
import { ageMs } from './process-age.ts';
import { Programs } from './programs.ts';
import { type ProcessEntry, Registry } from './registry.ts';
import { RibFolder, RibFolderFault } from './rib-folder.ts';
import { dataPlaneSchemas, dispatch, type Handlers } from './schema.ts';
import { SecurityFault, SecurityFiles } from './security.ts';
import { Server } from './server.ts';
import { shareLimits, Shares } from './shares.ts';
import { systemdUnit } from './systemd-unit.ts';

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
if (options.action === 'unit') {
  const config = `${configurationDirectory()}/irmd.conf`;
  // By the starter beside this bundle, which finds the Node it needs.
  const starter = fileURLToPath(new URL('../bin/irmd', import.meta.url));
  process.stdout.write(systemdUnit([starter, ...(existsSync(config) ? ['--config', config] : [])]));
  process.exit(0);
}

if (options.log.to === 'stdout' && isatty(1)) process.stdout.write(banner);
const { setting, sink } = openLog('irmd', options.log);
const log = new Logger(sink, 'irmd');
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
    return new SecurityFiles(configurationDirectory(), (name) => registry.findName(name)?.files);
  } catch (error) {
    if (!(error instanceof SecurityFault)) throw error;
    log.error(`Cannot use ${error.message}.`);
    lock.release();
    process.exit(1);
  }
}

const registry = new Registry();
const security = securityOrExit();
for (const folder of security.folders) log.info(`Loaded certificates from ${folder}.`);

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
  logArguments: () => logArguments({ ...options.log, level: setting.level }),
  handler: (method, params, signal) => dispatch(dataPlaneSchemas, upcalls, method, params, signal),
  onCrash: (plane) => {
    for (const ipcp of registry.ipcps()) if (ipcp.plane === plane) management.ipcpCrashed(ipcp);
  },
});
const msToNs = 1_000_000n;
const uid = process.getuid?.() ?? 0;
// What programs print must not stand between records of the log.
const programs = new Programs(uid, options.log.to === 'stdout' ? 1 : 2);
const shares = new Shares(shareLimits, uid);
const flows: Flows = new Flows({
  registry,
  log,
  events,
  limits: flowLimits,
  wallClock: () => BigInt(Date.now()) * msToNs,
  randomBytes,
  security,
  starter: programs,
  shares,
});
const management: Management = new Management({
  registry,
  flows,
  dataPlanes,
  log,
  events,
  uid,
  ageMs,
  logLevel: {
    get: () => setting.level,
    set: (level) => {
      setting.level = level;
    },
  },
});
const observation: Observation = new Observation({
  registry,
  flows,
  management,
  events,
  reports: () => server.reports(),
  shares,
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
  shares,
});

function ribOrExit(folder: string): RibFolder {
  try {
    return new RibFolder(folder, () => observation.rib(''), log);
  } catch (error) {
    if (!(error instanceof RibFolderFault)) throw error;
    log.error(`Cannot write the RIB: ${error.message}.`);
    server[Symbol.dispose]();
    lock.release();
    process.exit(1);
  }
}

const ribFolder = options.rib === undefined ? undefined : ribOrExit(options.rib);

let stopping = false;
async function stop(status = 0): Promise<void> {
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
  await Promise.all([programs.stop(), dataPlanes.stop()]);
  server[Symbol.dispose]();
  ribFolder?.close();
  lock.release();
  log.info('Ouroboros IPC Resource Manager daemon exited. Bye.');
  process.exit(status);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)
  process.on(signal, () => void stop());
// Who reads this line may send a signal right away.
log.info('Ouroboros IPC Resource Manager daemon started...');
async function applyConfiguration(): Promise<void> {
  if (options.config === undefined) return;
  const applied = await configure(options.config, management, log.child('irmd/configuration'));
  if (!applied) await stop(1);
}
void applyConfiguration().then(() => releaseWhenQuiet());
