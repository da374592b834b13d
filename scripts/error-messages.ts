/**
 * The error messages that programs of this repository print, read from their sources: what is thrown as `TestbedError` or
 * `O7sError`, what tools write in words of their own, and what daemons log as an error. `docs/messages.md` is made of
 * them.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CallExpression, type Node, parseSync, type TemplateLiteral, Visitor } from 'oxc-parser';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Message {
  /** Relative to the root. */
  readonly file: string;
  /** ETOPOLOGY and the like; undefined for what a tool writes itself. */
  readonly code: string | undefined;
  /** The text, with NAME in capitals or … where a value stands. */
  readonly text: string;
  /** What the message itself says is to be done. */
  readonly hint: string | undefined;
}

/** Every error message there is, file by file. */
export function errorMessages(): Message[] {
  const sources = ['bin/*.js', 'rumba/**/*.ts', 'runtime/**/*.ts', 'tui/**/*.{ts,tsx}'];
  return sources
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((file) => !/\.test\.tsx?$|\/gen\/|\.d\.ts$/.test(file))
    .toSorted()
    .flatMap((file) => messagesOf(file, readFileSync(`${root}${file}`, 'utf8')));
}

/** Those of one source. */
export function messagesOf(file: string, source: string): Message[] {
  const { program } = parseSync(file, source);
  const constants = new Map<string, Node>();
  const calls = new Map<string, CallExpression[]>();
  const parameters = new Map<string, { readonly of: string; readonly at: number }[]>();
  const keepParameters = (name: string | undefined, list: readonly Node[]): void => {
    list.forEach((each, at) => {
      if (name === undefined || each.type !== 'Identifier') return;
      parameters.set(each.name, [...(parameters.get(each.name) ?? []), { of: name, at }]);
    });
  };
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (id.type !== 'Identifier' || init === null) return;
      if (init.type === 'ArrowFunctionExpression') keepParameters(id.name, init.params);
      else constants.set(id.name, init);
    },
    FunctionDeclaration: ({ id, params }) => keepParameters(id?.name, params),
    MethodDefinition: ({ key, value }) => {
      if (key.type === 'PrivateIdentifier' || key.type === 'Identifier')
        keepParameters(key.name, value.params);
    },
    CallExpression: (call) => {
      const { callee } = call;
      const name =
        callee.type === 'Identifier'
          ? callee.name
          : callee.type === 'MemberExpression' && 'name' in callee.property
            ? callee.property.name
            : undefined;
      if (typeof name === 'string') calls.set(name, [...(calls.get(name) ?? []), call]);
    },
  }).visit(program);

  /** The texts that an expression can be. */
  const texts = (node: Node | undefined, depth = 0): string[] => {
    if (node === undefined || depth > 3) return [];
    if (node.type === 'Literal') return typeof node.value === 'string' ? [node.value] : [];
    if (node.type === 'TemplateLiteral') return [written(node)];
    if (node.type === 'ConditionalExpression') {
      return [...texts(node.consequent, depth), ...texts(node.alternate, depth)];
    }
    if (node.type !== 'Identifier') return [];
    const constant = constants.get(node.name);
    if (constant !== undefined) return texts(constant, depth + 1);
    return (parameters.get(node.name) ?? []).flatMap(({ of, at }) =>
      (calls.get(of) ?? []).flatMap((call) => texts(call.arguments[at], depth + 1)),
    );
  };
  const hintOf = (node: Node | undefined): string | undefined => {
    if (node?.type !== 'ObjectExpression') return undefined;
    const found = node.properties.find(
      (each) => each.type === 'Property' && each.key.type === 'Identifier' && each.key.name === 'hint',
    );
    const hints = found?.type === 'Property' ? texts(found.value) : [];
    return hints.length === 0 ? undefined : hints.join('; or ');
  };

  const found: Message[] = [];
  new Visitor({
    NewExpression: ({ callee, arguments: [code, text, options] }) => {
      if (callee.type !== 'Identifier' || !['TestbedError', 'O7sError'].includes(callee.name)) return;
      const hint = hintOf(options);
      for (const each of texts(text)) found.push({ file, code: texts(code)[0], text: each, hint });
    },
    CallExpression: ({ callee, arguments: words }) => {
      if (
        callee.type === 'MemberExpression' &&
        /\blog(?:\.child\('reg'\))?\.error$/.test(source.slice(callee.start, callee.end))
      ) {
        for (const text of texts(words[0])) found.push({ file, code: 'log', text, hint: undefined });
        return;
      }
      // What is written to standard error without being thrown: `process.stderr.write('TOOL: ...')`, `complain('...')`.
      const isWritten =
        callee.type === 'MemberExpression'
          ? source.slice(callee.start, callee.end) === 'process.stderr.write'
          : callee.type === 'Identifier' && callee.name === 'complain';
      if (!isWritten) return;
      for (const each of texts(words[0])) {
        const said = /^(?:o7s-testbed|ovpn|onc|FATAL): (.*)\n?$/s.exec(each)?.[1];
        if (said === undefined || /^…|^[A-Z]+$/.test(said)) continue;
        const [text = '', ...rest] = said.trim().split('; ');
        found.push({ file, code: undefined, text, hint: rest.length === 0 ? undefined : rest.join('; ') });
      }
    },
    // The words of the manual, which tools print whatever else they say.
    Literal: ({ value }) => keepManualWords(value),
    TemplateLiteral: (template) => keepManualWords(written(template)),
  }).visit(program);
  return found;

  function keepManualWords(text: unknown): void {
    if (typeof text !== 'string' || !file.startsWith('runtime/tools/')) return;
    if (!/^(Failed|Invalid|Could not|Too many|Server timed out|Unknown) ?[^;]*\n/.test(text)) return;
    found.push({ file, code: undefined, text: text.trim().replaceAll('\n', ' '), hint: undefined });
  }

  /** A template with the names of what is put in. */
  function written({ quasis, expressions }: TemplateLiteral): string {
    return quasis
      .map(({ value }, at) => {
        const expression = expressions[at];
        return (value.cooked ?? value.raw) + (expression === undefined ? '' : placeholder(expression));
      })
      .join('');
  }
}

/** What stands for a value: LINK for `link` and `link.name`, … for what has no short name. */
function placeholder(node: Node): string {
  const plain = /^[a-z]+$/;
  if (node.type === 'Identifier') return plain.test(node.name) ? node.name.toUpperCase() : '…';
  if (node.type === 'ConditionalExpression') {
    const ends = [node.consequent, node.alternate].map((end) =>
      end.type === 'Literal' ? end.value : undefined,
    );
    return ends.every((end) => typeof end === 'string') ? ends.filter((end) => end !== '').join('|') : '…';
  }
  if (node.type !== 'MemberExpression' || node.property.type !== 'Identifier') return '…';
  if (node.property.name === 'name') return placeholder(node.object);
  return plain.test(node.property.name) ? node.property.name.toUpperCase() : '…';
}
