/** A disk that is full, in a mount namespace of its own: each command says so in one line, and nothing is left of it. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cli, folder, freshLab, labInScope, program, startProcess, type Outcome } from './cli.ts';
import { markedProcesses } from './traces.ts';

const twoNodes = fileURLToPath(new URL('../../topologies/two-nodes.ts', import.meta.url));
const full = 'o7s-testbed: the disk is full; free some space and try again: df -h shows where\n';

const board = `
import { storyboard, topology, node, ethLink } from 'o7s-testbed';
const [a, b] = [node('a'), node('b')];
const net = topology({ nodes: [a, b], links: [ethLink(a, b)] });
export default storyboard({ topology: net, duration: '100ms', capture: ['a-b'] }, (story) => {
  story.at('0s', async ({ node: on }) => void (await on('a').$\`ip link set e1 mtu 1400\`));
});
`;

/** Runs a script in a folder that has no room, in which \`t\` is the command line. */
async function inFullFolder(place: string, script: string): Promise<Outcome> {
  const user = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const around = [
    `mount -t tmpfs -o size=16k tmpfs ${place} && cd ${place}`,
    'head -c 100000 /dev/zero >filling 2>/dev/null',
    `t() { "$0" ${program} "$@"; echo "= $?" >&2; }`,
    script,
  ].join('; ');
  return await startProcess(['unshare', ...user, '--mount', 'sh', '-c', around, process.execPath]).outcome;
}

test('what is written here: a topology, a picture, a copy', async () => {
  await using place = await folder({});
  await using lab = labInScope();
  expect(await cli(['up', twoNodes, '--lab', lab.name])).toMatchObject({ code: 0 });
  const script = [
    't init',
    'ls -A >&2',
    `t graph ${twoNodes} -f svg >picture`,
    `t cp a:/bin/cat --lab ${lab.name} copy`,
    // What Node would keep for the next time is not needed.
    `XDG_CACHE_HOME=${place.path} t ls >/dev/null`,
  ].join('; ');
  const { stderr } = await inFullFolder(place.path, script);
  expect(stderr.replace(/cannot write copy: [^\n]*/, 'cannot write copy')).toBe(
    `${full}= 3\nfilling\n${full}= 3\no7s-testbed: cannot write copy\n= 1\n= 0\n`,
  );
});

test('what a run keeps', async () => {
  await using place = await folder({});
  await using files = await folder({ 'board.ts': board });
  const lab = freshLab();
  const { stderr } = await inFullFolder(place.path, `t run ${files.path}/board.ts --lab ${lab} -o out`);
  expect(stderr).toContain(`${full}= 3\n`);
  expect(stderr).not.toContain('    at ');
  expect(markedProcesses(lab)).toEqual([]);
});
