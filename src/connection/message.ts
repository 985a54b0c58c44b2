/** What a message is to the layers above the seam: the header fields of the specification, and a body. */
import type { DecodeOptions } from '../codec/decode-options.js';
import type { FileDescriptor } from '../values/file-descriptor.js';

/** Message types on the wire. Others are ignored, as the specification asks. */
export const MessageType = {
  /** METHOD_CALL: asks an object to do something. */
  MethodCall: 1,
  /** METHOD_RETURN: the values that a call resolves with. */
  MethodReturn: 2,
  /** ERROR: why a call failed. */
  Error: 3,
  /** SIGNAL: tells whoever listens. */
  Signal: 4,
} as const;
/** One of the values of {@link MessageType}. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Header flags on the wire. */
export const MessageFlag = {
  /** NO_REPLY_EXPECTED: nobody waits for an answer. */
  NoReplyExpected: 1,
  /** NO_AUTO_START: the bus must not start a service for this. */
  NoAutoStart: 2,
  /** ALLOW_INTERACTIVE_AUTHORIZATION: the service may ask the user for permission. */
  AllowInteractiveAuthorization: 4,
} as const;

/** The header fields that a message may carry, by the specification's names. */
export interface HeaderFields {
  /** PATH: the object that is called, or that a signal is from. */
  readonly path?: string | undefined;
  /** INTERFACE: that of the member. A call may leave it out. */
  readonly interface?: string | undefined;
  /** MEMBER: the method or signal. */
  readonly member?: string | undefined;
  /** ERROR_NAME: only errors have it. */
  readonly errorName?: string | undefined;
  /** DESTINATION: whom the message is for; broadcast signals have none. */
  readonly destination?: string | undefined;
}

/** What many messages may have in common: all of the header but serials and lengths. */
export interface MessageHead extends HeaderFields {
  /** What kind of message it is. */
  readonly type: MessageType;
  /** A union of `MessageFlag` bits; 0 if left out. */
  readonly flags?: number | undefined;
  /** The signature of the body; empty if left out. */
  readonly signature?: string | undefined;
  /**
   * File descriptors that the message carries besides those in its values, for receivers that take them so; none if left out.
   * Each stays yours unless it was handed over, as one in a value. Not on the transport `sd-bus`, which cannot send them.
   */
  readonly fileDescriptors?: readonly (FileDescriptor | number)[] | undefined;
}

/** A message to be sent: header fields, and values with their signature. */
export interface OutgoingMessage extends MessageHead {
  /** The number of the message, which `reserveSerial` gave; the next one if left out. */
  readonly serial?: number | undefined;
  /** The serial of the message that a reply answers. */
  readonly replySerial?: number | undefined;
  /** The values, one for each complete type of `signature`; none if left out. */
  readonly body?: readonly unknown[] | undefined;
}

/**
 * A message as it arrived.
 *
 * @see D-Bus specification, section "Message Format"
 */
export interface Message extends HeaderFields {
  /** What kind of message it is. */
  readonly type: MessageType;
  /** A union of the bits of {@link MessageFlag}. */
  readonly flags: number;
  /** The number that the sender gave the message, by which a reply names it. */
  readonly serial: number;
  /** REPLY_SERIAL: the serial of the call that a reply answers; other messages have none. */
  readonly replySerial: number | undefined;
  /** The unique name of the sender, which the bus vouches for; `undefined` between peers without a bus. */
  readonly sender: string | undefined;
  /** SIGNATURE: of the body; empty where there is none. */
  readonly signature: string;
  /** The values, decoded as the table of values says, when they are first looked at. Each listener has its own. */
  readonly body: readonly unknown[];
  /**
   * All file descriptors that came with the message, in its order: those in its values, which are the same objects, and those that no
   * value refers to. They are on loan, or yours, as those in values are. The transport `sd-bus` shows those in values alone.
   */
  readonly fileDescriptors: readonly FileDescriptor[];
  /**
   * Decodes the values in another way, variants as {@link Variant} for instance. To be called while the message is
   * being handled: in a listener or handler, before its first `await`. The bytes are gone after that. The reply of a call
   * with `reply: 'message'` can be decoded at any time.
   *
   * @throws {@link DBusError} where the body is not valid, or gone
   */
  decode(options?: DecodeOptions): unknown[];
}

/** What a message is about, for error texts: `org.example.Service /path org.example.Interface.Member`. */
export function describeMessage(message: HeaderFields): string {
  const member = message.interface === undefined ? message.member : `${message.interface}.${message.member}`;
  return [message.destination, message.path, member].filter((part) => part !== undefined).join(' ');
}
