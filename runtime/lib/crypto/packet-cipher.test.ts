import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byName, type Cipher, ciphers } from './algorithms.ts';
import { nextKey, rotationSalt } from './key-derivation.ts';
import { PacketCipher } from './packet-cipher.ts';

const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
/** 10, 11, 12 and so on. */
const countedIv = (memory: Buffer): void => {
  for (let at = 0; at < memory.length; at += 1) memory[at] = 0x10 + at;
};
const random = (memory: Buffer): void => void randomFillSync(memory);

function cipherOf(name: string): Cipher {
  const cipher = byName(ciphers, name);
  if (cipher === undefined) throw new Error(`no cipher ${name}`);
  return cipher;
}

function seal(cipher: PacketCipher, plain: Buffer): Buffer {
  const target = Buffer.alloc(plain.length + cipher.overhead);
  cipher.sealInto(target, 0, plain, 0, plain.length);
  return target;
}

const open = (cipher: PacketCipher, packet: Buffer): Buffer | undefined =>
  cipher.open(packet, 0, packet.length);
const phaseOf = (packet: Buffer): number => (packet[0] ?? 0) >> 7;

test.each([
  [
    'aes-128-gcm',
    '101112131415161718191a1b8b5b71c06d20c48064fd2990b453cb485fdf00e844c667f9abaeaabb782ee55293fff86b09',
  ],
  [
    'aes-192-gcm',
    '101112131415161718191a1b7922557a61e7b19793a6abe923a8099be38e4dfe5921983ecc2cecd6906435cb796876f830',
  ],
  [
    'aes-256-gcm',
    '101112131415161718191a1b328bea792ba648dcb9557c787c0d4925b2333a61691f324f07569086c42b2f8e1901d75a3a',
  ],
  [
    'chacha20-poly1305',
    '101112131415161718191a1b11bf37686476b40668e64706aadf95031f058146f67bba38fa1ed9493f2ecad67bd1327c32',
  ],
  ['aes-128-ctr', '101112131415161718191a1b1c1d1e1f488b9d1b83ba7101e32e9a74fde0b2e5f7a1b16baa'],
  ['aes-192-ctr', '101112131415161718191a1b1c1d1e1fdcdb4910fdad9a7aee25d2cc86966f5b9ede30e2cf'],
  ['aes-256-ctr', '101112131415161718191a1b1c1d1e1fa6b69de5d05b21898354e8b3459388f89ca23ff589'],
])('the vector of %s', (name, expected) => {
  const plain = Buffer.from('Ouroboros test vector');
  const packet = seal(new PacketCipher(cipherOf(name), key, countedIv), plain);
  expect(packet.toString('hex')).toBe(expected);
  expect(open(new PacketCipher(cipherOf(name), key, random), packet)).toEqual(plain);
});

describe.each(ciphers)('$name', (kind) => {
  const make = (): PacketCipher => new PacketCipher(kind, key, random);

  test('what is sealed is opened, wherever it lies', () => {
    const [a, b] = [make(), make()];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(40), fc.nat(40), (array, from, to) => {
        const plain = Buffer.alloc(from + array.length + 3, 0xaa);
        plain.set(array, from);
        const target = Buffer.alloc(to + array.length + a.overhead + 3, 0xbb);
        a.sealInto(target, to, plain, from, from + array.length);
        expect(target.subarray(0, to).every((byte) => byte === 0xbb)).toBe(true);
        expect(target.subarray(-3).every((byte) => byte === 0xbb)).toBe(true);
        expect(b.open(target, to, target.length - 3)).toEqual(Buffer.from(array));
      }),
    );
  });

  test('a packet sealed twice looks different, and both are opened', () => {
    const [a, b] = [make(), make()];
    const plain = Buffer.alloc(100, 7);
    const [first, second] = [seal(a, plain), seal(a, plain)];
    expect(first).not.toEqual(second);
    expect(open(b, second)).toEqual(plain);
    expect(open(b, first)).toEqual(plain);
  });

  test('no IV comes twice in many packets', () => {
    const a = make();
    const seen = new Set<string>();
    const plain = Buffer.alloc(1);
    for (let packet = 0; packet < 1000; packet += 1) {
      seen.add(seal(a, plain).toString('hex', 0, kind.ivBytes));
    }
    expect(seen.size).toBe(1000);
  });

  test('what is too short is not opened', () => {
    const a = make();
    for (let length = 0; length < a.overhead; length += 1) {
      expect(open(a, Buffer.alloc(length))).toBeUndefined();
    }
  });

  test('what is cut, altered or foreign is not opened, where there is a tag; nothing is thrown', () => {
    const [a, b] = [make(), make()];
    const packet = seal(a, Buffer.alloc(40, 7));
    fc.assert(
      fc.property(fc.nat(packet.length * 8 - 1), (bit) => {
        const altered = Buffer.from(packet);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const plain = open(b, altered);
        if (kind.tagBytes > 0) expect(plain).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
        const plain = open(b, Buffer.from(array));
        if (kind.tagBytes > 0) expect(plain).toBeUndefined();
      }),
    );
    if (kind.tagBytes > 0) {
      for (let length = 0; length < packet.length; length += 1) {
        expect(open(b, packet.subarray(0, length))).toBeUndefined();
      }
      const other = new PacketCipher(kind, Buffer.alloc(32, 9), random);
      expect(open(other, packet)).toBeUndefined();
    }
    expect(open(b, packet)).toEqual(Buffer.alloc(40, 7));
  });
});

