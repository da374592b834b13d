/** Makes the base of the node image without any image of others: `npm run image:base`. */
import { DockerImages } from '../rumba/testbeds/docker/images.ts';

const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
const tag = await new DockerImages().makeBase({ signal: new AbortController().signal, onProgress });
process.stdout.write(`${tag}\n`);
