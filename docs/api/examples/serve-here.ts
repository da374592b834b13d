/** What the examples have in common: this process serves a name that it asks for flows to itself. */
import { announce, IrmClient } from 'o7s-testbed/lib';

export async function serveHere(name: string): Promise<void> {
  await announce();
  await using irmd = await IrmClient.connect();
  await irmd.bindProcess(process.pid, name);
}
