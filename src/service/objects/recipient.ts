/**
 * The one connection that gets a signal which is not for all: a bus sends a signal with a DESTINATION to that connection
 * alone, whatever match rules there are.
 *
 * @see D-Bus specification, section "Message Bus Message Routing"
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkBusName, checkObjectPath } from '../../base/names.js';
import type { Bus } from '../../bus/bus.js';
import { report } from '../../diagnostics/problems.js';
import type { CallContext } from '../calls/call-context.js';
import { type Caller, CallingConnection } from '../calls/caller.js';
import { IncomingCall } from '../calls/incoming-call.js';
import type { Place } from './place.js';

/**
 * The receiver of a signal: a caller, or the context of its call. A name is enough for an object that is exported on one
 * connection. It is `undefined` between peers, where it is not needed.
 */
export type SignalDestination = string | CallContext | Caller | undefined;

/** A connection that has called, and for the context of a call the path that it called. */
interface Calling {
  readonly bus: Bus;
  readonly isConnected: boolean;
  readonly path?: string;
}

/** How a signal is sent to one connection. */
export interface SignalDestinationOptions {
  /** The path that sends the signal, for an object with several paths. All of them by default. */
  readonly path?: string | undefined;
}

const destinationOptions = new KnownOptions<SignalDestinationOptions>('signals to one connection', {
  path: (value, name) => {
    if (value !== undefined) checkObjectPath(value as string, name);
  },
});

export class Recipient {
  readonly destination: string | undefined;
  readonly #caller: Calling | undefined;
  readonly #path: string | undefined;

  /** @throws {@link InvalidArgumentError} if the destination or an option is not valid */
  constructor(destination: SignalDestination, options: SignalDestinationOptions) {
    destinationOptions.check(options);
    if (destination instanceof IncomingCall) {
      this.#caller = destination;
      this.destination = destination.sender;
    } else if (destination instanceof CallingConnection) {
      this.#caller = destination;
      this.destination = destination.name;
    } else {
      if (destination !== undefined) checkDestination(destination);
      this.destination = destination as string | undefined;
    }
    this.#path = options.path;
  }

  /**
   * The places that send the signal. A unique name of one bus may belong to a stranger on another one, so the signal is
   * sent over one connection only.
   *
   * @throws {@link InvalidArgumentError} if the connection is ambiguous, or the destination is missing on a bus
   */
  among(places: Iterable<Place>): readonly Place[] {
    const path = this.#path;
    const all = [...places].filter((place) => path === undefined || place.path === path);
    if (this.#caller !== undefined) return this.#ofCaller(this.#caller, all);
    const [first] = all;
    if (first === undefined) return all;
    if (all.some(({ bus }) => bus !== first.bus)) {
      throw new InvalidArgumentError(
        'destination: the object is exported on several connections: give the receiver as a caller',
      );
    }
    if (this.destination === undefined && !first.bus.isPeer)
      throw new InvalidArgumentError('destination: required on a message bus: give the name of the receiver');
    return all;
  }

  /** The path that the receiver has called is the one by which it knows the object. */
  #ofCaller({ bus, isConnected, path }: Calling, places: readonly Place[]): readonly Place[] {
    if (!isConnected) {
      report('send', `a signal for ${this.destination ?? 'the peer'} was not sent: its connection has ended`);
      return [];
    }
    const reachable = places.filter((place) => place.bus === bus);
    const called = reachable.filter((place) => place.path === path);
    return called.length > 0 ? called : reachable;
  }
}

function checkDestination(destination: unknown): void {
  if (typeof destination === 'object' && destination !== null)
    throw new InvalidArgumentError('destination: expected a bus name, a caller, or the context of a call');
  checkBusName(destination as string, 'destination');
}
