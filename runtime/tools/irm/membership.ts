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
import { matchesPattern, parseParameters, valuesOf } from './grammar.ts';

/** What the manual says where a member of the layer that is asked for was not found; it has the IPCP join all the same. */
const otherLayer = 'Enrollment destination does not match requested layer.\n';

export const enroll: Command = {
  usage: `Usage: irm ipcp enroll
                name <IPCP name>
                [type <unicast|broadcast> (default: unicast)]
                [layer <layer name>]
                [dst <name of a member> (default: the layer name)]
                [autobind]

One of layer and dst is needed. With autobind the IPCP serves its own name and that of its layer.
`,
  keywords: { name: 'ipcp', type: ['unicast', 'broadcast'], layer: 'layer', dst: 'name', autobind: 'flag' },
  run: async (words, context) => {
    const keywords = ['name', 'type', 'layer', 'dst', 'autobind'] as const;
    const given = parseParameters(words, { keywords, flags: ['autobind'] });
    if (given.kind === 'unknown') return say(context, `"${given.word}" is unknown, try "irm enroll_ipcp".\n`);
    if (given.kind === 'incomplete') return say(context, enroll.usage);
    const [name, typeWord, layer, dst] = valuesOf(given, ['name', 'type', 'layer', 'dst']);
    const destination = dst ?? layer;
    if (name === undefined || destination === undefined) return say(context, enroll.usage);
    const type = (typeWord ?? 'unicast') as IpcpType;
    return silently(context, async () => {
      if (type !== 'unicast' && type !== 'broadcast') {
        throw new O7sError('EIPCPTYPE', `an IPCP of type ${type} does not enrol`);
      }
      const irmd = await context.irmd();
      const known = (await irmd.listIpcps()).filter(
        (ipcp) => matchesPattern(ipcp.name, name) && ipcp.type === type,
      );
      const targets: Pick<IpcpInfo, 'pid' | 'name'>[] = [...known];
      if (targets.length === 0) targets.push({ pid: await irmd.createIpcp(name, type), name });
      for (const target of targets) {
        let joined: string;
        try {
          // A member of another layer than the one that is asked for is refused by ipcpd.
          joined = await irmd.enrollIpcp(target.pid, destination, layer);
        } catch (error) {
          const { code } = error as O7sError;
          context.out(code === 'ENOENT' ? otherLayer : 'Failed to enroll IPCP.\n');
          throw error;
        }
        if (!given.values.has('autobind')) continue;
        for (const served of [target.name, joined]) {
          try {
            await irmd.bindProcess(target.pid, served);
          } catch (error) {
            context.out(`Failed to bind ${target.pid} to ${served}.\n`);
            throw error;
          }
        }
      }
    });
  },
};

const components = ['dt', 'mgmt'] as const;

export const connect: Command = {
  usage: `Usage: irm ipcp connect
                name <IPCP name>
                dst <name of a member>
                [component <dt|mgmt> (default: both)]
                [qos <raw|best|voice|video|data> (default: raw)]
`,
  keywords: { name: 'ipcp', dst: 'name', component: components, qos: Object.keys(qosByName) },
  run: async (words, context) => {
    const given = parseParameters(words, { keywords: ['name', 'dst', 'component', 'qos'] });
    if (given.kind === 'unknown') return say(context, unknownWord(given.word));
    const [name, dst, component = '*', qosWord = 'raw'] = valuesOf(given, [
      'name',
      'dst',
      'component',
      'qos',
    ]);
    if (name === undefined || dst === undefined) return say(context, connect.usage);
    if (!Object.hasOwn(qosByName, qosWord)) context.out('Unknown QoS cube, defaulting to raw.\n');
    const qos = qosByName[Object.hasOwn(qosByName, qosWord) ? (qosWord as QosName) : 'raw'];
    return silently(context, async () => {
      const irmd = await context.irmd();
      for (const { pid } of pick(await irmd.listIpcps(), name)) {
        // Management goes first, and is always raw.
        if (matchesComponent('mgmt', component)) await irmd.connectIpcp(pid, dst, 'mgmt');
        if (matchesComponent('dt', component)) await irmd.connectIpcp(pid, dst, 'dt', { qos });
      }
    });
  },
};

export const disconnect: Command = {
  usage: `Usage: irm ipcp disconnect
                name <IPCP name>
                dst <name of a member>
                [component <dt|mgmt> (default: both)]
`,
  keywords: { name: 'ipcp', dst: 'name', component: components },
  run: async (words, context) => {
    const given = parseParameters(words, { keywords: ['name', 'dst', 'component'] });
    if (given.kind === 'unknown') return say(context, unknownWord(given.word));
    const [name, dst, component = '*'] = valuesOf(given, ['name', 'dst', 'component']);
    if (name === undefined || dst === undefined) return say(context, disconnect.usage);
    return silently(context, async () => {
      const irmd = await context.irmd();
      for (const { pid } of pick(await irmd.listIpcps(), name)) {
        for (const each of components) {
          if (matchesComponent(each, component)) await irmd.disconnectIpcp(pid, dst, each);
        }
      }
    });
  },
};

/** The last IPCP of a name, in the order of lists; all that match a name with `*`. */
function pick(ipcps: readonly IpcpInfo[], name: string): readonly IpcpInfo[] {
  const found = ipcps.filter((ipcp) => matchesPattern(ipcp.name, name));
  if (found.length === 0) throw new O7sError('ENOENT', `there is no IPCP ${name}`);
  return name.includes('*') ? found : found.slice(-1);
}

/** A component may be written with `*`. */
function matchesComponent(component: ComponentName, pattern: string): boolean {
  return matchesPattern(component, pattern);
}

function unknownWord(word: string): string {
  return `"${word}" is unknown, try "irm ipcp connect".\n`;
}
