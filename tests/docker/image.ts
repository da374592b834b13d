/** The node image, made of this checkout before the first test needs it. */
import { nodeImage } from '../../rumba/testbeds/docker/node-image.ts';
import { DockerTestbed } from '../../rumba/testbeds/docker/testbed.ts';

export { nodeImage };

/** Builds the image unless it is there. */
export async function prepared(): Promise<void> {
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  try {
    await new DockerTestbed().prepare({ signal: new AbortController().signal, onProgress });
  } catch (error) {
    throw new Error(`the node image cannot be built: ${lines.join('; ')}`, { cause: error });
  }
}
