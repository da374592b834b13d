/** What impaired links have to do on every testbed, whatever impairs them: measured with numbered datagrams. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestbedError } from '../../rumba/errors.ts';
import {
  type ImpairedBy,
  impairment,
  type ImpairmentOptions,
  perfect,
} from '../../rumba/model/impairment.ts';
import type { TopologyCable } from '../../rumba/model/topology.ts';
import type { WayCounts } from '../../rumba/wire/way.ts';
import type { Lab, Testbed } from '../../rumba/testbeds/testbed.ts';
import { carried } from '../support/datagrams.ts';
import { until } from '../support/until.ts';

const signal = new AbortController().signal;

export const cable: TopologyCable = {
  kind: 'eth',
  name: 'a-b',
  mtu: 1500,
  ends: [
    { node: 'a', interface: 'e1', mac: '02:00:00:00:01:0a' },
    { node: 'b', interface: 'e1', mac: '02:00:00:00:01:0b' },
  ],
};

export function impairmentCompliance(testbed: Testbed, by: ImpairedBy): void {
  describe(`impairments on ${testbed.name} by ${by}`, () => {
    let lab: Lab;
    let missing: string | undefined;
    beforeAll(async () => {
      lab = await testbed.createLab(`impair-${by}-${process.pid}`, signal);
      for (const name of ['a', 'b']) await lab.addNode({ name }, signal);
      await lab.addCable(cable, signal);
      await lab.node('a').addAddress(['10.0.0.1/24', 'dev', 'e1'], signal);
      await lab.node('b').addAddress(['10.0.0.2/24', 'dev', 'e1'], signal);
      await impair({ delay: '1ms' }).catch((error: unknown) => {
        if (!(error instanceof TestbedError) || error.code !== 'EENVIRONMENT') throw error;
        missing = error.message;
      });
      if (missing === undefined) await impair({});
    });
    beforeEach(({ skip }) => skip(missing !== undefined, missing));
    afterAll(async () => await lab?.destroy());

    const impair = async (options: ImpairmentOptions, back: ImpairmentOptions = {}): Promise<void> => {
      const both = [impairment(options, 'there'), impairment(back, 'back')] as const;
      await lab.impair(cable, both, { seed: 1, by }, signal);
    };

    test('switching a link over while it is in use loses no frame and doubles none', async () => {
      let rounds = 0;
      const got = await carried(lab, cable, { count: 1500, paced: true }, async () => {
        for (; rounds < 4; rounds += 1) {
          await impair({ delay: '2ms' });
          await impair({ delay: '1ms', rate: '100Mbit' });
          await impair({});
        }
      });
      const numbers = got.map(([number]) => number).toSorted((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 1500 }, (_, number) => number));
      expect(rounds).toBe(4);
    });

    test('delays by no less than was asked for, each direction for itself', async () => {
      await impair({ delay: '30ms' });
      const got = await carried(lab, cable, { count: 100 });
      expect(got).toHaveLength(100);
      for (const [, ms] of got) expect(ms).toBeGreaterThanOrEqual(30);
      const [state] = await lab.linkStates([cable], signal);
      expect(state).toMatchObject({ by, splice: { impairments: [{ ...perfect, delayMs: 30 }, perfect] } });
      await impair({});
      expect((await lab.linkStates([cable], signal))[0]).toEqual({ link: 'a-b', isDown: false });
    });

    test('loses frames, and counts those that it lost', async () => {
      await impair({ loss: '20%' });
      const got = await carried(lab, cable, { count: 200 });
      const [state] = await lab.linkStates([cable], signal);
      const { lost = 0, framesReceived = 0, framesDelivered = 0 } = state?.splice?.counts[0] ?? {};
      expect(got.length).toBeLessThan(200);
      expect(lost).toBeGreaterThanOrEqual(200 - got.length);
      expect(framesReceived).toBe(lost + framesDelivered);
      await impair({});
    });

    test('loses, doubles and counts the same frames each time', async ({ skip }) => {
      skip(by === 'netem', 'netem does not tell what it doubled, and not all kernels give it a seed');
      const count = 200;
      const counts = async (): Promise<Partial<WayCounts>> => {
        const [state] = await lab.linkStates([cable], signal);
        return state?.splice?.counts[0] ?? {};
      };
      /** What arrives of frames that had the link for themselves: what else a kernel sends takes of the same chance. */
      const arrived = (): Promise<string> =>
        until(
          'frames among no others',
          async () => {
            let carriedFrames = 0;
            await impair({ loss: '20%', duplicate: '10%' });
            const got = await carried(lab, cable, { count }, undefined, async () => {
              const seen = async (): Promise<boolean> => {
                carriedFrames = (await counts()).framesReceived ?? 0;
                return carriedFrames >= count;
              };
              await until('all frames to be seen', seen);
            });
            const { lost = 0, duplicated = 0 } = await counts();
            expect([lost, duplicated].every((each) => each > 0)).toBe(true);
            await impair({});
            return carriedFrames === count && got.map(([number]) => number).join();
          },
          60_000,
        );
      expect(await arrived()).toBe(await arrived());
    });

    test('a rate lets through what it allows, and the queue what it holds', async () => {
      await impair({ rate: '1Mbit', queue: '20frames' });
      // 125 bytes with their headers: 1 ms each. All are sent at once.
      const got = await carried(lab, cable, { count: 100, bytes: 83, gap: 0 });
      const [state] = await lab.linkStates([cable], signal);
      const { queueFull = 0, lost, framesReceived = 0 } = state?.splice?.counts[0] ?? {};
      // What else a kernel sends may take a place of the queue.
      const others = framesReceived - 100;
      expect(got.length + others).toBeGreaterThanOrEqual(21);
      expect([lost, queueFull > 0, got.length < 100]).toEqual([0, true, true]);
      await impair({});
    });

    test('a link that is down has no carrier at either end, and is up again as it was', async () => {
      const carrier = async (node: string): Promise<boolean> =>
        !(await lab.node(node).run(['ip', 'link', 'show', 'e1'])).stdout.includes('NO-CARRIER');
      await impair({ delay: '5ms' });
      await lab.setLink(cable, 'down', undefined, signal);
      await until('no carrier', async () => !(await carrier('a')) && !(await carrier('b')));
      expect((await lab.linkStates([cable], signal))[0]).toMatchObject({ isDown: true });
      await lab.setLink(cable, 'up', undefined, signal);
      await until('a carrier', async () => (await carrier('a')) && (await carrier('b')));
      for (const [, ms] of await carried(lab, cable, { count: 20 })) expect(ms).toBeGreaterThanOrEqual(5);
    });
  });
}
