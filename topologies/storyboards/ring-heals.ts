/**
 * The ring of six, of which a cable fails and heals under traffic: first one on one way around, then one on the other, of
 * which packets take either. Silently, as a switch in between that loses everything: the carriers stay. Then one loses its
 * carrier, which is noticed at once.
 *
 *     o7s-testbed run ring-heals.ts
 *     o7s-testbed run ring-heals.ts --set loss=0%,1%,5% --repeat 3
 */
import {
  ethDix,
  ethLink,
  linkDown,
  linkUp,
  node,
  parameters,
  resetLink,
  server,
  setLink,
  storyboard,
  topology,
  unicast,
} from 'o7s-testbed';

const {
  loss,
  patience,
  rtt,
  lost: most,
} = parameters({
  loss: { default: '0%', describe: 'Loss of the cable from a to f' },
  patience: { default: '6s', describe: 'How long the layer may take for another way, and to converge' },
  rtt: { default: '20ms', describe: 'Round trip that is still good' },
  lost: { default: '40%', describe: 'Loss that is still good' },
});

const [a, b, c, d, e, f] = [node('a'), node('b'), node('c'), node('d'), node('e'), node('f')];
const cables = [ethLink(a, b), ethLink(b, c), ethLink(c, d), ethLink(d, e), ethLink(e, f), ethLink(f, a)];
const lans = cables.map((cable, index) => ethDix(`lan${index + 1}`, cable));
const net = unicast('net', lans, { routing: 'lfa' });
const ringOfSix = topology({
  nodes: [a, b, c, d, e, f],
  links: cables,
  layers: [...lans, net],
  servers: [server(d, 'ping.d', ['oping', '-l'], { layers: [net] })],
});

export default storyboard({ topology: ringOfSix, duration: '25s', capture: ['a-b', 'f-a'] }, (story) => {
  if (loss !== '0%') story.at('0s', setLink('f-a', { loss }));
  const ping = story.ping({ from: 'a', to: 'ping.d', interval: '10ms' });
  const lost = story.at('2s', setLink('c-d', { loss: '100%' }));
  story.after(lost, '6s', resetLink('c-d'));
  story.at('10s', setLink('d-e', { loss: '100%' }));
  story.at('16s', resetLink('d-e'));
  story.at('19s', linkDown('c-d'));
  story.at('21s', linkUp('c-d'));
  story.expectConverged('21500ms', 'net', { within: patience });
  story.expectReachable('24s', 'a', 'ping.d', { within: patience });
  story.expect(ping).loss.below(most);
  story.expect(ping).outage.below(patience);
  story.expect(ping).rtt.median.below(rtt);
});
