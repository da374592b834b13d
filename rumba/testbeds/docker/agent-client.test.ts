import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { RpcConnection } from '../../../runtime/lib/rpc/connection.ts';
import { AgentClient } from './agent-client.ts';

/** A line as the engine sends it: from standard output, with its length. */
function framed(message: object): Buffer {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  const header = Buffer.alloc(8);
  header.writeUInt8(1, 0);
  header.writeUInt32BE(line.length, 4);
  return Buffer.concat([header, line]);
}

test('what waits for a node when the helper ends is told that, with the way out', async () => {
  const [ours, theirs] = duplexPair();
  const client = new AgentClient('demo', ours);
  theirs.on('data', (chunk: Buffer) => {
    const { id, method } = JSON.parse(String(chunk)) as { id?: number; method?: string };
    if (method === 'connect') theirs.write(framed({ id, result: null }));
    // The first thing that is said to the node is the last that the helper hears.
    else theirs.destroy();
  });
  const stream = await client.open(1, '/run/irm.sock', new AbortController().signal);
  const connection = new RpcConnection(stream, () => Promise.resolve(null));
  const ended = 'the helper of lab demo ended';
  const hint = expect.stringContaining('down --lab demo');
  await expect(connection.call('ipcp.list', {})).rejects.toMatchObject({
    message: ended,
    cause: expect.objectContaining({ message: ended, hint }),
  });
  await expect(client.call('alive', { init: 1, pid: 2, started: '' } as never)).rejects.toMatchObject({
    message: ended,
    hint,
  });
});
