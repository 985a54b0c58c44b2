/** The options of a connection. */

import type { AdoptedSocket, PollerKind, ServedSocket, SocketTarget, TransportKind } from '../native/binding.js';
import type { CompleteLimits } from './limits.js';

export interface ConnectionOptions {
  /** One server address; ignored if there is a `target`, or something to `serve` or to `adopt`. */
  readonly address: string;
  /** The socket to connect to without sd-bus. The transport must not be sd-bus. */
  readonly target?: SocketTarget | undefined;
  /** An accepted client: this is the server's end of its connection. Opening it does not keep the process alive. */
  readonly serve?: ServedSocket | undefined;
  /** A connected socket that the program passes. The transport must not be sd-bus. */
  readonly adopt?: AdoptedSocket | undefined;
  /**
   * Whether a program carries the stream. It passes no descriptors on, although both ends agreed to pass them, and it may
   * have read what the other side has not.
   */
  readonly isRelayed?: boolean | undefined;
  /** Whether the other side is a peer, and not a bus. Then the senders of messages are not verified. */
  readonly peer?: boolean | undefined;
  /** As a client, authenticate anonymously; as a server, accept anonymous clients. */
  readonly anonymous?: boolean | undefined;
  readonly transport: TransportKind;
  readonly poller: PollerKind;
  /** Milliseconds until an attempt to connect is given up. */
  readonly timeout: number;
  /** The limits of what the other side may cost. */
  readonly limits: CompleteLimits;
  /** Whether the attempt does not keep the process alive. */
  readonly isInBackground?: boolean | undefined;
  /** Gives up the attempt when it aborts. */
  readonly signal?: AbortSignal | undefined;
}
