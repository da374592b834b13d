/** What the bytes of a flow come from and go to: standard input and output, or a command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { write } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Where bytes go. */
export interface Sink {
  /** Resolves when they are taken; rejects with `SinkClosed` when nobody takes any more and that is a failure. */
  write(bytes: Buffer): Promise<void>;
  /** No more bytes follow. */
  end(): void;
}

/** Nobody takes the bytes any more. */
export class SinkClosed extends Error {}

const writeBytes = promisify(write);
/** How long to wait for a reader of a pipe that others made non-blocking, ms. */
const retryMs = 2;

/** A descriptor. It is written to off the event loop, so that a slow reader delays nothing but its own bytes. */
export class DescriptorSink implements Sink {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      try {
        const { bytesWritten } = await writeBytes(this.#fd, bytes, at);
        at += bytesWritten;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE' || code === 'EIO')
          throw new SinkClosed('standard output is closed', { cause: error });
        if (code !== 'EAGAIN') throw error;
        await delay(retryMs);
      }
    }
  }

  end(): void {
    // Descriptors of the whole process stay open.
  }
}

/** The input of a command, which may end without having read all of it: what comes then goes nowhere. */
class CommandSink implements Sink {
  readonly #stream: Writable;
  #closed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', () => (this.#closed = true)).on('close', () => (this.#closed = true));
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#closed || this.#stream.write(bytes)) return;
    const over = new AbortController();
    const events = ['drain', 'close'].map((event) => once(this.#stream, event, { signal: over.signal }));
    try {
      await Promise.race(events);
    } catch {
      // Its error closes it.
    } finally {
      // Who was not first listens no more.
      over.abort();
    }
  }

  end(): void {
    this.#stream.end();
  }
}

export interface CommandEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A shell command that runs, with its input and output; its errors go to those of this process. */
export class Command implements Disposable {
  readonly source: Readable;
  readonly sink: Sink;
  readonly ended: Promise<CommandEnd>;
  readonly #child: ChildProcess;

  constructor(line: string) {
    const child = spawn('/bin/sh', ['-c', line], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.source = child.stdout;
    this.sink = new CommandSink(child.stdin);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve({ status, signal }));
    });
    // Who waits for the end is told by its own await.
    this.ended.catch(() => {});
  }

  /** Ends it, should it still run. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGTERM');
  }
}
