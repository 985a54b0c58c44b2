/** What a handler may know of the call that it answers. The dispatcher makes one for each call. */
import type { Credentials } from '../../bus/names/driver.js';
import type { DecodeOptions } from '../../codec/decode-options.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';

/**
 * The call that a handler answers. A decorated method gets it as its last parameter if it asks with `context: true`;
 * the methods given to `implement` always do.
 */
export interface CallContext {
  /** The caller's unique name; `undefined` between peers without a bus. */
  readonly sender: string | undefined;
  /** The path that was called, of those at which the object is exported. */
  readonly path: string;
  /** The interface, where the caller named one. */
  readonly interface: string | undefined;
  /** The D-Bus name of the method. */
  readonly member: string;
  /** The flags of the message's header: 1 no reply expected, 2 no auto-start, 4 interactive authorization allowed. */
  readonly flags: number;
  /**
   * Aborts while the call is being answered, if its result is not wanted any more: with a {@link CallerLeftError} as its reason
   * if the caller leaves the bus, with a {@link ConnectionClosedError} if the connection is closed or lost (its `cause` is the
   * reason of a loss). It does not abort when the call has been answered: what is held for a caller longer than that, an
   * inhibitor for instance, ends with its name, which {@link MessageBus.watchName} follows.
   */
  readonly signal: AbortSignal;
  /**
   * All file descriptors that came with the call, those that no argument refers to as well. They are on loan, as arguments are;
   * look at them before the handler's first `await`.
   */
  readonly fileDescriptors: readonly FileDescriptor[];
  /**
   * Decodes the arguments in another way than the handler got them, variants as {@link Variant} for instance. To be
   * called before the handler's first `await`; the bytes are gone after that.
   *
   * @throws {@link DBusError} after that
   */
  decode(options: DecodeOptions): unknown[];
  /**
   * Who the caller is, as the bus knows, or between peers as the kernel knows of their socket.
   *
   * @throws (rejects) {@link DBusError} if the caller has left, or the bus does not know
   * @throws (rejects) {@link NotSupportedError} between peers that are not connected by a unix socket
   */
  credentials(): Promise<Credentials>;
}
