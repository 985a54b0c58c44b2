/** A reading of a message: its header and values, or its fault. */
import type { TypedText } from './typed-text.js';

type Outcome =
  /** A handler gets it, or a program prints it. */
  | 'message'
  /** It settles a call that waited for it. */
  | 'reply'
  /** It is well-formed up to its body. */
  | 'faulty body'
  /** It is not delivered to any user; or a program reports that it is not a message. */
  | 'nothing'
  /** It ends the connection. */
  | 'closed'
  /** The connection waits for bytes that the message does not have. */
  | 'waiting'
  /** It ends the process that reads it. */
  | 'died';

/** The knowledge of a reader about a message. A reader leaves out the parts that it cannot see. */
export interface Reading {
  readonly outcome: Outcome;
  /** The reader's words for the fault. */
  readonly because?: string;
  readonly type?: number;
  readonly flags?: number;
  readonly serial?: number;
  readonly replySerial?: number | null;
  readonly path?: string | null;
  readonly interface?: string | null;
  readonly member?: string | null;
  readonly errorName?: string | null;
  readonly destination?: string | null;
  readonly sender?: string | null;
  readonly signature?: string;
  readonly body?: readonly TypedText[];
  /** What a user of busbar sees besides: for a call, how it was answered; for an error, its class, text and values. */
  readonly answer?: readonly string[];
  /** A message with the same values, in hexadecimal, as the reader's own encoder writes it. */
  readonly written?: string;
}

export type Part = Exclude<keyof Reading, 'outcome' | 'because' | 'written'>;

export const parts: readonly Part[] = [
  ...(['type', 'flags', 'serial', 'replySerial', 'path', 'interface', 'member', 'errorName'] as const),
  ...(['destination', 'sender', 'signature', 'body', 'answer'] as const),
];

/** Whether the reader accepts the message. */
export const isSound = ({ outcome }: Reading): boolean => outcome === 'message' || outcome === 'reply';
