/** The line between dispatch and what it dispatches to. */
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import type { InterfaceDescription, MethodDescription } from '../../interface/description.js';
import type { IncomingCall } from './incoming-call.js';

/** What a method call can end up at: a standard interface, or one that somebody exported. */
export interface CallTarget {
  readonly description: InterfaceDescription;
  /** Where its calls count until they are answered; those of the standard interfaces count with all who exported at the node. */
  readonly atWork?: readonly CallsAtWork[];
  /**
   * Runs the method. Returns or resolves with its result: nothing, the value, or a tuple of values; or returns a `LateAnswer`
   * that comes to it.
   */
  invoke(method: MethodDescription, call: IncomingCall): unknown;
}
