/**
 * The state of a connection, and the notifications about it: to code that waits for it to open or to end, and to
 * diagnostics.
 *
 * The state changes in one direction, `connecting → open → closing → closed`, and only in `#become`. A state may be
 * skipped.
 */

import { type ConnectionClosedError, closedError, type DBusError } from '../base/errors.js';
import { runHandler } from '../diagnostics/problems.js';
import type { ConnectionPhase, TransportKind } from '../native/binding.js';
import { type ConnectionState, publishState } from './connection-events.js';
import { errnoText } from './errno.js';

/** Why an attempt to connect failed. */
export interface ConnectFailure {
  readonly errno: number;
  readonly phase: ConnectionPhase;
  /** The detail of `onClose` in `binding.ts`; or how far the other side had come when the time limit had passed. */
  readonly detail: string;
}

/** Called at the end: with `undefined` after `close`, with the reason after a loss. */
export type CloseListener = (reason: DBusError | undefined) => void;

/** The identity of a connection in diagnostics. */
interface Identity {
  readonly id: number;
  /** The address of the other side; empty for a client that was accepted. */
  readonly address: string;
  readonly transport: TransportKind;
}

export class Lifecycle {
  /**
   * Resolves when the attempt to connect has ended: with `undefined` if the connection is open, else with the reason.
   * Never rejects.
   */
  readonly opened: Promise<ConnectFailure | undefined>;

  /**
   * Resolves when the connection is closed: with `undefined` after `close`, with the reason after a loss. Never
   * rejects.
   */
  readonly closed: Promise<DBusError | undefined>;

  readonly #identity: Identity;
  readonly #closeListeners = new Set<CloseListener>();
  #state: ConnectionState = 'connecting';
  #carriesMessages = false;
  /** The reason of the loss. */
  #reason: DBusError | undefined;
  #resolveOpened!: (failure: ConnectFailure | undefined) => void;
  #resolveClosed!: (reason: DBusError | undefined) => void;

  constructor(identity: Identity) {
    this.#identity = identity;
    this.opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#become('connecting');
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /**
   * Whether messages are sent and delivered: while the connection is open, and while it answers earlier calls before it
   * closes.
   */
  get carriesMessages(): boolean {
    return this.#carriesMessages;
  }

  /** The reason of the loss, if the connection was lost. */
  get reason(): DBusError | undefined {
    return this.#reason;
  }

  /** The error for an operation while the connection carries no messages. */
  refusal(what: string): ConnectionClosedError {
    return closedError(`the connection is ${this.#state}: ${what}`, this.#reason);
  }

  open(): void {
    this.#carriesMessages = true;
    this.#become('open');
    this.#resolveOpened(undefined);
  }

  /** Begins to close; calls that have arrived are still answered. */
  beginToClose(): void {
    if (this.#state === 'open') this.#become('closing');
  }

  /** Stops sending and delivering messages; queued bytes are still written. */
  stopCarrying(): void {
    this.#carriesMessages = false;
  }

  /**
   * Called when the connection has ended. {@link tellEnd} informs the code that waits for it, after everything has been
   * released.
   *
   * @param failure why the attempt failed, if the connection never opened
   */
  end(failure: ConnectFailure, reason: DBusError | undefined): void {
    this.#carriesMessages = false;
    this.#reason = reason;
    if (this.#state !== 'connecting') {
      this.#become('closed', undefined, reason);
      return;
    }
    this.#become('closed', failure);
    this.#resolveOpened(failure);
  }

  tellEnd(reason: DBusError | undefined): void {
    const listeners = [...this.#closeListeners];
    this.#closeListeners.clear();
    // An error of one listener affects neither the other listeners nor the promise.
    for (const listener of listeners) this.#tell(listener, reason);
    this.#resolveClosed(reason);
  }

  /**
   * Calls `listener` when the connection ends, until the returned function is called. It is for objects that do not
   * live as long as the connection; a reaction to `closed` could not be removed.
   */
  whenClosed(listener: CloseListener): () => void {
    this.#closeListeners.add(listener);
    if (this.#state === 'closed') {
      void this.closed.then((reason) => this.#closeListeners.delete(listener) && this.#tell(listener, reason));
    }
    return () => void this.#closeListeners.delete(listener);
  }

  #tell(listener: CloseListener, reason: DBusError | undefined): void {
    runHandler('a listener of the end of the connection', () => listener(reason), this.#identity.id);
  }

  #become(state: ConnectionState, failure?: ConnectFailure, reason?: DBusError): void {
    this.#state = state;
    const { id: connection, address, transport } = this.#identity;
    publishState({
      connection,
      state,
      address,
      transport,
      failure: failure && { phase: failure.phase, text: errnoText(failure.errno), detail: failure.detail },
      reason,
    });
  }
}
