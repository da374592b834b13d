/** Packets a second that one core seals and opens, for each cipher and with a CRC. */
import { randomFillSync } from 'node:crypto';
import { ciphers } from '../../../runtime/lib/crypto/algorithms.ts';
import { PacketProtection, protectionFor } from '../../../runtime/lib/flow/protection.ts';
import { rawQos } from '../../../runtime/lib/qos.ts';
import { type Bench, figure } from '../bench.ts';

const sizes = [64, 1400];
const fillRandom = (memory: Buffer): void => void randomFillSync(memory);
const key = '42'.repeat(32);

/** Calls a second. */
function rate(call: () => void, seconds: number): number {
  const batch = 200;
  for (let warm = 0; warm < 5000; warm += 1) call();
  let calls = 0;
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  while (performance.now() < end) {
    for (let one = 0; one < batch; one += 1) call();
    calls += batch;
  }
  return (calls / (performance.now() - startedAt)) * 1000;
}

/** How ends of a flow are made that protect its packets in some way. */
function protectionsOf(): [string, () => PacketProtection][] {
  const sealed = ciphers.map(({ name: cipher }): [string, () => PacketProtection] => [
    cipher,
    () => {
      const protection = protectionFor(rawQos, { cipher, key }, fillRandom);
      if (protection === undefined) throw new Error('no protection');
      return protection;
    },
  ]);
  return [['CRC', () => new PacketProtection(undefined, true)], ...sealed];
}

export const crypto: Bench = {
  about: 'packets a second that one core seals and opens',
  async *measure({ quick }) {
    const seconds = quick ? 0.1 : 0.5;
    for (const bytes of sizes) {
      for (const [protection, make] of protectionsOf()) {
        // One that has only sealed and one that has only opened are what a flow has.
        const [sender, receiver] = [make(), make()];
        const packet = Buffer.alloc(bytes, 7);
        const target = Buffer.allocUnsafeSlow(bytes + sender.overhead);
        const sealed = rate(() => sender.sealInto(target, 0, packet, 0, bytes), seconds);
        // Its sender's first, so that no key has changed yet.
        make().sealInto(target, 0, packet, 0, bytes);
        const opened = rate(() => {
          if (typeof receiver.open(target, 0, target.length) === 'string') throw new Error('not opened');
        }, seconds);
        const what = `${protection}, ${bytes} bytes: packets`;
        yield figure({ what: `${what} sealed`, unit: '1/s', better: 'more' }, 'ours', sealed);
        yield figure({ what: `${what} opened`, unit: '1/s', better: 'more' }, 'ours', opened);
      }
    }
  },
};
