/**
 * What of the documentation can be checked without running it: that each block says how it is checked, that programs have
 * the right types, that commands, options, scripts, links and anchors exist. tests/netns/documentation.test.ts runs it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { referencePages } from '../../scripts/api-reference.ts';
import { messagesOf } from '../../scripts/error-messages.ts';
import { messagesPage } from '../../scripts/messages-page.ts';
import { helpTexts } from '../../rumba/cli/help-texts.ts';
import type { TestbedError } from '../../rumba/errors.ts';
import {
  broadcast,
  ethDix,
  ethLink,
  ethLlc,
  lan as ethLan,
  line,
  local,
  node,
  parameters,
  port,
  register,
  runtime,
  server,
  topology,
  udp4,
  unicast,
} from '../../rumba/index.ts';
import { firstTopology } from '../../rumba/cli/starters.ts';
import { readConfiguration } from '../../runtime/irmd/configuration.ts';
import { parseEncryptionConfig } from '../../runtime/lib/crypto/encryption-config.ts';
import {
  anchorsOf,
  type Block,
  blocksOf,
  commandsOf,
  inlineCodeOf,
  linksOf,
  pages,
  pageText,
  place,
  root,
} from '../support/documentation.ts';

const blocks = pages.flatMap(blocksOf);
const of = (language: string): Block[] => blocks.filter((block) => block.language === language);

/** The words that a fence may have behind its language. */
const wordsOf: Readonly<Record<string, readonly string[]>> = {
  sh: ['lab', 'on', 'aside', 'dry-run', 'needs', 'not-run'],
  ts: ['file', 'from', 'declaration'],
  text: ['output'],
  python: ['theirs', 'needs'],
  yaml: ['theirs', 'file'],
  ini: ['theirs'],
  toml: [],
  json: [],
};

