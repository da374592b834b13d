import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cablePorts, interfacesOf } from '../../rumba/links/commands.ts';
import { impairLink } from '../../rumba/links/changes.ts';
import { impairment, type ImpairmentOptions, perfect } from '../../rumba/model/impairment.ts';
import type { TopologyLan } from '../../rumba/model/topology.ts';
import { findMarked, labMark, processesOf } from '../../rumba/testbeds/netns/processes.ts';
import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import type { LinkState } from '../../rumba/links/wiring.ts';
import type { Lab } from '../../rumba/testbeds/testbed.ts';
import { cable, impairmentCompliance } from '../compliance/impairments.ts';
import { carried } from '../support/datagrams.ts';
import { until } from '../support/until.ts';

impairmentCompliance(new NetnsTestbed(), 'wire');

describe('the wire and the lab', () => {
  const signal = new AbortController().signal;
  const name = `wire-${process.pid}`;
  const deadlineMs = 60_000;
  let lab: Lab;

  const addB = async (): Promise<void> => {
    await lab.addNode({ name: 'b' }, signal);
    await lab.addCable(cable, signal);
    await lab.node('b').addAddress(['10.0.0.2/24', 'dev', 'e1'], signal);
  };
  beforeAll(async () => {
    lab = await new NetnsTestbed().createLab(name, signal);
    await lab.addNode({ name: 'a' }, signal);
    await addB();
    await lab.node('a').addAddress(['10.0.0.1/24', 'dev', 'e1'], signal);
  });
  afterAll(async () => await lab?.destroy());

  const impair = async (options: ImpairmentOptions): Promise<void> => {
    const both = [impairment(options, 'there'), impairment(options, 'back')] as const;
    await lab.impair(cable, both, { seed: 1, by: 'wire' }, signal);
  };
  const state = async (): Promise<LinkState | undefined> => (await lab.linkStates([cable], signal))[0];
  const init = (): number => findMarked(labMark, 1, 1).find(({ words }) => words[0] === name)?.pid ?? 0;
  /** Of the lab, those that are the wire, and those that see to it. */
  const wires = (supervisors: boolean): number[] =>
    processesOf(init()).filter((pid) => {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const isWire = words.some((word) => word.endsWith('/wire.cjs'));
      return isWire && (words[0] === 'sh') === supervisors;
    });
  /** In the network of the lab. */
  const interfaces = (): string[] => interfacesOf(init()).toSorted();
  const arrived = async (): Promise<number[]> => {
    const got = await carried(lab, cable, { count: 20 });
    for (const [, ms] of got) expect(ms).toBeGreaterThanOrEqual(5);
    return got.map(([number]) => number);
  };
  const all = Array.from({ length: 20 }, (_, number) => number);

  test('a link stays as it is where it cannot be as was asked for', async () => {
    await impair({ delay: '5ms' });
    const asked = impairLink(lab, cable, { queue: '99frames' }, { by: 'netem' }, signal);
    const isRefused = await asked.then(
      () => false,
      () => true,
    );
    const queueFrames = isRefused ? perfect.queueFrames : 99;
    const delayed = { ...perfect, delayMs: 5, queueFrames };
    expect((await state())?.splice?.impairments).toEqual([delayed, delayed]);
    await impair({});
  });

  test('a wire that is killed is started again, with all it was told', async () => {
    await impair({ delay: '5ms' });
    for (const pid of wires(false)) process.kill(pid, 'SIGKILL');
    const again = async (): Promise<boolean> => (await state())?.splice?.restarts === 1;
    await until('the wire', again, deadlineMs);
    const delayed = { ...perfect, delayMs: 5 };
    expect((await state())?.splice?.impairments).toEqual([delayed, delayed]);
    expect(await arrived()).toEqual(all);
    await impair({});
  });

  test('a wire that nobody starts again is told of, and mended by the next change', async () => {
    for (const mend of [
      async () => await impairLink(lab, cable, { queue: '99frames' }, {}, signal),
      async () => await impair({}),
    ]) {
      await impair({ delay: '5ms' });
      for (const pid of [...wires(true), ...wires(false)]) process.kill(pid, 'SIGKILL');
      await until('the wire to be gone', () => wires(true).length + wires(false).length === 0, deadlineMs);
      expect(await state()).toEqual({ link: 'a-b', isDown: false, isDead: true });
      await mend();
      const after = await state();
      expect(after?.isDead).toBeUndefined();
      if (after?.splice === undefined) continue;
      const changed = { ...perfect, delayMs: 5, queueFrames: 99 };
      expect(after.splice.impairments).toEqual([changed, changed]);
      expect(await arrived()).toEqual(all);
    }
    expect(await state()).toEqual({ link: 'a-b', isDown: false });
    expect((await carried(lab, cable, { count: 20 })).map(([number]) => number)).toEqual(all);
  });

  test('a node that is made anew is joined to its impaired link again', async () => {
    await impair({ delay: '5ms' });
    await lab.removeNode('b', signal);
    await addB();
    expect(await arrived()).toEqual(all);
    await impair({});
  });

  test('a link whose node is gone can be made good, and is when the node is back', async () => {
    await impair({ delay: '5ms' });
    await lab.removeNode('b', signal);
    await until('the port to be gone', () => !interfaces().includes(cablePorts('a-b').far), deadlineMs);
    await expect(impair({ delay: '6ms' })).rejects.toThrow(
      'cannot impair link a-b: a node it ends in is gone',
    );
    await impair({});
    await addB();
    expect(await state()).toEqual({ link: 'a-b', isDown: false });
    expect((await carried(lab, cable, { count: 20 })).map(([number]) => number)).toEqual(all);
  });

  test('a capture goes on when the link was down, and when the node was made anew', async () => {
    const capture = await lab.capture(cable, 'b');
    let bytes = 0;
    capture.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await until('the capture', () => bytes > 0, deadlineMs);
    const seesFrames = async (): Promise<void> => {
      const before = bytes;
      const more = async (): Promise<boolean> => {
        await lab.node('a').run(['ping', '-c', '1', '-W', '1', '10.0.0.2']);
        return bytes > before;
      };
      await until('frames', more, deadlineMs);
    };
    await seesFrames();
    for (const state of ['down', 'up'] as const) await lab.setLink(cable, state, undefined, signal);
    await seesFrames();
    await lab.removeNode('b', signal);
    await addB();
    await seesFrames();
    capture.stdin.end();
    expect(await capture.ended).toBe(0);
  });

  test('what is delayed by seconds is not overtaken by what comes after the link was made good', async () => {
    // A node gives up asking for the address of another after three seconds.
    const known = ['10.0.0.2', 'lladdr', cable.ends[1].mac, 'dev', 'e1', 'nud', 'permanent'];
    expect(await lab.node('a').run(['ip', 'neigh', 'replace', ...known])).toMatchObject({ code: 0 });
    await impair({ delay: '4s' });
    const got = await carried(lab, cable, { count: 50, gap: 100 }, async () => {
      const isUnderWay = async (): Promise<boolean> => ((await state())?.splice?.queued[0] ?? 0) > 0;
      await until('frames under way', isUnderWay, deadlineMs);
      await impair({});
    });
    expect(got.map(([number]) => number)).toEqual(Array.from({ length: 50 }, (_, number) => number));
  });

  test('a LAN that is taken away leaves nothing of itself', async () => {
    const lan: TopologyLan = {
      kind: 'lan',
      name: 'lan0',
      mtu: 1500,
      ends: ['a', 'b'].map((node, index) => ({ node, interface: 'e2', mac: `02:00:00:00:02:0${index}` })),
    };
    const before = interfaces();
    await lab.addLan(lan.name, lan.mtu, signal);
    for (const end of lan.ends) await lab.plug(lan, end, signal);
    const delayed = impairment({ delay: '5ms' }, 'the LAN');
    await lab.impair(lan, [delayed, perfect], { seed: 1, by: 'wire' }, signal);
    expect((await lab.linkStates([lan], signal)).every(({ splice }) => splice !== undefined)).toBe(true);
    await lab.removeLan(lan.name, signal);
    await until('the interfaces to be gone', () => interfaces().join() === before.join(), deadlineMs);
    expect((await lab.linkStates([lan], signal)).every(({ splice }) => splice === undefined)).toBe(true);
  });
});
