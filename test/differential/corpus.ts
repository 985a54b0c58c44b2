/** Collections of messages to read: their contents, and the condition for bytes to be one message. */
import { messageLength } from '../helpers/wire-reader.js';

export interface CorpusMessage {
  /** What to examine if it is misread. */
  readonly name: string;
  readonly bytes: Buffer;
  /** The number of descriptors with it. 0 if left out. */
  readonly fds?: number;
}

export interface Corpus {
  readonly name: string;
  readonly messages: readonly CorpusMessage[];
  /** Whether readers are expected to fail. */
  readonly mostlyBroken?: boolean;
  /** Why the corpus is missing here. */
  readonly missing?: string;
}

const LONGEST_MESSAGE = 2 ** 27;

/**
 * Whether the bytes are as long as the header claims: bytes before or after would belong to another message, and readers of
 * streams and of single messages could not be compared. Claims beyond the limit are not lengths but faults.
 */
export function isOneMessage(bytes: Buffer): boolean {
  if (bytes.length < 16) return false;
  const claimed = messageLength(bytes);
  return claimed === bytes.length || claimed > LONGEST_MESSAGE;
}

/** Several corpora as one. */
export function merged(name: string, corpora: readonly Corpus[]): Corpus {
  const missing = corpora.find((corpus) => corpus.missing !== undefined)?.missing;
  const messages = corpora.flatMap((corpus) =>
    corpus.messages.map((message) => ({ ...message, name: `${corpus.name}: ${message.name}` })),
  );
  return missing === undefined ? { name, messages } : { name, messages, missing };
}
