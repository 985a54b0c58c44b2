/**
 * `npm run build:js` makes dist/ from src/, if src/ has changed. `npm run build:native` builds the addon in native/, with a
 * C++ compiler and CMake. Both use the tools in the lock file.
 */
import { buildAddon } from './setup/addon.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { buildLibrary } from './setup/library.mjs';
import { runSetup } from './setup.mjs';

await runSetup(installDependencies, process.argv[2] === 'native' ? buildAddon : buildLibrary);
