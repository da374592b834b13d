/** An Ethernet device of another namespace, by way of a relay process there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DeviceCounters, EthernetDevice, OnFrame } from '../../runtime/ipcpd/links/device.ts';
import { noDeviceCounters } from '../../runtime/ipcpd/links/memory.ts';
import { Packet, packetHeadroom } from '../../runtime/lib/wire/packet.ts';
import type { Namespace } from './namespaces.ts';

const relay = fileURLToPath(new URL('./frame-relay.ts', import.meta.url));

export class RelayedDevice implements EthernetDevice, AsyncDisposable {
  readonly mac: Buffer;
  readonly mtu: number;
  readonly counters: DeviceCounters = noDeviceCounters;
  readonly backlog = 0;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #waiting: Buffer;
  readonly #flushes: (() => void)[] = [];

  private constructor(child: ChildProcess, exited: Promise<unknown>, mac: Buffer, mtu: number, rest: Buffer) {
    this.#child = child;
    this.#exited = exited;
    this.mac = mac;
    this.mtu = mtu;
    this.#waiting = rest;
  }

  static async open(
    namespace: Namespace,
    name: string,
    ethertype: number,
    onFrame: OnFrame,
  ): Promise<RelayedDevice> {
    const [command, args] = namespace.launch(process.execPath, [relay, name, String(ethertype)]);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let head = Buffer.alloc(0);
    const greeting = await new Promise<{ line: string; rest: Buffer }>((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk]);
        const newline = head.indexOf(10);
        if (newline === -1) return;
        child.stdout?.off('data', onData);
        resolve({ line: head.toString('utf8', 0, newline), rest: head.subarray(newline + 1) });
      };
      child.stdout?.on('data', onData);
      exited.then(([code]) => reject(new Error(`the relay ended with ${code}`)), reject);
    });
    const { mac, mtu } = JSON.parse(greeting.line) as { mac: string; mtu: number };
    const device = new RelayedDevice(child, exited, Buffer.from(mac, 'hex'), mtu, greeting.rest);
    child.stdout?.on('data', (chunk: Buffer) => device.#received(chunk, onFrame));
    child.stdin?.on('error', () => {});
    return device;
  }

  send(frame: Packet): void {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(frame.length);
    this.#child.stdin?.write(Buffer.concat([header, frame.bytes()]));
  }

  flush(): void {
    // Each frame leaves at once.
  }

  /** Resolves when all frames have left that were sent. */
  async sent(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushes.push(resolve);
    this.#child.stdin?.write(Buffer.alloc(4));
    await promise;
  }

  #received(chunk: Buffer, onFrame: OnFrame): void {
    let bytes = Buffer.concat([this.#waiting, chunk]);
    while (bytes.length >= 4 && bytes.length - 4 >= bytes.readUInt32BE(0)) {
      const end = 4 + bytes.readUInt32BE(0);
      if (end === 4) {
        bytes = bytes.subarray(end);
        this.#flushes.shift()?.();
        continue;
      }
      const packet = new Packet(Buffer.alloc(packetHeadroom + end), 0);
      packet.reset(packetHeadroom);
      packet.append(bytes, 4, end);
      bytes = bytes.subarray(end);
      onFrame(packet);
    }
    this.#waiting = bytes;
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
