/** What the host does for all its IPCPs together. */
import { expect, test } from 'vitest';
import { FlowRendezvous } from '../../lib/flow/rendezvous.ts';
import { nodeRequestsMax, rpcPendingMax } from '../../lib/limits.ts';
import { Logger } from '../../lib/log.ts';
import { addressOf } from '../../lib/os/libc.ts';
import { rawQos } from '../../lib/qos.ts';
import type { AllocationAnswer } from '../../lib/rpc/data-plane-api.ts';
import { never } from '../../lib/time/clock.ts';
import { DeadlineTimer } from '../../lib/time/timer.ts';
import { IpcpHost } from './host.ts';
import type { Layer, LayerEvents } from './layer.ts';
import { Turn } from './turn.ts';

/** A layer that does nothing but note what is refused. */
function layerOf(refusals: number[]): Layer {
  return {
    hash: 'SHA3_256',
    maxMessageBytes: 1400,
    counters: {},
    register() {},
    unregister() {},
    query() {},
    allocate: () => {
      throw new Error('nobody allocates here');
    },
    accept: () => undefined,
    refuse: (_handle, response) => void refusals.push(response),
    close() {},
    nextDeadline: () => never,
    advance() {},
  };
}

test('requests for flows are refused beyond what all layers may have open, so that what ends flows is not', async () => {
  const refusals: number[] = [];
  const layers: LayerEvents[] = [];
  const open: ((answer: AllocationAnswer) => void)[] = [];
  const timer = new DeadlineTimer();
  const host = new IpcpHost({
    turn: new Turn(addressOf),
    timer,
    rendezvous: new FlowRendezvous(`@o7s-host-test-${process.pid}`, 0o600, 1000),
    log: new Logger(() => {}, 'ipcpd'),
    logSetting: { level: 'EE' },
    factories: {
      local: (_config, events) => {
        layers.push(events);
        return layerOf(refusals);
      },
    },
    stackedFactories: {},
    call: (method) => {
      if (method !== 'flow.requested') throw new Error(`nobody calls ${method}`);
      const asked = Promise.withResolvers<AllocationAnswer>();
      open.push(asked.resolve);
      return asked.promise as Promise<never>;
    },
  });
  for (const pid of [1, 2]) {
    await host.handlers['ipcp.create']({ pid, name: `l${pid}`, type: 'local' });
    await host.handlers['ipcp.bootstrap']({ pid, layer: 'l', config: {} });
  }
  const request = { hash: Buffer.alloc(32), qos: rawQos, piggyback: Buffer.alloc(0) };
  for (let handle = 1; handle <= nodeRequestsMax + 3; handle += 1)
    layers[handle % 2]?.flowRequested({ ...request, handle });
  expect([open.length, refusals]).toEqual([nodeRequestsMax, [-11, -11, -11]]);
  expect(nodeRequestsMax).toBeLessThan(rpcPendingMax);
  const busy = async (pid: number): Promise<number> =>
    (await host.handlers['ipcp.counters']({ pid }))['refusedBusy'] ?? 0;
  expect((await busy(1)) + (await busy(2))).toBe(3);
  // One that is answered makes room for another.
  open[0]?.({ response: -1003 });
  await new Promise(setImmediate);
  layers[0]?.flowRequested({ ...request, handle: 1 });
  layers[0]?.flowRequested({ ...request, handle: 2 });
  expect([open.length, refusals.slice(3)]).toEqual([nodeRequestsMax + 1, [-1003, -11]]);
  host.close();
  timer.close();
});
