import { linkSuite, type MakeLink } from '../../../tests/compliance/link.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { type MemoryDevice, MemorySegment } from './memory.ts';

/** Frames reach the other end only while the cable is whole. */
const makeLink: MakeLink = async (_protocol, [first, second]) => {
  const segment = new MemorySegment();
  let silent = false;
  const whileWhole = (onFrame: (frame: Packet) => void) => (frame: Packet) => {
    if (!silent) onFrame(frame);
  };
  const devices: readonly [MemoryDevice, MemoryDevice] = [
    segment.attach(Buffer.from('020000000001', 'hex'), 1500, whileWhole(first)),
    segment.attach(Buffer.from('020000000002', 'hex'), 1500, whileWhole(second)),
  ];
  return {
    devices,
    setSilent: async (value) => {
      silent = value;
    },
    async [Symbol.asyncDispose]() {
      for (const device of devices) device[Symbol.dispose]();
    },
  };
};

linkSuite('memory', makeLink);
