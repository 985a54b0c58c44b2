/** Collections of messages to read: what they are made of, and what makes bytes one message. */
import { messageLength } from '../helpers/wire-reader.js';

export interface CorpusMessage {
  /** What to look for when it is read wrongly. */
  readonly name: string;
  readonly bytes: Buffer;
  /** How many descriptors go with it. 0 if left out. */
  readonly fds?: number;
}

export interface Corpus {
  readonly name: string;
  readonly messages: readonly CorpusMessage[];
  /** Why there is none of it here. */
  readonly missing?: string;
}

const LONGEST_MESSAGE = 2 ** 27;

/**
 * Whether the bytes are as long as they say: what comes before or after would belong to another message, and readers of
 * streams and of single messages could not be compared. Claims beyond the limit are no matter of length but wrong.
 */
export function isOneMessage(bytes: Buffer): boolean {
  if (bytes.length < 16) return false;
  const claimed = messageLength(bytes);
  return claimed === bytes.length || claimed > LONGEST_MESSAGE;
}
