/**
 * The references of what the package exports, docs/api/reference.md and docs/api/topology-reference.md: each exported
 * thing with its doc comment and its declaration. `npm run generate` writes them.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Class, type Comment, type Node, parseSync } from 'oxc-parser';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Source {
  readonly file: string;
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly Comment[];
}

interface Found {
  readonly source: Source;
  /** The statement that declares it, with its `export`. */
  readonly statement: Node;
  readonly declaration: Node;
}

const sources = new Map<string, Source>();

function sourceOf(file: string): Source {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(`${root}${file}`, 'utf8');
  const { program, comments } = parseSync(file, text);
  const source = { file, text, body: program.body, comments };
  sources.set(file, source);
  return source;
}

const nameOf = (node: Node): string => ('name' in node && typeof node.name === 'string' ? node.name : '');

/** What a module exports, in the order in which it says so; of what it passes on, where that is declared. */
function exportsOf(file: string): Map<string, Found> {
  const source = sourceOf(file);
  const found = new Map<string, Found>();
  for (const statement of source.body) {
    if (statement.type !== 'ExportNamedDeclaration') continue;
    if (statement.source !== null) {
      const there = exportsOf(join(dirname(file), statement.source.value));
      for (const { local, exported } of statement.specifiers) {
        const target = there.get(nameOf(local));
        if (target === undefined) throw new Error(`${file}: ${nameOf(local)} is not found`);
        found.set(nameOf(exported), target);
      }
      continue;
    }
    const { declaration } = statement;
    if (declaration === null) continue;
    const names =
      declaration.type === 'VariableDeclaration'
        ? declaration.declarations.map(({ id }) => nameOf(id))
        : 'id' in declaration && declaration.id !== null
          ? [nameOf(declaration.id)]
          : [];
    // Of overloads the first has the comment.
    for (const name of names) if (!found.has(name)) found.set(name, { source, statement, declaration });
  }
  return found;
}

/** The doc comment right before a place, without its stars. */
function docBefore({ text, comments }: Source, start: number): string {
  const comment = comments.findLast(({ end }) => end <= start && text.slice(end, start).trim() === '');
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return '';
  return comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** A piece of a source, moved to the left as far as its last line is. */
function piece({ text }: Source, start: number, end: number): string {
  const lines = text.slice(start, end).trimEnd().split('\n');
  const indent = /^ */.exec(lines.at(-1) ?? '')?.[0].length ?? 0;
  return lines
    .map((line, at) => (at === 0 ? line : line.replace(new RegExp(`^ {0,${indent}}`), '')))
    .join('\n');
}

/** A declaration without what it does. */
function declared({ source, declaration }: Found): string {
  switch (declaration.type) {
    case 'FunctionDeclaration':
      return `${piece(source, declaration.start, declaration.body?.start ?? declaration.end).replace(/^async /, '')};`;
    case 'ClassDeclaration':
      return classOf(source, declaration);
    case 'VariableDeclaration': {
      const [first] = declaration.declarations;
      const annotation = first?.id.typeAnnotation;
      if (first === undefined || annotation === null || annotation === undefined) {
        return piece(source, declaration.start, declaration.end);
      }
      return `const ${piece(source, first.id.start, annotation.end)};`;
    }
    default:
      return piece(source, declaration.start, declaration.end);
  }
}

/** The public members of a class, each with its comment. */
function classOf(source: Source, { id, superClass, body, start }: Class): string {
  const members = body.body.flatMap((member) => {
    if (member.type !== 'MethodDefinition' && member.type !== 'PropertyDefinition') return [];
    const { key, accessibility } = member;
    // A name that begins with an underscore is Node's to call.
    if (key.type === 'PrivateIdentifier' || accessibility === 'private' || nameOf(key).startsWith('_'))
      return [];
    // What the library makes itself is made by no one else.
    if (member.type === 'MethodDefinition' && member.kind === 'constructor' && superClass === null) return [];
    const end =
      member.type === 'MethodDefinition'
        ? (member.value.body?.start ?? member.end)
        : 'typeAnnotation' in member && member.typeAnnotation
          ? member.typeAnnotation.end
          : member.end;
    // An example within is set in: a fence would end the one around.
    const doc = docBefore(source, member.start).replaceAll(/^```ts\n([^]*?)^```$/gm, (_block, code: string) =>
      code.trimEnd().replaceAll(/^/gm, '    '),
    );
    const text = `${piece(source, member.start, end)
      .replace(/^(override |async )+\*?/, '')
      .replace(/;$/, '')};`;
    const comment = doc === '' ? '' : `/** ${doc.split('\n').join('\n * ')} */\n`;
    return [`${comment}${text}`.replaceAll(/^(?=.)/gm, '  ')];
  });
  const head = piece(source, start, body.start);
  return `${head.startsWith('class') ? head : `class ${id?.name ?? ''}`} {\n${members.join('\n')}\n}`;
}

/** A doc comment as prose: tags in words, and before an example what it imports, which readers need not see. */
function prose(doc: string, imported: string, values: readonly string[]): string {
  return doc
    .replaceAll(/^@throws /gm, 'Throws ')
    .replaceAll(/^@returns? /gm, 'Gives ')
    .replaceAll(/^@param (\w+) /gm, '`$1`: ')
    .replaceAll(/^```ts\n([^]*?)^```$/gm, (block, code: string) => {
      if (code.includes('import ')) return block;
      const used = values.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
      return `<!-- before\nimport { ${used.join(', ')} } from '${imported}';\n-->\n\n${block}`;
    });
}

const isValue = ({ declaration }: Found): boolean => /^(Function|Class|Variable)/.test(declaration.type);

function page(title: string, about: string, index: string, imported: string): string {
  const exported = [...exportsOf(index)];
  const values = exported.flatMap(([name, found]) => (isValue(found) ? [name] : []));
  const parts = exported.map(([name, found]) => {
    const doc = prose(docBefore(found.source, found.statement.start), imported, values);
    return `## ${name}\n\n${doc === '' ? '' : `${doc}\n\n`}\`\`\`ts declaration\n${declared(found)}\n\`\`\`\n`;
  });
  return `# ${title}\n\n${about} Made from the doc comments: \`npm run generate\`.\n\n${parts.join('\n')}`;
}

/** The pages by the names of their files. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    [
      'docs/api/reference.md',
      page(
        'Reference of o7s-testbed/lib',
        'Everything that the library for applications exports; [README.md](README.md) leads through it.',
        'runtime/lib/index.ts',
        'o7s-testbed/lib',
      ),
    ],
    [
      'docs/api/topology-reference.md',
      page(
        'Reference of o7s-testbed',
        'Everything that topology files, storyboards and programs import; [topologies.md](../topologies.md) and [experiments.md](../experiments.md) lead through it.',
        'rumba/index.ts',
        'o7s-testbed',
      ),
    ],
  ]);
}
