/** What a packet costs the data planes of two nodes, in processor time, over 1 to 1000 flows of one eth-dix IPCP. */
import { type Bench, figure } from '../bench.ts';
import { benchProgram, Lab } from '../lab.ts';

export const flows: Bench = {
  about: 'processor time of data planes for a packet over 1 to 1000 flows',
  async *measure({ quick }) {
    await using lab = await Lab.up('two-nodes');
    const used = async (): Promise<number> => (await lab.taken('a')).ipcpdMs + (await lab.taken('b')).ipcpdMs;
    for (const count of [1, 10, 100, 1000]) {
      const before = await used();
      const source = benchProgram('source', 'sink.eth-dix', 64, quick ? 1 : 3, count);
      const { packets } = JSON.parse(await lab.on('a', source)) as { packets: number };
      const what = `eth-dix, 2 nodes, ${count} flow${count === 1 ? '' : 's'}: processor time for a packet sent`;
      yield figure(
        { what, unit: 'us', better: 'less' },
        'ours',
        (((await used()) - before) * 1000) / packets,
      );
    }
  },
};
