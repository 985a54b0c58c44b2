/** The counts of a connection: its traffic, and the messages that wait to be sent or answered. */
import type { CallCounts } from './call-events.js';

/** The traffic of a connection since it was made. */
export interface Traffic {
  /** Messages that were passed on for writing. */
  readonly messagesSent: number;
  /** Messages that arrived, whether or not any code handled them. */
  readonly messagesReceived: number;
  /**
   * How often messages were taken from the socket, one or more at a time. While many arrive and no particular one is
   * awaited, reading rests until some have gathered: then there are about 20 messages for each of these.
   */
  readonly batchesReceived: number;
  /** Bytes of the bodies of the messages that were sent; headers do not count. */
  readonly bodyBytesSent: number;
  /** Bytes of the bodies of the messages that arrived. */
  readonly bodyBytesReceived: number;
  /** The outcomes of the settled calls of this connection. */
  readonly calls: CallCounts;
  /** Replies that no call waited for, for instance because it had timed out, or that came from another sender. */
  readonly unexpectedReplies: number;
}

/** The traffic of a connection, and what it holds at this moment. */
export interface ConnectionCounts extends Traffic {
  /** Calls that wait for their reply. */
  readonly pendingCalls: number;
  /** Bytes of sent messages that the kernel has not accepted yet. */
  readonly queuedBytes: number;
  /** Whether reading is paused because too many bytes of replies are queued: see `limits.queuedBytes`. */
  readonly readingPaused: boolean;
}

/** The traffic of earlier connections and the present one. What is held is that of the present one. */
export function sumOfCounts(past: ConnectionCounts, present: ConnectionCounts | undefined): ConnectionCounts {
  if (present === undefined) return past;
  const calls: Record<string, number> = { ...present.calls };
  for (const [outcome, count] of Object.entries(past.calls)) calls[outcome] = (calls[outcome] ?? 0) + count;
  return {
    ...present,
    messagesSent: past.messagesSent + present.messagesSent,
    messagesReceived: past.messagesReceived + present.messagesReceived,
    batchesReceived: past.batchesReceived + present.batchesReceived,
    bodyBytesSent: past.bodyBytesSent + present.bodyBytesSent,
    bodyBytesReceived: past.bodyBytesReceived + present.bodyBytesReceived,
    unexpectedReplies: past.unexpectedReplies + present.unexpectedReplies,
    calls: calls as CallCounts,
  };
}
