/** The caller of a method, as handlers see it: its credentials, and the end of its life. */
import { inspect } from 'node:util';
import { type CallerLeftError, type ConnectionClosedError, NameHasNoOwnerError } from '../../base/error-classes.js';
import { EndableHandle, type Handle } from '../../base/handle.js';
import { checkFunction } from '../../base/parameters.js';
import { printable } from '../../base/printable.js';
import type { Bus } from '../../bus/bus.js';
import {
  type CallerCredentials,
  type CallerCredentialsOptions,
  callerCredentials,
  knownCredentials,
} from '../../bus/callers/caller-credentials.js';
import type { CallerEnd, CallerLife, CallerListener } from '../../bus/callers/caller-life.js';
import type { Callers } from '../../bus/callers/callers.js';
import type { Credentials } from '../../bus/names/driver.js';
import type { Connection } from '../../connection/connection.js';
import { runHandler } from '../../diagnostics/problems.js';
import { isThenable } from '../thenable.js';
import { outsideCalls } from './call-storage.js';

/** Releases what a caller had. It gets the reason why the caller has ended. */
export type CallerCleanup = (reason: CallerLeftError | ConnectionClosedError) => unknown;

/**
 * The connection that made a call. It can be used as long as the program likes, also after the call was answered.
 *
 * @example
 * ```ts
 * const Leases = defineInterface('org.example.Leases', { methods: { Take: { in: ['name:s'] } } });
 * const taken = new Set<string>();
 * bus.export('/leases', implement(Leases, {
 *   Take(name, { caller }) {
 *     taken.add(name);
 *     caller.track(() => taken.delete(name));
 *   },
 * }));
 * ```
 */
export interface Caller {
  /** Its unique name, which the bus never gives to another connection; `undefined` between peers without a bus. */
  readonly name: string | undefined;
  /**
   * Aborts when the caller leaves the bus, with a {@link CallerLeftError}, or when the connection is closed or lost, with
   * a {@link ConnectionClosedError}: also long after the call was answered. If the caller has left already, it aborts
   * soon. From the first use on, the caller is followed until then.
   *
   * {@link CallContext.signal} only aborts until the call is answered.
   */
  readonly left: AbortSignal;
  /**
   * Resolves with the credentials: what the bus knows of the caller, or between peers the kernel, and the systemd unit of
   * the process.
   *
   * @example
   * ```ts
   * const Lamp = defineInterface('org.example.Lamp', { methods: { On: {} } });
   * bus.export('/lamp', implement(Lamp, {
   *   async On({ caller }) {
   *     const { uid, unit } = await caller.credentials();
   *     console.log(uid, unit);
   *   },
   * }));
   * ```
   * @throws (rejects) {@link DBusError} if the caller has left the bus, or the bus does not know them
   * @throws (rejects) {@link ConnectionClosedError} if the connection over which it called is closed
   * @throws (rejects) {@link NotSupportedError} between peers that are not connected by a Unix socket
   * @throws (rejects) {@link TimeoutError}, or the reason of `signal`
   * @see D-Bus specification, section "org.freedesktop.DBus.GetConnectionCredentials"
   */
  credentials(options?: CallerCredentialsOptions): Promise<CallerCredentials>;
  /**
   * Calls a function once when the caller ends: when it leaves the bus, or when the connection to it is closed or lost.
   * If it has left already, the function is called soon, and never before this returns. An error that it throws, or
   * rejects with, is reported on the channel `busbar:problem`. `close` does not wait for it.
   *
   * If the bus refuses to report when the caller leaves, that is reported, and the end of the connection calls the
   * function.
   *
   * @returns a handle; when it is ended before, the function is never called
   * @throws {@link InvalidArgumentError} if `cleanup` is not a function
   * @see D-Bus specification, section "org.freedesktop.DBus.NameOwnerChanged"
   */
  track(cleanup: CallerCleanup): Handle;
}

