/**
 * `npm run build:js` makes dist/ from src/, if src/ has changed, and packs the addon's sources. `npm run build:native` builds the addon in native/, with a
 * C++ compiler and CMake. Both use the tools in the lock file.
 */
import { readOptions, refuse } from './options.mjs';
import { buildAddon } from './setup/addon.mjs';
import { packAddonSources } from './setup/addon-sources.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { buildInterfaces } from './setup/interfaces.mjs';
import { buildLibrary } from './setup/library.mjs';
import { runSetup } from './setup.mjs';

const USAGE = `Usage: npm run build:js
       npm run build:native
       node scripts/build.mjs interfaces

  npm run build:js      makes dist/ from src/, if src/ has changed, and packs the addon's sources
  npm run build:native  builds the addon in native/, with a C++ compiler and CMake
  build.mjs interfaces  makes packages/interfaces/dist, if its sources have changed

  --help      prints this text`;

const parts = {
  js: [buildLibrary, packAddonSources],
  native: [buildAddon],
  interfaces: [buildLibrary, buildInterfaces],
};
const [part, ...others] = readOptions(USAGE, {}, true).words;
if (parts[part] === undefined || others.length > 0) refuse('Which part? node scripts/build.mjs js|native|interfaces');

await runSetup(installDependencies, ...parts[part]);
