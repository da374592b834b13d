import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConfigurationStep, ConfigurationFault, readConfiguration } from './configuration.ts';

const steps = (text: string): readonly ConfigurationStep[] => readConfiguration(text).steps;
const ipcp = { kind: 'ipcp', bootstrap: undefined, enrol: undefined, autobind: false, reg: [], conn: [] };

test('names with programs, IPCPs of each type, in the order of their kinds in the file', () => {
  const text = `
[name.oping]
prog=["/usr/bin/oping", "/usr/bin/oecho"]
args=["--listen -Q"]
lb="round-robin"
client_enc_file="/etc/enc.conf"
[local.l1]
bootstrap="local1"
reg=["lan1","oping"]
[unicast.lan1]
bootstrap="LAN"
autobind=true
dht_alpha=5
routing="link-state"
congestion="lfa"
max_ttl=30
[eth-dix.e1]
bootstrap="lan"
dev="eth0"
ethertype=0xA001
[unicast.lan2]
enrol="LAN"
conn=["lan1"]
`;
  expect(steps(text)).toEqual([
    {
      kind: 'name',
      name: 'oping',
      policy: 'round-robin',
      files: new Map([['client_enc_file', '/etc/enc.conf']]),
      programs: [
        { path: '/usr/bin/oping', auto: ['--listen', '-Q'] },
        { path: '/usr/bin/oecho', auto: null },
      ],
    },
    {
      ...ipcp,
      type: 'local',
      name: 'l1',
      bootstrap: { layer: 'local1', config: {} },
      reg: ['lan1', 'oping'],
    },
    {
      ...ipcp,
      type: 'unicast',
      name: 'lan1',
      autobind: true,
      bootstrap: {
        layer: 'LAN',
        config: { dht_alpha: 5, routing: 'link_state', congestion: 'mb-ecn', ttl: 30 },
      },
    },
    { ...ipcp, type: 'unicast', name: 'lan2', enrol: 'LAN', conn: ['lan1'] },
    {
      ...ipcp,
      type: 'eth-dix',
      name: 'e1',
      bootstrap: { layer: 'lan', config: { dev: 'eth0', ethertype: 0xa001 } },
    },
  ]);
});

test('what the manual and the prototype spell apart is the same', () => {
  for (const lb of ['spill', 'spillover']) {
    expect(steps(`[name.a]\nlb="${lb}"`)).toMatchObject([{ policy: 'spillover' }]);
  }
  for (const congestion of ['mb-ecn', 'lfa']) {
    expect(steps(`[unicast.u]\nbootstrap="n"\ncongestion="${congestion}"`)).toMatchObject([
      { bootstrap: { config: { congestion: 'mb-ecn' } } },
    ]);
  }
  expect(steps('[unicast.u]\nbootstrap="n"\nautobind=false')).toMatchObject([{ autobind: false }]);
  expect(steps('[udp6.u]\nbootstrap="n"\nip="fd00::1"')).toMatchObject([
    { type: 'udp6', bootstrap: { config: { ip: 'fd00::1' } } },
  ]);
});

test('what contradicts itself, and what means nothing, is told', () => {
  expect(readConfiguration('[unicast.u]\nbootstrap="n"\nenrol="m"\ndht_t_expiry=5').remarks).toEqual([
    { isFault: true, text: 'Ignoring bootstrap for IPCP u.' },
    { isFault: false, text: 'Unknown key dht_t_expiry in [unicast.u] is ignored.' },
  ]);
});

describe('faults', () => {
  test.each([
    ['[foo.u1]', 'Unkown toplevel key: foo.'],
    ['foo = 1', 'Unkown toplevel key: foo.'],
    ['name = 1', 'Unkown toplevel key: name.'],
    ['[name]\na = 1', '[name] a is no table.'],
    ['[name.n]\nlb="nonsense"', 'Invalid load-balancing policy for n.'],
    ['[name.n]\nprog="oping"', '[name.n] prog must be an array of strings.'],
    ['[name.n]\nprog=["oping"]', '[name.n] oping is no absolute path.'],
    ['[local.l]\nbootstrap="l"\nhash="MD5"', 'Unknown hash algorithm: MD5.'],
    ['[local.l]\nenrol="l"', '[local.l] an IPCP of this type does not enrol.'],
    ['[eth-dix.e]\nbootstrap="l"', 'Missing device.'],
    ['[eth-dix.e]\nbootstrap="l"\ndev="lo"\nethertype=1', 'Ethertype not in valid range.'],
    ['[eth-dix.e]\nbootstrap="l"\ndev="lo"\nethertype="A000"', '[eth-dix.e] ethertype must be an integer.'],
    ['[udp4.u]\nbootstrap="l"', 'No IP address specified!'],
    ['[udp4.u]\nbootstrap="l"\nip="fd00::1"', 'Failed to parse IPv4 address fd00::1.'],
    ['[udp6.u]\nbootstrap="l"\nip="10.0.0.1"', 'Failed to parse IPv6 address 10.0.0.1.'],
    ['[udp4.u]\nbootstrap="l"\nip="10.0.0.1"\nport=0', 'Invalid port: 0.'],
    ['[unicast.u]\nbootstrap="l"\ncongestion="tcp"', 'Invalid congestion avoidance algorithm.'],
    [
      '[unicast.u]\nbootstrap="l"\ndht_k=21',
      'Invalid replication factor: 21\nInvalid directory configuration.',
    ],
    ['[unicast.u]\nbootstrap="l"\naddr_size=8', 'Invalid addr_size: 8 is not within 4 to 4.'],
    ['[unicast.u]\nautobind="yes"', '[unicast.u] autobind must be a boolean.'],
    ['[unicast.u', /^Failed to parse config file: line 1: [^\n]+$/],
    ['[a]\nb = = 1', /^Failed to parse config file: line 2: [^\n]+$/],
  ])('%j', (text, message) => {
    expect(() => readConfiguration(text)).toThrow(ConfigurationFault);
    expect(() => readConfiguration(text)).toThrow(message);
  });

  test('any text is read or refused in one line', () => {
    const word = fc.constantFrom(
      '[name.a]',
      '[unicast.u]',
      'bootstrap',
      '=',
      '"x"',
      '\n',
      '[',
      ']',
      '1',
      'true',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (parts) => {
        try {
          readConfiguration(parts.join(' '));
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationFault);
          expect((error as Error).message).not.toContain('\n');
        }
      }),
    );
  });
});
