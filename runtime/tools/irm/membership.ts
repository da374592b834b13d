/** `irm ipcp enroll`, `connect` and `disconnect`. Source: irmd-and-irm.md 11.7, 11.8. */
import {
  type ComponentName,
  type IpcpInfo,
  type IpcpType,
  O7sError,
  type QosName,
  qosByName,
} from '../../lib/index.ts';
import { type Command, say, silently } from './command.ts';
import { matchesPattern, parseParameters } from './grammar.ts';

const enrollUsage = `Usage: irm ipcp enroll
                name <IPCP name>
                [type <unicast|broadcast> (default: unicast)]
                [layer <layer name>]
                [dst <name of a member> (default: the layer name)]
                [autobind]

One of layer and dst is needed. With autobind the IPCP serves its own name and that of its layer.
`;

/** What the manual says where a member of the layer that is asked for was not found; it has the IPCP join all the same. */
const otherLayer = 'Enrollment destination does not match requested layer.\n';

export const enroll: Command = async (words, context) => {
  const keywords = ['name', 'type', 'layer', 'dst', 'autobind'] as const;
  const given = parseParameters(words, { keywords, flags: ['autobind'] });
  if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm enroll_ipcp".\n`);
  if (given.kind === 'incomplete') return say(context, enrollUsage);
  const [name, typeWord, layer, dst] = (['name', 'type', 'layer', 'dst'] as const).map((word) =>
    given.values.get(word)?.at(-1),
  );
  const destination = dst ?? layer;
  if (name === undefined || destination === undefined) return say(context, enrollUsage);
  const type = (typeWord ?? 'unicast') as IpcpType;
  return silently(context, async () => {
    if (type !== 'unicast' && type !== 'broadcast') {
      throw new O7sError('EIPCPTYPE', `an IPCP of type ${type} does not enrol`);
    }
    const irmd = await context.irmd();
    const known = (await irmd.listIpcps()).filter(
      (ipcp) => matchesPattern(ipcp.name, name) && ipcp.type === type,
    );
    const pids = known.map(({ pid }) => pid);
    if (pids.length === 0) pids.push(await irmd.createIpcp(name, type));
    for (const pid of pids) {
      let joined: string;
      try {
        // A member of another layer than the one that is asked for is refused by ipcpd.
        joined = await irmd.enrollIpcp(pid, destination, layer);
      } catch (error) {
        const { code } = error as O7sError;
        context.out(code === 'ENOENT' ? otherLayer : 'Failed to enroll IPCP.\n');
        throw error;
      }
      if (!given.values.has('autobind')) continue;
      for (const served of [name, joined]) {
        try {
          await irmd.bindProcess(pid, served);
        } catch (error) {
          context.out(`Failed to bind ${pid} to ${served}.\n`);
          throw error;
        }
      }
    }
    return 0;
  });
};

const connectUsage = `Usage: irm ipcp connect
                name <IPCP name>
                dst <name of a member>
                [component <dt|mgmt> (default: both)]
                [qos <raw|best|voice|video|data> (default: raw)]
`;

export const connect: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['name', 'dst', 'component', 'qos'] });
  if (given.kind === 'unknown') return say(context, unknownWord(given.word));
  if (given.kind === 'incomplete') return say(context, connectUsage);
  const [name, dst, component = '*', qosWord = 'raw'] = (['name', 'dst', 'component', 'qos'] as const).map(
    (word) => given.values.get(word)?.at(-1),
  );
  if (name === undefined || dst === undefined) return say(context, connectUsage);
  if (!Object.hasOwn(qosByName, qosWord)) context.out('Unknown QoS cube, defaulting to raw.\n');
  const qos = qosByName[Object.hasOwn(qosByName, qosWord) ? (qosWord as QosName) : 'raw'];
  return silently(context, async () => {
    const irmd = await context.irmd();
    const { pid } = pick(await irmd.listIpcps(), name);
    // Management goes first, and is always raw.
    if (matchesComponent('mgmt', component)) await irmd.connectIpcp(pid, dst, 'mgmt');
    if (matchesComponent('dt', component)) await irmd.connectIpcp(pid, dst, 'dt', { qos });
    return 0;
  });
};

const disconnectUsage = `Usage: irm ipcp disconnect
                name <IPCP name>
                dst <name of a member>
                [component <dt|mgmt> (default: both)]
`;

export const disconnect: Command = async (words, context) => {
  const given = parseParameters(words, { keywords: ['name', 'dst', 'component'] });
  if (given.kind === 'unknown') return say(context, unknownWord(given.word));
  if (given.kind === 'incomplete') return say(context, disconnectUsage);
  const [name, dst, component = '*'] = (['name', 'dst', 'component'] as const).map((word) =>
    given.values.get(word)?.at(-1),
  );
  if (name === undefined || dst === undefined) return say(context, disconnectUsage);
  return silently(context, async () => {
    const irmd = await context.irmd();
    const { pid } = pick(await irmd.listIpcps(), name);
    for (const each of ['dt', 'mgmt'] as const) {
      if (matchesComponent(each, component)) await irmd.disconnectIpcp(pid, dst, each);
    }
    return 0;
  });
};

/** The last IPCP of a name, in the order of lists. */
function pick(ipcps: readonly IpcpInfo[], name: string): IpcpInfo {
  const found = ipcps.findLast((ipcp) => ipcp.name === name);
  if (found === undefined) throw new O7sError('ENOENT', `there is no IPCP ${name}`);
  return found;
}

/** A component may be written with `*`. */
function matchesComponent(component: ComponentName, pattern: string): boolean {
  return matchesPattern(component, pattern);
}

function unknownWord(word: string): string {
  return `"${word}" is unknown, try "irm ipcp connect".\n`;
}