describe('the key changes', () => {
  const kind = cipherOf('aes-256-gcm');
  const rotated = [
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    'cf95b6c68e77b8713cdfd62033f2bea52f621b894e197be6934c6ff99735d1a5',
    '4c3544057ff00629fb982b8c17201efcbee072bc377c0496131bc840903559b9',
  ].map((hex) => Buffer.from(hex, 'hex'));

  /** Which of the keys above a packet was sealed with. */
  const keyOf = (packet: Buffer): number =>
    // A fresh end also opens what was sealed with the key after its own.
    rotated.findLastIndex((one) => open(new PacketCipher(kind, one, random), packet) !== undefined);

  test('every M packets in one direction, and the packet tells the phase', () => {
    const sender = new PacketCipher(kind, key, random, 16);
    const told: string[] = [];
    for (let packet = 0; packet < 48; packet += 1) {
      const sealed = seal(sender, Buffer.from('x'));
      told.push(`${phaseOf(sealed)}/${keyOf(sealed)}`);
    }
    expect(told).toEqual([
      ...Array.from({ length: 16 }, () => '0/0'),
      ...Array.from({ length: 16 }, () => '1/1'),
      ...Array.from({ length: 16 }, () => '0/2'),
    ]);
  });

  test.each(ciphers)('a receiver follows, with $name', (each) => {
    const [a, b] = [new PacketCipher(each, key, random, 16), new PacketCipher(each, key, random, 16)];
    for (let packet = 0; packet < 200; packet += 1) {
      const plain = Buffer.from(`packet ${packet}`);
      expect(open(b, seal(a, plain))).toEqual(plain);
    }
  });

  test.each(ciphers)('both ends change in step when they talk in turn, with $name', (each) => {
    const [a, b] = [new PacketCipher(each, key, random, 16), new PacketCipher(each, key, random, 16)];
    for (let packet = 0; packet < 200; packet += 1) {
      const plain = Buffer.from(`packet ${packet}`);
      expect(open(b, seal(a, plain))).toEqual(plain);
      expect(open(a, seal(b, plain))).toEqual(plain);
    }
  });

  test('packets of the key before are still opened for a while', () => {
    const [a, b] = [new PacketCipher(kind, key, random, 16), new PacketCipher(kind, key, random, 16)];
    const late = seal(a, Buffer.from('late'));
    for (let packet = 0; packet < 16; packet += 1) open(b, seal(a, Buffer.from('x')));
    expect(open(b, late)).toEqual(Buffer.from('late'));
    // After half a period of its own sending, with a peer that uses the new key, it is forgotten.
    open(b, seal(a, Buffer.from('x')));
    for (let packet = 0; packet < 8; packet += 1) open(a, seal(b, Buffer.from('x')));
    expect(open(b, late)).toBeUndefined();
  });

  test('an injected packet with the other phase changes nothing', () => {
    const [a, b] = [new PacketCipher(kind, key, random, 16), new PacketCipher(kind, key, random, 16)];
    for (let packet = 0; packet < 13; packet += 1) open(b, seal(a, Buffer.from('x')));
    const forged = Buffer.alloc(60, 0xff);
    expect(open(b, forged)).toBeUndefined();
    const answer = seal(b, Buffer.from('y'));
    expect(keyOf(answer)).toBe(0);
  });
});

/** One end by the letter of the document, which is what the prototype does (end-to-end.md 5.2); GCM with 256 bits. */
class LetterEnd {
  readonly #period: number;
  readonly #salt = rotationSalt(key);
  #count = 0;
  #age = 0;
  #phase = 0;
  #current: Buffer = key;
  #previous: Buffer | undefined;

