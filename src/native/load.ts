/**
 * Loads the addon when the first connection is made, so that importing busbar works on every platform. `places.ts`
 * finds the places of binaries, `binaries.ts` the files to try there, and `load-failure.ts` has the error text if none
 * of them loads.
 */
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers';
import { ConnectError } from '../base/errors.js';
import { binariesIn } from './binaries.js';
import { type Addon, SEAM_VERSION } from './binding.js';
import { type Attempt, failureText } from './load-failure.js';
import { places } from './places.js';

let addon: Addon | undefined;

/**
 * Calls back after an iteration of the event loop. The functions are read here, before a test suite may replace them
 * with a clock of its own. In Deno it is a timer: Deno does not serve sockets as long as there is always an immediate.
 */
const [immediate, timeout] = [setImmediate, setTimeout];
const afterRound = process.versions.deno === undefined ? immediate : (callback: () => void) => timeout(callback, 0);

/**
 * The addon, loaded once for each thread.
 *
 * @throws {@link ConnectError} if there is no binary for this machine or it does not load; the text tells why and what
 *   to do
 */
export function loadAddon(): Addon {
  if (addon === undefined) {
    addon = load();
    addon.useImmediate(afterRound);
  }
  return addon;
}

function load(): Addon {
  const attempts: Attempt[] = [];
  const searched = places();
  for (const place of searched) {
    const require = requireIn(place.folder);
    const { files, failure } = binariesIn(place, require);
    if (failure !== undefined) attempts.push({ file: join(place.folder, '*'), error: failure });
    for (const file of files) {
      try {
        return checkSeamVersion(require(file), file);
      } catch (error) {
        attempts.push({ file, error });
      }
    }
  }
  const [first] = attempts;
  throw new ConnectError(failureText(attempts, searched), { cause: first?.error });
}

/**
 * Returns a function that requires files, and packages as a file in this folder would. It comes from the process if the
 * process provides it, because webpack replaces `createRequire` with functions of its own.
 */
function requireIn(folder: string): (id: string) => unknown {
  const { createRequire } = process.getBuiltinModule?.('node:module') ?? nodeModule;
  return createRequire(join(folder, 'package.json'));
}

/**
 * Returns the addon if it has the seam version of this module. Both sides share memory and have its layout built in, so
 * a binary that was once copied beside a bundle and left there must not be used with another version.
 */
function checkSeamVersion(exports: unknown, file: string): Addon {
  const { seamVersion } = exports as Partial<Addon>;
  if (seamVersion === SEAM_VERSION) return exports as Addon;
  throw new Error(
    `${file} is of another version of busbar (its interface version is ${seamVersion ?? 'none'}; ${SEAM_VERSION} is required)`,
  );
}
