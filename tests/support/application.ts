/** Sessions of the test process with an irmd, which ends them in order before the irmd does. */
import { randomBytes } from 'node:crypto';
import { Session } from '../../runtime/lib/index.ts';
import type { TestNode } from './node.ts';
import { until } from './until.ts';

/**
 * A session under a program name of its own. irmd signals every process it knows when it ends, so the session must
 * be gone, and irmd know it, before the node is stopped: dispose it first.
 */
export async function openSession(
  node: TestNode,
  program = `test-${randomBytes(4).toString('hex')}`,
): Promise<Session> {
  return Session.open({ path: node.applicationSocket, program });
}

/** Waits until irmd has seen the last session of this process end. */
export async function sessionsEnded(node: TestNode): Promise<void> {
  await until('irmd to see the sessions end', () => {
    const count = (text: string): number => node.log.split(text).length - 1;
    return count(`Process removed: ${process.pid}.`) === count(`Process added: ${process.pid} (`);
  });
}