export class CallingConnection implements Caller {
  readonly name: string | undefined;
  readonly #bus: Bus;
  readonly #callers: Callers;
  readonly #connection: Connection;
  #life: CallerLife | undefined;
  #known: Promise<Credentials> | undefined;
  /** With which error the bus has told that it has left. */
  #gone: unknown;

  /**
   * @param callers those of the user of the connection that exported the called object
   * @param connection the connection over which it called
   */
  constructor(bus: Bus, callers: Callers, connection: Connection, sender: string | undefined) {
    this.#bus = bus;
    this.#callers = callers;
    this.#connection = connection;
    // A peer may claim any name.
    this.name = bus.isPeer ? undefined : sender;
  }

  /** @internal the bus of its connection */
  get bus(): Bus {
    return this.#bus;
  }

  /** @internal whether messages can still reach it over its connection */
  get isConnected(): boolean {
    return this.#connection.carriesMessages;
  }

  get left(): AbortSignal {
    return this.#lifeNow().signal;
  }

  async credentials(options: CallerCredentialsOptions = {}): Promise<CallerCredentials> {
    this.#requireConnection();
    try {
      return await callerCredentials(this.#connection, this.name, this.#bus.uniqueName, options);
    } catch (error) {
      if (error instanceof NameHasNoOwnerError) this.#gone = error;
      throw error;
    }
  }

  /** @internal whether the error says that it has left */
  isGoneBy(error: unknown): boolean {
    return error !== undefined && error === this.#gone;
  }

  /** @internal as {@link credentials}, without what takes longer: what the bus, or the kernel, has of its connection */
  async known(): Promise<Credentials> {
    this.#requireConnection();
    // They do not change, and a call may be checked for thousands of objects.
    this.#known ??= knownCredentials(this.#connection, this.name);
    return this.#known;
  }

  /** Over another connection, its name may be that of another one. */
  #requireConnection(): void {
    if (this.#connection.carriesMessages) return;
    throw this.#connection.refusal(`caller credentials are unavailable: the connection to ${this.#shown} was closed`);
  }

  track(cleanup: CallerCleanup): Handle {
    checkFunction(cleanup, 'cleanup');
    return new TrackedCaller(this.#lifeNow(), cleanup, this.#connection.id);
  }

  /** @internal why it has ended, if the program waited for that */
  get endReason(): CallerLeftError | ConnectionClosedError | undefined {
    return this.#life?.reason;
  }

  /** The life, which is followed from now on: the one that others wait for, or a new one. */
  #lifeNow(): CallerLife {
    if (this.#life?.hasEnded !== true) this.#life = this.#callers.lifeOf(this.name, this.#connection);
    return this.#life as CallerLife;
  }

  get #shown(): string {
    return this.name ?? 'the peer';
  }

  /** @internal */
  [inspect.custom](): string {
    return printable(`Caller { ${this.#shown} }`);
  }
}

/** A tracked caller, which is also its handle. */
class TrackedCaller extends EndableHandle implements CallerListener {
  readonly #life: CallerLife;
  readonly #cleanup: CallerCleanup;
  readonly #connectionId: number;

  constructor(life: CallerLife, cleanup: CallerCleanup, connectionId: number) {
    super();
    this.#life = life;
    this.#cleanup = cleanup;
    this.#connectionId = connectionId;
    life.add(this);
  }

  protected override get shown(): string {
    return `tracked caller { ${this.#life.name ?? 'the peer'} }`;
  }

  /** @internal */
  override endNow(): void {
    this.#life.remove(this);
  }

  /** @internal */
  callerEnded(_end: CallerEnd, reason: CallerLeftError | ConnectionClosedError): void {
    const cleanup = this.#cleanup;
    const run = () => {
      // A handler may have caused the end, or have tracked a caller that had left.
      const result = outsideCalls(() => cleanup(reason));
      return isThenable(result) ? Promise.resolve(result) : result;
    };
    runHandler(`the cleanup of ${this.#life.name ?? 'the peer'}`, run, this.#connectionId);
  }
}
