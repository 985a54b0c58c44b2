/** The line between dispatch and what it dispatches to. */
import type { InterfaceDescription, MethodDescription } from '../introspection/description.js';
import type { IncomingCall } from './incoming-call.js';

/** What a method call can end up at: a standard interface, or one that somebody exported. */
export interface CallTarget {
  readonly description: InterfaceDescription;
  /** Runs the method. Returns or resolves with its result: nothing, the value, or a tuple of values. */
  invoke(method: MethodDescription, call: IncomingCall): unknown;
}
