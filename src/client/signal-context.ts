/** Where a signal is from, for those listeners that ask for it. */

import type { OptionTable } from '../base/known-options.js';
import { checkBoolean } from '../base/parameters.js';
import type { IncomingMessage } from '../connection/receiving/incoming-message.js';
import type { FileDescriptor } from '../values/file-descriptor.js';

/** Where a signal is from. A listener gets it behind the signal's arguments if it asks with `context: true`. */
export interface SignalContext {
  /**
   * The unique name of the connection that sent the signal, also where the proxy has a well-known name: its owner at that time.
   * `undefined` between peers without a bus.
   */
  readonly sender: string | undefined;
  /** The path of the object that the signal is from. */
  readonly path: string;
  /** The interface that has the signal. */
  readonly interface: string;
  /** The D-Bus name of the signal. */
  readonly member: string;
  /** The connection that the signal was sent to alone; `undefined` for one that is sent to all who subscribed. */
  readonly destination: string | undefined;
  /**
   * All file descriptors that came with the signal, those that no argument refers to as well, but on the transport `sd-bus`. They
   * are on loan, or yours, as arguments are.
   */
  readonly fileDescriptors: readonly FileDescriptor[];
}

/** Asks for the {@link SignalContext} of each signal, as the last value. */
export interface ContextOption {
  /** `true`: the context comes behind the arguments. */
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
