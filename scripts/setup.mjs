/**
 * Makes a checkout ready to run: dependencies, the compiled library, the addon's binary, and what the distribution
 * must provide. Does only what is not done yet. `--tests` adds what the tests need.
 */
import { pathToFileURL } from 'node:url';
import { buildAddon, buildLibrary, loadAddon } from './setup/build.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { checkPlatform } from './setup/platform.mjs';
import { SetupError } from './setup/report.mjs';
import { bus, requirePackages, sdbusLibrary, testPeers, wishForPackages } from './setup/system-packages.mjs';

/** What everything else rests on. */
export function setupDependencies() {
  checkPlatform();
  installDependencies();
}

/** The library, ready to be imported as `busbar` by the examples. */
export async function setupLibrary() {
  await buildLibrary();
  buildAddon();
}

/** The library with all that it can do: half of the tests are about the transport `sd-bus`. */
export async function setupTestedLibrary() {
  await setupLibrary();
  requirePackages([sdbusLibrary(loadAddon)]);
}

/** Sees to a bus of one's own, installing it where it can; answers whether this machine can run one now. */
export function setupPrivateBus() {
  wishForPackages([bus], 'what needs a bus of its own does without');
  return bus.present();
}

/**
 * What the tests compare the library with. `BUSBAR_TEST_PEERS=required` says that none may be missing: where nobody reads
 * what was skipped, a test that is always skipped looks like one that passes.
 */
export function setupTestPeers() {
  if (process.env.BUSBAR_TEST_PEERS === 'required') requirePackages(testPeers);
  else wishForPackages(testPeers, 'tests that need them are skipped');
}

/** Runs parts of the setup; a person gets their message without a stack, and the process ends. */
export async function orExplain(...parts) {
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
  await orExplain(...forTests, setupDependencies, forTests.length > 0 ? setupTestedLibrary : setupLibrary);
}
