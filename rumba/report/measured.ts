/** What was measured, in words. */
import type { Verdict } from '../storyboard/story.ts';

export function measuredText({ measured, unit }: Pick<Verdict, 'measured' | 'unit'>): string {
  if (measured === null) return 'nothing';
  return measured === 'infinite' ? 'infinite' : `${Number(measured.toFixed(3))}${unit}`;
}
