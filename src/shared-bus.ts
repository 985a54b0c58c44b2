/** The well-known buses, each on a connection that the whole process shares. */
import { KnownOptions } from './base/known-options.js';
import { checkReconnect, completeReconnect, type ReconnectOptions } from './bus/link/reconnect-options.js';
import { connect } from './connect.js';
import { MessageBus } from './message-bus.js';

/** How a shared connection is made. */
export interface SharedBusOptions {
  /**
   * Connects again when the connection is lost, as {@link ConnectOptions.reconnect} describes it. Only calls with the same
   * delays and attempts share a connection: a share never does what its own options did not ask for. `false` by default.
   */
  readonly reconnect?: boolean | ReconnectOptions | undefined;
}

const sharedBusOptions = new KnownOptions<SharedBusOptions>('sessionBus() and systemBus()', {
  reconnect: checkReconnect,
});

/** A well-known bus, and its shared connections. */
class SharedBus {
  readonly #which: 'session' | 'system';
  /** The connections that are open or being made, by how they reconnect. */
  readonly #connections = new Map<string, Promise<MessageBus>>();

  constructor(which: 'session' | 'system') {
    this.#which = which;
  }

  /** Resolves with a new share of the connection. Connects if there is no connection, or the last one has ended. */
  async get(options: SharedBusOptions): Promise<MessageBus> {
    sharedBusOptions.check(options);
    const { reconnect } = options;
    const key = JSON.stringify(completeReconnect(reconnect) ?? false);
    for (;;) {
      const attempt = this.#connections.get(key) ?? this.#connect(key, { reconnect });
      const bus = await attempt;
      if (bus.state === 'open' || bus.state === 'away') return new MessageBus(bus);
      this.#forget(key, attempt);
    }
  }

  #connect(key: string, options: SharedBusOptions): Promise<MessageBus> {
    const attempt = connect({ bus: this.#which, ...options });
    this.#connections.set(key, attempt);
    attempt.then(
      (bus) => bus.whenClosed(() => this.#forget(key, attempt)),
      () => this.#forget(key, attempt),
    );
    return attempt;
  }

  #forget(key: string, attempt: Promise<MessageBus>): void {
    if (this.#connections.get(key) === attempt) this.#connections.delete(key);
  }
}

const shared = { session: new SharedBus('session'), system: new SharedBus('system') };

/**
 * Resolves with the session bus, on a connection that the whole process shares. Each call returns a share of it.
 * Subscriptions, watchers, message handlers, exports and names belong to the share that made them, and end with its
 * `close`. `state`, `disconnected`, `ref` and `unref` concern the share alone. The last `close` closes the connection.
 *
 * With `reconnect` the connection is another one than without. While it is `away`, so are the shares that calls return.
 *
 * @example
 * ```ts
 * await using bus = await sessionBus();
 * await using lasting = await sessionBus({ reconnect: true });
 * ```
 * @throws (rejects) as {@link connect} does
 */
export function sessionBus(options: SharedBusOptions = {}): Promise<MessageBus> {
  return shared.session.get(options);
}

/**
 * Resolves with the system bus, on a connection that the whole process shares, as with {@link sessionBus}.
 *
 * @example
 * ```ts
 * await using bus = await systemBus({ reconnect: { maxDelay: 5000 } });
 * ```
 * @throws (rejects) as {@link connect} does
 */
export function systemBus(options: SharedBusOptions = {}): Promise<MessageBus> {
  return shared.system.get(options);
}
