/** Looks at what the docker testbed needs: the engine, the right to use it, the image. */
import { TestbedError } from '../../errors.ts';
import { type Check, fail, ok, warn } from '../check.ts';
import { findBases } from './base-image.ts';
import { Engine } from './engine.ts';
import { isCurrent, nodeImage } from './node-image.ts';

/** The oldest that has what is used here, API 1.40. */
const engineMajorMin = 19;

export async function checkDocker(): Promise<Check[]> {
  let engine: Engine;
  try {
    engine = await Engine.connect();
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    return [fail('engine', error.message, error.hint ?? '')];
  }
  const { Version, KernelVersion, Arch } = await engine.request('tell its version', engine.docker.version());
  const found = `${Version} at ${engine.address}, kernel ${KernelVersion}, ${Arch}`;
  const isRecent = Number.parseInt(Version, 10) >= engineMajorMin;
  const checks = [
    isRecent ? ok('engine', found) : fail('engine', `${found}: too old`, 'sudo apt-get install docker.io'),
  ];
  const state = await isCurrent(engine);
  if (state === true) return [...checks, ok('image', nodeImage)];
  const [base] = await findBases(engine);
  const text = state === undefined ? `${nodeImage} is missing` : `${nodeImage} is of another build`;
  const from =
    base === undefined ? 'without a registry, after: sudo npx o7s-testbed image base' : `on ${base.tag}`;
  return [...checks, warn('image', `${text}; up builds it`, `o7s-testbed image build (${from})`)];
}
