/** X.509 certificates of end points, and whom to believe. Source: end-to-end.md 3.5. */
import { X509Certificate } from 'node:crypto';
import { derChildren, type DerElement, derTag, readDer } from './der.ts';

/** A certificate from a message: DER and nothing behind it, with a key that is known here. */
export function readCertificate(der: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der);
    // Node takes PEM as well, and overlooks what follows; of a key it does not know it tells only here.
    return certificate.raw.equals(der) && certificate.publicKey.type === 'public' ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The common name of the subject; of several, the first. The prototype looks for the text `CN=` in the whole subject
 * instead, where another attribute may hold it too.
 */
export function commonName(certificate: X509Certificate): string | undefined {
  const names: unknown = certificate.toLegacyObject().subject?.CN;
  const first: unknown = Array.isArray(names) ? names[0] : names;
  return typeof first === 'string' ? first : undefined;
}

/** Certificates between an end point's and the root, and some more: a chain is not followed any further. */
const chainMax = 8;

/** What a certificate demands of the chain it is in. */
interface Constraints {
  /** Intermediates that may follow; no limit when absent. */
  readonly pathLength: number | undefined;
  /** Why no chain with it can be judged. */
  readonly unknown: string | undefined;
}

/** The certificates that verification begins and ends with: every file of `cacert` and `untrusted`. */
export class TrustStore {
  readonly #certificates: readonly X509Certificate[];
  /** Fingerprints of those that a chain may end in. */
  readonly #roots: ReadonlySet<string>;

  constructor(certificates: readonly X509Certificate[]) {
    this.#certificates = certificates;
    const roots = certificates.filter((certificate) => isIssuedBy(certificate, certificate));
    this.#roots = new Set(roots.map(({ fingerprint256 }) => fingerprint256));
  }

  /**
   * Why an end point's certificate is not believed; undefined when it is. Revocation and what its key may be used for are
   * not looked at.
   *
   * @param now ms since 1970.
   */
  faultOf(certificate: X509Certificate, now: number): string | undefined {
    return this.#fault(certificate, now, 0, new Set());
  }

  /** `depth` certificates lie below, all but the end point's intermediates; none of `seen` is looked at again. */
  #fault(certificate: X509Certificate, now: number, depth: number, seen: Set<string>): string | undefined {
    const what =
      depth === 0 ? 'the certificate' : `its issuer ${commonName(certificate) ?? 'without a name'}`;
    // A date that cannot be read is not a number, and not before or after any.
    if (!(now >= certificate.validFromDate.getTime())) return `${what} is not valid yet`;
    if (!(now <= certificate.validToDate.getTime())) return `${what} has expired`;
    const { pathLength, unknown } = constraintsOf(certificate, depth > 0);
    if (unknown !== undefined) return `${what} ${unknown}`;
    if (depth > 0) {
      if (!certificate.ca) return `${what} may not issue certificates`;
      if (pathLength !== undefined && depth - 1 > pathLength) return `${what} is too far from it`;
    }
    if (this.#roots.has(certificate.fingerprint256)) return undefined;
    if (depth === chainMax) return `${what} is too far from it`;
    seen.add(certificate.fingerprint256);
    let fault = `nobody known has issued ${what === 'the certificate' ? 'it' : what}`;
    for (const issuer of this.#certificates) {
      if (seen.has(issuer.fingerprint256) || !isIssuedBy(certificate, issuer)) continue;
      const further = this.#fault(issuer, now, depth + 1, seen);
      if (further === undefined) return undefined;
      fault = further;
    }
    return fault;
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key that is not for signatures.
    return false;
  }
}

const extensionsTag = 0xa3;
const basicConstraints = '551d13';
const nameConstraints = '551d1e';
/** Critical extensions that change nothing here: uses of keys and names, policies, places of revocation lists. */
const harmless: ReadonlySet<string> = new Set([
  '551d0f',
  '551d11',
  '551d1f',
  '551d20',
  '551d21',
  '551d24',
  '551d25',
  '551d36',
]);

/** What Node does not tell of a certificate, from its DER. */
function constraintsOf(certificate: X509Certificate, asIssuer: boolean): Constraints {
  const { raw } = certificate;
  let pathLength: number | undefined;
  const extensions = extensionsOf(raw);
  if (extensions === undefined) return { pathLength, unknown: 'has broken extensions' };
  for (const extension of extensions) {
    const [id, second, third] = derChildren(raw, extension) ?? [];
    const value = second?.tag === derTag.octetString ? second : third;
    if (id === undefined || value === undefined) return { pathLength, unknown: 'has a broken extension' };
    const critical = second?.tag === derTag.boolean && raw[second.start] !== 0;
    const name = raw.toString('hex', id.start, id.end);
    if (name === basicConstraints) pathLength = pathLengthOf(raw, value);
    else if (name === nameConstraints && asIssuer) {
      return { pathLength, unknown: 'constrains names, which nobody checks here' };
    } else if (critical && !harmless.has(name) && name !== nameConstraints) {
      return { pathLength, unknown: 'has a critical extension that nobody knows here' };
    }
  }
  return { pathLength, unknown: undefined };
}

/**
 * The extensions of a certificate: the last part of what is signed, in a sequence under a tag of its own. undefined when
 * they cannot be read, which is not as if there were none.
 */
function extensionsOf(raw: Buffer): readonly DerElement[] | undefined {
  const whole = readDer(raw, 0, raw.length);
  const signed = whole === undefined ? undefined : derChildren(raw, whole)?.[0];
  const parts = signed === undefined ? undefined : derChildren(raw, signed);
  const last = parts?.at(-1);
  if (last === undefined || last.tag !== extensionsTag) return parts === undefined ? undefined : [];
  const list = readDer(raw, last.start, last.end);
  return list === undefined ? undefined : derChildren(raw, list);
}

/** `BasicConstraints` is a sequence of a boolean and a number, both of which may be missing. */
function pathLengthOf(raw: Buffer, value: DerElement): number | undefined {
  const list = readDer(raw, value.start, value.end);
  const number = list === undefined ? undefined : derChildren(raw, list)?.at(-1);
  if (number?.tag !== derTag.integer) return undefined;
  const bytes = number.end - number.start;
  // One without digits is broken, and taken for the strictest; a longer one is no limit in practice.
  if (bytes === 0) return 0;
  return bytes > 4 ? undefined : raw.readUIntBE(number.start, bytes);
}
