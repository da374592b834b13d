/** ovpn: IP over a flow. Source: tools.md 6. */
import { acceptFlow, allocFlow, type Flow, O7sError } from '../../lib/index.ts';
import { megabits } from '../quantities.ts';
import { complain, showLine } from '../terminal.ts';
import { errorEvent, explain, type Report, reporter, runTool, stopOnSignals } from '../tool.ts';
import { type VpnEvent, vpnText } from './events.ts';
import { parseVpnOptions, type VpnOptions } from './options.ts';
import { Tunnel } from './tunnel.ts';

/** What the manual gives the device; less where the flow carries less. */
const mtuMax = 1500;
/** An IPv4 interface has at least this MTU. */
const mtuMin = 68;
/** The user and group of those who own nothing. */
const nobody = 65_534;

const isRoot = (): boolean => process.getuid?.() === 0;

async function obtainFlow(
  { serverName }: VpnOptions,
  stop: AbortSignal,
  report: Report<VpnEvent>,
): Promise<Flow | undefined> {
  try {
    if (serverName === undefined) {
      report({ type: 'waiting' });
      return await acceptFlow({ signal: stop });
    }
    report({ type: 'allocating', server: serverName });
    return await allocFlow(serverName, { signal: stop });
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    if (stop.aborted) return undefined;
    report({ ...errorEvent(error), during: serverName === undefined ? 'accept' : 'allocate' });
    explain('ovpn', error);
    return undefined;
  }
}

function openTunnel(flow: Flow, options: VpnOptions, report: Report<VpnEvent>): Tunnel | undefined {
  const { address, mask } = options;
  const mtu = Math.min(mtuMax, flow.maxMessageBytes);
  try {
    if (mtu < mtuMin) throw new O7sError('EMSGSIZE', `the flow carries no more than ${mtu} bytes at once`);
    const tunnel = new Tunnel(flow, { address, mask, mtu });
    report({ type: 'device', name: tunnel.device.name, address, mask, mtu });
    return tunnel;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    report({ type: 'error', during: 'device', code: code ?? 'EPERM', errno: -1, message });
    complain(`ovpn: ${message}; ${hintFor(code)}`);
    return undefined;
  }
}

function hintFor(code: string | undefined): string {
  return code === 'EPERM' || code === 'EACCES'
    ? 'it takes the right to open /dev/net/tun, and CAP_NET_ADMIN'
    : 'load the module with modprobe tun, and give a node in a container the device with tun: true';
}

/** With the device made, nothing takes rights any more. Where there is nobody else to be, as in a user namespace, root stays. */
function dropPrivileges(): void {
  try {
    process.setgroups?.([]);
    process.setgid?.(nobody);
    process.setuid?.(nobody);
  } catch {
    // The rights are those of a namespace of its own, or were taken away before.
  }
}

async function carry(
  tunnel: Tunnel,
  flow: Flow,
  stop: AbortSignal,
  report: Report<VpnEvent>,
): Promise<number> {
  const { counters } = tunnel.device;
  report({ type: 'running' });
  const startedAt = performance.now();
  const released = tunnel
    .run(() => complain('ovpn: the other end gives no sign of life'))
    .then(() => 'released');
  const stopped = new Promise((resolve) => {
    stop.addEventListener('abort', () => resolve('stopped'), { once: true });
    if (stop.aborted) resolve('stopped');
  });
  let reason: unknown;
  {
    using _live = showLine(() => {
      const elapsedMs = performance.now() - startedAt;
      const rate = (bytes: number): string => `${megabits(bytes, elapsedMs).toFixed(3)} Mb/s`;
      return (
        `out ${counters.packetsRead} packets, ${rate(counters.bytesRead)}; ` +
        `in ${counters.packetsWritten} packets, ${rate(counters.bytesWritten)}`
      );
    });
    reason = await Promise.race([released, stopped]);
  }
  report({ type: 'stopping' });
  report({
    type: 'statistics',
    packetsOut: counters.packetsRead - tunnel.lost,
    bytesOut: counters.bytesRead,
    packetsIn: counters.packetsWritten,
    bytesIn: counters.bytesWritten,
    lostOut: tunnel.lost,
    lostIn: counters.writeFailed,
  });
  if (reason === 'stopped') return 0;
  const error = new O7sError('EFLOWDOWN', `flow ${flow.fd} was released by the other end, or by the layer`);
  report({ ...errorEvent(error), during: 'flow' });
  explain('ovpn', error);
  return 1;
}

async function run(options: VpnOptions): Promise<number> {
  const report = reporter(options.json, vpnText);
  const stop = stopOnSignals(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);
  const flow = await obtainFlow(options, stop, report);
  if (flow === undefined) {
    if (!stop.aborted) return 1;
    report({ type: 'stopping' });
    return 0;
  }
  report({ type: 'flow', fd: flow.fd, maxMessageBytes: flow.maxMessageBytes });
  try {
    using tunnel = openTunnel(flow, options, report);
    if (tunnel === undefined) return 1;
    dropPrivileges();
    return await carry(tunnel, flow, stop, report);
  } finally {
    await flow.close();
  }
}

void runTool(
  'ovpn',
  (args) => {
    if (!isRoot()) return { kind: 'end', text: 'ovpn must be run as root.\n', status: 1 };
    const parsed = parseVpnOptions(args);
    if (parsed.kind !== 'fault') return parsed;
    // What getopt says goes to standard error.
    complain(parsed.text.trimEnd());
    return { kind: 'end', text: '', status: 1 };
  },
  run,
);
