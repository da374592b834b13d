/**
 * koffi, by its native part alone where that lies where its package for this platform has it. The JavaScript in front of it chooses a
 * build and warns of deprecated names, for which it takes as much of a processor as a third of Node's own start. Nothing outside lib/os sees it.
 */
import { createRequire } from 'node:module';
import type * as koffiPackage from 'koffi';

type Koffi = Pick<typeof koffiPackage, 'load' | 'errno' | 'address' | 'view' | 'node'>;

function load(): Koffi {
  const { platform, arch } = process;
  const here = createRequire(import.meta.url);
  try {
    const beside = createRequire(here.resolve('koffi'));
    return beside(`@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`) as Koffi;
  } catch {
    // Of another C library, or built from source: koffi itself finds it, or says what is missing.
    return here('koffi') as Koffi;
  }
}

export const koffi: Koffi = load();
export type PollHandle = koffiPackage.node.PollHandle;
