/**
 * `npm run build:js` makes dist/ of src/, if that has changed. `npm run build:native` builds the addon of native/, with a C++
 * compiler and CMake. Both use the tools that the lock file names.
 */
import { buildAddon } from './setup/addon.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { buildLibrary } from './setup/library.mjs';
import { orExplain } from './setup.mjs';

await orExplain(installDependencies, process.argv[2] === 'native' ? buildAddon : buildLibrary);
