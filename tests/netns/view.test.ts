/** The live view as its users have it: in a terminal, over a lab of two nodes, driven by keys. */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { twoNodes } from '../compliance/cli.ts';
import { parsePcap } from '../support/pcap.ts';
import { Screen, type ScreenOptions } from '../support/screen.ts';
import { until } from '../support/until.ts';
import { cli, folder, freshLab, labInScope, program, startCli, startProcess } from './cli.ts';

const [escape, right, ctrlC] = ['\u001b', '\u001b[C', '\u0003'];

function show(words: readonly string[], options: ScreenOptions = {}): Screen {
  const env = { O7S_TESTBED: 'netns', ...options.env };
  const screen = new Screen(process.execPath, [program, ...words], {
    columns: 110,
    rows: 30,
    ...options,
    env,
  });
  onTestFinished(() => screen[Symbol.asyncDispose]());
  return screen;
}

/** Whole labs are made and changed meanwhile, on a machine that may have other work; in ms. */
const patience = 60_000;
/** Of a test, in ms. */
const timeout = 300_000;

/** Types keys, and waits for what they lead to. */
async function press(screen: Screen, keys: string, pattern: RegExp): Promise<void> {
  screen.type(keys);
  await screen.shows(pattern, patience);
}

test(
  'a lab, its flows, a shell and back, a node that is stopped and started, and another size',
  { timeout },
  async () => {
    await using lab = labInScope();
    expect((await cli(['up', twoNodes, '--lab', lab.name])).code).toBe(0);
    const screen = show(['tui', '--lab', lab.name]);
    await screen.shows(new RegExp(`^${lab.name} running {2}2/2 nodes {2}2/2 IPCPs {2}0 flows`), patience);
    await screen.shows(/┏━+┓ {4}┌─+┐\n *┃ a +┃─{4}│ b +│\n *┃ ● 1\/1 +┃ {4}│ ● 1\/1 +│/, patience);

    const pinging = startCli(['exec', '--lab', lab.name, 'a', '--', 'oping', '-n', 'ping.b', '-i', '50ms']);
    await press(screen, '4', /^a oping +b oping +ping\.b +lan +● up +raw/m);
    await press(screen, '\r', /^CLIENT\n {2}oping \d+ on node a, flow \d+, up/m);
    await press(screen, escape, /CLIENT +SERVER/);
    await press(screen, '2', /^NODE +lan\na +●\nb +●$/m);
    await press(screen, `${right}\r`, /^lan \(eth-dix, 1 of 1\)[^]*^a +lan\.a +● operational +- +e1 /m);
    await press(screen, `${right}${right}${right}`, /^ping\.b +b +lan\.b +oping \d+$/m);
    await press(screen, '5', /^a-b +a:e1 +b:e1 +[\d.]+ \w?b\/s +[▁▂▃▄▅▆▇█]+ /m);
    await press(
      screen,
      '8',
      /^\d\d:\d\d:\d\d\.\d +a +- {2}irm ipcp bootstrap name lan\.a layer lan type eth-dix dev e1$/m,
    );
    await press(screen, '7/registered\r', /7 logs\*[^]*b +irmd +II +irmd: Registered ping\.b/);
    await press(screen, '6/flow.all\r', /6 events\*[^]*a +flow\.allocated +\d+ to ping\.b/);
    pinging.child.kill('SIGTERM');
    await pinging.outcome;
    await press(screen, escape, /flow\.deallocated/);

    await press(screen, '1x', /[#$]$/m);
    await press(screen, 'echo "on $(hostname), $((6 * 7))"\r', /^on a, 42$/m);
    await press(screen, 'exit\r', /2\/2 nodes[^]*back from node a$/);
    await press(screen, '8', /a +[\d.]+ m?s +sh$/m);

    await press(screen, '1jf', /What shall happen\?\n stop node b/);
    await press(screen, '\r', /stop node b\?/);
    await press(screen, 'y', /1\/2 nodes[^]*✗ lost/);
    await screen.shows(/stop node b: done$/, patience);
    await press(screen, 'fj\ry', /2\/2 nodes {2}2\/2 IPCPs[^]*start node b: done$/);

    await press(screen, '5f', /set link a-b down/);
    await press(screen, '\ry', /^a-b +a:e1 .* down$[^]*set link a-b down: done/m);
    expect((await cli(['link', 'up', 'a-b', '--lab', lab.name])).code).toBe(0);
    expect((await cli(['link', 'set', 'a-b', '--delay', '5ms', '--lab', lab.name])).code).toBe(0);
    await press(screen, '5', /^a-b +a:e1 .* delay 5ms$/m);

    await press(screen, '1', /┏/);
    screen.resize(40, 10);
    await screen.shows(/^ 1 topology {2}2 {2}3 {2}4 {2}5 {2}6 {2}7\* {2}8\n[^]*┃ b/m, patience);
    await press(screen, '2', /^NODE +lan\na +●\nb +●$/m);
    expect(screen.lines.length).toBeLessThanOrEqual(10);
    screen.resize(110, 30);
    await screen.shows(/1 topology {2}2 grid {2}3 layer/, patience);

    screen.type('q');
    expect(await screen.exited).toEqual({ status: 0, signal: 0 });
    // What was on the screen before is there again, and what was done in the shell.
    expect(screen.lines.join('\n')).toMatch(/^on a, 42$/m);
    expect(screen.lines.join('\n')).not.toMatch(/topology/);
    expect((await cli(['exec', '--lab', lab.name, 'a', '--', 'true'])).code).toBe(0);
  },
);

test(
  'a capture that runs ends with the view, and its file is whole; one that cannot be written is told',
  { timeout },
  async () => {
    await using lab = labInScope();
    await using place = await folder({});
    expect((await cli(['up', twoNodes, '--lab', lab.name])).code).toBe(0);
    const screen = show(['tui', '--lab', lab.name], { cwd: place.path });
    await screen.shows(/2\/2 nodes {2}2\/2 IPCPs/, patience);
    await press(screen, '5c', /flows {2}capturing a-b [^]*\ncapturing link a-b into \S+/);
    const pinged = await cli([
      'exec',
      '--lab',
      lab.name,
      'a',
      '--',
      'oping',
      '-n',
      'ping.b',
      '-c',
      '3',
      '-i',
      '10ms',
    ]);
    expect(pinged.code).toBe(0);
    screen.type('q');
    expect(await screen.exited).toEqual({ status: 0, signal: 0 });
    const [name = '', ...others] = await readdir(place.path);
    expect(others).toEqual([]);
    const { frames } = parsePcap(await readFile(join(place.path, name)));
    // Three requests and as many replies, at the least.
    expect(frames.filter(({ bytes }) => bytes.readUInt16BE(12) === 0xa000).length).toBeGreaterThanOrEqual(6);

    const nowhere = show(['tui', '--lab', lab.name], { cwd: '/proc' });
    await nowhere.shows(/2\/2 nodes {2}2\/2 IPCPs/, patience);
    await press(nowhere, '5c', /^cannot capture on link a-b into \/proc\/\S+\.pcap: /m);
    nowhere.type('q');
    expect(await nowhere.exited).toEqual({ status: 0, signal: 0 });
  },
);

test('a node that is added later: its links, its IPCPs and its logs', { timeout }, async () => {
  await using lab = labInScope();
  await using place = await folder({
    'net.ts': [
      "import { ethDix, ethLink, node, topology } from 'o7s-testbed';",
      "const nodes = (process.env['NODES'] ?? 'a').split(' ').map((name) => node(name));",
      'const links = nodes.slice(1).map((each) => ethLink(nodes[0]!, each));',
      'export default topology({ nodes, links, layers: links.map((link, at) => ethDix(`lan${at}`, link)) });',
    ].join('\n'),
  });
  const up = async (nodes: string): Promise<void> => {
    const words = ['up', join(place.path, 'net.ts'), '--lab', lab.name, '--yes'];
    expect(await cli(words, { env: { NODES: nodes } })).toMatchObject({ code: 0 });
  };
  await up('a');
  const screen = show(['tui', '--lab', lab.name]);
  await screen.shows(/1\/1 nodes {2}0\/0 IPCPs/, patience);
  await press(screen, '7', /a +irmd +II +irmd/);
  await up('a b');
  await screen.shows(/2\/2 nodes {2}2\/2 IPCPs[^]* b +irmd +II +irmd/, patience);
  await press(screen, '5', /^a-b +a:e1 +b:e1 /m);
  await up('a');
  await screen.shows(/1\/1 nodes {2}0\/0 IPCPs/, patience);
  screen.type('q');
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
});

test('read-only nothing can be done; NO_COLOR; a lab that goes down is told', { timeout }, async () => {
  await using lab = labInScope();
  expect((await cli(['up', twoNodes, '--lab', lab.name])).code).toBe(0);
  const screen = show(['tui', '--lab', lab.name, '--read-only'], { env: { NO_COLOR: '1' } });
  await screen.shows(/2\/2 nodes .*read-only/, patience);
  await press(screen, 'f', /^this view is read-only$/m);
  await cli(['down', '--lab', lab.name]);
  await screen.shows(/ended {2}0\/2 nodes[^]*the lab has ended; q quits$/, patience);
  // eslint-disable-next-line no-control-regex -- the colours of the terminal, and what reports of a mouse are asked for with
  expect(screen.written).not.toMatch(/\u001b\[(3[0-7]|9[0-7])m|\u001b\[\?100[0-6]h/);
  screen.type(ctrlC);
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
});

test(
  'up --tui shows it being built, and reports when the view is closed; its events replay',
  { timeout },
  async () => {
    await using lab = labInScope();
    const screen = show(['up', twoNodes, '--lab', lab.name, '--tui']);
    await screen.shows(/2\/2 nodes {2}2\/2 IPCPs/, patience);
    await press(screen, '8', /a +[\d.]+ m?s +irm ipcp bootstrap name lan\.a/);
    screen.type('q');
    expect(await screen.exited).toEqual({ status: 0, signal: 0 });
    expect(screen.lines.join('\n')).toMatch(/^lab \S+ is up: 2 nodes, 1 link.*\nNODE /m);

    await using place = await folder({});
    const file = join(place.path, 'events.ndjson');
    const watching = startProcess([
      'sh',
      '-c',
      `exec ${process.execPath} ${program} events --lab ${lab.name} >${file}`,
    ]);
    await until(
      'two snapshots',
      () => existsSync(file) && readFileSync(file, 'utf8').split('"snapshot"').length > 2,
      patience,
    );
    await cli(['down', '--lab', lab.name]);
    await watching.outcome;
    const replay = show(['tui', '--replay', place.path]);
    await press(replay, 'e', /ended {2}0\/2 nodes .* replay/);
    await press(replay, '6', /b +snapshot [^]*lab\.ended +the lab has ended/);
    await press(replay, 'x', /this is a replay: there is nothing to act on/);
    replay.type('q');
    expect(await replay.exited).toEqual({ status: 0, signal: 0 });
  },
);

test('Ctrl-C while it is built takes the lab back', { timeout }, async () => {
  const lab = freshLab();
  const screen = show(['up', twoNodes, '--lab', lab, '--tui']);
  await screen.shows(/1 topology/, patience);
  screen.type(ctrlC);
  const { status } = await screen.exited;
  // It may have been complete already.
  expect([0, 130]).toContain(status);
  if (status === 0) expect((await cli(['down', '--lab', lab])).code).toBe(0);
  else expect((await cli(['ls'])).stdout).not.toContain(lab);
});

test('off a terminal it says so and points to events', async () => {
  const hint = 'for a program, or a file: o7s-testbed events';
  for (const [words, command] of [
    [['tui'], 'tui'],
    [['tui', '--replay', '/nowhere'], 'tui'],
    [['up', twoNodes, '--tui'], 'up --tui'],
  ] as const) {
    expect(await cli(words)).toEqual({
      code: 2,
      stdout: '',
      stderr: `o7s-testbed: ${command} needs a terminal for its input and its output; ${hint}\n`,
    });
  }
});
