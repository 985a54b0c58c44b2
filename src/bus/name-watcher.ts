/** Who is told whether a name is there. */
import { runHandler } from '../diagnostics.js';
import type { DBusError } from '../errors.js';
import { checkFunction, checkObject } from '../parameters.js';
import type { OwnerListener } from './name-owners.js';

/** Who is told of a name's owner, by {@link MessageBus.watchName}. Either function may be left out. */
export interface NameWatcher {
  /** The name has an owner: now, or again, or another one. */
  readonly appeared?: ((owner: string) => void) | undefined;
  /**
   * The name has no owner: called at the start if so, whenever it loses its owner, and when the connection is lost, unless it
   * was called last already.
   */
  readonly vanished?: (() => void) | undefined;
}

/** A watcher that is told: of each owner, and of the loss of the connection, after which no owner can be known. */
export class NameWatch {
  readonly #watcher: NameWatcher;
  readonly #name: string;
  readonly #connectionId: number;
  /** What it was told last. */
  #isPresent: boolean | undefined;

  /** @throws {@link InvalidArgumentError} for what is no watcher */
  constructor(name: string, watcher: NameWatcher, connectionId: number) {
    checkObject(watcher, 'watcher');
    if (watcher.appeared !== undefined) checkFunction(watcher.appeared, 'watcher.appeared');
    if (watcher.vanished !== undefined) checkFunction(watcher.vanished, 'watcher.vanished');
    this.#watcher = watcher;
    this.#name = name;
    this.#connectionId = connectionId;
  }

  readonly tell: OwnerListener = (owner) => {
    this.#isPresent = owner !== undefined;
    return owner === undefined ? this.#watcher.vanished?.() : this.#watcher.appeared?.(owner);
  };

  /** The connection is over. Only a loss is news: who closes it knows. */
  end(reason: DBusError | undefined): void {
    if (reason === undefined || this.#isPresent === false) return;
    runHandler(`a watcher of ${this.#name}`, () => this.tell(undefined, undefined), this.#connectionId);
  }
}
