/** Asks before something is lost. */
import { createInterface } from 'node:readline/promises';
import { TestbedError } from '../errors.ts';

/** Resolves when a terminal answers yes, and where there is no terminal to ask. Rejects with EFAILED otherwise. */
export async function confirm(question: string, refusal: string): Promise<void> {
  if (!process.stdin.isTTY) return;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new TestbedError('EFAILED', refusal);
  } finally {
    prompt.close();
  }
}
