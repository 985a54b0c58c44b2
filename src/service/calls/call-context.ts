/** The information for a handler about the call that it answers. The dispatcher makes one context for each call. */
import type { DecodeOptions } from '../../codec/decode-options.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import type { AuthorizeOptions } from '../permits/authorize.js';
import type { Caller } from './caller.js';

/**
 * The call that a handler answers. A decorated method gets it as its last parameter with the option `context: true`;
 * the methods passed to `implement` always get it.
 */
export interface CallContext {
  /** The connection that made the call: its credentials, and the end of its life. */
  readonly caller: Caller;
  /** The caller's unique name; `undefined` between peers without a bus. */
  readonly sender: string | undefined;
  /** The called path, one of those at which the object is exported. */
  readonly path: string;
  /** The interface, if the call names one. */
  readonly interface: string | undefined;
  /** The D-Bus name of the method. */
  readonly member: string;
  /** The flags of the message's header: 1 no reply expected, 2 no auto-start, 4 interactive authorization allowed. */
  readonly flags: number;
  /**
   * Aborts if the caller or the connection ends before the call is answered. The reason is a {@link CallerLeftError} if
   * the caller leaves the bus, and a {@link ConnectionClosedError} if the connection is closed or lost (its `cause` is
   * the reason of a loss). It does not abort after the call has been answered: {@link Caller.left} does. To release what a
   * caller keeps beyond the call, such as an inhibitor, use {@link Caller.track}.
   */
  readonly signal: AbortSignal;
  /**
   * All file descriptors of the call, including those that no argument refers to. They are lent, as arguments are; read
   * them before the handler's first `await`.
   */
  readonly fileDescriptors: readonly FileDescriptor[];
  /**
   * Decodes the arguments in another way than the handler got them, for instance variants as {@link Variant}. Call it
   * before the handler's first `await`; the bytes are gone after that.
   *
   * @throws {@link DBusError} if it is called later
   */
  decode(options: DecodeOptions): unknown[];
  /**
   * Asks polkit whether the caller may perform an action. The user is asked only if the caller called with the flag
   * ALLOW_INTERACTIVE_AUTHORIZATION. polkit withdraws its question if the caller leaves, at the time limit, and when
   * `signal` aborts. A handler that does not catch the error answers the caller with it.
   *
   * @example
   * ```ts
   * @method({ in: ['name:s'], context: true })
   * async SetName(name: string, call: CallContext): Promise<void> {
   *   await call.authorize('org.example.set-name', { details: { name } });
   * }
   * ```
   * @param action the id of the action, which a `.policy` file declares
   * @throws (rejects) {@link AccessDeniedError} if the caller may not, or polkit does not answer or is not available,
   * which is also reported on the channel `busbar:problem`
   * @throws (rejects) {@link InteractiveAuthorizationRequiredError} if the user would have to be asked
   * @throws (rejects) the reason of a signal
   */
  authorize(action: string, options?: AuthorizeOptions): Promise<void>;
}
