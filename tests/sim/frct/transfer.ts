/** A bulk transfer between two of our ends over a path of a given rate, to see what share of it they use. */
import { type Habits, OursEnd } from './ends.ts';
import { type LinkTraits, LossyLink } from './lossy-link.ts';
import { Seeded } from '../../support/seeded.ts';
import { VirtualTime } from './virtual-time.ts';

export interface TransferOutcome {
  readonly fault: string | undefined;
  /** ms of virtual time until the last message was read. */
  readonly took: number;
  /** Share of the path's rate that messages got. */
  readonly share: number;
  /** Share of the packets that overflowed the queue of the path. */
  readonly overflowed: number;
  /** Packets sent, over those that were needed. */
  readonly sentOver: number;
  /** Times the mean that the slowest flow took. */
  readonly slowest: number;
}

const messageBytes = 1400;

/** Sends so many messages in each of some flows that share one path. */
export function runTransfer(
  seed: number,
  messages: number,
  there: LinkTraits,
  back: LinkTraits,
  flows = 1,
): TransferOutcome {
  const random = new Seeded(seed);
  const time = new VirtualTime();
  const quiet: Omit<Habits, 'messages'> = {
    messageBytesMin: messageBytes,
    messageBytesMax: messageBytes,
    writePause: 0,
    writePauses: 0,
    readPause: 0,
    readPauses: 0,
  };
  const senders: OursEnd[] = [];
  const receivers: OursEnd[] = [];
  const tag = (flow: number, packet: Buffer): Buffer => Buffer.concat([Buffer.of(flow), packet]);
  const linkThere = new LossyLink(time, random, there, (packet) =>
    receivers[packet[0] as number]!.arrive(packet.subarray(1)),
  );
  const linkBack = new LossyLink(time, random, back, (packet) =>
    senders[packet[0] as number]!.arrive(packet.subarray(1)),
  );
  for (let flow = 0; flow < flows; flow += 1) {
    senders.push(
      new OursEnd(0, time, random, { ...quiet, messages }, { reliable: true }, (packet) =>
        linkThere.send(tag(flow, packet)),
      ),
    );
    receivers.push(
      new OursEnd(1, time, random, { ...quiet, messages: 0 }, { reliable: true }, (packet) =>
        linkBack.send(tag(flow, packet)),
      ),
    );
  }
  for (const end of [...senders, ...receivers]) end.start();
  const ends: number[] = [];
  const done = time.run(600_000, () => {
    for (const [flow, { read }] of receivers.entries()) if (read.length === messages) ends[flow] ??= time.now;
    return Object.keys(ends).length === flows;
  });
  const fault = [...senders, ...receivers].find((end) => end.fault !== undefined)?.fault;
  const bytes = messages * flows * messageBytes;
  return {
    fault: fault ?? (done ? undefined : 'not done'),
    took: time.now,
    share: there.rate === undefined ? 0 : (bytes * 8 * 1000) / time.now / there.rate,
    overflowed: linkThere.counts.overflowed / linkThere.counts.sent,
    sentOver: linkThere.counts.sent / (messages * flows),
    slowest: (Math.max(...ends) * flows) / ends.reduce((sum, end) => sum + end, 0),
  };
}
