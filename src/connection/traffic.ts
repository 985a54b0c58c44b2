/** How much went over a connection. */
import type { CallCounts } from './call-events.js';

/** What went over a connection since it was made. */
export interface Traffic {
  /** Messages that were handed over to be written. */
  readonly messagesSent: number;
  /** Messages that arrived, whether somebody wanted them or not. */
  readonly messagesReceived: number;
  /** Bytes of the bodies of these messages; headers are not counted. */
  readonly bodyBytesSent: number;
  /** Bytes of the bodies of the messages that arrived. */
  readonly bodyBytesReceived: number;
  /** How the calls that were made here and are settled ended. */
  readonly calls: CallCounts;
  /** Replies that no call waited for, because it had timed out for instance, or that came from somebody else. */
  readonly unexpectedReplies: number;
}
