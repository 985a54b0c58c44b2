/** Watchers, which inform the program whether a name has an owner. */

import type { DBusError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkObject, checkOptionalFunction } from '../../base/parameters.js';
import { isPlainObject } from '../../codec/plain-object.js';
import { runHandler } from '../../diagnostics/problems.js';
import type { FollowedName, NameOwners } from './name-owners.js';

/** The functions that {@link MessageBus.watchName} calls for a name's owner. Each may be left out. */
export interface NameWatcher {
  /** The name has an owner: at the start, or again, or a different one. */
  readonly appeared?: ((owner: string) => void) | undefined;
  /**
   * The name has no owner. Called at the start if there is none, whenever the name loses its owner, and when the
   * connection is lost, unless `vanished` was the last call already.
   */
  readonly vanished?: (() => void) | undefined;
  /**
   * The bus refuses to report the owner or its changes, for a reason such as a policy or a limit. What `appeared` and
   * `vanished` reported before may be out of date. If left out, the refusal is reported on the channel
   * `busbar:problem`.
   */
  readonly refused?: ((reason: unknown) => void) | undefined;
}

const watcherFunctions = new KnownOptions<NameWatcher>(
  'watchName()',
  { appeared: checkOptionalFunction, vanished: checkOptionalFunction, refused: checkOptionalFunction },
  { kind: 'function' },
);

/**
 * Checks a watcher. An instance of a class may have other members as well.
 *
 * @throws {@link InvalidArgumentError} if it is not a watcher
 */
export function checkWatcher(watcher: NameWatcher): void {
  checkObject(watcher, 'watcher');
  const { appeared, vanished, refused } = watcher;
  watcherFunctions.check(isPlainObject(watcher) ? watcher : { appeared, vanished, refused }, 'watcher');
}

/** The part of a connection that a watcher uses. */
interface Watched {
  /** The number of the connection in diagnostics. */
  readonly connectionId: number;
  hold(): () => void;
  whenClosed(listener: (reason: DBusError | undefined) => void): () => void;
}

/**
 * A watcher in force. It is informed of each owner, and of the loss of the connection, after which no owner can be
 * known.
 */
export class NameWatch {
  readonly #name: string;
  readonly #watcher: NameWatcher;
  readonly #connection: Watched;
  readonly #followed: FollowedName;
  readonly #stopWaiting: () => void;
  #stopHolding: () => void;
  /** The last state of the name that the watcher was informed of. */
  #isPresent: boolean | undefined;

  /** Starts to inform the watcher, and keeps the process alive for it. */
  constructor(name: string, watcher: NameWatcher, owners: NameOwners, connection: Watched) {
    this.#name = name;
    this.#watcher = watcher;
    this.#connection = connection;
    this.#stopHolding = connection.hold();
    this.#followed = owners.follow(name, {
      changed: (owner) => this.#tell(owner),
      refused: (reason) => this.#tellRefused(reason),
      resumed: () => this.#holdAgain(),
    });
    this.#stopWaiting = connection.whenClosed((reason) => this.#onClosed(reason));
  }

  end(): void {
    this.#stopWaiting();
    this.#followed.release();
    this.#stopHolding();
  }

  #tell(owner: string | undefined): unknown {
    this.#isPresent = owner !== undefined;
    return owner === undefined ? this.#watcher.vanished?.() : this.#watcher.appeared?.(owner);
  }

  #tellRefused(reason: unknown): boolean {
    this.#stopHolding();
    if (this.#watcher.refused === undefined) return false;
    runHandler(`a watcher of ${this.#name}`, () => this.#watcher.refused?.(reason), this.#connection.connectionId);
    return true;
  }

  #holdAgain(): void {
    this.#stopHolding();
    this.#stopHolding = this.#connection.hold();
  }

  /** Handles the end of the connection. Only a loss is reported: a program that closes the connection knows about it. */
  #onClosed(reason: DBusError | undefined): void {
    if (reason === undefined || this.#isPresent === false) return;
    runHandler(`a watcher of ${this.#name}`, () => this.#tell(undefined), this.#connection.connectionId);
  }
}
