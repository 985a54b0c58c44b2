/**
 * Loads the addon, when the first connection is made: importing busbar works on every platform. `places.ts` says where it is
 * looked for, `binaries.ts` which files are tried there, and `load-failure.ts` what is told if none of them loads.
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
 * What runs when the event loop has gone round, as it is before a test suite may take the clock into its own hands. In Deno
 * it is a timer: sockets are not served there while there always is an immediate.
 */
const [immediate, timeout] = [setImmediate, setTimeout];
const afterRound = process.versions.deno === undefined ? immediate : (callback: () => void) => timeout(callback, 0);

/**
 * The addon, loaded once a thread.
 *
 * @throws {@link ConnectError} if there is no binary for this machine or it does not load; the text says why, and what to do
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
        return fitting(require(file), file);
      } catch (error) {
        attempts.push({ file, error });
      }
    }
  }
  const [first] = attempts;
  throw new ConnectError(failureText(attempts, searched), { cause: first?.error });
}

/**
 * What requires files, and packages as a file in this folder does. It is had from the process where that gives it, because
 * webpack puts functions of its own in place of `createRequire`.
 */
function requireIn(folder: string): (id: string) => unknown {
  const { createRequire } = process.getBuiltinModule?.('node:module') ?? nodeModule;
  return createRequire(join(folder, 'package.json'));
}

/**
 * The addon, if it is the one that this module is made for. Both share memory, and know by heart how it is laid out: a binary
 * that was copied beside a bundle once, and left there, must not be taken for one that fits.
 */
function fitting(exports: unknown, file: string): Addon {
  const { seamVersion } = exports as Partial<Addon>;
  if (seamVersion === SEAM_VERSION) return exports as Addon;
  throw new Error(
    `${file} is of another version of busbar (its seam is ${seamVersion ?? 'none'}, and has to be ${SEAM_VERSION})`,
  );
}
