/** The QoS a tool asks for, by the names of the manual. Source: tools.md 0. */
import { qosByName, type QosSpec } from '../lib/index.ts';
import type { Option } from './words.ts';

export const qosNames: readonly string[] = Object.keys(qosByName);

/** The option that keeps the name of a QoS. */
export const qosOption: Option<{ qosName: string }> = {
  words: ['-q', '--qos'],
  value: 'name',
  help: `QoS: ${qosNames.join(', ')} (default: raw)`,
  set: (given, value) => void (given.qosName = value),
};

/** The QoS of a name; undefined for a name that is unknown. */
export function qosOf(name: string): QosSpec | undefined {
  return Object.hasOwn(qosByName, name) ? qosByName[name as keyof typeof qosByName] : undefined;
}
