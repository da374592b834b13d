/** Frames and messages of eth-dix. Source: link-ipcps.md 2. */
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';
import { qosRows } from '../shell/qos-fields.ts';
import { type EthernetFraming, readStations, writeStations } from './framing.ts';
import type { MessageLayout } from './message.ts';

export const defaultEthertype = 0xa000;

export const dixFrameFields = fieldTable([
  ['destination', 'mac', 'address of the receiver'],
  ['source', 'mac', 'address of the sender'],
  ['ethertype', 'u16', '0xa000 unless configured'],
  ['eid', 'u16', "receiver's endpoint id, 0 for a management message"],
  ['length', 'u16', 'payload that follows, without padding', 'bytes'],
]);

export const dixMessageFields = fieldTable([
  ['seid', 'u16', 'endpoint id chosen by the sender of this message'],
  ['deid', 'u16', 'endpoint id of the receiver of this message'],
  qosRows.loss,
  qosRows.bandwidth,
  qosRows.ber,
  qosRows.maxGap,
  qosRows.delay,
  qosRows.timeout,
  ['response', 'i32', '0 accepted, negative refused'],
  qosRows.inOrder,
  ['code', 'u8', 'kind of message'],
  qosRows.availability,
]);

export const dixHeaderBytes: number = headerBytes(dixFrameFields);

const offset = { ethertype: 12, eid: 14, length: 16 } as const;
/** Bytes of the header that count against the MTU. */
const overheadBytes = 4;
const lostEid = 0xffff;

export const dixLayout: MessageLayout = {
  headerBytes: headerBytes(dixMessageFields),
  eidBytes: 2,
  seid: 0,
  deid: 2,
  loss: 4,
  bandwidth: 8,
  ber: 16,
  maxGap: 20,
  delay: 24,
  timeout: 28,
  response: 32,
  inOrder: 36,
  code: 37,
  availability: 38,
};

export function dixFraming(ethertype: number = defaultEthertype): EthernetFraming {
  return {
    protocol: ethertype,
    layout: dixLayout,
    headerBytes: dixHeaderBytes,
    // The ids the prototype stays within too: it crashes on data for one from 10240 up (link-ipcps.md 9.8).
    eids: { min: 64, max: 4095 },
    lostEid,
    firstDataHoldMs: 0,
    maxPayload: (mtu) => mtu - overheadBytes,
    isReserved: (eid) => eid === 0 || eid === lostEid,
    write(packet, to, own, eid) {
      const { view } = packet;
      const length = packet.end - packet.start;
      const start = packet.start - dixHeaderBytes;
      packet.start = start;
      writeStations(packet, start, to, own);
      view.setUint16(start + offset.ethertype, ethertype);
      view.setUint16(start + offset.eid, eid);
      view.setUint16(start + offset.length, length);
    },
    read(packet, header) {
      const { view, start } = packet;
      const payload = start + dixHeaderBytes;
      if (payload > packet.end) return false;
      const length = view.getUint16(start + offset.length);
      // What lies behind the length is padding of the link.
      if (payload + length > packet.end) return false;
      readStations(packet, start, header);
      header.eid = view.getUint16(start + offset.eid);
      header.peerEid = -1;
      packet.start = payload;
      packet.end = payload + length;
      return true;
    },
  };
}
