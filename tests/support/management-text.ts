/** Messages of management flows as text, and back, for tests to read and write. */
import {
  packetKind,
  readAcknowledgement,
  readUpdateRecord,
  updateRecordBytes,
  updatesHeaderBytes,
  updatesIn,
  updatesNumber,
  writeAcknowledgement,
  writeUpdateRecord,
  writeUpdatesHeader,
} from '../../runtime/ipcpd/unicast/routing/extended-updates.ts';
import {
  emptyUpdate,
  type LinkUpdate,
  lsuBytes,
  readLsu,
  updateState,
  writeLsu,
} from '../../runtime/ipcpd/unicast/routing/lsu.ts';

/** `1>2 #7` from 1 to 2 with number 7; ` 1496` with its limit, ` gone` withdrawn; ` 12s` if so old. */
function updateText({ source, destination, seqno, state, maxMessageBytes, age }: LinkUpdate): string {
  const words = [`${source}>${destination}`, `#${seqno}`];
  if (state === updateState.detailed) words.push(String(maxMessageBytes));
  if (state === updateState.withdrawn) words.push('gone');
  if (age > 0) words.push(`${age}s`);
  return words.join(' ');
}

/** `1>2 #7` for an LSU, `[3: 1>2 #7 1496, 2>1 #4 gone]` for packet 3 of updates, `ack 3 4` for an acknowledgement. */
export function messageText(message: Buffer): string {
  const update = emptyUpdate();
  if (message.length === lsuBytes) return readLsu(message, 0, update) ? updateText(update) : 'implausible';
  if (message[0] === packetKind.updates) {
    const records = Array.from({ length: updatesIn(0, message.length) ?? 0 }, (_, index) =>
      readUpdateRecord(message, 0, index, update) ? updateText(update) : 'implausible',
    );
    return `[${updatesNumber(message, 0)}: ${records.join(', ')}]`;
  }
  const numbers: number[] = [];
  readAcknowledgement(message, 0, message.length, (number) => numbers.push(number));
  return `ack ${numbers.join(' ')}`;
}

function update(text: string): LinkUpdate {
  const [, source, destination, seqno, limit, gone, age] =
    /^(\d+)>(\d+) #(\d+)(?: (\d+)(?!\d*s)| (gone))?(?: (\d+)s)?$/.exec(text) ?? [];
  if (source === undefined) throw new Error(`not an update: ${text}`);
  const { announced, detailed, withdrawn } = updateState;
  return {
    source: Number(source),
    destination: Number(destination),
    seqno: Number(seqno),
    state: gone === undefined ? (limit === undefined ? announced : detailed) : withdrawn,
    maxMessageBytes: Number(limit ?? 0),
    age: Number(age ?? 0),
  };
}

/** The message of a text as `messageText` writes it. */
export function messageOf(text: string): Buffer {
  if (text.startsWith('ack ')) {
    const numbers = text.slice(4).split(' ').map(Number);
    const memory = Buffer.alloc(1 + 4 * numbers.length);
    writeAcknowledgement(memory, 0, numbers);
    return memory;
  }
  const [, number, records] = /^\[(\d+): (.*)\]$/.exec(text) ?? [];
  if (number === undefined || records === undefined) {
    const { destination, source, seqno } = update(text);
    const memory = Buffer.alloc(lsuBytes);
    writeLsu(memory, 0, destination, source, seqno);
    return memory;
  }
  const updates = records === '' ? [] : records.split(', ').map(update);
  const memory = Buffer.alloc(updatesHeaderBytes + updates.length * updateRecordBytes);
  let at = writeUpdatesHeader(memory, 0, Number(number));
  for (const record of updates) at = writeUpdateRecord(memory, at, record);
  return memory;
}
