/**
 * How far a connection is in its life, and who hears of it: whoever waits for it to open or to end, and diagnostics.
 *
 * It goes one way, `connecting → open → closing → closed`, and changes in `#become` alone. A state may be left out.
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
  /** As of `onClose` in `binding.ts`; or how far the other side had come when its time was over. */
  readonly detail: string;
}

/** Hears of the end: with nothing after `close`, with the reason after a loss. */
export type CloseListener = (reason: DBusError | undefined) => void;

/** What diagnostics tell of a connection. */
interface Identity {
  readonly id: number;
  /** Where it leads; empty for a client that was accepted. */
  readonly address: string;
  readonly transport: TransportKind;
}

export class Lifecycle {
  /** Settles when the attempt to connect is over: with nothing if it is open, else with why it is not. Never rejects. */
  readonly opened: Promise<ConnectFailure | undefined>;

  /** Settles when it is closed: with nothing after `close`, with the reason after a loss. Never rejects. */
  readonly closed: Promise<DBusError | undefined>;

  readonly #identity: Identity;
  readonly #closeListeners = new Set<CloseListener>();
  #state: ConnectionState = 'connecting';
  #carriesMessages = false;
  /** Why it was lost. */
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

  /** Whether messages are sent and delivered: while it is open, and while it answers what came before it is closed. */
  get carriesMessages(): boolean {
    return this.#carriesMessages;
  }

  /** Why it was lost, if it was. */
  get reason(): DBusError | undefined {
    return this.#reason;
  }

  /** The error for what is asked of it while it carries no messages. */
  refusal(what: string): ConnectionClosedError {
    return closedError(`the connection is ${this.#state}: ${what}`, this.#reason);
  }

  open(): void {
    this.#carriesMessages = true;
    this.#become('open');
    this.#resolveOpened(undefined);
  }

  /** It is being closed here; what came is still answered. */
  beginToClose(): void {
    if (this.#state === 'open') this.#become('closing');
  }

  /** Nothing more is sent or delivered; what was sent is still written. */
  stopCarrying(): void {
    this.#carriesMessages = false;
  }

  /**
   * It is over. Who waits for that hears of it by {@link tellEnd}, when everything has been given back.
   *
   * @param failure what stopped the attempt, if it never opened
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
    // What one of them throws is not the others' business, nor keeps the end from being told.
    for (const listener of listeners) this.#tell(listener, reason);
    this.#resolveClosed(reason);
  }

  /**
   * Has `listener` called when the connection is over, until the returned function is called. For what comes and goes
   * during the life of a connection; a reaction to `closed` could not be taken back.
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
