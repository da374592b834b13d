/**
 * The lint rules of `.oxlintrc.json` that hold the arrows of ARCHITECTURE.md: each forbidden import is written into a
 * copy of the tree's folders and must be refused there, each allowed one must pass.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of a folder, and what it imports or does. */
type Sample = readonly [file: string, line: string];

const from = (specifier: string): string => `import '${specifier}';`;

const forbidden: readonly Sample[] = [
  ['runtime/lib/flow/x.ts', from('koffi')],
  ['runtime/lib/rpc/x.ts', from('../../irmd/registry.ts')],
  ['runtime/lib/os/x.ts', from('yargs')],
  ['runtime/irmd/x.ts', from('../ipcpd/shell/host.ts')],
  ['runtime/irmd/x.ts', from('../../rumba/index.ts')],
  ['runtime/ipcpd/x.ts', from('../irmd/registry.ts')],
  ['runtime/ipcpd/x.ts', from('../../tui/model.ts')],
  ['runtime/ipcpd/shell/x.ts', from('../eth/dix.ts')],
  ['runtime/ipcpd/links/x.ts', from('../local/local.ts')],
  ['runtime/ipcpd/eth/x.ts', from('../local/local.ts')],
  ['runtime/ipcpd/local/x.ts', from('../eth/dix.ts')],
  ['runtime/ipcpd/eth/x.ts', from('../links/interface.ts')],
  ['runtime/ipcpd/eth/x.ts', from('../../lib/os/libc.ts')],
  ['runtime/ipcpd/eth/x.ts', from('node:fs')],
  ['runtime/tools/oping/x.ts', from('../../lib/flow/flow.ts')],
  ['runtime/tools/oping/x.ts', from('../irm/grammar.ts')],
  ['runtime/tools/irm/x.ts', from('../../irmd/registry.ts')],
  ['runtime/tools/irm/x.ts', from('yargs')],
  ['runtime/lib/wire/x.ts', from('../os/libc.ts')],
  ['runtime/lib/oap/x.ts', `import { randomBytes } from 'node:crypto';`],
  ['runtime/lib/crypto/x.ts', `import { generateKeyPairSync } from 'node:crypto';`],
  ['runtime/lib/crypto/x.ts', from('node:fs')],
  ['rumba/deploy/x.ts', from('../../runtime/lib/flow/flow.ts')],
  ['rumba/deploy/x.ts', from('../../runtime/irmd/registry.ts')],
  ['rumba/deploy/x.ts', from('../cli/table.ts')],
  ['rumba/deploy/x.ts', from('yargs')],
  ['rumba/wire/x.ts', from('../testbeds/testbed.ts')],
  ['rumba/wire/x.ts', from('koffi')],
  ['rumba/wire/way.ts', 'export const now = Date.now();'],
  ['rumba/testbeds/netns/x.ts', from('dockerode')],
  ['rumba/cli/x.ts', from('ink')],
  ['rumba/plan/x.ts', from('../testbeds/testbed.ts')],
  ['rumba/model/x.ts', from('node:fs')],
  ['tui/x.tsx', from('../rumba/deploy/deploy.ts')],
  ['tui/x.tsx', from('../runtime/lib/qos.ts')],
  ['tui/x.tsx', from('yargs')],
  ['tui/model.ts', from('ink')],
  ['tui/views/x.ts', from('react')],
  ['tui/views/x.ts', from('node:fs')],
  ['tui/screen.ts', 'export const now = Date.now();'],
  ['rumba/live/x.ts', from('../../tui/main.tsx')],
  ['rumba/live/x.ts', from('react')],
  ['rumba/cli/x.ts', from('../../tui/main.tsx')],
  ['topologies/x.ts', from('../rumba/index.ts')],
  ['runtime/irmd/x.ts', from('vitest')],
  ['rumba/x.ts', from('testcontainers')],
  ['tests/process/x.test.ts', from('koffi')],
  ['runtime/lib/wire/x.ts', 'setTimeout(String, 1);'],
  ['runtime/lib/frct/x.ts', 'export const now = Date.now();'],
  ['runtime/lib/frct/x.ts', from('../os/libc.ts')],
  ['runtime/ipcpd/eth/x.ts', 'export const now = Date.now();'],
  ['runtime/ipcpd/shell/endpoint-ids.ts', 'export const now = performance.now();'],
  ['runtime/irmd/registry.ts', 'export const pid = process.pid;'],
  ['rumba/plan/x.ts', 'export const chance = Math.random();'],
  ['rumba/model/x.ts', 'setInterval(String, 1);'],
];