test('every block has a language, and words that are known', () => {
  const unknown = blocks.filter(
    ({ language, words }) => ![...words.keys()].every((word) => wordsOf[language]?.includes(word)),
  );
  expect(unknown.map(place)).toEqual([]);
  // As many fences as blocks have, so that none was overlooked.
  const fences = pages.flatMap((page) => pageText(page).match(/^ *```/gm) ?? []);
  expect(fences.length).toBe(2 * blocks.length);
});

test('a block that is not run says why', () => {
  const excused = of('sh').filter(({ words }) => words.has('not-run'));
  expect(
    excused.filter(({ words }) => (words.get('not-run') ?? '').split(' ').length < 4).map(place),
  ).toEqual([]);
  // Who does it instead is there. New ones are to be few: what can be run is run.
  const instead = excused.flatMap(({ words }) => words.get('not-run')?.match(/[\w./-]+\.(?:ts|md)\b/g) ?? []);
  expect(instead.filter((file) => !existsSync(`${root}${file}`))).toEqual([]);
  expect(excused.length).toBeLessThanOrEqual(8);
});

test('shell blocks are shell', () => {
  for (const block of of('sh')) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: block.text, encoding: 'utf8' });
    expect([place(block), status, stderr]).toEqual([place(block), 0, '']);
  }
});

test('configuration in blocks is read without a fault', () => {
  for (const { text } of of('toml')) readConfiguration(text);
  for (const { text } of of('json')) JSON.parse(text);
  for (const block of of('yaml')) expect(parseYaml(block.text), place(block)).toBeTypeOf('object');
  for (const block of of('ini').filter(({ words }) => !words.has('theirs'))) {
    expect(parseEncryptionConfig(Buffer.from(block.text)), place(block)).toBeTruthy();
  }
});

test('python blocks compile', () => {
  for (const block of of('python')) {
    const compile = 'import sys; compile(sys.stdin.read(), "block", "exec")';
    const { status, stderr } = spawnSync('python3', ['-c', compile], { input: block.text, encoding: 'utf8' });
    expect([place(block), status, stderr]).toEqual([place(block), 0, '']);
  }
});

test('programs that a page shows of a file are in the file', () => {
  for (const block of of('ts')) {
    const from = block.words.get('from');
    if (from === undefined) continue;
    // Comments at the ends of lines may be the page's own.
    const plain = (text: string): string => text.replaceAll(/ *\/\/ .*$/gm, '').trim();
    expect(plain(readFileSync(`${root}${from}`, 'utf8')), place(block)).toContain(plain(block.text));
  }
});

test('programs have the right types', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'o7s-pages-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(`${folder}/package.json`, '{ "type": "module" }\n');
  await mkdir(`${folder}/node_modules`);
  await symlink(root, `${folder}/node_modules/o7s-testbed`);
  for (const name of ['vitest', '@types']) {
    await symlink(`${root}node_modules/${name}`, `${folder}/node_modules/${name}`);
  }
  const programs = of('ts').filter(({ words }) => !words.has('from') && !words.has('declaration'));
  for (const page of new Set(programs.map((block) => block.page))) {
    // What pages presuppose: the examples, and what `o7s-testbed init` writes.
    cpSync(`${root}topologies`, join(folder, page), { recursive: true });
    await writeFile(join(folder, page, 'topology.ts'), firstTopology);
  }
  const places: string[] = [];
  for (const block of programs) {
    const file = join(folder, block.page, block.words.get('file') ?? `line-${block.line}.ts`);
    await mkdir(dirname(file), { recursive: true });
    // On one line, so that lines of faults are lines of the block.
    const before = block.before.replaceAll('\n', ' ');
    const text = before.endsWith('=>') ? `${before} {\n${block.text}\n});` : `${before}\n${block.text}`;
    await writeFile(file, `${text}\nexport {};\n`);
    places.push(`${relative(folder, file)} is ${place(block)}`);
  }
  await writeFile(
    `${folder}/tsconfig.json`,
    JSON.stringify({
      extends: `${root}tsconfig.json`,
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ['**/*.ts'],
    }),
  );
  const { stdout, status } = spawnSync(`${root}node_modules/.bin/tsc`, ['-p', folder], { encoding: 'utf8' });
  expect(status, `${stdout}\n${places.join('\n')}`).toBe(0);
  expect(places.length).toBeGreaterThan(10);
}, 120_000);

/** Options by the words of a command. */
async function optionsByCommand(): Promise<Map<string, Set<string>>> {
  const common = ['--help', '--version'];
  return new Map(
    [...(await helpTexts(100))].map(([words, help]) => {
      const options = [...help.matchAll(/^ +(?:(-\w), )?(--[\w-]+)(?= {2}|$)/gm)];
      return [
        words,
        new Set([...common, ...options.flatMap(([, short, long]) => [short ?? '', long ?? ''])]),
      ];
    }),
  );
}

/** What is wrong with the o7s-testbed commands of a text. */
function faults(text: string, known: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...text.matchAll(/(?:^|[\s(;|&])o7s-testbed +([a-z][^|;&\n)]*)/g)].flatMap(([, line = '']) => {
    const words = line.replace(/ --( .*)?$/, '').split(/\s+/);
    const [first = '', second = ''] = words;
    if (!known.has(first)) return [`there is no command ${first}`];
    const options = known.get(`${first} ${second}`) ?? known.get(first);
    // What follows a node, or the options in front, is the command that runs there, with options of its own.
    const end =
      first === 'exec'
        ? words.findIndex((word, at) => at > 0 && !word.startsWith('-') && !words[at - 1]?.startsWith('-'))
        : -1;
    return words
      .slice(0, end === -1 ? undefined : end)
      .filter((word) => /^--?[a-z]/.test(word))
      .map((word) => word.replace(/=.*/, ''))
      .filter((word) => options?.has(word) !== true)
      .map((word) => `o7s-testbed ${first} has no option ${word}`);
  });
}

test('commands of o7s-testbed and their options exist', async () => {
  const known = await optionsByCommand();
  expect(faults('npx o7s-testbed up x.ts --no-such; o7s-testbed fly', known)).toEqual([
    'o7s-testbed up has no option --no-such',
    'there is no command fly',
  ]);
  const texts = [
    ...of('sh').flatMap((block) => commandsOf(block.text).map((text) => [place(block), text] as const)),
    // Help texts end with examples, of which long ones take two lines.
    ...of('text').flatMap((block) => {
      const examples = /^Examples:\n([^]*)/m.exec(block.text)?.[1] ?? '';
      return [...examples.matchAll(/^ {2}(.*?)(?: {2}.*)?$/gm)].map(
        ([, text = '']) => [place(block), text] as const,
      );
    }),
    // The examples begin with the commands to try.
    ...globSync('topologies/**/*.ts', { cwd: root }).flatMap((file) =>
      [...readFileSync(`${root}${file}`, 'utf8').matchAll(/^ \* {5}(.*)$/gm)].flatMap(([, line = '']) =>
        commandsOf(line).map((text) => [file, text] as const),
      ),
    ),
    ...pages.flatMap((page) =>
      inlineCodeOf(page).map(
        ({ line, text }) => [`${page}:${line}`, text.replaceAll(/[[\]]/g, ' ')] as const,
      ),
    ),
  ];
  const found = texts.flatMap(([where, text]) => faults(text, known).map((fault) => `${where}: ${fault}`));
  expect(found).toEqual([]);
  expect(texts.filter(([, text]) => /o7s-testbed [a-z]/.test(text)).length).toBeGreaterThan(100);
});

/** Whether a file of this checkout imports the package by its name, itself or by others. */
function importsPackage(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const imports = [
    ...readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm),
  ];
  return imports.some(([, name = '']) =>
    name.startsWith('.')
      ? importsPackage(resolve(dirname(file), name), seen)
      : name.startsWith('o7s-testbed'),
  );
}

test('scripts that pages name exist, and are started by a Node that can run them', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: object };
  const found: string[] = [];
  for (const page of pages.filter((each) => !each.startsWith('docs/adr/'))) {
    const texts = [
      ...inlineCodeOf(page),
      ...blocksOf(page).flatMap(({ language, line, text }) =>
        language === 'sh' ? commandsOf(text).map((command) => ({ line, text: command })) : [],
      ),
    ];
    for (const { line, text } of texts) {
      const refuse = (why: string): void => void found.push(`${page}:${line}: ${text}: ${why}`);
      const [, script] = /\bnpm run (\S+)/.exec(text) ?? [];
      if (script !== undefined && !(script in scripts)) refuse(`there is no script ${script}`);
      for (const [file] of text.matchAll(
        /\b(?:tests|scripts|images|topologies|rumba|runtime)\/[\w/.-]+\.tsx?\b/g,
      )) {
        if (!existsSync(`${root}${file}`)) refuse(`there is no file ${file}`);
      }
      const [, npx, condition, file] =
        /(npx )?\bnode (--conditions=\S+ )?((?:tests|scripts)\S+\.ts)/.exec(text) ?? [];
      if (file === undefined) continue;
      // The system's Node may be one that knows no TypeScript; npx takes the one of npm ci.
      if (npx === undefined) refuse('npx node starts the right Node');
      if (condition === undefined && importsPackage(`${root}${file}`)) {
        refuse('it takes --conditions=@o7s/source, as the package is not built');
      }
    }
  }
  expect(found).toEqual([]);
});

test('npx takes the Node of npm ci, whatever the first of the path is', () => {
  const version = execFileSync('npx', ['node', '--version'], { cwd: root, encoding: 'utf8' });
  expect(Number(/^v(\d+)/.exec(version)?.[1])).toBeGreaterThanOrEqual(24);
});

test('links lead to files and headings that exist', () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (!existsSync(`${root}${target}`)) return true;
        return anchor !== undefined && !anchorsOf(target).includes(anchor);
      })
      .map((link) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test('docs/topologies.md names every key that a topology file may have', () => {
  const [a, b] = [node('a'), node('b')];
  const cable = ethLink(a, b);
  const lan = ethDix('lan', cable);
  const wrong = { nothing: 1 } as object;
  const makers: readonly (() => unknown)[] = [
    () => topology(wrong as Parameters<typeof topology>[0]),
    () => node('c', wrong),
    () => port(a, 'e1', wrong),
    () => ethLink(a, b, wrong),
    () => ethLan('lan0', [a, b], wrong),
    () => ethDix('x', cable, wrong),
    () => ethLlc('x', cable, wrong),
    () => udp4('x', cable, wrong),
    () => local('x', a, wrong),
    () => unicast('x', lan, wrong),
    () => broadcast('x', lan, wrong),
    () => server(a, 'x', ['true'], wrong),
    () => register('x', wrong as Parameters<typeof register>[1]),
    () => runtime('x', wrong),
    () => line(2, wrong),
    () => parameters({ x: wrong as { default: number } }),
  ];
  const inCode = new Set(inlineCodeOf('docs/topologies.md').flatMap(({ text }) => text.match(/\w+/g) ?? []));
  for (const make of makers) {
    let said: unknown;
    try {
      make();
    } catch (error) {
      said = error;
    }
    const keys = /known: (.*)/.exec((said as TestbedError | undefined)?.hint ?? '')?.[1]?.split(', ') ?? [];
    expect(keys.length, String(make)).toBeGreaterThan(0);
    expect(keys.filter((key) => !inCode.has(key))).toEqual([]);
  }
});

test('ARCHITECTURE.md names every folder of the sources, and none that is not there', () => {
  const map = blocksOf('ARCHITECTURE.md')[0]?.text ?? '';
  const named = new Set([...map.matchAll(/(?:^|[\s/])([\w.-]+)(?=\/)/gm)].map(([, name = '']) => name));
  const patterns = ['runtime/*/', 'runtime/{lib,ipcpd}/*/', 'runtime/ipcpd/unicast/*/', 'rumba/*/', 'tui/*/'];
  const folders = patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((folder) => folder.replace(/\/$/, ''));
  const missing = folders.filter((folder) => !named.has(folder.split('/').at(-1) ?? ''));
  expect(missing).toEqual([]);
  const there = new Set(
    globSync('**/', { cwd: root, exclude: ['node_modules'] }).flatMap((path) => path.split('/')),
  );
  expect([...named].filter((name) => !there.has(name) && !['o7s-testbed', '.ci'].includes(name))).toEqual([]);
});

test('the index of docs names every page', () => {
  const listed = new Set(linksOf('docs/README.md').map((link) => link.replace(/^\.\//, '')));
  const own = globSync('*.md', { cwd: `${root}docs` }).filter((name) => name !== 'README.md');
  const folders = globSync('*/', { cwd: `${root}docs` }).map((name) => name.replace(/\/$/, ''));
  const missing = [...own, ...folders.filter((name) => !['screens', 'grafana'].includes(name))].filter(
    (name) => !listed.has(name) && !listed.has(`${name}/README.md`),
  );
  expect(missing).toEqual([]);
});

test('docs/messages.md has every error message of the sources: npm run generate', () => {
  // The formatter aligns tables.
  const plain = (text: string): string => text.replaceAll(/-{3,}/g, '---').replaceAll(/\s+/g, ' ').trim();
  const page = plain(pageText('docs/messages.md'));
  expect(page).toBe(plain(messagesPage()));
  expect(page.split('| `').length).toBeGreaterThan(300);
});

test('the references are what the doc comments say: npm run generate', () => {
  // The formatter breaks lines, and ends them in its own way.
  const plain = (text: string): string => text.replaceAll(/[\s;,*|]+/g, '').replaceAll('"', "'");
  for (const [file, text] of referencePages()) expect(plain(pageText(file)), file).toBe(plain(text));
});

test('messages are found wherever they are thrown or written', () => {
  const source = `
    const known = ['a'];
    function refuse(fault: string, hint: string): never { throw new TestbedError('EUSAGE', fault, { hint }); }
    if (x) refuse(\`node \${node.name} is \${strange ? 'odd' : 'even'}\`, 'mend it');
    throw new O7sError('ENAME', known ? 'one' : \`\${left.count(1)} others\`);
    complain('onc: the pipe broke; start again');
    context.out('Failed to do it.\\n');
    around.log.error(\`It \${what} failed.\`);
  `;
  const found = messagesOf('runtime/tools/x.ts', source);
  expect(found.map(({ code, text, hint }) => [code, text, hint])).toEqual([
    ['EUSAGE', 'node NODE is odd|even', 'mend it'],
    ['ENAME', 'one', undefined],
    ['ENAME', '… others', undefined],
    [undefined, 'the pipe broke', 'start again'],
    [undefined, 'Failed to do it.', undefined],
    ['log', 'It WHAT failed.', undefined],
  ]);
});
