/** What the kernel says of a network interface. */
import { check, KernelError, lastErrno, libc, linux } from './libc.ts';

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
  const fd = check(
    libc.socket(linux.AF_INET, linux.SOCK_DGRAM | linux.SOCK_CLOEXEC, 0) as number,
    'socket',
    subject,
  );
  try {
    const ask = (request: number, call: string): Buffer => {
      const memory = Buffer.alloc(requestBytes);
      memory.write(name, 0, 'utf8');
      check(libc.ioctl(fd, request, memory) as number, call, subject);
      return memory.subarray(requestValue);
    };
    // struct sockaddr: the address follows its family.
    const mac = Buffer.from(ask(linux.SIOCGIFHWADDR, 'ioctl SIOCGIFHWADDR').subarray(2, 8));
    const mtu = ask(linux.SIOCGIFMTU, 'ioctl SIOCGIFMTU').readInt32LE(0);
    return { name, index, mac, mtu };
  } finally {
    libc.close(fd);
  }
}
