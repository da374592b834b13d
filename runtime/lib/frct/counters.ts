/** What FRCT counts on a flow: what it sent and received, and what it dropped, by reason. */
export interface FrctCounters {
  /** Messages, each counted once. */
  messagesSent: number;
  messagesDelivered: number;
  retransmissions: number;
  /** Retransmissions of the last packet that look whether anything was lost. */
  probes: number;
  /** Times that nothing came back for a whole RTO. */
  timeouts: number;
  /** Packets without data: acknowledgements and window updates, requests for the latter, ends of the stream. */
  acknowledgementsSent: number;
  rendezvousSent: number;
  endsSent: number;
  rendezvousReceived: number;
  /** Runs that the peer started, the first one included. */
  runs: number;
  /** Best effort: messages that never came, or came too late. */
  skipped: number;
  /** Best effort: times a prototype's window was taken for open because its count lags behind losses. */
  windowsAssumed: number;
  /** Packets the port had no room for. */
  refusedByPort: number;

  droppedShort: number;
  /** Data while there is no run. */
  droppedNoRun: number;
  /** Data that was there already. */
  droppedDuplicate: number;
  /** Best effort: data behind which later data was delivered already. */
  droppedLate: number;
  droppedOutsideWindow: number;
  /** Data for which there was no memory left. */
  droppedNoRoom: number;
  /** Data beyond the end that the peer had told. */
  droppedAfterEnd: number;
  /** Packets for a flow that is down. */
  droppedDown: number;
  /** Fields of packets that are otherwise used. */
  ignoredAck: number;
  ignoredWindow: number;
  ignoredEnd: number;
}

export function newFrctCounters(): FrctCounters {
  return {
    messagesSent: 0,
    messagesDelivered: 0,
    retransmissions: 0,
    probes: 0,
    timeouts: 0,
    acknowledgementsSent: 0,
    rendezvousSent: 0,
    endsSent: 0,
    rendezvousReceived: 0,
    runs: 0,
    skipped: 0,
    windowsAssumed: 0,
    refusedByPort: 0,
    droppedShort: 0,
    droppedNoRun: 0,
    droppedDuplicate: 0,
    droppedLate: 0,
    droppedOutsideWindow: 0,
    droppedNoRoom: 0,
    droppedAfterEnd: 0,
    droppedDown: 0,
    ignoredAck: 0,
    ignoredWindow: 0,
    ignoredEnd: 0,
  };
}
