/** The orchestrator's end of the connection to a lab's wire. */
import { O7sError } from '../../runtime/lib/index.ts';
import { RpcClient } from '../../runtime/lib/rpc/client.ts';
import { poll } from '../poll.ts';
import type { WireApi } from './api.ts';

export type WireClient = RpcClient<WireApi>;

/** Connects to a wire by its socket. Rejects with O7sError EIRMD when none answers there. */
export async function connectWire(path: string, signal: AbortSignal): Promise<WireClient> {
  return await RpcClient.connect<WireApi>(path, { signal });
}

/** The wire as it is to be started: it is started again whenever it ends, unless there is another. */
export function wireCommand(program: readonly string[], socket: string): string[] {
  return ['sh', '-c', 'until "$@"; do sleep 0.1; done', 'wire', ...program, socket];
}

/** How long a wire that was started may take to answer, in milliseconds. */
const answerMs = 20_000;

/** The wire that `connect` reaches; where none answers it is started first, or is undefined. */
export async function wireOf(
  connect: () => Promise<WireClient>,
  start: boolean,
  signal: AbortSignal,
  launch: () => Promise<void>,
): Promise<WireClient | undefined> {
  const reach = async (): Promise<WireClient | undefined> => {
    try {
      return await connect();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof O7sError && error.code === 'EIRMD') return undefined;
      throw error;
    }
  };
  const running = await reach();
  if (running !== undefined || !start) return running;
  await launch();
  return await poll(reach, { what: 'the wire of the lab', deadlineMs: answerMs, signal });
}
