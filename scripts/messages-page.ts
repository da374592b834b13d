/** docs/messages.md: every error message, with what to do. `npm run generate` writes it. */
import { type ErrorCode, errorTable } from '../runtime/lib/errors.ts';
import { errorMessages, type Message } from './error-messages.ts';
import { remedies } from './error-remedies.ts';

const sections: readonly (readonly [title: string, about: string, belongs: (message: Message) => boolean])[] =
  [
    [
      'In logs',
      'Lines of irmd and its IPCPs with the level EE ([logging.md](logging.md)).',
      ({ code }) => code === 'log',
    ],
    [
      'Tools',
      "Of `oping`, `oecho`, `operf`, `ocbr`, `obc`, `ovpn`, `onc` and `irm`; they end with 1. The first line is the prototype's; a second one, on standard error, says why.",
      ({ file }) => file.startsWith('runtime/tools/'),
    ],
    [
      'irmd, IPCPs and the library',
      'What `irm`, a tool or an application is told, and what the exception of a program says, with its code.',
      ({ file }) => file.startsWith('runtime/'),
    ],
    [
      'Topology files',
      'Of `up`, `validate`, `graph` and `run`, with file and line in front.',
      ({ file }) => file.startsWith('rumba/model/') || file === 'rumba/cli/load-topology.ts',
    ],
    [
      'Storyboards and recordings',
      'Of `run` and `tui --replay`.',
      ({ file }) => /^rumba\/(storyboard|report|live)\//.test(file),
    ],
    [
      'The docker testbed',
      'Of all commands for labs on docker.',
      ({ file }) => file.startsWith('rumba/testbeds/docker/'),
    ],
    [
      'The netns testbed',
      'Of all commands for labs on namespaces.',
      ({ file }) => file.startsWith('rumba/testbeds/'),
    ],
    ['The command line', 'Wrong usage, mostly.', ({ file }) => /^(bin|rumba\/cli|tui)\//.test(file)],
    [
      'Building and changing labs',
      'Of `up`, `down`, `link`, `cp`, and of programs that call `up()`.',
      () => true,
    ],
  ];

/** Values alone are no message: what they stand for has its own row. */
const isText = ({ text }: Message): boolean => /[a-z]{2}/.test(text);

export function messagesPage(): string {
  const messages = errorMessages().filter(isText);
  const known = new Set(messages.map(({ text }) => text));
  const unused = Object.keys(remedies).filter((text) => !known.has(text));
  const helpless = messages.filter(({ text, hint }) => hint === undefined && remedies[text] === undefined);
  if (unused.length > 0 || helpless.length > 0) {
    const lines = [
      ...helpless.map(
        ({ file, text }) =>
          `${file}: neither a hint nor an entry of scripts/error-remedies.ts says what to do about: ${text}`,
      ),
      ...unused.map((text) => `scripts/error-remedies.ts: there is no such message any more: ${text}`),
    ];
    throw new Error(lines.join('\n'));
  }
  const rows = new Map(sections.map(([title]) => [title, new Map<string, string>()]));
  for (const message of messages) {
    const [title = ''] = sections.find(([, , belongs]) => belongs(message)) ?? [];
    const { text, hint } = message;
    const todo = [remedies[text], hint === undefined ? undefined : sentence(hint)].filter(
      (part) => part !== undefined,
    );
    const code = message.code === undefined || message.code === 'log' ? '' : message.code;
    rows.get(title)?.set(text, `| ${cell(text)} | ${code} | ${todo.join(' ').replaceAll('|', '\\|')} |`);
  }
  const order = [...sections].toReversed();
  return [
    '# Error messages',
    '',
    'Every error message of this repository, and what to do about it. Made from the sources: `npm run generate`.',
    '[troubleshooting.md](troubleshooting.md) begins with what one sees, and tells of what is no message.',
    '',
    'Words in capitals and … stand for values. `o7s-testbed` writes one line, `o7s-testbed: MESSAGE; WHAT TO DO`, and the code decides its exit code: EUSAGE and ETOPOLOGY 2, EENVIRONMENT 3, ETIMEDOUT 5, all others 1.',
    '',
    ...order.flatMap(([title, about]) => [
      `## ${title}`,
      '',
      about,
      '',
      '| message | code | what to do |',
      '| --- | --- | --- |',
      ...[...(rows.get(title)?.entries() ?? [])]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, row]) => row),
      '',
    ]),
    '## Codes of the runtime',
    '',
    'Errors of the runtime have a code and a number; tools print the number, negative. Some come with these words alone:',
    '',
    '| code | number | message | what to do |',
    '| --- | --- | --- | --- |',
    ...Object.entries(errorTable).map(
      ([code, [number, text]]) => `| ${code} | ${number} | ${text} | ${codeRemedies[code as ErrorCode]} |`,
    ),
    '',
  ].join('\n');
}

const cell = (text: string): string => `\`${text.replaceAll('|', '\\|').replaceAll('`', "'")}\``;

/** A hint as a sentence. */
const sentence = (hint: string): string =>
  `${hint.charAt(0).toUpperCase()}${hint.slice(1)}${/[.!?]$/.test(hint) ? '' : '.'}`;

const codeRemedies: Readonly<Record<ErrorCode, string>> = {
  EPERM:
    'Run as root or as a member of the group ouroboros; where a flow was asked for, nobody accepted in time.',
  ENOENT: 'Look at the name or pid that was given.',
  EBADF:
    'Close flows that are no longer used; for an encrypted flow, the hint names a file that is of no use.',
  EAGAIN: 'Nothing is there now: read again later, or wait by leaving out the flag for non-blocking reading.',
  ENOMEM: 'Free memory, or raise the limit of the node.',
  EEXIST: 'Choose another name, or remove what is there.',
  EINVAL: 'Look at the arguments.',
  EPIPE: 'The other end released the flow: allocate again.',
  EMSGSIZE: 'Write no more than `flow.maxMessageBytes` at once, or use a byte stream.',
  ENOTSUP: 'This type of IPCP, or this version, does not do that.',
  ECONNRESET: 'The other end went away: allocate again.',
  ETIMEDOUT: 'Nothing came in the time that was given: look whether the other end runs, or wait longer.',
  ECANCELED: 'The program itself cancelled it.',
  ENOTALLOC: 'The flow is closed, or was never allocated.',
  EIPCPTYPE: 'Use a type that `irm ipcp bootstrap help` lists.',
  EIRMD: 'irmd has ended or answers nonsense: look at its log, start it again.',
  EIPCP: 'No layer of this node can serve it: `irm ipcp list`, and bootstrap or enrol what is missing.',
  EIPCPSTATE: 'The IPCP is not in a layer yet, or is in one already: `irm ipcp list`.',
  EFLOWDOWN: 'The other end released the flow, or the device below it is down: allocate again.',
  EFLOWPEER: 'The other end has been silent for longer than the QoS allows: allocate again when it is back.',
  ENAME: 'Nobody knows the name: is it registered in a layer that both nodes are in (`irm name list`)?',
  ECRYPT: 'The two ends agree on no encryption: [encryption.md](encryption.md).',
  EAUTH:
    'One end does not believe the other: certificates, authorities or clocks ([encryption.md](encryption.md)).',
};
