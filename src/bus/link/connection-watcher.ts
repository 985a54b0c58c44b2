/** What a program is told about the connections of a bus. */

import type { DBusError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkObject, checkOptionalFunction } from '../../base/parameters.js';
import { isPlainObject } from '../../codec/plain-object.js';

/** A connection that followed a lost one. */
export interface Restored {
  /** The name that the bus gave the new connection; `undefined` between peers. */
  readonly uniqueName: string | undefined;
  /** Milliseconds from the loss until everything worked again. */
  readonly downtime: number;
}

/**
 * The functions that {@link MessageBus.watchConnection} calls. Each may be left out. After `close` none of them is called.
 * `lost` and `restored` alternate: a connection that is lost again before everything works is not reported.
 */
export interface ConnectionWatcher {
  /** The connection was lost. Calls that were waiting for their reply have rejected. */
  readonly lost?: ((reason: DBusError) => void) | undefined;
  /**
   * There is a connection again, and all that the program has declared works: exports, subscriptions, names, watchers and
   * live views. A name that another connection took meanwhile is `lost`, or `queued` if it was requested with `queue`.
   */
  readonly restored?: ((connection: Restored) => void) | undefined;
  /**
   * No further attempt is made, because of the option `attempts`. Gets the error of the last attempt. After that the bus
   * is `closed`, as after a loss without `reconnect`.
   */
  readonly gaveUp?: ((error: unknown) => void) | undefined;
}

const watcherFunctions = new KnownOptions<ConnectionWatcher>(
  'watchConnection()',
  { lost: checkOptionalFunction, restored: checkOptionalFunction, gaveUp: checkOptionalFunction },
  { kind: 'function' },
);

/**
 * Checks a watcher. An instance of a class may have other members as well.
 *
 * @throws {@link InvalidArgumentError} if it is not a watcher
 */
export function checkConnectionWatcher(watcher: ConnectionWatcher): void {
  checkObject(watcher, 'watcher');
  const { lost, restored, gaveUp } = watcher;
  watcherFunctions.check(isPlainObject(watcher) ? watcher : { lost, restored, gaveUp }, 'watcher');
}
