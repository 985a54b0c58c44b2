/** Who is told whether a name is there. */
import { checkFunction, checkObject } from '../parameters.js';
import type { OwnerListener } from './name-owners.js';

/** Who is told of a name's owner, by {@link MessageBus.watchName}. Either function may be left out. */
export interface NameWatcher {
  /** The name has an owner: now, or again, or another one. */
  readonly appeared?: ((owner: string) => void) | undefined;
  /** The name has no owner: called at the start if so, and whenever it loses its owner. */
  readonly vanished?: (() => void) | undefined;
}

/**
 * What a watcher is as a listener of an owner.
 *
 * @throws {@link InvalidArgumentError} for what is no watcher
 */
export function ownerListener(watcher: NameWatcher): OwnerListener {
  checkObject(watcher, 'watcher');
  if (watcher.appeared !== undefined) checkFunction(watcher.appeared, 'watcher.appeared');
  if (watcher.vanished !== undefined) checkFunction(watcher.vanished, 'watcher.vanished');
  return (owner) => (owner === undefined ? watcher.vanished?.() : watcher.appeared?.(owner));
}
