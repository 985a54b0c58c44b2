/** The options of what can be sent through a bus, as programs pass them. */

import { InvalidArgumentError } from '../../base/errors.js';
import { anyValue, KnownOptions, type OptionTable } from '../../base/known-options.js';
import { checkArray, checkBoolean } from '../../base/parameters.js';
import { MessageFlag, type OutgoingMessage } from '../../connection/message.js';
import { type WaitOptions, waitTable } from '../../connection/sending/pending-calls.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';

/** How a method call is made. All options are optional. */
export interface CallOptions extends WaitOptions {
  /** Do not ask for a reply. The call resolves when it is sent, and the caller does not learn whether it arrived. */
  readonly noReply?: boolean | undefined;
  /** `false`: the bus must not start the service for this call. */
  readonly autoStart?: boolean | undefined;
  /** Let the service ask the user for permission. Set a longer `timeout`, because the user may take long to answer. */
  readonly interactive?: boolean | undefined;
}

/** A method call, with the specification's names. */
export interface MethodCall extends CallOptions {
  /**
   * The connection to call: a unique or a well-known name, or `org.freedesktop.DBus` for the bus itself. Required on a
   * message bus; left out between peers.
   */
  readonly destination?: string | undefined;
  /** The object. */
  readonly path: string;
  /** The interface. It may be left out, but some services require it. */
  readonly interface?: string | undefined;
  /** The method. */
  readonly member: string;
  /** The signature of `body`; empty by default. */
  readonly signature?: string | undefined;
  /** The arguments, one for each complete type of `signature`; none by default. */
  readonly body?: readonly unknown[] | undefined;
  /**
   * File descriptors that the message carries in addition to those in `body`; see {@link
   * OutgoingMessage.fileDescriptors}.
   */
  readonly fileDescriptors?: readonly (FileDescriptor | number)[] | undefined;
  /** The result of the call: the values of the reply. See {@link MessageReply} for the reply itself. */
  readonly reply?: 'values' | undefined;
  /** The serial of the call, which `reserveSerial` returned; the next serial by default. */
  readonly serial?: number | undefined;
}

/** The option of a call that resolves with its reply as a message. */
export interface MessageReply {
  /**
   * The call resolves with the {@link Message} itself: its sender, serial, flags, signature and body. `replySerial` is
   * the serial of the call. The body can be decoded at any time, in more than one way. An error reply still rejects;
   * the message is in the `reply` of the error.
   */
  readonly reply: 'message';
}

/** A signal to send. */
export interface SignalEmission {
  /** The object that emits the signal. */
  readonly path: string;
  /** The interface that has the signal. */
  readonly interface: string;
  /** The signal. */
  readonly member: string;
  /** The signature of `body`; empty by default. */
  readonly signature?: string | undefined;
  /** The arguments, one for each complete type of `signature`; none by default. */
  readonly body?: readonly unknown[] | undefined;
  /**
   * File descriptors that the message carries in addition to those in `body`; see {@link
   * OutgoingMessage.fileDescriptors}.
   */
  readonly fileDescriptors?: readonly (FileDescriptor | number)[] | undefined;
  /** The connection to send the signal to. By default it is broadcast to all subscribers. */
  readonly destination?: string | undefined;
}

/** The options of a call, with the checks of their values. */
export const callTable: OptionTable<CallOptions> = {
  ...waitTable,
  noReply: checkBoolean,
  autoStart: checkBoolean,
  interactive: checkBoolean,
};

/** The fields of the message come first: error texts list the first of many names. */
const callFieldsTable: OptionTable<MethodCall> = {
  destination: anyValue,
  path: anyValue,
  interface: anyValue,
  member: anyValue,
  signature: anyValue,
  body: anyValue,
  fileDescriptors: anyValue,
  reply: anyValue,
  serial: anyValue,
  ...callTable,
};

/** The fields of `call`. Their values are checked where they are used. */
export const callFields = new KnownOptions<MethodCall>('call()', callFieldsTable);
/** The fields of `emit`. */
export const signalFields = new KnownOptions<SignalEmission>(
  'emit()',
  {
    path: anyValue,
    interface: anyValue,
    member: anyValue,
    signature: anyValue,
    body: anyValue,
    fileDescriptors: anyValue,
    destination: anyValue,
  },
  { kind: 'field' },
);
/** The fields of `send`. */
export const messageFields = new KnownOptions<OutgoingMessage>(
  'send()',
  {
    type: anyValue,
    flags: anyValue,
    path: anyValue,
    interface: anyValue,
    member: anyValue,
    errorName: anyValue,
    destination: anyValue,
    signature: anyValue,
    body: anyValue,
    fileDescriptors: anyValue,
    serial: anyValue,
    replySerial: anyValue,
  },
  { kind: 'field' },
);

/** @throws {@link InvalidArgumentError} if there are values without a signature */
export function checkBody(body: readonly unknown[], signature: string | undefined): void {
  checkArray(body, 'body');
  if (signature !== undefined || body.length === 0) return;
  const values = body.length === 1 ? 'a value' : `${body.length} values`;
  throw new InvalidArgumentError(
    `signature: required, because body has ${values}: give their types, as in { signature: 's' }`,
  );
}

/**
 * @throws {@link InvalidArgumentError} if a flag of a call is not valid; every call checks the options of waiting
 * itself
 */
export function checkFlagOptions({ noReply, autoStart, interactive }: CallOptions): void {
  checkBoolean(noReply, 'noReply');
  checkBoolean(autoStart, 'autoStart');
  checkBoolean(interactive, 'interactive');
}

/** The header flags that the options of a call stand for. */
export function callFlags({ noReply, autoStart, interactive }: CallOptions): number {
  return (
    (noReply ? MessageFlag.NoReplyExpected : 0) |
    (autoStart === false ? MessageFlag.NoAutoStart : 0) |
    (interactive ? MessageFlag.AllowInteractiveAuthorization : 0)
  );
}
