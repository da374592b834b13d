/** Where the command begins in what was typed after `exec`. */

/** Options of `exec` that take a value. */
const withValue = new Set(['--lab', '--format', '-f']);

/**
 * The words of a command line with `--` before the command of an `exec`, where whoever typed it left that out: as for
 * `docker exec`, all from the first word that is no option belongs to the command, but for the node.
 */
export function execWords(words: readonly string[]): readonly string[] {
  if (words[0] !== 'exec') return words;
  // With --all there is no node to be named.
  let hasNode = false;
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return words;
    if (word.startsWith('-') && word !== '-') {
      if (word === '--all') hasNode = true;
      if (withValue.has(word)) at += 1;
    } else if (!hasNode) {
      hasNode = true;
    } else {
      return [...words.slice(0, at), '--', ...words.slice(at)];
    }
  }
  return words;
}
