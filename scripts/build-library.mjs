/** `npm run build:js`: makes dist/ of src/, if that has changed. */
import { buildLibrary } from './setup/build.mjs';
import { orExplain } from './setup.mjs';

await orExplain(buildLibrary);
