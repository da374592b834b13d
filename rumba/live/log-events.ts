/** Lines of logs as events of a view. */
import type { PlacedLine } from '../log-stream.ts';
import type { LogEvent } from './events.ts';

/** A line, after one that tells what was left out before it, if anything was. */
export function logEvents({ node, log, at, level, component, text, leftOut }: PlacedLine): LogEvent[] {
  const place = { event: 'log', at, node, log } as const;
  const words = component === undefined ? text : `${component}: ${text}`;
  const line: LogEvent = { ...place, ...(level === undefined ? {} : { level }), text: words };
  if (leftOut === undefined) return [line];
  const hint = `o7s-testbed logs ${node} --log ${log}`;
  return [{ ...place, text: `... ${leftOut} bytes before this are left out; all: ${hint}` }, line];
}
