/** Layers: what provides flows to names. */
import { type HashAlgorithm, hashAlgorithms } from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import type { EthLink } from './link.ts';
import { checkName } from './names.ts';

/** An eth-dix layer: an IPCP at each end of a link, which speak Ethernet II frames of one ethertype. */
export interface EthDix {
  readonly kind: 'eth-dix';
  readonly name: string;
  readonly link: EthLink;
  readonly ethertype: number | undefined;
  readonly hash: HashAlgorithm | undefined;
}

export interface EthDixOptions {
  /** 0x0600 to 0xFFFE; 0xA000 by default. */
  ethertype?: number;
  /** Hash of the layer's directory, SHA3_256 by default. */
  hash?: HashAlgorithm;
}

export const ethertypeDefault = 0xa000;

/** An eth-dix layer over a link. Its IPCPs are called `<layer>.<node>`. */
export function ethDix(name: string, link: EthLink, options: EthDixOptions = {}): EthDix {
  const { ethertype, hash } = options;
  checkName('layer', name);
  if (link?.kind !== 'eth-link') {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is not over an Ethernet link`, {
      hint: `write ethDix('${name}', LINK) with LINK = ethLink(a, b)`,
    });
  }
  if (
    ethertype !== undefined &&
    !(Number.isInteger(ethertype) && ethertype >= 0x0600 && ethertype <= 0xfffe)
  ) {
    throw new TestbedError('ETOPOLOGY', `the ethertype ${ethertype} of layer ${name} is out of range`, {
      hint: 'use 0x0600 to 0xFFFE, best 0xA000 to 0xEFFF',
    });
  }
  if (hash !== undefined && !hashAlgorithms.includes(hash)) {
    throw new TestbedError('ETOPOLOGY', `the hash ${JSON.stringify(hash)} of layer ${name} is unknown`, {
      hint: `use one of ${hashAlgorithms.join(', ')}`,
    });
  }
  return { kind: 'eth-dix', name, link, ethertype, hash };
}

/** Any layer a topology may have. */
export type Layer = EthDix;
