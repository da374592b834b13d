import { describe, expect, test } from 'vitest';
import { ethLink, lan, line, node, port, ring, star, type Topology, topology } from '../rumba/index.ts';
import { drawing } from './drawing.ts';

function drawn(of: Topology, width = 100, height = 30): string[] | undefined {
  const boxOf = (name: string) => ({ name, text: '● 1/1', colour: undefined, selected: false });
  const lines = drawing(of, { width, height, boxOf, linkColour: () => undefined });
  return lines?.map((spans) =>
    spans
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}

function starOf(leaves: number): Topology {
  const { nodes, links } = star(leaves);
  return topology({ nodes, links });
}

describe('what fits is drawn', () => {
  test('a line', () => {
    expect(drawn(topology(line(3)))).toMatchInlineSnapshot(`
      [
        "┌───────┐    ┌───────┐    ┌───────┐",
        "│ n1    │────│ n2    │────│ n3    │",
        "│ ● 1/1 │    │ ● 1/1 │    │ ● 1/1 │",
        "└───────┘    └───────┘    └───────┘",
      ]
    `);
  });

  test('a line that is too long for the width, from its middle', () => {
    expect(drawn(topology(line(5)), 45)).toMatchInlineSnapshot(`
      [
        "┌───────┐    ┌───────┐    ┌───────┐",
        "│ n3    │─┬──│ n2    │────│ n1    │",
        "│ ● 1/1 │ │  │ ● 1/1 │    │ ● 1/1 │",
        "└───────┘ │  └───────┘    └───────┘",
        "          │",
        "          │  ┌───────┐    ┌───────┐",
        "          │  │ n4    │────│ n5    │",
        "          ╰──│ ● 1/1 │    │ ● 1/1 │",
        "             └───────┘    └───────┘",
      ]
    `);
  });

  test('a ring', () => {
    expect(drawn(topology(ring(4)))).toMatchInlineSnapshot(`
      [
        "┌───────┐    ┌───────┐    ┌───────┐",
        "│ n1    │─┬──│ n2    │────│ n3    │",
        "│ ● 1/1 │ │  │ ● 1/1 │ ╭──│ ● 1/1 │",
        "└───────┘ │  └───────┘ │  └───────┘",
        "          │            │",
        "          │  ┌───────┐ │",
        "          │  │ n4    │─╯",
        "          ╰──│ ● 1/1 │",
        "             └───────┘",
      ]
    `);
  });

  test('a star', () => {
    expect(drawn(starOf(3))).toMatchInlineSnapshot(`
      [
        "┌───────┐    ┌───────┐    ┌───────┐",
        "│ n2    │────│ n1    │─┬──│ n3    │",
        "│ ● 1/1 │    │ ● 1/1 │ │  │ ● 1/1 │",
        "└───────┘    └───────┘ │  └───────┘",
        "                       │",
        "                       │  ┌───────┐",
        "                       │  │ n4    │",
        "                       ╰──│ ● 1/1 │",
        "                          └───────┘",
      ]
    `);
  });

  test('nodes in a LAN, and one apart', () => {
    const [a, b, c] = [node('a'), node('b'), node('c')];
    expect(drawn(topology({ nodes: [a, b, c], links: [lan('hub', [a, b])] }))).toMatchInlineSnapshot(`
      [
        "┌───────┐    ┌─────┐    ┌───────┐",
        "│ a     │────│ hub │────│ b     │",
        "│ ● 1/1 │    │ LAN │    │ ● 1/1 │",
        "└───────┘    └─────┘    └───────┘",
        "",
        "┌───────┐",
        "│ c     │",
        "│ ● 1/1 │",
        "└───────┘",
      ]
    `);
  });

  test('two links between two nodes', () => {
    const [a, b] = [node('a'), node('b')];
    const links = [ethLink(a, b), ethLink(port(a, 'x'), port(b, 'x'))];
    expect(drawn(topology({ nodes: [a, b], links }))).toMatchInlineSnapshot(`
      [
        "┌───────┐    ┌───────┐",
        "│ a     │────│ b     │",
        "│ ● 1/1 │────│ ● 1/1 │",
        "└───────┘    └───────┘",
      ]
    `);
  });
});

test('what does not fit is not', () => {
  expect(drawn(topology(line(5)), 30)).toBeUndefined();
  expect(drawn(starOf(9), 100, 20)).toBeUndefined();
});

test('no line is longer than the width', () => {
  for (const of of [topology(line(7)), topology(ring(9)), starOf(5)]) {
    const lines = drawn(of, 80, 60) ?? [];
    expect(Math.max(...lines.map((each) => each.length))).toBeLessThanOrEqual(80);
    // Every node has its box.
    expect(lines.join('').match(/● 1\/1/g)).toHaveLength(of.nodes.length);
  }
});
