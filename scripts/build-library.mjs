/** `npm run build:js`: makes dist/ of src/, if that has changed, with the tools that the lock file names. */
import { buildLibrary } from './setup/build.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { orExplain } from './setup.mjs';

await orExplain(installDependencies, buildLibrary);
