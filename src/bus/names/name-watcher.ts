/** Who is told whether a name is there. */

import type { DBusError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkObject, checkOptionalFunction } from '../../base/parameters.js';
import { isPlainObject } from '../../codec/encode-container.js';
import { runHandler } from '../../diagnostics/problems.js';
import type { FollowedName, NameOwners } from './name-owners.js';

/** Who is told of a name's owner, by {@link MessageBus.watchName}. Each function may be left out. */
export interface NameWatcher {
  /** The name has an owner: now, or again, or another one. */
  readonly appeared?: ((owner: string) => void) | undefined;
  /**
   * The name has no owner: called at the start if so, whenever it loses its owner, and when the connection is lost, unless it
   * was called last already.
   */
  readonly vanished?: (() => void) | undefined;
  /**
   * The bus does not tell of the owner or of its changes, and why: a policy or a limit of the bus. What `appeared` and
   * `vanished` said before may be out of date. Left out, it is reported on the channel `busbar:problem`.
   */
  readonly refused?: ((reason: unknown) => void) | undefined;
}

const watcherFunctions = new KnownOptions<NameWatcher>(
  'watchName()',
  { appeared: checkOptionalFunction, vanished: checkOptionalFunction, refused: checkOptionalFunction },
  { kind: 'function' },
);

/**
 * Checks a watcher. An instance of a class may have members of its own besides.
 *
 * @throws {@link InvalidArgumentError} for what is no watcher
 */
export function checkWatcher(watcher: NameWatcher): void {
  checkObject(watcher, 'watcher');
  const { appeared, vanished, refused } = watcher;
  watcherFunctions.check(isPlainObject(watcher) ? watcher : { appeared, vanished, refused }, 'watcher');
}

/** What a connection is to a watcher. */
interface Watched {
  /** The number by which diagnostics call it. */
  readonly connectionId: number;
  hold(): () => void;
  whenClosed(listener: (reason: DBusError | undefined) => void): () => void;
}

/** A watcher that is told: of each owner, and of the loss of the connection, after which no owner can be known. */
export class NameWatch {
  readonly #name: string;
  readonly #watcher: NameWatcher;
  readonly #connection: Watched;
  readonly #followed: FollowedName;
  readonly #stopWaiting: () => void;
  #stopHolding: () => void;
  /** What it was told last. */
  #isPresent: boolean | undefined;

  /** Begins to tell, and keeps the process alive for it. */
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

  /** The connection is over. Only a loss is news: who closes it knows. */
  #onClosed(reason: DBusError | undefined): void {
    if (reason === undefined || this.#isPresent === false) return;
    runHandler(`a watcher of ${this.#name}`, () => this.#tell(undefined), this.#connection.connectionId);
  }
}
