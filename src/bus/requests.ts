/** What can be sent through a bus, as users write it down. */
import { MessageFlag } from '../connection/message.js';
import type { WaitOptions } from '../connection/pending-calls.js';

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
  readonly destination?: string | undefined;
  readonly path: string;
  readonly interface?: string | undefined;
  readonly member: string;
  /** The signature of `body`; empty if left out. */
  readonly signature?: string | undefined;
  readonly body?: readonly unknown[] | undefined;
}

/** A signal to send. */
export interface SignalEmission {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string | undefined;
  readonly body?: readonly unknown[] | undefined;
  /** Send to this connection alone; to everybody who subscribed, if left out. */
  readonly destination?: string | undefined;
}

/** The header flags that the options of a call stand for. */
export function callFlags({ noReply, autoStart, interactive }: CallOptions): number {
  return (
    (noReply ? MessageFlag.NoReplyExpected : 0) |
    (autoStart === false ? MessageFlag.NoAutoStart : 0) |
    (interactive ? MessageFlag.AllowInteractiveAuthorization : 0)
  );
}
