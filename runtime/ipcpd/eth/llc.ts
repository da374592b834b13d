/** Frames and messages of eth-llc: IEEE 802.3 with an 802.2 header, SAPs for endpoint ids. Source: link-ipcps.md 3. */
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';
import { qosRows } from '../shell/qos-fields.ts';
import { type EthernetFraming, readStations, writeStations } from './framing.ts';
import type { MessageLayout } from './message.ts';

export const llcFrameFields = fieldTable([
  ['destination', 'mac', 'address of the receiver'],
  ['source', 'mac', 'address of the sender'],
  ['length', 'u16', '3 and the payload, without padding', 'bytes'],
  ['dsap', 'u8', "receiver's SAP, bits reversed"],
  ['ssap', 'u8', "sender's SAP, bits reversed"],
  ['control', 'u8', '3, unnumbered information'],
]);

export const llcMessageFields = fieldTable([
  ['seid', 'u8', 'SAP chosen by the sender of this message, bits not reversed'],
  ['deid', 'u8', 'SAP of the receiver of this message'],
  ['code', 'u8', 'kind of message'],
  qosRows.availability,
  qosRows.loss,
  qosRows.bandwidth,
  qosRows.ber,
  qosRows.maxGap,
  qosRows.delay,
  qosRows.timeout,
  ['response', 'i32', '0 accepted, negative refused; in a request the mark of ours'],
  qosRows.inOrder,
]);

export const llcHeaderBytes: number = headerBytes(llcFrameFields);

const offset = { length: 12, dsap: 14, ssap: 15, control: 16 } as const;
/** Bytes the length field counts besides the payload. */
const llcBytes = 3;
/** A larger length field is an Ethernet type. */
const lengthMax = 0x05ff;
/** Longest payload with its LLC header, whatever the MTU. */
const payloadMax = 1500;
const control = 0x03;
/** The SAP of messages, and the one a prototype names when it lost the requester's. */
const managementSap = 1;
const lostSap = 0xff;
/** The kernel's word for frames with an 802.2 header (ETH_P_802_2). */
const protocol = 0x0004;

/** SAPs cross the wire with their bits in reverse. */
export const reversedBits: Uint8Array = Uint8Array.from({ length: 256 }, (_, value) => {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit += 1) reversed |= ((value >> bit) & 1) << (7 - bit);
  return reversed;
});

export const llcLayout: MessageLayout = {
  headerBytes: headerBytes(llcMessageFields),
  eidBytes: 1,
  seid: 0,
  deid: 1,
  code: 2,
  availability: 3,
  loss: 4,
  bandwidth: 8,
  ber: 16,
  maxGap: 20,
  delay: 24,
  timeout: 28,
  response: 32,
  inOrder: 36,
};

export const llcFraming: EthernetFraming = {
  protocol,
  layout: llcLayout,
  headerBytes: llcHeaderBytes,
  // The prototype uses a SAP from 64 up, where it meets one, as an index that it does not check (link-ipcps.md 9.8).
  eids: { min: 2, max: 63 },
  lostEid: lostSap,
  firstDataHoldMs: 10,
  maxPayload: (mtu) => Math.min(mtu, payloadMax) - llcBytes,
  isReserved: (eid) => eid <= managementSap || eid >= 128,
  write(packet, to, own, eid, ownEid) {
    const { view } = packet;
    const length = packet.end - packet.start;
    const start = packet.start - llcHeaderBytes;
    packet.start = start;
    writeStations(packet, start, to, own);
    view.setUint16(start + offset.length, length + llcBytes);
    view.setUint8(start + offset.dsap, reversedBits[eid === 0 ? managementSap : eid] ?? 0);
    view.setUint8(start + offset.ssap, reversedBits[eid === 0 ? managementSap : ownEid] ?? 0);
    view.setUint8(start + offset.control, control);
  },
  read(packet, header) {
    const { view, start } = packet;
    const payload = start + llcHeaderBytes;
    if (payload > packet.end) return false;
    const length = view.getUint16(start + offset.length);
    if (length > lengthMax || length < llcBytes || payload + length - llcBytes > packet.end) return false;
    const dsap = reversedBits[view.getUint8(start + offset.dsap)] ?? 0;
    const ssap = reversedBits[view.getUint8(start + offset.ssap)] ?? 0;
    readStations(packet, start, header);
    const isMessage = dsap === managementSap && ssap === managementSap;
    // SAP 0 is nobody's: it must not be taken for the mark of a message.
    if (!isMessage && dsap === 0) return false;
    header.eid = isMessage ? 0 : dsap;
    header.peerEid = ssap;
    packet.start = payload;
    packet.end = payload + length - llcBytes;
    return true;
  },
};
