/**
 * Makes a checkout ready to run: dependencies, the compiled library, the addon's binary, and the requirements from the
 * distribution. Does only the missing steps, and prints them. `--tests` adds the requirements of the tests.
 */
import { userInfo } from 'node:os';
import { pathToFileURL } from 'node:url';
import { loadAddon, prepareAddon } from './setup/addon.mjs';
import { packAddonSources } from './setup/addon-sources.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { buildLibrary } from './setup/library.mjs';
import { checkPlatform } from './setup/platform.mjs';
import { printStep, SetupError } from './setup/report.mjs';
import {
  bus,
  installOptionalPackages,
  missingOf,
  requirePackages,
  sdbusLibrary,
  testPeers,
} from './setup/system-packages.mjs';

/** The base of everything else. */
export function setupDependencies() {
  checkPlatform();
  installDependencies();
}

/** The library, ready to be imported as `busbar` by the examples. */
export async function setupLibrary() {
  await buildLibrary();
  packAddonSources();
  prepareAddon();
}

/** The library with all features: half of the tests are about the transport `sd-bus`. */
export async function setupTestedLibrary() {
  await setupLibrary();
  requirePackages([sdbusLibrary(loadAddon)]);
}

/** The sd-bus library that the addon finds; `undefined` if there is none. */
export function foundSdbusLibrary() {
  return loadAddon()?.sdbusLibrary();
}

/** Installs dbus-daemon if it is missing and can be installed; returns whether this machine can run a private bus now. */
export function setupPrivateBus() {
  const consequence = 'programs and tests that need a private bus are skipped';
  if (!isKnownUser()) {
    printStep(`dbus-daemon refuses users without an entry in /etc/passwd, like ${process.getuid()}: ${consequence}`);
    return false;
  }
  installOptionalPackages([bus], consequence);
  return bus.present();
}

/** Whether this user has an entry in the user database. In a container that runs as any number it has none. */
function isKnownUser() {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/**
 * Installs the programs and modules with which the tests compare the library. With `BUSBAR_TEST_PEERS=required` none may be
 * missing: in continuous integration a test that is always skipped looks like one that passes.
 */
export function setupTestPeers() {
  if (process.env.BUSBAR_TEST_PEERS === 'required') requirePackages(testPeers);
  else installOptionalPackages(testPeers, 'tests that need them are skipped');
}

/** The names of the programs and modules for comparison that this machine lacks. */
export function missingTestPeers() {
  return missingOf(testPeers);
}

/** Runs parts of the setup; a failure prints its message without a stack, and ends the process. */
export async function runSetup(...parts) {
  try {
    for (const part of parts) await part();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}\n`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] || '').href) {
  const forTests = process.argv.includes('--tests') ? [setupTestPeers] : [];
  await runSetup(...forTests, setupDependencies, forTests.length > 0 ? setupTestedLibrary : setupLibrary);
}
