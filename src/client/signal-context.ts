/** The context of a signal: its sender and object, for listeners that ask for it. */

import type { OptionTable } from '../base/known-options.js';
import { checkBoolean } from '../base/parameters.js';
import type { IncomingMessage } from '../connection/receiving/incoming-message.js';
import type { FileDescriptor } from '../values/file-descriptor.js';

/** Where a signal is from. A listener gets it after the signal's arguments if it asks with `context: true`. */
export interface SignalContext {
  /**
   * The unique name of the connection that sent the signal. If the proxy has a well-known name, this is its owner at
   * that time. `undefined` between peers without a bus.
   */
  readonly sender: string | undefined;
  /** The path of the object that the signal is from. */
  readonly path: string;
  /** The interface that has the signal. */
  readonly interface: string;
  /** The D-Bus name of the signal. */
  readonly member: string;
  /** The connection that the signal was addressed to; `undefined` for a broadcast signal. */
  readonly destination: string | undefined;
  /**
   * All file descriptors of the signal, including those that no argument refers to (not on the transport `sd-bus`).
   * They are lent or owned as the arguments are.
   */
  readonly fileDescriptors: readonly FileDescriptor[];
}

/** Asks for the {@link SignalContext} of each signal, as the last argument. */
export interface ContextOption {
  /** `true`: the context is passed after the arguments. */
  readonly context: true;
}

/** The option, with the check of its value. */
export const contextTable: OptionTable<ContextOption> = { context: checkBoolean };

export function signalContext({
  sender,
  path = '/',
  interface: interfaceName = '',
  member = '',
  destination,
  fileDescriptors,
}: IncomingMessage): SignalContext {
  return { sender, path, interface: interfaceName, member, destination, fileDescriptors };
}
