/** What the kernel says of a network interface. */
import { readFileSync } from 'node:fs';
import { addressOf, check, KernelError, lastErrno, libc, linux } from './libc.ts';

export interface NetworkInterface {
  readonly name: string;
  readonly index: number;
  /** 6 bytes. */
  readonly mac: Buffer;
  /** Bytes of a frame without its Ethernet header. */
  readonly mtu: number;
}

const nameBytesMax = 15;
const requestBytes = 40;
const requestValue = 16;

/**
 * Looks an interface up in the network namespace of this process.
 *
 * @throws KernelError ENODEV when there is none of that name.
 */
export function lookUpInterface(name: string): NetworkInterface {
  const subject = `interface ${name}`;
  if (name.length === 0 || Buffer.byteLength(name) > nameBytesMax) {
    throw new KernelError('if_nametoindex', subject, 19);
  }
  const index = libc.ifNameToIndex(name) as number;
  if (index === 0) throw new KernelError('if_nametoindex', subject, lastErrno());
  return withRequests(name, (ask) => {
    // struct sockaddr: the address follows its family.
    const mac = Buffer.from(ask(linux.SIOCGIFHWADDR, 'ioctl SIOCGIFHWADDR').subarray(2, 8));
    const mtu = ask(linux.SIOCGIFMTU, 'ioctl SIOCGIFMTU').readInt32LE(0);
    return { name, index, mac, mtu };
  });
}

/**
 * From here on frames that leave by an interface are whole: the kernel completes their checksums, and cuts what it would
 * have left to the hardware to cut. Otherwise who reads them beyond it sees what no cable ever carried.
 */
export function completeFrames(name: string): void {
  // struct ethtool_value: a command and its value.
  const value = Buffer.alloc(8);
  value.writeUInt32LE(linux.ETHTOOL_STXCSUM, 0);
  withRequests(name, (ask) => {
    ask(linux.SIOCETHTOOL, 'ioctl SIOCETHTOOL', (request) =>
      request.writeBigUInt64LE(BigInt(addressOf(value))),
    );
  });
}

/**
 * Frames that have come to an interface of this process's network and were not dropped there, be they seen by anyone yet or
 * not (proc_net(5)); 0 for one that is gone.
 */
export function framesArrived(name: string): number {
  const line = readFileSync('/proc/self/net/dev', 'latin1')
    .split('\n')
    .find((each) => each.trimStart().startsWith(`${name}:`));
  const [, packets = 0, , drops = 0] =
    line
      ?.slice(line.indexOf(':') + 1)
      .trim()
      .split(/\s+/)
      .map(Number) ?? [];
  return packets - drops;
}

type Ask = (request: number, call: string, fill?: (value: Buffer) => void) => Buffer;

/**
 * Makes requests of the kernel about an interface (netdevice(7)). `ask` takes what fills in what follows the name, and gives
 * what follows it in the answer; a request that is refused throws a KernelError.
 */
export function withRequests<T>(name: string, use: (ask: Ask) => T): T {
  const subject = `interface ${name}`;
  const type = linux.SOCK_DGRAM | linux.SOCK_CLOEXEC;
  const fd = check(libc.socket(linux.AF_INET, type, 0) as number, 'socket', subject);
  try {
    return use((request, call, fill) => {
      const memory = Buffer.alloc(requestBytes);
      memory.write(name, 0, 'utf8');
      fill?.(memory.subarray(requestValue));
      check(libc.ioctl(fd, request, memory) as number, call, subject);
      return memory.subarray(requestValue);
    });
  } finally {
    libc.close(fd);
  }
}
