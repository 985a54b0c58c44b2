/** What a connection is made of. */

import type { PollerKind, ServedSocket, SocketTarget, TransportKind } from '../native/binding.js';
import type { CompleteLimits } from './limits.js';

export interface ConnectionOptions {
  /** One server address; not looked at where there is a `target`, or something to `serve`. */
  readonly address: string;
  /** What to connect to without sd-bus, which then must not be the transport. */
  readonly target?: SocketTarget | undefined;
  /** A client that was accepted: then this is the server's end, and making it keeps nobody alive. */
  readonly serve?: ServedSocket | undefined;
  /** Whether the other side is no bus: then nobody vouches for what messages say of their sender. */
  readonly peer?: boolean | undefined;
  /** Whether to authenticate without saying who one is, or to let in who does. */
  readonly anonymous?: boolean | undefined;
  readonly transport: TransportKind;
  readonly poller: PollerKind;
  /** Milliseconds until an attempt to connect is given up. */
  readonly timeout: number;
  /** How much the other side may cost. */
  readonly limits: CompleteLimits;
  /** Gives the attempt up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}
