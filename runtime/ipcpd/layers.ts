/** Which layers this data plane can make, and over which devices. */
import { randomBytes } from 'node:crypto';
import { O7sError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { KernelError } from '../lib/os/libc.ts';
import { UdpAddress } from '../lib/os/udp-socket.ts';
import type { BootstrapConfig, IpcpType } from '../lib/rpc/api.ts';
import { monotonicNow } from '../lib/time/timer.ts';
import { defaultEthertype, dixFraming } from './eth/dix.ts';
import { EthernetLayer } from './eth/ethernet-layer.ts';
import type { EthernetFraming } from './eth/framing.ts';
import { llcFraming } from './eth/llc.ts';
import { InterfaceDevice } from './links/interface.ts';
import { UdpDevice } from './links/udp.ts';
import { LocalLayer } from './local/local.ts';
import { BroadcastIpcp } from './broadcast/broadcast-ipcp.ts';
import type { LayerFactory, StackedFactory } from './shell/host.ts';
import type { Layer, LayerEvents } from './shell/layer.ts';
import type { Turn } from './shell/turn.ts';
import { makeDirectory } from './udp/directory.ts';
import { type Family, udpOptions } from './udp/options.ts';
import { UdpLayer } from './udp/udp-layer.ts';
import { UnicastIpcp } from './unicast/unicast-ipcp.ts';

const defaultHash = 'SHA3_256';

/** Longest datagram each family of the prototype carries whole, EID included (link-ipcps.md 4.4). */
const datagramBytesMax: Record<Family, number> = { 4: 8980, 6: 8952 };

/** Those over flows of others. */
export function stackedFactories(turn: Turn): Partial<Record<IpcpType, StackedFactory>> {
  const { packets } = turn;
  const around = { packets, clock: monotonicNow, wallClock, randomBytes };
  return {
    unicast: (ofIpcp) => new UnicastIpcp({ ...around, ...ofIpcp }),
    broadcast: (ofIpcp) => new BroadcastIpcp({ ...around, ...ofIpcp }),
  };
}

/** Opens a device, or tells why the kernel refuses it, and throws. */
function orTold<Device>(open: () => Device, tell: (error: KernelError) => void): Device {
  try {
    return open();
  } catch (error) {
    if (error instanceof KernelError) tell(error);
    throw error;
  }
}

const nsPerMs = 1_000_000n;

/** ns since 1970. */
function wallClock(): bigint {
  return BigInt(Date.now()) * nsPerMs;
}

export function layerFactories(turn: Turn): Partial<Record<IpcpType, LayerFactory>> {
  const ethernet = (
    type: 'eth-dix' | 'eth-llc',
    framing: EthernetFraming,
    config: BootstrapConfig,
    events: LayerEvents,
    log: Logger,
  ): Layer => {
    const { dev, hash = defaultHash } = config;
    if (dev === undefined)
      throw new O7sError('EINVAL', 'an Ethernet layer needs a device', { hint: 'give dev' });
    const ownLog = log.child(`ipcpd/${type}`);
    // Frames and changes come from the event loop: not before the layer is there.
    const device = orTold(
      () =>
        new InterfaceDevice(dev, framing.protocol, turn, {
          onFrame: (frame) => layer.receive(frame, monotonicNow()),
          onChange: (up) => {
            layer.deviceChanged(up);
            events.linkChanged?.(up);
          },
        }),
      // What the prototype asks of a device first is the longest frame it takes.
      ({ code }) => {
        const faults = ['Failed to get MTU.', 'Failed to get interface MTU.', 'Failed to set MTU.'];
        for (const fault of code === 'ENODEV' ? faults : ['Failed to initialize raw socket device.'])
          ownLog.error(fault);
      },
    );
    ownLog.info('Using raw socket device.');
    const layer: EthernetLayer = new EthernetLayer({ hash, framing, device, packets: turn.packets, events });
    return layer;
  };
  const udp = (
    asked: Family | undefined,
    config: BootstrapConfig,
    events: LayerEvents,
    log: Logger,
  ): Layer => {
    const { family, ip, dns, port } = udpOptions(asked, config);
    const toAddress = (host: string): UdpAddress => UdpAddress.parse(host, port);
    const text = `${ip} port ${port}`;
    const ownLog = log.child(`ipcpd/udp${family}`);
    const device = orTold(
      () =>
        new UdpDevice(toAddress(ip), text, datagramBytesMax[family], turn, {
          onDatagram: (datagram, source) => layer.receive(datagram, source, monotonicNow()),
          onChange: (up) => {
            layer.deviceChanged(up);
            events.linkChanged?.(up);
          },
        }),
      ({ description }) => ownLog.error(`Couldn't bind to ${ip}:${port}. ${description}.`),
    );
    const directory = makeDirectory({ family, ip, dns, log: ownLog, toAddress });
    const { packets } = turn;
    const layer: UdpLayer = new UdpLayer({ device, directory, packets, events, clock: monotonicNow });
    return layer;
  };
  return {
    local: ({ hash = defaultHash }, events, log) => new LocalLayer(hash, events, log),
    'eth-dix': (config, events, log) =>
      ethernet('eth-dix', dixFraming(config.ethertype ?? defaultEthertype), config, events, log),
    'eth-llc': (config, events, log) => ethernet('eth-llc', llcFraming, config, events, log),
    udp: (config, events, log) => udp(undefined, config, events, log),
    udp4: (config, events, log) => udp(4, config, events, log),
    udp6: (config, events, log) => udp(6, config, events, log),
  };
}
