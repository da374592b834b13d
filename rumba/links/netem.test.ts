import { expect, test } from 'vitest';
import { impairment, type ImpairmentOptions } from '../model/impairment.ts';
import {
  parseAlias,
  parseQueues,
  parseSupport,
  probeCommand,
  queueCommands,
  stageCommands,
} from './netem.ts';

const lines = (commands: readonly (readonly string[])[]): string[] =>
  commands.map((words) => words.join(' '));
const queues = (options: ImpairmentOptions, takesSeed = true): string[] =>
  lines(queueCommands('p1a', impairment(options, 'a link'), 7, takesSeed));

test('a direction has two pairs, joined to each other and to the other port', () => {
  expect(lines(stageCommands('p1a', 'p1b', 1500))).toEqual([
    'ip link add name fp1a mtu 1500 type veth peer name rp1a mtu 1500',
    'ip link set dev fp1a addrgenmode none',
    'ip link set dev fp1a up',
    'ip link set dev rp1a addrgenmode none',
    'ip link set dev rp1a up',
    'ip link add name qp1a mtu 1500 type veth peer name sp1a mtu 1500',
    'ip link set dev qp1a addrgenmode none',
    'ip link set dev qp1a up',
    'ip link set dev sp1a addrgenmode none',
    'ip link set dev sp1a up',
    'ip link set dev fp1a gso_max_segs 1',
    'tc qdisc replace dev rp1a ingress',
    'tc qdisc replace dev sp1a ingress',
    'tc filter replace dev rp1a parent ffff: protocol all pref 1 handle 800::800 u32 match u32 0 0 action mirred egress redirect dev qp1a',
    'tc filter replace dev sp1a parent ffff: protocol all pref 1 handle 800::800 u32 match u32 0 0 action mirred egress redirect dev p1b',
  ]);
});

test('all that is asked for is given to netem, and what is not is switched off', () => {
  const all = {
    delay: '20ms',
    jitter: '1.5ms',
    loss: '0.5%',
    duplicate: '1%',
    reorder: '2%',
    corrupt: '0.1%',
  };
  expect(queues({ ...all, rate: '10Mbit', queue: '50frames' })).toEqual([
    'tc qdisc replace dev fp1a root handle 6f: netem limit 1000000 delay 20000us 1500us loss 0.5% duplicate 1% corrupt 0.1% reorder 2% rate 1000gbit seed 7',
    'tc qdisc replace dev qp1a root handle 6f: netem limit 51 rate 10000000bit',
    'ip link set dev fp1a alias netem seed 7 delay 20ms jitter 1.5ms loss 0.5% rate 10Mbit duplicate 1% reorder 2% corrupt 0.1% queue 50frames',
  ]);
  expect(queues({}, false)).toEqual([
    'tc qdisc replace dev fp1a root handle 6f: netem limit 1000000 delay 0us 0us loss 0% duplicate 0% corrupt 0% rate 1000gbit',
    'tc qdisc replace dev qp1a root handle 6f: netem limit 1001 rate 1000gbit',
    'ip link set dev fp1a alias netem seed 7 -',
  ]);
});

test('an alias says what was asked for', () => {
  for (const options of [
    {},
    { delay: '0.3ms', reorder: '33.3333%', rate: '64kbit' },
    { jitter: '1s', loss: '100%', queue: '1frame' },
  ]) {
    const [, , alias = ''] = queues(options);
    const text = alias.slice(alias.indexOf('alias ') + 6);
    expect(parseAlias(text)).toEqual({ seed: 7, impairment: impairment(options, 'a link') });
  }
  expect(parseAlias('cut')).toBeUndefined();
  expect(parseAlias(undefined)).toBeUndefined();
});

// As tc of iproute2 6.1 printed it on a kernel 6.1.
const printed = `[{"kind":"noqueue","handle":"0:","dev":"lo","root":true,"refcnt":2,"options":{}},{"kind":"netem","handle":"6f:","dev":"fp1a","root":true,"refcnt":3,"options":{"limit":1000000,"delay":{"delay":0.001,"jitter":0.000499,"correlation":0},"loss-random":{"loss":0.01,"correlation":0},"rate":{"rate":125000000000,"packetoverhead":0,"cellsize":0,"celloverhead":0},"ecn":false,"gap":0},"bytes":14200,"packets":98,"drops":2,"overlimits":0,"requeues":3,"backlog":142,"qlen":1}]`;

test('queues of netem are read, and no others', () => {
  const counted = { bytes: 14_200, packets: 98, drops: 2, requeues: 3, qlen: 1 };
  expect([...parseQueues(printed)]).toEqual([['fp1a', counted]]);
  expect(parseQueues('').size).toBe(0);
});

test('whether netem is there, and takes a seed', () => {
  expect(probeCommand('t1').at(-1)).toBe('t1');
  expect(probeCommand('t1')[2]).toContain(
    'tc qdisc replace $place netem limit 1000000 delay 1000us 0us loss 0% duplicate 0% corrupt 0% reorder 1% rate 1000gbit seed 1',
  );
  expect(parseSupport('')).toBe('none');
  expect(parseSupport('[]')).toBe('none');
  expect(parseSupport('[{"kind":"noqueue","options":{}}]')).toBe('none');
  expect(parseSupport(printed)).toBe('seedless');
  expect(parseSupport('[{"kind":"netem","options":{"limit":1,"seed":1,"ecn":false}}]')).toBe('seeded');
});
