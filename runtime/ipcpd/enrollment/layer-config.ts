/** What the members of a layer have in common, as enrolment hands it on. Source: unicast-layer.md 4.2, 4.4. */
import { O7sError } from '../../lib/errors.ts';
import { nameBytesMax } from '../../lib/limits.ts';
import { type HashAlgorithm, hashAlgorithms } from '../../lib/names.ts';
import {
  type CongestionPolicy,
  congestionPolicies,
  type RoutingPolicy,
  routingPolicies,
} from '../../lib/rpc/api.ts';
import type { IpcpConfig } from '../../lib/pb/gen/enrollment.js';
import { type Int64, numberOf } from '../../lib/pb/int64.ts';

/** What a unicast layer is set to. */
export interface UnicastSettings {
  /** Bytes of an endpoint id as the bootstrap member was told; 8 are used whatever it says. */
  readonly eidSize: number;
  /** What the time to live of a packet begins with, 0 to 255. */
  readonly maxTtl: number;
  readonly routing: RoutingPolicy;
  /** Seconds. */
  readonly lsRecalc: number;
  readonly lsUpdate: number;
  readonly lsTimeout: number;
  readonly dhtAlpha: number;
  readonly dhtK: number;
  /** Seconds. */
  readonly dhtExpire: number;
  readonly dhtRefresh: number;
  readonly dhtReplicate: number;
  readonly congestion: CongestionPolicy;
}

/** A layer, whoever its members are. */
export interface LayerConfig {
  readonly name: string;
  readonly hash: HashAlgorithm;
  /** Undefined for a broadcast layer. */
  readonly unicast: UnicastSettings | undefined;
}

/** The types an enrolment is for, as numbers on the wire. */
export const memberTypes = { unicast: 1, broadcast: 2 } as const;
export type MemberType = keyof typeof memberTypes;

const addressBytes = 4;
const flat = 0;
const linkState = 0;
const dht = 0;

function typeOf(config: LayerConfig): MemberType {
  return config.unicast === undefined ? 'broadcast' : 'unicast';
}

/** The message part that tells a joiner of the layer; `peer` is the address of the member that tells. */
export function configToMessage(config: LayerConfig, peer: number): IpcpConfig.$Properties {
  const { name, hash, unicast } = config;
  return {
    layerInfo: { name, dirHashAlgo: hashAlgorithms.indexOf(hash) },
    ipcpType: memberTypes[typeOf(config)],
    ...(unicast === undefined ? {} : { unicast: unicastToMessage(unicast, peer) }),
  };
}

function unicastToMessage(settings: UnicastSettings, peer: number): NonNullable<IpcpConfig['unicast']> {
  return {
    dt: {
      addrSize: addressBytes,
      eidSize: settings.eidSize,
      maxTtl: settings.maxTtl,
      routing: {
        pol: linkState,
        ls: {
          pol: routingPolicies.indexOf(settings.routing),
          tRecalc: settings.lsRecalc,
          tUpdate: settings.lsUpdate,
          tTimeo: settings.lsTimeout,
        },
      },
    },
    dir: {
      pol: dht,
      dht: {
        alpha: settings.dhtAlpha,
        k: settings.dhtK,
        tExpire: settings.dhtExpire,
        tRefresh: settings.dhtRefresh,
        tReplicate: settings.dhtReplicate,
        peer,
      },
    },
    addrAuthType: flat,
    congAvoid: congestionPolicies.indexOf(settings.congestion),
  };
}

/** What a member told of its layer. */
export interface ToldLayer {
  /** Has settings exactly if the type is unicast. */
  readonly config: LayerConfig;
  /** As it was told: none of `memberTypes`, perhaps. */
  readonly type: number;
  /** The address of the first contact it named; 0 where there is none. */
  readonly peer: number;
}

/**
 * Reads what a member told of its layer.
 *
 * @throws O7sError ENOTSUP for a layer of a kind this IPCP cannot be in.
 */
export function configFromMessage(message: IpcpConfig.$Properties): ToldLayer {
  const { ipcpType: type } = message;
  const { name, dirHashAlgo } = message.layerInfo;
  const nameBytes = Buffer.byteLength(name);
  if (nameBytes > nameBytesMax) throw unsupported('a name of so many bytes:', nameBytes);
  const hash = hashAlgorithms[dirHashAlgo];
  if (hash === undefined) throw unsupported('hash', dirHashAlgo);
  if (type !== memberTypes.unicast) return { config: { name, hash, unicast: undefined }, type, peer: 0 };
  const unicast = message.unicast ?? undefined;
  if (unicast === undefined) throw new O7sError('ENOTSUP', 'the layer tells none of its settings');
  const { dt, dir, addrAuthType, congAvoid } = unicast;
  if (dt.addrSize !== addressBytes) throw unsupported('address size', dt.addrSize);
  if (addrAuthType !== flat) throw unsupported('address authority', addrAuthType);
  const congestion = congestionPolicies[congAvoid];
  if (congestion === undefined) throw unsupported('congestion avoidance', congAvoid);
  const { pol } = dt.routing;
  const ls = dt.routing.ls ?? undefined;
  const routing = pol === linkState && ls !== undefined ? routingPolicies[ls.pol] : undefined;
  if (ls === undefined || routing === undefined) throw unsupported('routing policy', ls?.pol ?? pol);
  const table = dir.dht ?? undefined;
  if (dir.pol !== dht || table === undefined) throw unsupported('directory policy', dir.pol);
  const { alpha, k, tExpire, tRefresh, tReplicate, peer } = table;
  return {
    config: {
      name,
      hash,
      unicast: {
        eidSize: dt.eidSize,
        maxTtl: dt.maxTtl & 0xff,
        routing,
        lsRecalc: ls.tRecalc,
        lsUpdate: ls.tUpdate,
        lsTimeout: ls.tTimeo,
        dhtAlpha: alpha,
        dhtK: k,
        dhtExpire: tExpire,
        dhtRefresh: tRefresh,
        dhtReplicate: tReplicate,
        congestion,
      },
    },
    type,
    peer: addressOf(peer),
  };
}

/** Longer numbers are no addresses. */
function addressOf(value: Int64): number {
  const address = numberOf(value);
  return address > 0xffff_ffff ? 0 : address;
}

function unsupported(what: string, value: number): O7sError {
  return new O7sError('ENOTSUP', `the layer has ${what} ${value}, which is not supported`);
}
