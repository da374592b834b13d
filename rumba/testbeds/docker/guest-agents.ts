/** The agents that this process has in labs that were made before. */
import { TestbedError } from '../../errors.ts';
import { AgentClient } from './agent-client.ts';
import { agentFile } from './containers.ts';
import { type Engine, statusOf } from './engine.ts';

export class GuestAgents {
  /** By the identifier of the helper they are in: one each, however often the lab is found. */
  readonly #agents = new Map<string, Promise<AgentClient>>();

  /** The agent beside that of a helper, started where there is none. Rejects with EFAILED when the helper is gone. */
  async join(engine: Engine, lab: string, helper: string | undefined): Promise<AgentClient> {
    if (helper === undefined) throw helperGone(lab);
    const start = (): Promise<AgentClient> => startGuest(engine, lab, helper);
    const known = this.#agents.get(helper);
    const agent = known?.then((found) => (found.hasEnded ? start() : found), start) ?? start();
    this.#agents.set(helper, agent);
    return await agent;
  }
}

async function startGuest(engine: Engine, lab: string, helper: string): Promise<AgentClient> {
  try {
    const exec = await engine.request(
      'reach the helper',
      engine.docker.getContainer(helper).exec({
        Cmd: ['node', agentFile, 'guest'],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
      }),
    );
    const stream = await engine.request('reach the helper', exec.start({ hijack: true, stdin: true }));
    const agent = new AgentClient(lab, stream);
    await agent.ready();
    return agent;
  } catch (error) {
    const status = statusOf(error);
    throw status === 404 || status === 409 ? helperGone(lab, error) : error;
  }
}

export function helperGone(lab: string, cause?: unknown): TestbedError {
  return new TestbedError('EFAILED', `the helper of lab ${lab} is gone`, {
    hint: `its nodes cannot be wired or managed any more; build it anew: o7s-testbed down --lab ${lab}, then up`,
    cause,
  });
}
