/**
 * Packets a second that one core seals and opens, for each cipher and with a CRC: `crypto.ts [SECONDS (0.5)]`. Prints a
 * table, and as its last line the same as JSON.
 */
import { randomFillSync } from 'node:crypto';
import { ciphers } from '../../runtime/lib/crypto/algorithms.ts';
import { PacketProtection, protectionFor } from '../../runtime/lib/flow/protection.ts';
import { rawQos } from '../../runtime/lib/qos.ts';

const seconds = Number(process.argv[2] ?? 0.5);
const sizes = [64, 1400];
const fillRandom = (memory: Buffer): void => void randomFillSync(memory);
const key = '42'.repeat(32);

/** Calls a second. */
function rate(call: () => void): number {
  const batch = 200;
  for (let warm = 0; warm < 5000; warm += 1) call();
  let calls = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  while (performance.now() < end) {
    for (let one = 0; one < batch; one += 1) call();
    calls += batch;
  }
  return Math.round((calls / (performance.now() - start)) * 1000);
}

interface Row {
  readonly protection: string;
  readonly bytes: number;
  readonly sealed: number;
  readonly opened: number;
}

/** `make` gives a fresh end, since one that has only sealed and one that has only opened are what a flow has. */
function measure(protection: string, make: () => PacketProtection, bytes: number): Row {
  const [sender, receiver] = [make(), make()];
  const packet = Buffer.alloc(bytes, 7);
  const target = Buffer.allocUnsafeSlow(bytes + sender.overhead);
  const sealed = rate(() => sender.sealInto(target, 0, packet, 0, bytes));
  // Its sender's first, so that no key has changed yet.
  make().sealInto(target, 0, packet, 0, bytes);
  const opened = rate(() => {
    if (typeof receiver.open(target, 0, target.length) === 'string') throw new Error('not opened');
  });
  return { protection, bytes, sealed, opened };
}

const rows: Row[] = [];
for (const bytes of sizes) {
  rows.push(measure('CRC', () => new PacketProtection(undefined, true), bytes));
  for (const { name: cipher } of ciphers) {
    const make = (): PacketProtection => {
      const protection = protectionFor(rawQos, { cipher, key }, fillRandom);
      if (protection === undefined) throw new Error('no protection');
      return protection;
    };
    rows.push(measure(cipher, make, bytes));
  }
}
console.table(rows);
console.log(JSON.stringify(rows));
