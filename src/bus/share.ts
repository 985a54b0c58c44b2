/**
 * One user's share of a connection that several users share. It ends with its own `close`, together with everything
 * that it made, or with the connection.
 */

import type { DBusError } from '../base/errors.js';
import type { Endable } from '../base/handle.js';
import type { CloseListener } from '../connection/lifecycle.js';
import type { TimeLimit } from '../connection/time-limit.js';
import type { BusState } from './link/link.js';

interface SharedConnection {
  readonly state: BusState;
  whenClosed(listener: CloseListener): () => void;
}

/**
 * Called once, when a share was closed. The last share closes the connection within the limit; this resolves after
 * that.
 */
export type OnShareClosed = (limit: TimeLimit) => Promise<void>;

export class Share {
  /** Resolves when the share ends: with nothing after its `close`, with the reason after a loss. Never rejects. */
  readonly closed: Promise<DBusError | undefined>;
  readonly #connection: SharedConnection;
  readonly #listeners = new Set<CloseListener>();
  /** Receivers, which end when the share begins to close, and what answers calls, which ends when the share ends. */
  readonly #hears = new Set<Endable>();
  readonly #answers = new Set<Endable>();
  readonly #onClosed: OnShareClosed;
  #state: 'closing' | 'closed' | undefined;
  #resolve!: (reason: DBusError | undefined) => void;

  constructor(connection: SharedConnection, onClosed: OnShareClosed) {
    this.#connection = connection;
    this.#onClosed = onClosed;
    this.closed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    connection.whenClosed((reason) => this.#end(reason));
  }

  get state(): BusState {
    return this.#state ?? this.#connection.state;
  }

  /** Whether nothing can be sent or made through it any more. */
  get isOver(): boolean {
    return this.#state === 'closed';
  }

  beginToClose(): void {
    this.#state ??= 'closing';
    endAll(this.#hears);
  }

  /**
   * Ends something with the share, unless it is removed before.
   *
   * @param hears whether it ends as soon as the share begins to close
   */
  add(item: Endable, hears: boolean): void {
    (hears ? this.#hears : this.#answers).add(item);
  }

  /** Returns whether it was added and has not ended. */
  remove(item: Endable): boolean {
    return this.#answers.delete(item) || this.#hears.delete(item);
  }

  whenClosed(listener: CloseListener): () => void {
    this.#listeners.add(listener);
    if (this.#state === 'closed') {
      void this.closed.then((reason) => this.#listeners.delete(listener) && listener(reason));
    }
    return () => void this.#listeners.delete(listener);
  }

  /** Ends everything that the share made. What it sent is written. */
  async close(limit: TimeLimit): Promise<void> {
    this.#end(undefined);
    await this.#onClosed(limit);
  }

  #end(reason: DBusError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
    endAll(this.#hears);
    endAll(this.#answers);
    this.#resolve(reason);
  }
}

function endAll(belongings: Set<Endable>): void {
  const items = [...belongings];
  belongings.clear();
  for (const item of items) item.endNow();
}
