/** What can be sent through a bus, as users write it down. */

import { InvalidArgumentError } from '../../base/errors.js';
import { anyValue, KnownOptions, type OptionTable } from '../../base/known-options.js';
import { checkArray, checkBoolean } from '../../base/parameters.js';
import { MessageFlag, type OutgoingMessage } from '../../connection/message.js';
import { type WaitOptions, waitTable } from '../../connection/sending/pending-calls.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';

/** How a method call is made; everything is optional. */
export interface CallOptions extends WaitOptions {
  /** Do not ask for a reply: the call resolves when it is sent, and nothing tells whether it arrived. */
  readonly noReply?: boolean | undefined;
  /** `false`: do not let the bus start the service for this call. */
  readonly autoStart?: boolean | undefined;
  /** Let the service ask the user for permission, which may take as long as the user does. */
  readonly interactive?: boolean | undefined;
}

/** A method call, by the specification's names. */
export interface MethodCall extends CallOptions {
  /**
   * The connection to call: a unique or a well-known name, or `org.freedesktop.DBus` for the bus itself. Required on a message
   * bus; left out between peers.
   */
  readonly destination?: string | undefined;
  /** The object. */
  readonly path: string;
  /** May be left out, which some services do not understand. */
  readonly interface?: string | undefined;
  /** The method. */
  readonly member: string;
  /** The signature of `body`; empty if left out. */
  readonly signature?: string | undefined;
  /** The arguments, one for each complete type of `signature`; none if left out. */
  readonly body?: readonly unknown[] | undefined;
  /** File descriptors that the message carries besides those in `body`; see {@link OutgoingMessage.fileDescriptors}. */
  readonly fileDescriptors?: readonly (FileDescriptor | number)[] | undefined;
  /** What the call resolves with: the values of the reply; see {@link MessageReply} for the reply itself. */
  readonly reply?: 'values' | undefined;
  /** The number of the call's message, which `reserveSerial` gave; the next one if left out. */
  readonly serial?: number | undefined;
}

/** For a call that resolves with its reply as a message. */
export interface MessageReply {
  /**
   * The call resolves with the {@link Message} itself: its sender, serial, flags, signature and body. `replySerial` is the
   * serial of the call. The body can be decoded at any time, in more than one way. An error still rejects; the message is
   * in the `reply` of the error.
   */
  readonly reply: 'message';
}

/** A signal to send. */
export interface SignalEmission {
  /** The object that the signal is from. */
  readonly path: string;
  /** The interface that has the signal. */
  readonly interface: string;
  /** The signal. */
  readonly member: string;
  /** The signature of `body`; empty if left out. */
  readonly signature?: string | undefined;
  /** The arguments, one for each complete type of `signature`; none if left out. */
  readonly body?: readonly unknown[] | undefined;
  /** File descriptors that the message carries besides those in `body`; see {@link OutgoingMessage.fileDescriptors}. */
  readonly fileDescriptors?: readonly (FileDescriptor | number)[] | undefined;
  /** Send to this connection alone; to everybody who subscribed, if left out. */
  readonly destination?: string | undefined;
}

/** The options of a call, with the checks of their values. */
export const callTable: OptionTable<CallOptions> = {
  ...waitTable,
  noReply: checkBoolean,
  autoStart: checkBoolean,
  interactive: checkBoolean,
};

/** The fields of the message first: texts list the first ones of many. */
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

/** What `call` takes; its values are checked where they are used. */
export const callFields = new KnownOptions<MethodCall>('call()', callFieldsTable);
/** What `emit` takes. */
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
/** What `send` takes. */
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

/** @throws {@link InvalidArgumentError} for values without their types */
export function checkBody(body: readonly unknown[], signature: string | undefined): void {
  checkArray(body, 'body');
  if (signature !== undefined || body.length === 0) return;
  const values = body.length === 1 ? 'a value' : `${body.length} values`;
  throw new InvalidArgumentError(`signature: missing, and body has ${values}: say the types, as in { signature: 's' }`);
}

/** @throws {@link InvalidArgumentError} for flags of a call that make no sense; those of waiting every call checks */
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
