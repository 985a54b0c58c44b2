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
  /** Whether to expect that readers come to grief. */
  readonly mostlyBroken?: boolean;
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

/** Several as one. */
export function merged(name: string, corpora: readonly Corpus[]): Corpus {
  const missing = corpora.find((corpus) => corpus.missing !== undefined)?.missing;
  const messages = corpora.flatMap((corpus) =>
    corpus.messages.map((message) => ({ ...message, name: `${corpus.name}: ${message.name}` })),
  );
  return missing === undefined ? { name, messages } : { name, messages, missing };
}
