/** Waiting until a name has an owner. */
import type { DBusError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkBoolean } from '../../base/parameters.js';
import { type WaitLimits, waitLimitsTable } from '../../connection/wait-limits.js';
import { wait } from '../wait.js';
import type { NameOwners } from './name-owners.js';

/** How to wait for a name. */
export interface WaitForNameOptions extends WaitLimits {
  /** `true`: the bus starts the service if it is not running. By default the wait starts nothing. */
  readonly start?: boolean | undefined;
}

export const waitForNameOptions = new KnownOptions<WaitForNameOptions>('waitForName()', {
  start: checkBoolean,
  ...waitLimitsTable,
});

/** What the wait needs of a connection. */
interface Waiting {
  whenClosed(listener: (reason: DBusError | undefined) => void): () => void;
  hold(reportsLoss?: boolean): () => void;
}

/**
 * Resolves with the owner of a name, at once if it has one.
 *
 * @param start makes the bus start the service, if it is to be started
 */
export function ownerOf(
  bus: Waiting,
  owners: NameOwners,
  name: string,
  limits: WaitLimits,
  start?: () => Promise<unknown>,
): Promise<string> {
  return wait<string>(bus, `${name} had no owner`, limits, (resolve, reject) => {
    const release = bus.hold(true);
    const followed = owners.follow(name, {
      changed: (owner) => owner !== undefined && resolve(owner),
      refused(reason) {
        reject(reason);
        return true;
      },
    });
    start?.().catch(reject);
    return () => {
      followed.release();
      release();
    };
  });
}
