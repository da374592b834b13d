/**
 * What flows cost the data planes of two nodes, over 1 to 1000 flows of one eth-dix IPCP: processor time for an allocation and
 * for a packet, and memory.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, figure } from '../bench.ts';
import { benchProgram, Lab } from '../lab.ts';
import { Program } from '../measure.ts';
import type { Subject } from '../table.ts';

const counts = [1, 10, 100, 1000];

export const flows: Bench = {
  about: 'processor time and memory of data planes for 1 to 1000 flows',
  async *measure({ quick }) {
    for (const count of counts) {
      // Each on nodes that have not had others.
      await using lab = await Lab.up('two-nodes');
      const taken = async (): Promise<{ ms: number; mb: number }> => {
        const [a, b] = [await lab.taken('a'), await lab.taken('b')];
        return { ms: a.ipcpdMs + b.ipcpdMs, mb: (a.pssMb + b.pssMb) / 2 };
      };
      const what = `eth-dix, 2 nodes, ${count} flow${count === 1 ? '' : 's'}`;
      const of = (name: string, unit: string): Subject => ({
        what: `${what}: ${name}`,
        unit,
        better: 'less',
        growth: { of: 'flows between two nodes', amount: count, cost: name },
      });
      const before = await taken();
      const source = new Program(
        lab.words('a', benchProgram('source', 'sink.eth-dix', 64, quick ? 1 : 3, count)),
      );
      await source.line('ready');
      const allocated = await taken();
      await source.line('sent');
      // What waits in sockets is carried yet.
      let sent = await taken();
      for (let still = 0; still < 3;) {
        await delay(100);
        const later = await taken();
        still = later.ms === sent.ms ? still + 1 : 0;
        sent = later;
      }
      const { output } = await source.ended;
      const { packets } = JSON.parse(output.split('\n')[1] ?? '') as { packets: number };
      yield figure(of('processor time for an allocation', 'ms'), 'ours', (allocated.ms - before.ms) / count);
      yield figure(
        of('processor time for a packet sent', 'us'),
        'ours',
        ((sent.ms - allocated.ms) * 1000) / packets,
      );
      yield figure(of('memory of daemons of a node (PSS)', 'MB'), 'ours', sent.mb);
      yield figure(of('memory that flows added to a node', 'MB'), 'ours', Math.max(0, sent.mb - before.mb));
    }
  },
};
