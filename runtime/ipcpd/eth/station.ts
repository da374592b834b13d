/** A MAC address as two numbers, to write and compare without touching bytes. */
export interface Station {
  readonly high: number;
  readonly low: number;
}

export function stationOf(mac: Buffer): Station {
  return { high: mac.readUInt16BE(0), low: mac.readUInt32BE(2) };
}

export function isStation(a: Station, high: number, low: number): boolean {
  return a.low === low && a.high === high;
}

/** Whether an address stands for several stations: nobody can have it. */
export function isGroup(high: number): boolean {
  return (high & 0x0100) !== 0;
}

export const broadcast: Station = { high: 0xffff, low: 0xffff_ffff };
/** What a prototype sends to when it lost an address (link-ipcps.md 9.1). */
export const nowhere: Station = { high: 0, low: 0 };