const allowed: readonly Sample[] = [
  ['runtime/lib/os/x.ts', from('koffi')],
  ['runtime/lib/flow/x.ts', from('../os/unix-socket.ts')],
  ['runtime/lib/oap/x.ts', `import { createHash } from 'node:crypto'; createHash('sha3-256');`],
  ['runtime/lib/crypto/x.ts', `import { createCipheriv } from 'node:crypto'; createCipheriv('a', 'b', 'c');`],
  ['runtime/lib/wire/x.ts', `import { crc32 } from 'node:zlib'; crc32('x');`],
  ['runtime/irmd/x.ts', from('../lib/log.ts')],
  ['runtime/irmd/x.ts', from('valibot')],
  ['runtime/ipcpd/layers.ts', from('./eth/dix.ts')],
  ['runtime/ipcpd/eth/x.ts', from('../shell/layer.ts')],
  ['runtime/ipcpd/udp/codec.ts', from('../shell/qos-fields.ts')],
  ['runtime/ipcpd/eth/x.ts', from('../../lib/wire/packet.ts')],
  ['runtime/tools/oping/x.ts', from('../../lib/index.ts')],
  ['runtime/tools/oping/x.ts', from('../../lib/wire/fields.ts')],
  ['rumba/deploy/x.ts', from('../../runtime/lib/index.ts')],
  ['rumba/cli/commands/x.ts', from('yargs')],
  ['rumba/wire/x.ts', from('../../runtime/lib/os/packet-socket.ts')],
  ['rumba/testbeds/docker/x.ts', from('dockerode')],
  ['tui/x.tsx', from('ink')],
  ['tui/x.tsx', from('react')],
  ['tui/views/x.ts', from('../../rumba/index.ts')],
  ['tui/model.ts', from('../runtime/lib/index.ts')],
  ['topologies/x.ts', from('o7s-testbed')],
  ['runtime/lib/wire/x.test.ts', from('fast-check')],
  ['runtime/irmd/x.ts', 'setTimeout(String, 1);'],
];

const rules = /^eslint\(no-restricted-(imports|globals|properties)\)$/;

interface LintReport {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

let folder: string;
let refused: Set<string>;
/** Each sample has a folder of its own in front, since several share a path. */
const place = (kind: string, index: number, file: string): string => `${kind}${index}/${file}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'o7s-lint-'));
  const write = async (kind: string, samples: readonly Sample[]): Promise<void> => {
    for (const [index, [file, line]] of samples.entries()) {
      const home = join(folder, `${kind}${index}`);
      const path = join(home, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${line}\n`);
      // Folder patterns count from the file that has them.
      await copyFile(join(root, '.oxlintrc.json'), join(home, '.oxlintrc.json'));
    }
  };
  await write('forbidden', forbidden);
  await write('allowed', allowed);
  const output = await new Promise<string>((resolve) => {
    const oxlint = join(root, 'node_modules/.bin/oxlint');
    execFile(oxlint, ['--format', 'json', '.'], { cwd: folder, timeout: 30_000 }, (_, stdout) =>
      resolve(stdout),
    );
  });
  const { diagnostics } = JSON.parse(output) as LintReport;
  refused = new Set(diagnostics.filter(({ code }) => rules.test(code)).map(({ filename }) => filename));
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the linter refuses', () => {
  test.each(forbidden.map(([file, line], index) => [file, line, place('forbidden', index, file)]))(
    '%s: %s',
    (_file, _line, path) => expect(refused).toContain(path),
  );
});

describe('the linter lets pass', () => {
  test.each(allowed.map(([file, line], index) => [file, line, place('allowed', index, file)]))(
    '%s: %s',
    (_file, _line, path) => expect(refused).not.toContain(path),
  );
});
