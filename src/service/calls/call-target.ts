/** The interface between the dispatcher and the targets of calls. */
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import type { InterfaceDescription, MethodDescription } from '../../interface/description.js';
import type { IncomingCall } from './incoming-call.js';

/** The target of a method call: a standard interface, or an exported one. */
export interface CallTarget {
  readonly description: InterfaceDescription;
  /**
   * The counts that include its calls until they are answered. Calls of the standard interfaces count for every user
   * with an export at the node.
   */
  readonly atWork?: readonly CallsAtWork[];
  /**
   * Runs the method. Returns or resolves with its result: nothing, the value, or a tuple of values. It may return a
   * `LateAnswer` instead.
   */
  invoke(method: MethodDescription, call: IncomingCall): unknown;
}
