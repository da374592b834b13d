/** Drawings as SVG, laid out by Graphviz. */
import { TestbedError } from '../errors.ts';
import { dot, engineFor } from './dot.ts';
import type { Drawing } from './drawing.ts';

export async function svg(drawing: Drawing): Promise<string> {
  // Loading Graphviz takes a while.
  const { instance } = await import('@viz-js/viz');
  const graphviz = await instance();
  const { status, output, errors } = graphviz.render(dot(drawing), {
    format: 'svg',
    engine: engineFor(drawing),
  });
  if (status === 'success' && output !== undefined) return output;
  const reason = errors.map(({ message }) => message).join('; ') || 'no reason given';
  throw new TestbedError('EFAILED', `Graphviz cannot lay out ${drawing.title}: ${reason}`, {
    hint: 'use -f dot or -f mermaid',
  });
}
