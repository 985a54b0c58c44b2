/** Messages as the layers above the seam see them: the header fields of the specification, and a body. */
import type { DecodeOptions } from '../codec/decode-options.js';
import type { FileDescriptor } from '../values/file-descriptor.js';

/** Message types on the wire. Other types are ignored, as the specification requires. */
export const MessageType = {
  /** METHOD_CALL: calls a method of an object. */
  MethodCall: 1,
  /** METHOD_RETURN: carries the values that a call resolves with. */
  MethodReturn: 2,
  /** ERROR: carries the reason why a call failed. */
  Error: 3,
  /** SIGNAL: informs listeners of an event. */
  Signal: 4,
} as const;
/** One of the values of {@link MessageType}. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Header flags on the wire. */
export const MessageFlag = {
  /** NO_REPLY_EXPECTED: the caller does not wait for a reply. */
  NoReplyExpected: 1,
  /** NO_AUTO_START: the bus must not start a service for this message. */
  NoAutoStart: 2,
  /** ALLOW_INTERACTIVE_AUTHORIZATION: the service may ask the user for permission. */
  AllowInteractiveAuthorization: 4,
} as const;

/** The header fields that a message may carry, by their names in the specification. */
export interface HeaderFields {
  /** PATH: the object that is called, or that emits a signal. */
  readonly path?: string | undefined;
  /** INTERFACE: the interface of the member. A call may leave it out. */
  readonly interface?: string | undefined;
  /** MEMBER: the method or signal. */
  readonly member?: string | undefined;
  /** ERROR_NAME: only errors have it. */
  readonly errorName?: string | undefined;
  /** DESTINATION: the receiver of the message; broadcast signals have none. */
  readonly destination?: string | undefined;
}

/** The part of the header that many messages may share: all of it except serials and lengths. */
export interface MessageHead extends HeaderFields {
  /** The type of the message. */
  readonly type: MessageType;
  /** A union of `MessageFlag` bits; 0 if left out. */
  readonly flags?: number | undefined;
  /** The signature of the body; empty if left out. */
  readonly signature?: string | undefined;
  /**
   * File descriptors that the message carries in addition to those in its values, for receivers that expect them there;
   * none if left out. The program keeps the ownership of each that it does not hand over, as for descriptors in values.
   * The transport `sd-bus` cannot send them.
   */
  readonly fileDescriptors?: readonly (FileDescriptor | number)[] | undefined;
}

/** A message to be sent: header fields, and values with their signature. */
export interface OutgoingMessage extends MessageHead {
  /** The serial of the message, reserved by `reserveSerial`; the next one if left out. */
  readonly serial?: number | undefined;
  /** The serial of the message that a reply answers. */
  readonly replySerial?: number | undefined;
  /** The values, one for each complete type of `signature`; none if left out. */
  readonly body?: readonly unknown[] | undefined;
}

/**
 * A received message.
 *
 * @see D-Bus specification, section "Message Format"
 */
export interface Message extends HeaderFields {
  /** The type of the message. */
  readonly type: MessageType;
  /** A union of the bits of {@link MessageFlag}. */
  readonly flags: number;
  /** The serial that the sender assigned to the message. A reply refers to the message by it. */
  readonly serial: number;
  /** REPLY_SERIAL: the serial of the call that a reply answers; other messages have none. */
  readonly replySerial: number | undefined;
  /** The unique name of the sender, verified by the bus; `undefined` between peers without a bus. */
  readonly sender: string | undefined;
  /** SIGNATURE: the signature of the body; empty if there is no body. */
  readonly signature: string;
  /** The values, decoded according to the table of values when they are first read. Each listener has its own. */
  readonly body: readonly unknown[];
  /**
   * All file descriptors of the message, in its order: those in its values, as the same objects, and those that no
   * value refers to. They are on loan or owned in the same way as those in values. The transport `sd-bus` provides only
   * those in values.
   */
  readonly fileDescriptors: readonly FileDescriptor[];
  /**
   * Decodes the values with other options, for instance with variants as {@link Variant}. Call it while the message is
   * being handled: in a listener or handler, before its first `await`. After that, the bytes are gone. The reply of a
   * call with `reply: 'message'` can be decoded at any time.
   *
   * @throws {@link DBusError} if the body is invalid or gone
   */
  decode(options?: DecodeOptions): unknown[];
}

/** A description of a message for error texts: `org.example.Service /path org.example.Interface.Member`. */
export function describeMessage(message: HeaderFields): string {
  const member = message.interface === undefined ? message.member : `${message.interface}.${message.member}`;
  return [message.destination, message.path, member].filter((part) => part !== undefined).join(' ');
}
