/** Which layers this data plane can make, and over which devices. */
import { O7sError } from '../lib/errors.ts';
import type { IpcpType } from '../lib/rpc/api.ts';
import { monotonicNow } from '../lib/time/timer.ts';
import { defaultEthertype, DixLayer } from './eth/dix.ts';
import { InterfaceDevice } from './links/interface.ts';
import { LocalLayer } from './local/local.ts';
import type { LayerFactory } from './shell/host.ts';
import type { Turn } from './shell/turn.ts';

const defaultHash = 'SHA3_256';

export function layerFactories(turn: Turn): Partial<Record<IpcpType, LayerFactory>> {
  return {
    local: ({ hash = defaultHash }, events) => new LocalLayer(hash, events),

    'eth-dix': ({ dev, ethertype = defaultEthertype, hash = defaultHash }, events) => {
      if (dev === undefined)
        throw new O7sError('EINVAL', 'an eth-dix layer needs a device', { hint: 'give dev' });
      // Frames come from the event loop: not before the layer is there.
      const device = new InterfaceDevice(dev, ethertype, turn, (frame) =>
        layer.receive(frame, monotonicNow()),
      );
      const layer: DixLayer = new DixLayer({ hash, ethertype, device, packets: turn.packets, events });
      return layer;
    },
  };
}
