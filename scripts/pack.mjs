/**
 * `npm run test:pack`: packs busbar as it would be published, and installs and runs it in empty projects: with every
 * package manager, under every Node.js that is supported, on a machine without compilers, and as bundles. It
 * writes docs/support/figures/pack.json.
 */
import { runFolder } from './package/rows.mjs';
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';

await orExplain(setupTestPeers, setupDependencies, setupTestedLibrary);
// The others have runtimes of their own, or are the business of one.
await runFolder('pack', ['pack/npm', 'pack/import', 'pack/loading']);