  constructor(period: number) {
    this.#period = period;
  }

  seal(plain: Buffer): Buffer {
    const before = this.#count & this.#period;
    const iv = randomFillSync(Buffer.alloc(12));
    iv[0] = ((iv[0] ?? 0) & 0x7f) | (before === 0 ? 0 : 0x80);
    const cipher = createCipheriv('aes-256-gcm', this.#current, iv);
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    this.#counted();
    if ((this.#count & this.#period) !== before) this.#rotate();
    if (this.#age >= this.#period / 2) this.#previous = undefined;
    return Buffer.concat([iv, body, cipher.getAuthTag()]);
  }

  open(packet: Buffer): Buffer | undefined {
    if (phaseOf(packet) !== this.#phase && this.#age >= this.#period - this.#period / 4) this.#rotate();
    this.#counted();
    return this.#tryOpen(this.#current, packet) ?? this.#tryOpen(this.#previous, packet);
  }

  #tryOpen(by: Buffer | undefined, packet: Buffer): Buffer | undefined {
    if (by === undefined) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', by, packet.subarray(0, 12));
    decipher.setAuthTag(packet.subarray(-16));
    try {
      return Buffer.concat([decipher.update(packet.subarray(12, -16)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  #counted(): void {
    this.#count = (this.#count + 1) >>> 0;
    this.#age += 1;
  }

  #rotate(): void {
    this.#previous = this.#current;
    this.#current = nextKey(this.#current, this.#salt);
    this.#age = 0;
    this.#phase = 1 - this.#phase;
  }
}

interface End {
  seal(plain: Buffer): Buffer;
  open(packet: Buffer): Buffer | undefined;
}

/** mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sends packets both ways, of which some get lost and up to five are under way; the share that each end could open. */
function converse(
  a: End,
  b: End,
  loss: number,
  shareOfA: number,
  packets: number,
  seed: number,
): [number, number] {
  const random01 = seeded(seed);
  const ways = [
    { end: a, to: b, underWay: [] as Buffer[], arrived: 0, opened: 0 },
    { end: b, to: a, underWay: [] as Buffer[], arrived: 0, opened: 0 },
  ];
  for (let packet = 0; packet < packets; packet += 1) {
    const from = ways[random01() < shareOfA ? 0 : 1];
    if (from === undefined) throw new Error('two ways');
    const sealed = from.end.seal(Buffer.from([packet & 0xff]));
    if (random01() >= loss) from.underWay.push(sealed);
    for (const way of ways) {
      while (way.underWay.length > 5 || (way.underWay.length > 0 && random01() < 0.4)) {
        const next = way.underWay.shift();
        if (next === undefined) break;
        way.arrived += 1;
        if (way.to.open(next) !== undefined) way.opened += 1;
      }
    }
  }
  const [fromA, fromB] = ways.map(({ opened, arrived }) => opened / arrived);
  return [fromB ?? 0, fromA ?? 0];
}

describe('ends whose counts differ because packets got lost', () => {
  const period = 64;
  const packets = 20 * period;
  const ours = (): End => {
    const cipher = new PacketCipher(cipherOf('aes-256-gcm'), key, random, period);
    return { seal: (plain) => seal(cipher, plain), open: (packet) => open(cipher, packet) };
  };
  const cases = [0, 0.001, 0.01, 0.05].flatMap((loss) =>
    [0.5, 0.9, 0.1].map((share) => [loss, share] as const),
  );

  test.each(cases)('open all of each other, loss %d, our share %d', (loss, share) => {
    for (let seed = 1; seed <= 3; seed += 1) {
      expect(converse(ours(), ours(), loss, share, packets, seed)).toEqual([1, 1]);
    }
  });

  test.each(cases)('we open what the prototype sends, loss %d, our share %d', (loss, share) => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const [weOpened, itOpened] = converse(ours(), new LetterEnd(period), loss, share, packets, seed);
      expect(weOpened).toBeGreaterThan(0.99);
      expect(itOpened).toBeGreaterThan(loss === 0 ? 0.9999 : 0.8);
    }
  });

  test('which two ends by the letter do not', () => {
    const shares = [1, 2, 3, 4, 5].map(
      (seed) => converse(new LetterEnd(period), new LetterEnd(period), 0.05, 0.5, packets, seed)[0],
    );
    expect(Math.min(...shares)).toBeLessThan(0.5);
  });
});
