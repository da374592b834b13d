/**
 * Four nodes, a in the middle, and a broadcast layer over the three cables: what one application sends, all others hear
 * that have joined the layer, wherever they are:
 *
 *     o7s-testbed up broadcast-tree.ts
 *     o7s-testbed exec b -- obc -n news -l                      # listens
 *     o7s-testbed exec d -- obc -n news -m 'hello, everybody'   # in another terminal
 *     o7s-testbed down
 */
import { broadcast, ethDix, ethLink, node, topology } from 'o7s-testbed';

const [a, b, c, d] = [node('a'), node('b'), node('c'), node('d')];
const cables = [b, c, d].map((leaf) => ethLink(a, leaf));
const lans = cables.map((cable, index) => ethDix(`lan${index + 1}`, cable));
const news = broadcast('news', lans);

export default topology({ nodes: [a, b, c, d], links: cables, layers: [...lans, news] });
