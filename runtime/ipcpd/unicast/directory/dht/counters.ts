/** What a directory counts: messages by kind, and what was dropped by reason. */
import { zeroCounts } from '../../../shell/counts.ts';
import { type DirectoryMessage, type MessageFault, messageCode } from './message.ts';

const counterNames = [
  'messagesIn',
  'messagesOut',
  'storesIn',
  'storesOut',
  'findNodesIn',
  'findNodesOut',
  'nodeAnswersIn',
  'nodeAnswersOut',
  'findValuesIn',
  'findValuesOut',
  'valueAnswersIn',
  'valueAnswersOut',
  'withdrawalsIn',
  'withdrawalsOut',
  'acknowledgementsIn',
  'acknowledgementsOut',
  'leavesIn',
  'leavesOut',
  'queries',
  'queriesFromStore',
  'queriesFromCache',
  'queriesUnresolved',
  'lookups',
  'requestsUnanswered',
  'deliveriesUnanswered',
  'noRoute',
  'droppedTooLong',
  'droppedMalformed',
  'droppedOddId',
  'droppedOddAddress',
  'droppedPartMissing',
  'droppedOddKey',
  'droppedOddValue',
  'droppedOddContact',
  'droppedUnknownCode',
  'droppedOwnSource',
  'droppedForeignSource',
  'droppedExpired',
  'droppedWithdrawn',
  'droppedStray',
  'droppedUnexpectedAnswer',
  'droppedTooManyContacts',
  'droppedTooManyValues',
  'droppedTooManyDeliveries',
  'droppedTooManyLookups',
  'refusedTooManyNames',
  'refusedTooManyQueries',
] as const;
export type DhtCounter = (typeof counterNames)[number];
export type DhtCounts = Record<DhtCounter, number>;

export function newCounts(): DhtCounts {
  return zeroCounts(counterNames);
}

export const faultCounter: Readonly<Record<MessageFault, DhtCounter>> = {
  malformed: 'droppedMalformed',
  'odd id': 'droppedOddId',
  'odd address': 'droppedOddAddress',
  'part missing': 'droppedPartMissing',
  'odd key': 'droppedOddKey',
  'odd value': 'droppedOddValue',
};

/** Of each kind of message, what counts those that come in and those that go out. */
export const kindCounters: Readonly<
  Record<DirectoryMessage['code'], readonly [incoming: DhtCounter, outgoing: DhtCounter]>
> = {
  [messageCode.store]: ['storesIn', 'storesOut'],
  [messageCode.findNode]: ['findNodesIn', 'findNodesOut'],
  [messageCode.nodeAnswer]: ['nodeAnswersIn', 'nodeAnswersOut'],
  [messageCode.findValue]: ['findValuesIn', 'findValuesOut'],
  [messageCode.valueAnswer]: ['valueAnswersIn', 'valueAnswersOut'],
  [messageCode.withdrawal]: ['withdrawalsIn', 'withdrawalsOut'],
  [messageCode.acknowledgement]: ['acknowledgementsIn', 'acknowledgementsOut'],
  [messageCode.leave]: ['leavesIn', 'leavesOut'],
};
