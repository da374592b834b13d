/** Frames of a link into a file. */
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TestbedError } from '../errors.ts';
import type { Lab } from '../testbeds/testbed.ts';

export interface Capture {
  /** Absolute path. */
  readonly file: string;
  /** Resolves when all that was captured is in the file. */
  end(): Promise<void>;
}

/** How long tcpdump may take to be ready, in milliseconds. */
const readyMs = 5_000;

/** Starts tcpdump at one end of a link; its file is in the current folder. Rejects with EFAILED where it cannot. */
export async function startCapture(lab: Lab, link: string): Promise<Capture> {
  const [end] = (await lab.record())?.topology.links.find(({ name }) => name === link)?.ends ?? [];
  if (end === undefined) throw new TestbedError('EFAILED', `lab ${lab.name} has no link ${link}`);
  const command = ['tcpdump', '-i', end.interface, '-U', '-w', '-'];
  const running = await lab.node(end.node).open(command);
  let said = '';
  const ready = Promise.withResolvers<void>();
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('listening on')) ready.resolve();
  });
  const failed = (): void => {
    const reason = said.trim().split('\n').at(-1) || 'tcpdump did not start';
    ready.reject(new TestbedError('EFAILED', `cannot capture on link ${link}: ${reason}`));
  };
  void running.ended.then(failed, failed);
  const timer = setTimeout(failed, readyMs);
  try {
    await ready.promise;
  } catch (error) {
    running.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const name = `${lab.name}-${link}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.pcap`;
  const file = resolve(name);
  const written = pipeline(running.stdout, createWriteStream(file));
  return {
    file,
    end: async () => {
      running.kill('SIGINT');
      await running.ended;
      await written;
    },
  };
}
