/** The QoS a tool asks for, by the names of the manual. Source: tools.md 0. */
import { qosByName, type QosSpec } from '../lib/index.ts';

export const qosNames: readonly string[] = Object.keys(qosByName);

/** The QoS of a name; undefined for a name that is unknown. */
export function qosOf(name: string): QosSpec | undefined {
  return Object.hasOwn(qosByName, name) ? qosByName[name as keyof typeof qosByName] : undefined;
}
