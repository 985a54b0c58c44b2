/** What somebody makes of a message: its header and values, or what is wrong with it. */
import type { TypedText } from './typed-text.js';

type Outcome =
  /** A handler gets it, or a program prints it. */
  | 'message'
  /** A call that waited for it is settled by it. */
  | 'reply'
  /** It is well-formed up to its body. */
  | 'faulty body'
  /** Nobody sees anything of it; or a program says that this is no message. */
  | 'nothing'
  /** It ends the connection. */
  | 'closed'
  /** The connection waits for what the message does not have. */
  | 'waiting'
  /** It ends the process that reads it. */
  | 'died';

/** What is known of a message by whoever read it. Who cannot see a part of it leaves that part out. */
export interface Reading {
  readonly outcome: Outcome;
  /** The reader's words for what is wrong. */
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
  /** What a user of busbar sees besides: of a call, how it was answered; of an error, its class, text and values. */
  readonly answer?: readonly string[];
  /** A message with the same values, in hexadecimal, as the reader's own encoder writes it. */
  readonly written?: string;
}

export type Part = Exclude<keyof Reading, 'outcome' | 'because' | 'written'>;

export const parts: readonly Part[] = [
  ...(['type', 'flags', 'serial', 'replySerial', 'path', 'interface', 'member', 'errorName'] as const),
  ...(['destination', 'sender', 'signature', 'body', 'answer'] as const),
];

/** Whether the reader takes the message for a valid one. */
export const isSound = ({ outcome }: Reading): boolean => outcome === 'message' || outcome === 'reply';
