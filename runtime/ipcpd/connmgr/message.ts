/** The message with which a connection between two IPCPs begins, in each direction. Source: unicast-layer.md 3. */
import { Connection } from '../../lib/pb/gen/connection.js';
import { numberOf } from '../../lib/pb/int64.ts';

/** What a side says of a connection. */
export interface ConnectionRecord {
  /** What the connection is for; empty in an answer to a component that does not exist. */
  readonly component: string;
  readonly protocol: string;
  readonly version: number;
  /** 0 Protocol Buffers, 1 ASN.1, 2 fixed. */
  readonly syntax: number;
  /** The sender's address in the layer; 0 where there are none. */
  readonly address: number;
  /** A bit for each of our extensions the sender speaks; 0 of a prototype. */
  readonly extensions: number;
}

/** The answer to a component that does not exist. */
export const noComponent: ConnectionRecord = {
  component: '',
  protocol: '',
  version: 0,
  syntax: 0,
  address: 0,
  extensions: 0,
};

/** A prototype reads into a buffer of 128 bytes and takes none that fills it. */
const recordBytesMax = 127;
/** Largest number that an address may be: it has 32 bits. */
const addressMax = 0xffff_ffff;

/** Writes a record; without extensions it is a prototype's, byte for byte. */
export function encodeRecord(record: ConnectionRecord): Buffer {
  const { component, protocol, version, syntax, address, extensions } = record;
  const message = {
    compName: component,
    protocol,
    prefVersion: version,
    prefSyntax: syntax,
    address,
    ...(extensions === 0 ? {} : { extensions }),
  };
  return Buffer.from(Connection.encode(message).finish());
}

/** Reads a record; undefined for anything else. */
export function decodeRecord(bytes: Uint8Array): ConnectionRecord | undefined {
  if (bytes.length > recordBytesMax) return undefined;
  let message: Connection;
  try {
    message = Connection.decode(bytes);
  } catch {
    return undefined;
  }
  const address = numberOf(message.address);
  if (address > addressMax) return undefined;
  return {
    component: message.compName,
    protocol: message.protocol,
    version: message.prefVersion,
    syntax: message.prefSyntax,
    address,
    extensions: message.extensions ?? 0,
  };
}
