/** What every testbed has to do, whatever its nodes are made of. */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TopologyCable } from '../../rumba/model/topology.ts';
import { poll } from '../../rumba/poll.ts';
import { lastLines } from '../../rumba/testbeds/logs.ts';
import type { Lab, LabNode, Testbed } from '../../rumba/testbeds/testbed.ts';

export interface TestbedUnderTest {
  testbed: Testbed;
  /** Notes what a lab consists of; the function it gives says what of that is still on this machine. */
  trace: (lab: string) => Promise<() => Promise<string[]>>;
}

const signal = new AbortController().signal;
let serial = 0;
const freshName = (): string => `compliance-${process.pid}-${++serial}`;

const cable: TopologyCable = {
  kind: 'eth',
  name: 'a-b',
  mtu: 1400,
  ends: [
    { node: 'a', interface: 'e1', mac: '02:00:00:00:00:0a' },
    { node: 'b', interface: 'fifteen-bytes-x', mac: '02:00:00:00:00:0b' },
  ],
};

export function testbedCompliance({ testbed, trace }: TestbedUnderTest): void {
  describe(`testbed ${testbed.name}`, () => {
    let lab: Lab;
    let [a, b]: LabNode[] = [];
    const lastLine = async (log: string): Promise<string | undefined> =>
      a === undefined ? undefined : (await lastLines(a, log, 1))[0];
    const output = async (node: LabNode | undefined, ...command: string[]): Promise<string> => {
      const result = await node?.run(command, signal);
      expect(result?.stderr).toBe('');
      return result?.stdout.trim() ?? '';
    };

    beforeAll(async () => {
      lab = await testbed.createLab(freshName(), signal);
      await Promise.all(['a', 'b'].map((name) => lab.addNode({ name }, signal)));
      await lab.addCable(cable, signal);
      [a, b] = [lab.node('a'), lab.node('b')];
    });
    afterAll(async () => await lab?.destroy());

    test('finds the lab before and after it is kept, with its record', async () => {
      const kept = await testbed.createLab(freshName(), signal);
      const find = async (): Promise<Lab | undefined> =>
        (await testbed.labs()).find((each) => each.name === kept.name);
      try {
        await kept.addNode({ name: 'only' }, signal);
        await kept.addNode({ name: 'brief' }, signal);
        await kept.removeNode('brief', signal);
        expect(await (await find())?.record()).toBeUndefined();
        const nothing = { links: [], layers: [], registrations: [], servers: [] };
        const record = {
          lab: kept.name,
          file: '/x.ts',
          createdAt: '2000-01-01T00:00:00.000Z',
          topology: { name: kept.name, nodes: [{ name: 'only' }], ...nothing },
        };
        await kept.keep(record);
        const found = await find();
        expect(await found?.record()).toEqual(record);
        expect(await output(found?.node('only'), 'hostname')).toBe('only');
      } finally {
        await kept.destroy();
      }
      expect(await find()).toBeUndefined();
    });

    test('refuses a second lab of the same name, also at the same moment', async () => {
      await expect(testbed.createLab(lab.name, signal)).rejects.toMatchObject({ code: 'EFAILED' });
      const name = freshName();
      const tries = await Promise.allSettled([1, 2, 3].map(() => testbed.createLab(name, signal)));
      const made = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      await Promise.all(made.map((each) => each.destroy()));
      expect(made).toHaveLength(1);
    });

    test('names the nodes there are when asked for another', () => {
      expect(() => lab.node('c')).toThrow(expect.objectContaining({ code: 'EUSAGE', hint: 'it has a, b' }));
    });

    test('adding again what is there changes nothing', async () => {
      await lab.addNode({ name: 'a' }, signal);
      await lab.addCable(cable, signal);
      expect(await output(lab.node('a'), 'hostname')).toBe('a');
    });

    test('nodes have a host name, interfaces, processes and run files of their own', async () => {
      expect([await output(a, 'hostname'), await output(b, 'hostname')]).toEqual(['a', 'b']);
      const interfaces = "ip -o link | cut -d' ' -f2 | cut -d@ -f1 | cut -d: -f1";
      expect(await output(a, 'sh', '-c', interfaces)).toBe('lo\ne1');
      expect(await output(b, 'sh', '-c', interfaces)).toBe('lo\nfifteen-bytes-x');
      expect(await output(a, 'cat', '/proc/1/comm')).not.toBe('');
      await output(a, 'sh', '-c', 'echo here >/run/mark; echo here >/dev/shm/mark');
      expect((await b?.run(['cat', '/run/mark']))?.code).toBe(1);
      expect((await b?.run(['cat', '/dev/shm/mark']))?.code).toBe(1);
    });

    test('a link has its MTU and addresses at both ends and carries frames both ways', async () => {
      for (const [node, end] of [[a, cable.ends[0]] as const, [b, cable.ends[1]] as const]) {
        const shown = await output(node, 'ip', '-o', 'link', 'show', 'dev', end.interface);
        expect(shown).toContain('mtu 1400');
        expect(shown).toContain(`link/ether ${end.mac}`);
        expect(shown).toContain('LOWER_UP');
      }
      await output(a, 'ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'e1');
      await output(b, 'ip', 'addr', 'add', '10.0.0.2/24', 'dev', 'fifteen-bytes-x');
      // A connection that is refused took an ARP exchange, a SYN there and an RST back.
      const connect = "require('net').connect(9, '10.0.0.2').on('error', (error) => console.log(error.code))";
      expect(await output(a, 'node', '-e', connect)).toBe('ECONNREFUSED');
      expect(await output(a, 'ip', 'neigh', 'show', '10.0.0.2')).toContain('02:00:00:00:00:0b');
    });

    test('a link that cannot be made says which', async () => {
      const taken: TopologyCable = {
        ...cable,
        name: 'taken',
        ends: [cable.ends[0], { ...cable.ends[1], interface: 'e2' }],
      };
      await expect(lab.addCable(taken, signal)).rejects.toMatchObject({
        code: 'EFAILED',
        message: expect.stringContaining('cannot make link taken from e1 of a to e2 of b: '),
      });
    });

    test.each([
      ['its exit code', 'exit 7', 7],
      ['128 and the number of its signal', 'kill -TERM $$', 143],
      ['127 when there is no such command', 'exec /nonexistent 2>/dev/null', 127],
    ])('a command gives %s', async (_, script, code) => {
      expect(await a?.attach(['sh', '-c', script]).ended).toBe(code);
      expect((await a?.run(['sh', '-c', script]))?.code).toBe(code);
    });

    test('output comes as fast as it is taken, and all of it, also after the command has ended', async () => {
      const opened = await a?.open(['sh', '-c', 'head -c 5000000 /dev/zero; echo >&2 end']);
      opened?.stdin.end();
      let complaint = '';
      opened?.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
      const { promise, resolve } = Promise.withResolvers<void>();
      opened?.stdout.once('readable', () => resolve());
      await promise;
      await delay(100);
      expect(opened?.stdout.readableLength).toBeLessThan(1_000_000);
      let bytes = 0;
      for await (const chunk of opened?.stdout ?? []) {
        bytes += (chunk as Buffer).length;
        await delay(1);
      }
      expect(bytes).toBe(5_000_000);
      expect(await opened?.ended).toBe(0);
      expect(complaint).toBe('end\n');
    });

    test('a command can be sent a signal', async () => {
      const attached = a?.attach([
        'sh',
        '-c',
        'trap "exit 5" TERM; echo ready >/run/ready; while :; do sleep 0.01; done',
      ]);
      const ready = async (): Promise<true | undefined> =>
        (await a?.run(['cat', '/run/ready']))?.code === 0 ? true : undefined;
      await poll(ready, { what: 'the command', deadlineMs: 30_000 });
      attached?.kill('SIGTERM');
      expect(await attached?.ended).toBe(5);
    });

    test('a command with pipes of its own is sent a signal with all that it has started', async () => {
      const word = `sleep-${freshName()}`;
      const running = async (): Promise<boolean> =>
        (await output(a, 'sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "')).includes(word);
      // What has no environment, as while a program begins, is started by it all the same.
      const bare = `env -i sh -c "sleep 600; echo late" "$0"`;
      const opened = await a?.open(['sh', '-c', `sh -c '${bare}; echo later' ${word}; echo last`]);
      await poll(async () => (await running()) || undefined, {
        what: 'the command to run',
        deadlineMs: 30_000,
      });
      opened?.kill('SIGTERM');
      opened?.stdout.resume();
      opened?.stderr.resume();
      expect(await opened?.ended).toBe(128 + 15);
      await finished(opened?.stdout as Readable);
      await poll(async () => !(await running()) || undefined, {
        what: 'all of it to end',
        deadlineMs: 30_000,
      });
    });

    test('a started program runs on by itself, has a log, and is seen to end', async () => {
      const program = await a?.start(['sh', '-c', 'echo first; echo my number is $$'], { log: 'x', signal });
      await poll(async () => (await lastLine('x')) === `my number is ${program?.pid}` || undefined, {
        what: 'its log',
        deadlineMs: 30_000,
      });
      await poll(async () => ((await program?.alive()) === false ? true : undefined), {
        what: 'its end',
        deadlineMs: 30_000,
      });

      await output(a, 'mkfifo', '/run/gate');
      const waiting = await a?.start(['cat', '/run/gate'], { log: 'y', signal });
      expect(await waiting?.alive()).toBe(true);
      await output(a, 'sh', '-c', 'echo >/run/gate');
      await poll(async () => ((await waiting?.alive()) === false ? true : undefined), {
        what: 'its end',
        deadlineMs: 30_000,
      });
    });

    test('a program that is not there says so in its log', async () => {
      const program = await a?.start(['/nonexistent/program'], { log: 'z', signal });
      await poll(async () => ((await program?.alive()) === false ? true : undefined), {
        what: 'its end',
        deadlineMs: 30_000,
      });
      expect(await lastLine('z')).toContain('/nonexistent/program: not found');
    });

    test('orphans are collected', async () => {
      await output(a, 'sh', '-c', '(sleep 0.05 &)');
      const zombies =
        'for file in /proc/[0-9]*/stat; do read -r _ _ state _ <$file && echo $state; done | grep -c Z';
      await poll(
        async () => ((await a?.run(['sh', '-c', zombies]))?.stdout.trim() === '0' ? true : undefined),
        {
          what: 'an orphan to be collected',
          deadlineMs: 30_000,
        },
      );
    });

    test('an aborted signal ends what is under way', async () => {
      const work = a?.run(['sleep', '1000'], AbortSignal.timeout(50));
      await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
    });

    test('destroying a lab leaves nothing, and again does nothing', async () => {
      const doomed = await testbed.createLab(freshName(), signal);
      for (const name of ['a', 'b']) await doomed.addNode({ name }, signal);
      await doomed.addCable(cable, signal);
      await doomed.node('a').start(['sleep', '1000'], { log: 'sleep', signal });
      const left = await trace(doomed.name);
      expect(await left()).not.toEqual([]);
      await doomed.destroy();
      await poll(async () => ((await left()).length === 0 ? true : undefined), {
        what: 'the last of the lab to go',
        deadlineMs: 30_000,
      });
      await doomed.destroy();
    });
  });
}
